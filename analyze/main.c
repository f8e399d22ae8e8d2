/* SPDX-License-Identifier: MIT
 * pagetrail: reads recordings. */
#include <stdlib.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "analyze/args.h"

int main(int argc, char **argv)
{
#ifdef __GLIBC__
    /* Blocks are decoded through large buffers that come and go: mapping each anew cost a fifth of
     * a diff. */
    mallopt(M_MMAP_THRESHOLD, 32 << 20);
    mallopt(M_TRIM_THRESHOLD, 64 << 20);
    mallopt(M_TOP_PAD, 1 << 20);
#endif
    return pt_program(argc, argv);
}
