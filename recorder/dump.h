/* SPDX-License-Identifier: MIT
 * pagetraild dump: a database that may be recorded to, or a slice of it, as one file. */
#ifndef PT_RECORDER_DUMP_H
#define PT_RECORDER_DUMP_H

/* argv[0] is "dump". Returns the exit status. */
int pt_dump_run(int argc, char **argv);

#endif
