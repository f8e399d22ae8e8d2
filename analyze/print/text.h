/* SPDX-License-Identifier: MIT
 * Names from recordings, made fit for a terminal: a name is any bytes, and may be hostile.
 * Controls, bytes that are not UTF-8 and characters that turn the direction of text come out as
 * \xNN. Units: terminal columns. */
#ifndef PT_ANALYZE_PRINT_TEXT_H
#define PT_ANALYZE_PRINT_TEXT_H

#include <stdbool.h>
#include <stdio.h>

#include "schema/wire.h"

#define PT_TEXT_WIDTH 80

/* One character at s (n > 0): its length, and in *ret_width its columns; -1 when it must be escaped
 * (then byte by byte: length 1). */
size_t pt_text_char(const char *s, size_t n, int *ret_width);
/* Bytes of the well-formed UTF-8 character at s (n > 0); 0: there is none. */
size_t pt_text_utf8(const char *s, size_t n);
bool pt_text_is_utf8(const char *s, size_t n);
/* Appends s escaped. */
void pt_text_escape(const char *s, size_t n, struct pt_buf *out);
/* Columns of an escaped text. */
size_t pt_text_width(const char *s, size_t n);
/* Appends an escaped text in at most `width` columns: what is too long loses its middle to "...".
 */
void pt_text_fit(const char *s, size_t n, size_t width, struct pt_buf *out);
/* Appends a text in the words of the recorder as it is, but for amounts such as "30464 kB", which
 * come out as "29.8 MiB"; a command line, with which it ends, is left alone. */
void pt_text_amounts(const char *s, size_t n, struct pt_buf *out);
/* Appends an escaped text as lines of at most `width` columns, broken at blanks where there are: it
 * goes on at column `indent`, and later lines begin there. */
void pt_text_wrap(const char *s, size_t n, size_t indent, size_t width, struct pt_buf *out);
/* Prints a text in lines of 80 columns, all from column `indent` on, the first behind the label. <
 * 0: no memory, nothing printed. */
int pt_text_print(FILE *out, const char *label, size_t indent, const char *s);

#endif
