/* SPDX-License-Identifier: MIT
 * The one error type of Pagetrail. Every function that can fail returns a negative int and fills
 * the caller's struct pt_err; the first error wins, later ones leave it alone. Libraries never
 * print. */
#ifndef PT_SCHEMA_ERR_H
#define PT_SCHEMA_ERR_H

#include <stdarg.h>
#include <stdint.h>

enum pt_code {
    PT_OK = 0,
    PT_EUSAGE,    /* the caller's argument is wrong */
    PT_EOPEN,     /* cannot open or read: no such file, no permission */
    PT_EFORMAT,   /* not a Pagetrail database */
    PT_ENEWER,    /* a format newer than this program */
    PT_EDAMAGED,  /* bytes that fail a checksum or a bound */
    PT_EFULL,     /* no space, quota */
    PT_EIO,       /* reading or writing failed */
    PT_ELOCKED,   /* somebody else writes here */
    PT_ENOMEM,    /* no memory, or a bound on memory reached */
    PT_ENOTFOUND, /* no such snapshot, source or field */
};

/* Zero-initialise before use. text is a whole message, lower case, no full stop. */
struct pt_err {
    enum pt_code code;
    int sys;          /* errno where one applies, else 0 */
    int64_t position; /* byte offset, row or snapshot where one applies, else -1 */
    char source[64];  /* what it is about: "segment 12 block 1", "frame 812", "proc:meminfo"; may be
                         "" */
    char text[256];
};

/* Fills *err unless it holds an error already (err may be NULL); returns -code always. */
int pt_err_set(struct pt_err *err, enum pt_code code, int sys, const char *source, int64_t position,
               const char *fmt, ...) __attribute__((format(printf, 6, 7)));
int pt_err_nomem(struct pt_err *err);

#endif
