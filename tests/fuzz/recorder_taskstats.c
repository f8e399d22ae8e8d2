/* SPDX-License-Identifier: MIT
 * Datagrams of taskstats: the input is one, of family 31. */
#include <stdlib.h>

#include "recorder/taskstats.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pt_task_end e;
    bool is;
    size_t step;
    while ((step = pt_taskstats_parse(data, size, 31, &is, &e)) > 0) {
        if (step > size || (is && (e.comm[sizeof(e.comm) - 1] || e.lived_us < 0 || e.peak_kb < 0)))
            abort();
        data += step;
        size -= step;
    }
    return 0;
}
