/* SPDX-License-Identifier: MIT
 * The tables, their rows and checksums, and the one way statements are prepared and errors told. */
#include "schema/store_int.h"

#include <errno.h>
#include <string.h>

#define HEADLINE                                                                                   \
    "n INTEGER PRIMARY KEY, time_ms INTEGER, boot INTEGER, trigger INTEGER, mem_available_kb "     \
    "INTEGER, "                                                                                    \
    "swap_used_kb INTEGER, psi_some_us INTEGER, psi_full_us INTEGER, processes INTEGER, cost_us "  \
    "INTEGER"

/* Unsealed rows carry their frame, sealed rows stand in a table of their own: freed frames then
 * leave whole pages behind, and a row of 50 bytes is not left alone in the page where its frame
 * was. The view unites them. */
const struct pt_table_def pt_schema_sql[] = {
    [PT_T_META] = {"meta",
                   "CREATE TABLE meta(key TEXT PRIMARY KEY, value, crc INTEGER) WITHOUT ROWID"},
    [PT_T_BOOT] =
        {"boot",
         "CREATE TABLE boot(id INTEGER PRIMARY KEY, boot_id TEXT, btime_us INTEGER, crc INTEGER)"},
    [PT_T_SEALED] = {"sealed", "CREATE TABLE sealed(" HEADLINE ", crc INTEGER)"},
    [PT_T_FRAME] = {"frame",
                    "CREATE TABLE frame(" HEADLINE ", key INTEGER, crc INTEGER, data BLOB)"},
    [PT_T_SEGMENT] =
        {"segment", "CREATE TABLE segment(first INTEGER PRIMARY KEY, last INTEGER, count INTEGER, "
                    "boot INTEGER, "
                    "min_ms INTEGER, max_ms INTEGER, blocks INTEGER, bytes INTEGER, crc INTEGER)"},
    [PT_T_BLOCK] = {"block", "CREATE TABLE block(id INTEGER PRIMARY KEY, kind INTEGER, what TEXT, "
                             "crc INTEGER, data BLOB)"},
    [PT_T_DAMAGED] = {"damaged",
                      "CREATE TABLE damaged(" HEADLINE ", why TEXT, crc INTEGER, data BLOB)"},
    [PT_T_EVENT] = {"event", "CREATE TABLE event(id INTEGER PRIMARY KEY, time_us INTEGER, kind "
                             "INTEGER, n INTEGER, subject TEXT, text TEXT, "
                             "crc INTEGER)"},
    [PT_T_THINNED] = {"thinned", "CREATE TABLE thinned(first INTEGER PRIMARY KEY, last INTEGER, "
                                 "level INTEGER, kept INTEGER, crc INTEGER)"},
    [PT_T_COUNT] = {"snapshot",
                    "CREATE VIEW snapshot AS SELECT " PT_SNAP_COLUMNS
                    ", datetime(time_ms/1000, 'unixepoch') AS utc FROM sealed UNION ALL "
                    "SELECT " PT_SNAP_COLUMNS ", datetime(time_ms/1000, 'unixepoch') FROM frame"},
    /* Thinning asks for few events among many. */
    [PT_T_COUNT + 1] = {"event_mark",
                        "CREATE INDEX event_mark ON event(n) WHERE kind IN " PT_EVENT_MARKS},
};
const size_t pt_schema_sql_count = sizeof pt_schema_sql / sizeof *pt_schema_sql;

#define TEXT(field)                                                                                \
    {                                                                                              \
#field, true, offsetof(struct pt_meta, field), sizeof(((struct pt_meta *)0)->field)        \
    }
#define NUMBER(field)                                                                              \
    {                                                                                              \
#field, false, offsetof(struct pt_meta, field), sizeof(int64_t)                            \
    }
const struct pt_meta_field pt_meta_fields[] = {
    TEXT(host),   TEXT(machine_id),     TEXT(kernel),        TEXT(arch),
    TEXT(zone),   TEXT(program),        NUMBER(page_size),   NUMBER(clk_tck),
    NUMBER(cpus), NUMBER(mem_total_kb), NUMBER(interval_us),
};
const size_t pt_meta_field_count = sizeof pt_meta_fields / sizeof *pt_meta_fields;

/* ---- rows ---- */

struct pt_val pt_val_int(int64_t i)
{
    return (struct pt_val){.type = i == PT_UNKNOWN ? PT_VAL_NULL : PT_VAL_INT, .i = i};
}

struct pt_val pt_val_text(const char *text)
{
    return (struct pt_val){.type = PT_VAL_TEXT, .text = text, .len = strlen(text)};
}

int64_t pt_val_num(const struct pt_val *v)
{
    return v->type == PT_VAL_INT ? v->i : PT_UNKNOWN;
}

int64_t pt_ms_to_us(int64_t ms)
{
    int64_t us;
    return ms == PT_UNKNOWN || __builtin_mul_overflow(ms, 1000, &us) ? PT_UNKNOWN : us;
}

int32_t pt_row_crc(enum pt_table table, const struct pt_val *v, size_t n)
{
    uint32_t crc = pt_crc32c(0, pt_schema_sql[table].name, strlen(pt_schema_sql[table].name));
    for (size_t i = 0; i < n; i++) {
        uint8_t head[9] = {(uint8_t)v[i].type};
        const uint64_t word = v[i].type == PT_VAL_INT    ? (uint64_t)v[i].i
                              : v[i].type == PT_VAL_TEXT ? v[i].len
                                                         : 0;
        for (unsigned b = 0; b < 8; b++)
            head[1 + b] = (uint8_t)(word >> (8 * b));
        crc = pt_crc32c(crc, head, sizeof head);
        if (v[i].type == PT_VAL_TEXT)
            crc = pt_crc32c(crc, v[i].text, v[i].len);
    }
    return (int32_t)crc;
}

int pt_row_bind(sqlite3_stmt *st, enum pt_table table, const struct pt_val *v, size_t n)
{
    int rc = SQLITE_OK;
    for (size_t i = 0; i < n && rc == SQLITE_OK; i++) {
        const int at = (int)i + 1;
        if (v[i].type == PT_VAL_INT)
            rc = sqlite3_bind_int64(st, at, v[i].i);
        else if (v[i].type == PT_VAL_TEXT)
            rc = sqlite3_bind_text64(st, at, v[i].text, v[i].len, SQLITE_TRANSIENT, SQLITE_UTF8);
        else
            rc = sqlite3_bind_null(st, at);
    }
    return rc == SQLITE_OK ? sqlite3_bind_int64(st, (int)n + 1, pt_row_crc(table, v, n)) : rc;
}

bool pt_row_get(sqlite3_stmt *st, enum pt_table table, struct pt_val *v, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const int col = (int)i;
        v[i] = (struct pt_val){.type = PT_VAL_OTHER};
        switch (sqlite3_column_type(st, col)) {
        case SQLITE_NULL:
            v[i].type = PT_VAL_NULL;
            break;
        case SQLITE_INTEGER:
            v[i] = (struct pt_val){.type = PT_VAL_INT, .i = sqlite3_column_int64(st, col)};
            break;
        case SQLITE_TEXT:
            v[i].text = (const char *)sqlite3_column_text(st, col);
            v[i].len = (size_t)sqlite3_column_bytes(st, col);
            v[i].type = v[i].text ? PT_VAL_TEXT : PT_VAL_OTHER;
            break;
        default:
            break;
        }
    }
    return sqlite3_column_type(st, (int)n) == SQLITE_INTEGER &&
           sqlite3_column_int64(st, (int)n) == pt_row_crc(table, v, n);
}

void pt_snap_to_row(const struct pt_snap *snap, struct pt_val v[PT_SNAP_NCOLUMNS])
{
    const int64_t us = snap->real_us;
    const int64_t ms = us / 1000 - (us % 1000 < 0); /* towards the past, before 1970 too */
    const int64_t columns[PT_SNAP_NCOLUMNS] = {
        snap->n,           us == PT_UNKNOWN ? us : ms, snap->boot,
        snap->trigger,     snap->mem_available_kb,     snap->swap_used_kb,
        snap->psi_some_us, snap->psi_full_us,          snap->processes,
        snap->cost_us,
    };
    for (size_t i = 0; i < PT_SNAP_NCOLUMNS; i++)
        v[i] = pt_val_int(columns[i]);
}

void pt_snap_from_row(const struct pt_val v[PT_SNAP_NCOLUMNS], struct pt_snap *ret)
{
    *ret = (struct pt_snap){
        .n = pt_val_num(&v[0]),
        .real_us = pt_ms_to_us(pt_val_num(&v[1])),
        .boot_us = PT_UNKNOWN,
        .mono_us = PT_UNKNOWN,
        .span_us = PT_UNKNOWN,
        .boot = (uint32_t)pt_val_num(&v[2]),
        .trigger = (uint32_t)pt_val_num(&v[3]),
        .mem_available_kb = pt_val_num(&v[4]),
        .swap_used_kb = pt_val_num(&v[5]),
        .psi_some_us = pt_val_num(&v[6]),
        .psi_full_us = pt_val_num(&v[7]),
        .processes = pt_val_num(&v[8]),
        .cost_us = pt_val_num(&v[9]),
        .deep_us = PT_UNKNOWN,
        .rss_kb = PT_UNKNOWN,
    };
}

/* ---- statements and errors ---- */

static enum pt_code code_of(int rc)
{
    switch (rc & 0xff) {
    case SQLITE_FULL:
        return PT_EFULL;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return PT_ELOCKED;
    case SQLITE_NOMEM:
    case SQLITE_TOOBIG:
        return PT_ENOMEM;
    case SQLITE_NOTADB:
        return PT_EFORMAT;
    case SQLITE_CORRUPT:
    case SQLITE_ERROR: /* our statements are right: it is the file's tables that are not */
    case SQLITE_SCHEMA:
        return PT_EDAMAGED;
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_AUTH:
    case SQLITE_READONLY:
        return PT_EOPEN;
    default:
        return PT_EIO;
    }
}

int pt_sql_err_by(sqlite3 *db, int rc, int by, const char *what, struct pt_err *err)
{
    const int sys = by || !db ? by : sqlite3_system_errno(db);
    const char *text = db ? sqlite3_errmsg(db) : sqlite3_errstr(rc);
    enum pt_code code = code_of(rc);
    const bool by_system = sys && (code == PT_EIO || code == PT_EOPEN);
    if (by_system && pt_no_room(sys))
        code = PT_EFULL;
    return pt_err_set(err, code, code == PT_EDAMAGED ? 0 : sys, "database", -1, "cannot %s: %s%s%s",
                      what, text, by_system ? ": " : "", by_system ? strerror(sys) : "");
}

int pt_sql_err(sqlite3 *db, int rc, const char *what, struct pt_err *err)
{
    return pt_sql_err_by(db, rc, 0, what, err);
}

int pt_sql_exec(sqlite3 *db, const char *sql, const char *what, struct pt_err *err)
{
    const int rc = sqlite3_exec(db, sql, NULL, NULL, NULL);
    return rc == SQLITE_OK ? 0 : pt_sql_err(db, rc, what, err);
}

int pt_sql_prepare(sqlite3 *db, sqlite3_stmt **st, const char *sql, struct pt_err *err)
{
    if (*st) {
        sqlite3_reset(*st);
        return 0;
    }
    const int rc = sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, st, NULL);
    return rc == SQLITE_OK ? 0 : pt_sql_err(db, rc, "prepare a statement", err);
}

int pt_sql_int(sqlite3 *db, const char *sql, int64_t none, int64_t *ret, struct pt_err *err)
{
    sqlite3_stmt *st = NULL;
    const int r = pt_sql_prepare(db, &st, sql, err);
    if (r < 0)
        return r;
    const int rc = sqlite3_step(st);
    if (rc == SQLITE_ROW)
        *ret = sqlite3_column_type(st, 0) == SQLITE_INTEGER ? sqlite3_column_int64(st, 0) : none;
    else if (rc == SQLITE_DONE)
        *ret = none;
    sqlite3_finalize(st);
    return rc == SQLITE_ROW || rc == SQLITE_DONE ? 0 : pt_sql_err(db, rc, "read", err);
}

int pt_sql_harden(sqlite3 *db, struct pt_err *err)
{
    sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
    sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
    return pt_sql_exec(db,
                       "PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON; PRAGMA mmap_size=0; "
                       "PRAGMA temp_store=MEMORY",
                       "set up the connection", err);
}

static int verify_one(sqlite3 *db, const struct pt_table_def *def, struct pt_err *err)
{
    sqlite3_stmt *st = NULL;
    int r = pt_sql_prepare(db, &st, "SELECT sql FROM sqlite_schema WHERE name = ?1", err);
    if (r < 0)
        return r;
    sqlite3_bind_text(st, 1, def->name, -1, SQLITE_STATIC);
    const int rc = sqlite3_step(st);
    const char *sql = rc == SQLITE_ROW ? (const char *)sqlite3_column_text(st, 0) : NULL;
    if (rc != SQLITE_ROW && rc != SQLITE_DONE)
        r = pt_sql_err(db, rc, "read the schema", err);
    else if (!sql || strcmp(sql, def->sql) != 0)
        r = pt_err_set(err, PT_EDAMAGED, 0, "schema", -1, "table '%s' is %s", def->name,
                       sql ? "not as this format has it" : "missing");
    sqlite3_finalize(st);
    return r;
}

int pt_sql_verify(sqlite3 *db, struct pt_err *err)
{
    for (size_t i = 0; i < PT_T_COUNT; i++) {
        const int r = verify_one(db, &pt_schema_sql[i], err);
        if (r < 0)
            return r;
    }
    return 0;
}
