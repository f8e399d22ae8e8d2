/* SPDX-License-Identifier: MIT
 * SQLite's pages without SQLite. The file formats are those of sqlite.org/fileformat2.html: the
 * database header, pointer maps and overflow pages, and the write-ahead log. */
#include "schema/store_pages.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define PAGE_SIZE 512u /* of our databases, where no header says */
#define WAL_HEAD  32
#define SLOT_HEAD 24
#define WAL_MAGIC 0x377f0683u /* big-endian checksums; one less: little-endian */
#define PAGES_MAX (UINT32_C(1) << 31)
#define MAP_ENTRY 5u

static uint32_t be32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static int read_at(int fd, uint8_t *buf, size_t n, int64_t at, struct pt_err *err)
{
    size_t done = 0;
    while (done < n) {
        const ssize_t got = pread(fd, buf + done, n - done, (off_t)(at + (int64_t)done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 && errno != EIO)
            return pt_err_set(err, PT_EIO, errno, "", at, "cannot read: %s", strerror(errno));
        if (got <= 0) /* the end, or a place that the disk has lost */
            break;
        done += (size_t)got;
    }
    memset(buf + done, 0, n - done);
    return 0;
}

static bool page_size_of(const uint8_t *head, uint32_t *ret)
{
    const uint32_t raw = (uint32_t)head[16] << 8 | head[17];
    const uint32_t size = raw == 1 ? PT_PAGE_MAX : raw;
    if (memcmp(head, "SQLite format 3", 16) != 0 || size < 512 || (size & (size - 1)) != 0)
        return false;
    *ret = size;
    return true;
}

static int64_t length_of(int fd)
{
    struct stat st;
    return fd < 0 || fstat(fd, &st) < 0 ? 0 : st.st_size;
}

static int by_page(const void *a, const void *b, void *ctx)
{
    const struct pt_wal_slot *slots = ctx;
    const uint32_t ia = *(const uint32_t *)a, ib = *(const uint32_t *)b;
    if (slots[ia].page != slots[ib].page)
        return slots[ia].page < slots[ib].page ? -1 : 1;
    return ia < ib ? -1 : ia > ib;
}

static int init_wal(struct pt_pages *p, struct pt_err *err)
{
    uint8_t head[WAL_HEAD];
    const int64_t len = length_of(p->wal_fd);
    const int64_t count = len < WAL_HEAD ? 0 : (len - WAL_HEAD) / (SLOT_HEAD + p->size);
    if (count <= 0)
        return 0;
    if (count >= PAGES_MAX - p->npages)
        return pt_err_set(err, PT_EFORMAT, 0, "", -1, "the -wal is too large");
    p->slots = calloc((size_t)count, sizeof *p->slots);
    p->by_page = calloc((size_t)count, sizeof *p->by_page);
    if (!p->slots || !p->by_page)
        return pt_err_nomem(err);
    int r = read_at(p->wal_fd, head, sizeof head, 0, err);
    bool known = false;
    const uint64_t salt = (uint64_t)be32(head + 16) << 32 | be32(head + 20);
    for (int64_t i = 0; i < count && r >= 0; i++) {
        uint8_t slot[SLOT_HEAD];
        r = read_at(p->wal_fd, slot, sizeof slot, WAL_HEAD + i * (SLOT_HEAD + p->size), err);
        p->slots[i] =
            (struct pt_wal_slot){.page = be32(slot),
                                 .commit = be32(slot + 4),
                                 .salt = (uint64_t)be32(slot + 8) << 32 | be32(slot + 12)};
        p->by_page[i] = (uint32_t)i;
        known |= p->slots[i].salt == salt;
    }
    p->nslots = (uint32_t)count;
    p->salt = known ? salt : p->slots[0].salt;
    qsort_r(p->by_page, p->nslots, sizeof *p->by_page, by_page, p->slots);
    return r;
}

int pt_pages_init(struct pt_pages *p, int fd, int wal_fd, struct pt_err *err)
{
    uint8_t head[100];
    *p = (struct pt_pages){.fd = fd, .wal_fd = wal_fd, .size = PAGE_SIZE};
    int r = read_at(fd, head, sizeof head, 0, err);
    if (r < 0)
        return r;
    p->has_head = page_size_of(head, &p->size);
    if (p->has_head && be32(head + 24) == be32(head + 92))
        p->told = be32(head + 28);
    const int64_t pages = (length_of(fd) + p->size - 1) / p->size;
    if (pages >= PAGES_MAX)
        return pt_err_set(err, PT_EFORMAT, 0, "", -1, "the file is too large");
    p->npages = (uint32_t)pages;
    return init_wal(p, err);
}

void pt_pages_release(struct pt_pages *p)
{
    free(p->slots);
    free(p->by_page);
}

/* ---- what SQLite makes of the log ---- */

/* Over words in the byte order that the log's magic number tells. */
struct checksum {
    bool big;
    uint32_t a, b;
};

static uint32_t word(const struct checksum *c, const uint8_t *p)
{
    return c->big ? be32(p) : __builtin_bswap32(be32(p));
}

static void sum(struct checksum *c, const uint8_t *p, size_t n)
{
    for (const uint8_t *end = p + n; p < end; p += 8) {
        c->a += word(c, p) + c->b;
        c->b += word(c, p + 4) + c->a;
    }
}

static bool agrees(const struct checksum *c, const uint8_t *p)
{
    return c->a == be32(p) && c->b == be32(p + 4);
}

int pt_wal_behind(int wal_fd, int64_t *ret, struct pt_err *err)
{
    uint8_t head[WAL_HEAD], slot[SLOT_HEAD + PT_PAGE_MAX], salts[8];
    int64_t behind = 0;
    int r = read_at(wal_fd, head, sizeof head, 0, err);
    uint32_t size = be32(head + 8);
    const bool known = (be32(head) | 1) == WAL_MAGIC && size >= 512 && size <= PT_PAGE_MAX &&
                       (size & (size - 1)) == 0;
    size = known ? size : PAGE_SIZE;
    struct checksum c = {.big = be32(head) & 1};
    sum(&c, head, 24);
    bool whole = known && agrees(&c, head + 24);
    memcpy(salts, head + 16, sizeof salts);
    const int64_t count = (length_of(wal_fd) - WAL_HEAD) / (SLOT_HEAD + size);
    for (int64_t i = 0; i < count && r >= 0; i++) {
        r = read_at(wal_fd, slot, SLOT_HEAD + size, WAL_HEAD + i * (SLOT_HEAD + size), err);
        if (i == 0 && !whole) /* without a head, the first slot says of which log it is */
            memcpy(salts, slot + 8, sizeof salts);
        const bool same = memcmp(slot + 8, salts, sizeof salts) == 0;
        /* the bad slot itself may be what a kill left of a commit, over an older one */
        const bool before = whole;
        if (whole) {
            sum(&c, slot, 8);
            sum(&c, slot + SLOT_HEAD, size);
            whole = same && be32(slot) != 0 && agrees(&c, slot + 16);
        }
        behind += !before && same && be32(slot + 4) != 0;
    }
    if (r >= 0)
        *ret = behind;
    return r;
}

/* ---- pages ---- */

int pt_pages_read(const struct pt_pages *p, uint32_t place, uint8_t *buf, struct pt_err *err)
{
    if (place <= p->npages)
        return read_at(p->fd, buf, p->size, (int64_t)(place - 1) * p->size, err);
    const int64_t slot = place - p->npages - 1;
    return read_at(p->wal_fd, buf, p->size, WAL_HEAD + slot * (SLOT_HEAD + p->size) + SLOT_HEAD,
                   err);
}

uint32_t pt_pages_number(const struct pt_pages *p, uint32_t place)
{
    return place <= p->npages ? place : p->slots[place - p->npages - 1].page;
}

/* The last slot of a page with this salt and an index below `below`; 0: none, else its place. */
static uint32_t slot_of(const struct pt_pages *p, uint32_t number, uint64_t salt, uint32_t below)
{
    uint32_t lo = 0, hi = p->nslots;
    while (lo < hi) { /* the first one beyond */
        const uint32_t mid = lo + (hi - lo) / 2;
        const uint32_t slot = p->by_page[mid];
        if (p->slots[slot].page < number || (p->slots[slot].page == number && slot < below))
            lo = mid + 1;
        else
            hi = mid;
    }
    for (; lo > 0 && p->slots[p->by_page[lo - 1]].page == number; lo--)
        if (p->slots[p->by_page[lo - 1]].salt == salt)
            return p->npages + 1 + p->by_page[lo - 1];
    return 0;
}

/* One past the last slot of the transaction that slot is of. */
static uint32_t commit_of(const struct pt_pages *p, uint32_t slot)
{
    const uint64_t salt = p->slots[slot].salt;
    while (slot < p->nslots && p->slots[slot].salt == salt && !p->slots[slot].commit)
        slot++;
    return slot < p->nslots ? slot + 1 : p->nslots;
}

uint32_t pt_pages_find(const struct pt_pages *p, uint32_t number, uint32_t from,
                       enum pt_page_view view)
{
    uint32_t place = 0;
    if (number == 0)
        return 0;
    if (view == PT_VIEW_SAME && from > p->npages) {
        const uint32_t slot = from - p->npages - 1;
        place = slot_of(p, number, p->slots[slot].salt, commit_of(p, slot));
    } else if (view == PT_VIEW_LAST) {
        place = slot_of(p, number, p->salt, p->nslots);
    }
    return place ? place : number <= p->npages ? number : 0;
}

/* The pointer map has five bytes for each page after it, and stands again after those. */
enum pt_page_kind pt_pages_kind(const struct pt_pages *p, uint32_t number, uint32_t *ret_parent)
{
    const uint32_t each = p->size / MAP_ENTRY + 1;
    uint8_t page[PT_PAGE_MAX];
    *ret_parent = 0;
    if (number < 3)
        return number == 1 ? PT_PAGE_ROOT : PT_PAGE_UNKNOWN;
    const uint32_t map = (number - 2) / each * each + 2;
    const uint32_t place = pt_pages_find(p, map, 0, PT_VIEW_LAST);
    if (map == number || !place || pt_pages_read(p, place, page, NULL) < 0)
        return PT_PAGE_UNKNOWN;
    const uint8_t *entry = page + (number - map - 1) * MAP_ENTRY;
    *ret_parent = be32(entry + 1);
    return *entry <= PT_PAGE_TREE ? (enum pt_page_kind) * entry : PT_PAGE_UNKNOWN;
}

bool pt_pages_last(const struct pt_pages *p, uint32_t place)
{
    return pt_pages_find(p, pt_pages_number(p, place), 0, PT_VIEW_LAST) == place;
}

bool pt_run_read(const struct pt_pages *p, struct pt_run *run, size_t n, struct pt_buf *out)
{
    uint8_t page[PT_PAGE_MAX];
    while (n > 0) {
        if (run->place == 0 || pt_pages_read(p, run->place, page, NULL) < 0)
            return false;
        const size_t here = run->end - run->at, part = n < here ? n : here;
        pt_buf_put(out, page + run->at, part);
        run->at += (uint32_t)part;
        n -= part;
        if (n == 0)
            break;
        if (!run->overflow && run->end + 4 > p->size)
            return false;
        const uint32_t next = be32(run->overflow ? page : page + run->end);
        run->place = pt_pages_find(p, next, run->place, run->view);
        run->at = 4;
        run->end = p->size;
        run->overflow = true;
    }
    return !out->failed;
}
