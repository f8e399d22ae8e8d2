/* SPDX-License-Identifier: MIT
 * How the recording before ended, as its writer finds it when it opens the file. */
#include "schema/store_write.h"

/* The last snapshot of either table; the view of both is not for connections that trust no view. */
#define LAST                                                                                       \
    "SELECT * FROM (SELECT n, time_ms, boot FROM sealed ORDER BY n DESC LIMIT 1) UNION ALL "       \
    "SELECT * FROM (SELECT n, time_ms, boot FROM frame ORDER BY n DESC LIMIT 1)"

int pt_store_past(struct pt_store *s, struct pt_store_past *ret, struct pt_err *err)
{
    struct pt_store_past p = {.last_us = PT_UNKNOWN};
    int64_t ended = PT_EVENT_STOP, time_ms = PT_UNKNOWN, boot = 0;
    const struct {
        const char *sql;
        int64_t none, *to;
    } asked[] = {
        {"SELECT kind FROM event WHERE kind IN (0, 1) ORDER BY id DESC LIMIT 1", PT_EVENT_STOP,
         &ended},
        {"SELECT count(*) FROM frame", 0, &p.frames},
        {"SELECT max(n) FROM (" LAST ")", 0, &p.last_n},
        {"SELECT time_ms FROM (" LAST ") ORDER BY n DESC LIMIT 1", PT_UNKNOWN, &time_ms},
        {"SELECT boot FROM (" LAST ") ORDER BY n DESC LIMIT 1", 0, &boot},
    };
    for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
        const int r = pt_sql_int(s->db, asked[i].sql, asked[i].none, asked[i].to, err);
        if (r < 0)
            return r;
    }
    p.crashed = ended == PT_EVENT_START;
    p.boot = (uint32_t)boot;
    p.last_us = pt_ms_to_us(time_ms);
    *ret = p;
    return 0;
}
