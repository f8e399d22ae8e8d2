/* SPDX-License-Identifier: MIT
 * The kernel log: the input is records, one a line; what comes out fits its room and is one line.
 */
#include <stdlib.h>
#include <string.h>

#include "recorder/oom.h"

static void check(const char *text)
{
    for (; *text; text++) {
        if ((unsigned char)*text < ' ')
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pt_oom o = {0};
    const struct pt_portrait portrait = {.pid = 1, .start_time = 1, .n = 1};
    while (size) {
        const uint8_t *end = memchr(data, '\n', size);
        const size_t len = end ? (size_t)(end - data) : size;
        char *record = malloc(len + 1);
        struct pt_kmsg k;
        struct pt_oom_kill kill;
        memcpy(record, data, len);
        if (pt_kmsg_parse(record, len, &k) && pt_oom_line(&o, k.text, k.len, &kill)) {
            char subject[PT_OOM_SUBJECT], text[PT_OOM_TEXT];
            pt_oom_describe(&kill, kill.pid % 2 ? &portrait : NULL, false, subject, text);
            check(subject);
            check(text);
        }
        free(record);
        const size_t step = end ? len + 1 : len;
        data += step;
        size -= step;
    }
    return 0;
}
