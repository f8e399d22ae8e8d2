/* SPDX-License-Identifier: MIT
 * Who a process is, out of PID/stat and source names. */
#include "schema/ident.h"

#include "schema/parse.h"

struct found {
    struct pt_pid_stat stat;
    unsigned have; /* a bit a field */
};

enum { HAVE_PID = 1, HAVE_PPID = 2, HAVE_START = 4, HAVE_STATE = 8, HAVE_COMM = 16, HAVE_ALL = 31 };

static int note_number(struct found *f, const struct pt_item *item, unsigned have, int64_t *ret)
{
    int64_t scale;
    if (pt_number(item->value, item->value_len, ret, &scale) && scale == 1 && *ret >= 0)
        f->have |= have;
    return 0;
}

static int note(void *ctx, const struct pt_item *item)
{
    struct found *f = ctx;
    const struct pt_str name = {item->field, item->field_len};
    int64_t start = 0;
    if (pt_str_is(name, "pid"))
        return note_number(f, item, HAVE_PID, &f->stat.pid);
    if (pt_str_is(name, "ppid"))
        return note_number(f, item, HAVE_PPID, &f->stat.ppid);
    if (pt_str_is(name, "state") && item->value_len == 1) {
        f->stat.state = *item->value;
        f->have |= HAVE_STATE;
    } else if (pt_str_is(name, "comm")) {
        f->stat.comm = item->value;
        f->stat.comm_len = item->value_len;
        f->have |= HAVE_COMM;
    } else if (pt_str_is(name, "starttime")) {
        note_number(f, item, HAVE_START, &start);
        f->stat.start_time = (uint64_t)start;
        return -1; /* what follows is not wanted */
    }
    return 0;
}

int pt_pid_stat_parse(const char *text, size_t len, struct pt_pid_stat *ret)
{
    struct found f = {0};
    pt_parse_pid_stat(text, len, note, &f);
    if (f.have != HAVE_ALL)
        return -1;
    *ret = f.stat;
    return 0;
}

int pt_pid_stat_reading(const struct pt_shapes *t, const struct pt_reading *r,
                        struct pt_buf *scratch, struct pt_pid_stat *ret, struct pt_err *err)
{
    pt_buf_reset(scratch);
    int rc = pt_reading_text(t, r, scratch, err);
    if (rc < 0)
        return rc;
    if (scratch->len == 0 || pt_pid_stat_parse((const char *)scratch->data, scratch->len, ret) < 0)
        return pt_err_set(err, PT_EDAMAGED, 0, NULL, -1, "not a process's stat file");
    return 0;
}

int64_t pt_source_pid(const char *source, const char **ret_file)
{
    struct pt_str rest = {source, strlen(source)}, digits;
    int64_t pid, scale;
    if (!pt_str_starts(rest, "proc:"))
        return -1;
    rest.p += 5;
    rest.n -= 5;
    if (!pt_take_digits(&rest, &digits) || rest.n < 2 || *rest.p != '/' ||
        !pt_number(digits.p, digits.n, &pid, &scale))
        return -1;
    if (ret_file != NULL)
        *ret_file = rest.p + 1;
    return pid;
}
