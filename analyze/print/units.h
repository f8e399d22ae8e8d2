/* SPDX-License-Identifier: MIT
 * Amounts as people read them. Every function writes at most size bytes with the NUL and returns
 * buf, so that it can stand in an argument list. PT_UNKNOWN gives "?". Times are microseconds since
 * the epoch. */
#ifndef PT_ANALYZE_PRINT_UNITS_H
#define PT_ANALYZE_PRINT_UNITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PT_UNITS_BUF 40

/* "0 B", "12.3 MiB", "1.00 GiB"; with sign: "+12.3 MiB", "-4 KiB", "0 B". */
char *pt_units_bytes(char *buf, size_t size, int64_t bytes, bool sign);
/* "1234567" with sign as asked. */
char *pt_units_count(char *buf, size_t size, int64_t n, bool sign);
/* "0.5 s", "42 s", "3 min 20 s", "2 h 5 min", "3 d 4 h": two parts at most. */
char *pt_units_duration(char *buf, size_t size, int64_t us);
/* "2026-11-23 14:05:09 +01:00" at an offset east of UTC. */
char *pt_units_time(char *buf, size_t size, int64_t real_us, int32_t utc_offset_s);
/* "2026-11-23T13:05:09.123456Z" */
char *pt_units_rfc3339(char *buf, size_t size, int64_t real_us);

/* The date of the Gregorian calendar so many days after 1970-01-01. */
void pt_civil_from_days(int64_t days, int64_t *ret_year, unsigned *ret_month, unsigned *ret_day);

/* PT_UNKNOWN where it is no number, or none that fits. */
int64_t pt_units_whole(double v);
int64_t pt_units_us(double seconds);
/* PT_UNKNOWN when one of the two is, or when it does not fit: numbers of a file are anything. */
int64_t pt_units_plus(int64_t a, int64_t b);
int64_t pt_units_minus(int64_t a, int64_t b);

#endif
