/* SPDX-License-Identifier: MIT
 * Pages of any bytes, as a file and its write-ahead log: the first byte says how much is which. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "schema/store_sift.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int on_row(void *ctx, const struct pt_sift_row *row, struct pt_err *err)
{
    uint32_t *sum = ctx;
    (void)err;
    for (unsigned i = 0; i < row->n; i++)
        *sum = pt_crc32c(*sum, row->v[i].text, row->v[i].text ? row->v[i].len : 0);
    return 0;
}

static int on_blob(void *ctx, const struct pt_sift_blob *b, struct pt_err *err)
{
    uint32_t *sum = ctx;
    (void)err;
    *sum = pt_crc32c(*sum, b->bytes, b->len);
    return 0;
}

static int on_bad(void *ctx, uint32_t page, const char *what, struct pt_err *err)
{
    (void)ctx, (void)page, (void)what, (void)err;
    return 0;
}

static int file_of(const uint8_t *data, size_t size)
{
    const int fd = memfd_create("fuzz", MFD_CLOEXEC);
    if (fd < 0 || write(fd, data, size) != (ssize_t)size)
        abort();
    return fd;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint32_t sum = 0;
    const struct pt_sift_ops ops = {on_row, on_blob, on_bad, &sum};
    struct pt_pages p;
    if (size < 1)
        return 0;
    const size_t rest = size - 1, main = data[0] == 0xff ? rest : rest * data[0] / 256;
    const int fd = file_of(data + 1, main), wal = file_of(data + 1 + main, rest - main);
    if (pt_pages_init(&p, fd, wal, NULL) >= 0) {
        struct pt_sift *s = pt_sift_new(&p, &ops);
        for (uint32_t place = 1; s && place <= pt_pages_places(&p); place++)
            pt_sift_page(s, place, NULL);
        pt_sift_free(s);
    }
    pt_pages_release(&p);
    close(fd);
    close(wal);
    return 0;
}
