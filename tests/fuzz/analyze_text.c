/* SPDX-License-Identifier: MIT
 * Any bytes as a name, a path, a cgroup and a time: no crash, no raw control reaches the terminal,
 * widths hold. */
#include <stdlib.h>

#include "analyze/print/json.h"
#include "analyze/picture/mapping.h"
#include "analyze/series/service.h"
#include "analyze/print/text.h"
#include "schema/timespec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_shown(const char *s, size_t n, size_t width)
{
    struct pt_buf out;
    pt_buf_init(&out, 1 << 22);
    pt_text_fit(s, n, width, &out);
    if (pt_text_width((const char *)out.data, out.len) > (width < 4 ? 4 : width))
        abort();
    for (size_t i = 0; i < out.len; i++) {
        if (out.data[i] < 0x20 || out.data[i] == 0x7f)
            abort();
    }
    if (out.len && !pt_text_is_utf8((const char *)out.data, out.len))
        abort();
    pt_buf_release(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct pt_timespec_base base = {.last_us = INT64_C(1795447800000000),
                                          .utc_offset_s = 3600};
    if (size > 4096)
        return 0;
    char *s = malloc(size + 1);
    if (!s)
        return 0;
    memcpy(s, data, size);
    s[size] = '\0';
    struct pt_instant instant;
    char name[64];
    bool deleted;
    pt_timespec_parse(s, &base, &instant, NULL);
    pt_mapping_name(s, size, name, size % sizeof(name) + 1, &deleted);
    struct pt_service service;
    if (pt_service_of_cgroup(s, &service) != (*service.name != '\0'))
        abort();
    check_shown(s, size, size ? data[0] : 0);
    json_t *j = pt_json_name(s, size);
    if (!j)
        abort();
    json_decref(j);
    free(s);
    return 0;
}
