/* SPDX-License-Identifier: MIT
 * Times, sizes and shares as people write them on command lines and in configuration files. false:
 * not understood, or too large to be meant. */
#ifndef PT_RECORDER_QUANTITY_H
#define PT_RECORDER_QUANTITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* "10s", "500ms", "1.5m", "2h", "1d", "10" (seconds). */
bool pt_parse_span(const char *text, int64_t *ret_us);
/* "1G", "512MiB", "1.5T", "4096" (bytes); K, M, G and T are powers of 1024. */
bool pt_parse_size(const char *text, int64_t *ret_bytes);
/* "0.5%" or "0.5" of one core, in millionths of a core. */
bool pt_parse_share(const char *text, int64_t *ret_ppm);
/* Epoch seconds ("1790000000", "1790000000.5"), RFC 3339, or "YYYY-MM-DD HH:MM[:SS]" in local time.
 */
bool pt_parse_time(const char *text, int64_t *ret_us);

/* As the parsers read it, in the largest unit that leaves a whole number: "90s", "1G". */
void pt_print_span(char *ret, size_t size, int64_t us);
void pt_print_size(char *ret, size_t size, int64_t bytes);

#endif
