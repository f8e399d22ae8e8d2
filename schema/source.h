/* SPDX-License-Identifier: MIT
 * The files Pagetrail knows: one const table row each, saying by a name pattern how the text is
 * taken apart (codec), how it is parsed (fields) and what its fields mean. A file that no row knows
 * is recorded whole with PT_LEX_DEC. */
#ifndef PT_SCHEMA_SOURCE_H
#define PT_SCHEMA_SOURCE_H

#include "schema/reading.h"

enum pt_unit {
    PT_UNIT_NONE = 0, /* a plain number */
    PT_UNIT_BYTES,
    PT_UNIT_KIB,
    PT_UNIT_PAGES,
    PT_UNIT_US,
    PT_UNIT_MS,
    PT_UNIT_SECONDS,
    PT_UNIT_TICKS, /* CLK_TCK */
    PT_UNIT_PERCENT,
    PT_UNIT_COUNT,
    PT_UNIT_ID, /* pid, uid, inode, address: a name, not an amount */
    PT_UNIT_TEXT,
    PT_UNIT_HEX, /* a hexadecimal number, with or without "0x": an address, a mask, a device number
                  */
};
enum pt_field_kind {
    PT_GAUGE = 0, /* a level now */
    PT_COUNTER,   /* only rises while its object lives */
    PT_STATE,     /* a name, a flag, a setting */
};
const char *pt_unit_name(enum pt_unit unit); /* "KiB", "pages", ... */
const char *pt_field_kind_name(enum pt_field_kind kind);

struct pt_field {
    const char *name; /* the file's own key: "MemFree", "pgfault", "VmRSS", "rss"; "value" in files
                         of one number;
                         '*' stands for any run: "order*", "cpu*.count" */
    enum pt_unit unit;
    enum pt_field_kind kind;
    const char *doc; /* one line, from the kernel's documentation */
};

/* One value in a text. Spans point into the text, but for names a parser makes up: rows that have
 * no name in the text
 * ("[anon]") and names of columns are static, numbered ones ("order3", "cpu0.count", "Uid.1") live
 * until emit returns. */
struct pt_item {
    const char *row; /* "" in plain files; slab name, zone ("Node 0, zone DMA"), mapping path, PSI
                        line ("some") */
    size_t row_len;
    const char *field;
    size_t field_len;
    const char *
        value; /* where its digits (or, for text fields, its bytes) stand, a leading '-' included */
    size_t value_len;
};
/* Bytes in, items out, no allocation, any bytes whatever. Stops at emit < 0 and returns it; what
 * makes no sense is skipped; a text cut short yields the items before the cut. */
typedef int pt_emit(void *ctx, const struct pt_item *item);
typedef int pt_parser(const char *text, size_t len, pt_emit *emit, void *ctx);

struct pt_file {
    const char *pattern; /* source name; '*' matches any run of bytes but '/', '**' any run:
                            "proc:*\/status" */
    const char *doc;     /* what the file is */
    struct pt_grammar grammar;
    pt_parser *parse;
    const struct pt_field *fields;
    size_t nfields;
    enum pt_unit unit; /* of fields the kernel has and the table does not */
    enum pt_field_kind kind;
};

const struct pt_file *pt_files(size_t *ret_count);
/* Never NULL: an unknown name gets the catch-all row (pattern "**"). */
const struct pt_file *pt_file_of(const char *source);
/* NULL: unknown to the table (file->unit and file->kind then hold). */
const struct pt_field *pt_field_of(const struct pt_file *file, const char *name, size_t len);
bool pt_source_match(const char *pattern, const char *name);
/* The class of a source: its name with what tells one object from another taken out
 * ("proc:*\/status"). Writes at most `size` bytes. */
void pt_source_class(const char *name, char *ret, size_t size);
/* The pid of a process's source, and (ret_file, may be NULL) the file: 1234 and "status" of
 * "proc:1234/status". < 0: not a process's source. A pid alone is never who a process is: that
 * takes boot, pid and start time. */
int64_t pt_source_pid(const char *source, const char **ret_file);

/* A value's number: sign, digits, fraction ("-12", "0.05", "0x1f" and bare hex where the field is
 * an address). false: not a number, or out of range. *ret_scale: 10^decimals (100 for "0.05", *ret
 * = 5). */
bool pt_number(const char *s, size_t len, int64_t *ret, int64_t *ret_scale);
/* The same by the field's unit: PT_UNIT_HEX is read as hexadecimal. field NULL: as pt_number. */
bool pt_value(const struct pt_field *field, const char *s, size_t len, int64_t *ret,
              int64_t *ret_scale);
/* A row as it is shown: of zones ("Node 0, zone      DMA") runs of blanks become one; all others
 * unchanged. Writes at most size bytes with the NUL, returns the length. */
size_t pt_row_name(const char *row, size_t len, char *ret, size_t size);

/* Slot -> field of one row: made once per pair of shapes by rendering the shape with each slot
 * holding its own index and running the parser on it; a value's span tells its slots. */
struct pt_fieldmap_mark {
    uint32_t at; /* offset of the '#' in the row */
    uint32_t slot;
    uint8_t kind, width;
};
struct pt_fieldmap_entry {
    const char *row, *field; /* NUL-terminated, owned by the map; a slot within the row's name is a
                                '#': pt_fieldmap_row() */
    const struct pt_fieldmap_mark *marks; /* of those, ascending */
    uint32_t nmarks;
    uint32_t slot;       /* numbered over head then body */
    int scale_slots;     /* 1: the slot is the value; 2: slot.slot+1 is a decimal fraction */
    unsigned frac_width; /* of the fraction, when scale_slots is 2 */
    bool negative;       /* a literal '-' stands before it */
    bool hex;
    const struct pt_field *meta; /* NULL: unknown field */
};
struct pt_fieldmap {
    const struct pt_file *file;
    uint32_t n;
    struct pt_fieldmap_entry *entries;
};
int pt_fieldmap_new(const struct pt_file *file, const struct pt_shape *head,
                    const struct pt_shape *body, struct pt_fieldmap **ret, struct pt_err *err);
void pt_fieldmap_free(struct pt_fieldmap *m);
/* Entries of a field name, from *i on; NULL when no more. */
const struct pt_fieldmap_entry *pt_fieldmap_find(const struct pt_fieldmap *m, const char *field,
                                                 uint32_t *i);
/* The row's name with its slots' values put in ("Node 1, zone Normal"): writes at most size bytes
 * with the NUL, returns the length. Most rows have no slot in the name: then it is entry->row. */
size_t pt_fieldmap_row(const struct pt_fieldmap_entry *e, const uint64_t *slots, char *ret,
                       size_t size);
/* The number of an entry given the row's slots; value = *ret / *ret_scale. false: it does not fit
 * ("unlimited" of 2^64 - 1 and the like); *ret is then INT64_MAX, *ret_scale 1. */
bool pt_fieldmap_value(const struct pt_fieldmap_entry *e, const uint64_t *slots, int64_t *ret,
                       int64_t *ret_scale);

#endif
