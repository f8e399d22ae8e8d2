/* SPDX-License-Identifier: MIT
 * The parsers behind the table of files (source_table.c), and what they are made of: spans, lines
 * and words. A parser takes bytes and tells items; it reads, allocates and keeps nothing. Few
 * grammars serve many files: key lines, pairs, columns, tables with a header line, zones, mappings.
 *
 * Names of made-up fields: "value" for the one number of a file, "value.1" and on for the further
 * numbers of a line, "key.1" and on where a key has several, "order0" and on by position. */
#ifndef PT_SCHEMA_PARSE_H
#define PT_SCHEMA_PARSE_H

#include <stdbool.h>
#include <string.h>

#include "schema/source.h"

struct pt_str {
    const char *p;
    size_t n;
};
#define PT_STR(literal) ((struct pt_str){(literal), sizeof(literal) - 1})

static inline bool pt_str_is(struct pt_str s, const char *is)
{
    return strlen(is) == s.n && memcmp(s.p, is, s.n) == 0;
}
static inline bool pt_str_starts(struct pt_str s, const char *with)
{
    size_t n = strlen(with);
    return n <= s.n && memcmp(s.p, with, n) == 0;
}

/* Takes the next line off *rest, without its line feed and a carriage return before it. false: no
 * more. */
bool pt_take_line(struct pt_str *rest, struct pt_str *ret);
/* Takes the next word (no space, no tab) off *rest. false: no more; then *rest is empty. */
bool pt_take_word(struct pt_str *rest, struct pt_str *ret);
/* Takes digits off *rest. false: there are none. */
bool pt_take_digits(struct pt_str *rest, struct pt_str *ret);
struct pt_str pt_trim(struct pt_str s);
/* Optional '-', digits, optional '.' and digits: all of s. Its size does not matter. */
bool pt_is_number(struct pt_str s);

/* Where items go; row is that of all items put until it is set anew. */
struct pt_out {
    pt_emit *emit;
    void *ctx;
    struct pt_str row;
};
int pt_put(const struct pt_out *o, struct pt_str field, struct pt_str value);
int pt_put_name(const struct pt_out *o, const char *field, struct pt_str value);
/* field "stem<n>"; the name lives until emit returns. */
int pt_put_nth(const struct pt_out *o, struct pt_str stem, unsigned n, const char *tail,
               struct pt_str value);
/* One "key: value" or "key value" line; several numbers become key, key.1, key.2. */
int pt_put_key_line(const struct pt_out *o, struct pt_str line);
/* key=value words of a line. */
int pt_put_pairs(const struct pt_out *o, struct pt_str words);
/* Words of a line, named by position; those past the last name are "column<n>", counted from 0. */
int pt_put_columns(const struct pt_out *o, struct pt_str words, const char *const *names,
                   size_t count);

/* Generic grammars. */
pt_parser pt_parse_keys;   /* key lines: meminfo, vmstat, memory.stat, and every unknown file */
pt_parser pt_parse_single; /* "value": one number, or the [chosen] word of several, or a line of
                              numbers */
pt_parser pt_parse_text;   /* "value": the whole text but a last line feed */
pt_parser pt_parse_pairs;  /* "some avg10=0.00 total=0": row, then key=value words */
pt_parser pt_parse_rows;   /* "TCP: inuse 1 mem 2": row, then key value words */

/* Files of the host. */
pt_parser pt_parse_node_meminfo;
pt_parser pt_parse_zoneinfo;
pt_parser pt_parse_buddyinfo;
pt_parser pt_parse_pagetypeinfo;
pt_parser pt_parse_swaps;
pt_parser pt_parse_slabinfo;
pt_parser pt_parse_vmallocinfo;
pt_parser pt_parse_allocinfo;
pt_parser pt_parse_shm;
pt_parser pt_parse_msg;
pt_parser pt_parse_sem;
pt_parser pt_parse_stat;
pt_parser pt_parse_loadavg;
pt_parser pt_parse_uptime;
pt_parser pt_parse_cpuinfo;
pt_parser pt_parse_mounts;
pt_parser pt_parse_file_nr;
pt_parser pt_parse_dentry_state;
pt_parser pt_parse_inode_state;
pt_parser pt_parse_mm_stat;
pt_parser pt_parse_zram_io_stat;
pt_parser pt_parse_zram_bd_stat;
pt_parser pt_parse_cgroups;
pt_parser pt_parse_pids; /* cgroup.procs: a pid a line */

/* Files of a process. */
pt_parser pt_parse_pid_stat;
pt_parser pt_parse_statm;
pt_parser pt_parse_status;
pt_parser pt_parse_smaps; /* smaps, smaps_rollup and maps */
pt_parser pt_parse_numa_maps;
pt_parser pt_parse_pid_cgroup;

#endif
