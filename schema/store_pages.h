/* SPDX-License-Identifier: MIT
 * The pages of an SQLite database and of its write-ahead log, read without SQLite from files in any
 * condition: cut short, torn, of two moments, without a header. Nothing that a page says is
 * believed; what is made of pages has checksums of its own. Units: bytes. Internal to schema.
 *
 * A page in some version is known by its place: 1..npages in the main file, above in the log. */
#ifndef PT_SCHEMA_STORE_PAGES_H
#define PT_SCHEMA_STORE_PAGES_H

#include "schema/err.h"
#include "schema/wire.h"

#define PT_PAGE_MAX 65536u

struct pt_wal_slot {
    uint32_t page, commit;
    uint64_t salt;
};

struct pt_pages {
    int fd, wal_fd; /* borrowed; wal_fd -1: none */
    uint32_t size;  /* of a page */
    uint32_t npages, nslots;
    uint32_t told; /* pages that the header says there are; 0: it does not say */
    bool has_head; /* page 1 begins as a database does */
    uint64_t salt; /* of the log's newest part */
    struct pt_wal_slot *slots;
    uint32_t *by_page; /* slots sorted by page, then by order */
};

/* Transactions of a log that SQLite will not see: it goes on to the first page that fails its
 * checksum, and leaves out what was committed behind. What a crash leaves has none: the page that
 * was being written is the last, and what stands behind it is of an older log. */
int pt_wal_behind(int wal_fd, int64_t *ret, struct pt_err *err);

int pt_pages_init(struct pt_pages *p, int fd, int wal_fd, struct pt_err *err);
void pt_pages_release(struct pt_pages *p);
static inline uint32_t pt_pages_places(const struct pt_pages *p)
{
    return p->npages + p->nslots;
}
/* Reads a page: what is not there is zero. buf: p->size. < 0: the file cannot be read. */
int pt_pages_read(const struct pt_pages *p, uint32_t place, uint8_t *buf, struct pt_err *err);
/* The number of the page at a place; 0: none. */
uint32_t pt_pages_number(const struct pt_pages *p, uint32_t place);
/* What the pointer map says a page is. */
enum pt_page_kind {
    PT_PAGE_UNKNOWN = 0,
    PT_PAGE_ROOT,
    PT_PAGE_FREE,
    PT_PAGE_FIRST,
    PT_PAGE_NEXT,
    PT_PAGE_TREE
};
/* ret_parent: the page that points to it, 0 for roots. */
enum pt_page_kind pt_pages_kind(const struct pt_pages *p, uint32_t number, uint32_t *ret_parent);
/* Is it the last version of its page? */
bool pt_pages_last(const struct pt_pages *p, uint32_t place);

/* Which version of a page another page means. */
enum pt_page_view {
    PT_VIEW_SAME = 0, /* as of the transaction that wrote the other one (the main file's: of it) */
    PT_VIEW_LAST,     /* the last there is */
    PT_VIEW_MAIN,     /* the main file's */
    PT_VIEWS
};
uint32_t pt_pages_find(const struct pt_pages *p, uint32_t number, uint32_t from,
                       enum pt_page_view view); /* place; 0: none */

/* Bytes that go on from page to page, as the content of a cell does. */
struct pt_run {
    uint32_t place, at, end; /* from at to end of the page at place, then on; */
    bool overflow;           /* the number of the next page: its first bytes, else those at end */
    enum pt_page_view view;
};
/* Appends n bytes of a run to out, and moves the run on. false: it ends before. */
bool pt_run_read(const struct pt_pages *p, struct pt_run *run, size_t n, struct pt_buf *out);

#endif
