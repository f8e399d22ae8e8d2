/* SPDX-License-Identifier: MIT
 * The small world that the tests of the database record: every text follows from (source, tick), so
 * that any database of it can be held against what it must say. */
#ifndef PT_TESTS_SUPPORT_STORE_WORLD_H
#define PT_TESTS_SUPPORT_STORE_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#include "schema/store.h"

#define START    1795000000000000ll
#define INTERVAL 10000000ll
#define TICKS    50
#define CHAIN    20

enum { MEMINFO, PRESSURE, STATUS, STATM, REUSED, SMAPS, SOURCES };
extern const char *const world_names[SOURCES];
extern const struct pt_meta world_meta;

struct world {
    char path[300], dir[256];
    struct pt_shapes *shapes;
    struct pt_enc *enc;
    struct pt_store *store;
    int64_t handles[SOURCES];
    int tick;
};

enum pt_presence world_presence_of(int source, int tick);
int world_text_of(int source, int tick, char *ret, size_t size);
struct pt_snap world_snap_of(int tick);
void world_tick(struct world *w);
void world_seal(struct world *w, bool all);
void world_open_store(struct world *w);
void world_close_store(struct world *w);
void world_open(struct world *w);
void world_record(struct world *w, int ticks);
int world_entries(const char *dir);
void world_close(struct world *w);
struct pt_db *world_db(const char *path);
void world_same_text(const struct pt_buf *buf, const char *text, int len);
/* ticks from..to-1 */
void world_check_span(struct pt_db *db, int from, int to);
void world_check_all(struct pt_db *db, int ticks);
void world_check_cursor(struct pt_db *db, int ticks);

#endif
