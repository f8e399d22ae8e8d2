/* SPDX-License-Identifier: MIT
 * Recordings of any content, their checksums made right: every format of the report of one, and one
 * command besides, end, keep to their width and let no raw control through. Input: a byte that
 * chooses the command, then items, each a byte of kind, three of length (low first) and content: a
 * frame, a block (a segment begins with that of its clocks), an event. PT_SEED_OF=DB writes the
 * items of a recording to standard output instead; PT_KEEP_DB=DB
 * makes the database of an input there, and leaves it. */
#include <sqlite3.h>
#include <stdlib.h>
#include <unistd.h>

#include "analyze/print/text.h"
#include "analyze/report/report.h"
#include "schema/frame_blob.h"
#include "schema/store_fresh.h"
#include "schema/store_rows.h"

/* of schema/frame_int.h and segment_int.h, where struct pt_change is another than in analyze */
#define PT_FRAME_MAGIC "PTfr"
#define PT_BLOCK_MAGIC "PTbl"
#define PT_FRAME_KEY   0x01u

#define ITEMS   64
#define COLUMNS 80
#define START   INT64_C(1795000000000000)

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max);

/* What an item is; its kind modulo ITEM_KINDS. Blocks of kind k are ITEM_BLOCK + k. */
enum { ITEM_KEY = 0, ITEM_FRAME, ITEM_EVENT, ITEM_BLOCK, ITEM_KINDS = ITEM_BLOCK + 5 };
struct item {
    uint8_t kind;
    const uint8_t *bytes;
    size_t len;
};

static size_t items_of(const uint8_t *data, size_t size, struct item v[ITEMS])
{
    struct pt_cur in = pt_cur_of(data, size);
    size_t n = 0;
    while (n < ITEMS && pt_cur_left(&in) >= 4) {
        struct item *item = &v[n++];
        item->kind = pt_cur_u8(&in) % ITEM_KINDS;
        item->len = pt_cur_u8(&in);
        item->len |= (size_t)pt_cur_u8(&in) << 8;
        item->len |= (size_t)pt_cur_u8(&in) << 16;
        if (item->len > pt_cur_left(&in))
            item->len = pt_cur_left(&in);
        item->bytes = pt_cur_bytes(&in, item->len);
    }
    return n;
}

static void put_item(struct pt_buf *out, uint8_t kind, const void *bytes, size_t len)
{
    pt_buf_u8(out, kind);
    for (unsigned i = 0; i < 3; i++)
        pt_buf_u8(out, (uint8_t)(len >> (8 * i)));
    pt_buf_put(out, bytes, len);
}

/* ---- a database of them ---- */

static void blob_of(const char *magic, uint8_t tag, const struct item *item, struct pt_buf *out)
{
    static const uint8_t head[PT_BLOB_HEAD];
    pt_buf_reset(out);
    pt_buf_put(out, head, sizeof(head));
    pt_buf_put(out, item->bytes, item->len);
    memcpy(out->data, magic, 4);
    out->data[5] = tag;
    for (unsigned i = 0; i < 4; i++)
        out->data[8 + i] = out->data[12 + i] = (uint8_t)(item->len >> (8 * i));
    pt_blob_resum(out->data, out->len);
}

/* Its row says what it says itself, or what would be expected of it. */
static void add_frame(struct pt_store *s, const struct item *item, struct pt_buf *blob)
{
    struct pt_snap snap = {.real_us = s->last_us > 0 ? s->last_us + 10000000 : START, .boot = 1};
    struct pt_frame *f;
    blob_of(PT_FRAME_MAGIC, item->kind == ITEM_KEY ? PT_FRAME_KEY : 0, item, blob);
    if (pt_frame_open(blob->data, blob->len, &f, NULL) >= 0) {
        snap = *pt_frame_snap(f);
        pt_frame_free(f);
    }
    snap.n = pt_store_next(s);
    pt_store_append(s, &snap, item->kind == ITEM_KEY, blob->data, blob->len, NULL);
}

static void end_segment(struct pt_store *s, struct pt_fresh *fresh)
{
    if (fresh->count > 0 && pt_store_sealed(s, fresh->snaps, (size_t)fresh->count, NULL) >= 0 &&
        pt_fresh_write(fresh, s, NULL) >= 0 && fresh->last >= s->next &&
        fresh->last < INT64_MAX / 2)
        s->next = fresh->last + 1;
    pt_fresh_release(fresh);
    *fresh = (struct pt_fresh){0};
}

static void begin_segment(const struct pt_block *clock, struct pt_fresh *fresh)
{
    const uint32_t n = pt_block_ticks(clock);
    struct pt_snap *snaps = calloc(n + 1, sizeof(*snaps));
    bool good = snaps && n > 0;
    for (uint32_t i = 0; i < n && good; i++)
        good = pt_block_snap(clock, i, &snaps[i], NULL) >= 0;
    if (good)
        pt_fresh_snaps(fresh, snaps, n, NULL);
    free(snaps);
}

static void add_block(struct pt_store *s, const struct item *item, struct pt_fresh *fresh,
                      struct pt_shapes *shapes, struct pt_buf *blob)
{
    const uint8_t kind = item->kind - ITEM_BLOCK;
    struct pt_block *b = NULL;
    struct pt_buf what;
    pt_buf_init(&what, 1 << 20);
    blob_of(PT_BLOCK_MAGIC, kind, item, blob);
    const int rc = pt_block_open(blob->data, blob->len, shapes, &b, NULL);
    if (kind == PT_BLOCK_CLOCK)
        end_segment(s, fresh);
    if (kind == PT_BLOCK_CLOCK && rc >= 0)
        begin_segment(b, fresh);
    if (rc >= 0)
        pt_block_what(b, &what);
    else
        pt_buf_put(&what, "**", 3);
    if (fresh->count > 0)
        pt_fresh_block(fresh, kind, (const char *)what.data, blob->data, blob->len, NULL);
    pt_block_free(b);
    pt_buf_release(&what);
}

/* Kind, snapshot, seconds from it, then subject and text with a 0 between them. */
static void add_event(struct pt_store *s, const struct item *item)
{
    struct pt_cur in = pt_cur_of(item->bytes, item->len);
    const uint8_t kind = pt_cur_u8(&in), n = pt_cur_u8(&in), seconds = pt_cur_u8(&in);
    const size_t len = pt_cur_left(&in);
    char *subject = calloc(1, len + 2);
    if (len)
        memcpy(subject, pt_cur_bytes(&in, len), len);
    pt_store_event(s, START + (n * 10 + seconds - 128) * INT64_C(1000000), (enum pt_event)kind,
                   n == 255 ? PT_UNKNOWN : n, subject, subject + strlen(subject) + 1, NULL);
    free(subject);
}

static void add_items(struct pt_store *s, const uint8_t *data, size_t size)
{
    struct item v[ITEMS];
    const size_t n = items_of(data, size, v);
    struct pt_shapes *shapes = pt_shapes_new();
    struct pt_fresh fresh = {0};
    struct pt_buf blob;
    pt_buf_init(&blob, 1 << 25);
    for (size_t i = 0; i < n; i++) {
        if (v[i].kind >= ITEM_BLOCK)
            add_block(s, &v[i], &fresh, shapes, &blob);
        else if (v[i].kind == ITEM_EVENT)
            add_event(s, &v[i]);
        else
            add_frame(s, &v[i], &blob);
    }
    end_segment(s, &fresh);
    pt_buf_release(&blob);
    pt_shapes_free(shapes);
}

static char path[PATH_MAX];
static const char *kept;

static void make(const uint8_t *data, size_t size)
{
    const struct pt_meta meta = {.host = "fuzz",
                                 .kernel = "6.18.0",
                                 .arch = "x86_64",
                                 .page_size = 4096,
                                 .clk_tck = 100,
                                 .cpus = 2,
                                 .interval_us = 10000000};
    struct pt_store *s;
    if (pt_store_open(path, &meta, &s, NULL) < 0)
        abort();
    for (unsigned i = 0; i < 3; i++) {
        const char id[] = {'b', 'o', 'o', 't', '-', (char)('1' + i), '\0'};
        pt_store_boot(s, id, START + i * INT64_C(3600000000), NULL);
    }
    pt_store_begin(s, NULL);
    add_items(s, data, size);
    pt_store_end(s, 0, "make a database", NULL);
    pt_store_close(s, NULL);
}

/* ---- what is printed of it ---- */

struct printed {
    char *text;
    size_t len;
};

/* What nobody but a parser reads may have DEL and the controls beyond ASCII. */
enum reader { PARSER, PERSON, TERMINAL };

static bool is_control(const char *s, enum reader reader)
{
    const uint8_t c = (uint8_t)s[0], next = (uint8_t)s[1]; /* a 0 stands behind the text */
    return (c < 0x20 && c != '\n') ||
           (reader != PARSER && (c == 0x7f || (c == 0xc2 && next >= 0x80 && next < 0xa0)));
}

static void check_printed(const struct printed *p, enum reader reader)
{
    if (!pt_text_is_utf8(p->text, p->len))
        abort();
    for (size_t i = 0; i < p->len; i++)
        if (is_control(p->text + i, reader))
            abort();
    if (reader != TERMINAL)
        return;
    for (const char *line = p->text, *end; line < p->text + p->len; line = end + 1) {
        end = memchr(line, '\n', p->len - (size_t)(line - p->text));
        if (!end || pt_text_width(line, (size_t)(end - line)) > COLUMNS)
            abort();
    }
}

static void render(const json_t *doc, int (*print)(const json_t *doc, FILE *out),
                   enum reader reader)
{
    struct printed p = {NULL, 0};
    FILE *out = open_memstream(&p.text, &p.len);
    const int rc = print(doc, out);
    fclose(out);
    if (rc < 0)
        abort();
    check_printed(&p, reader);
    json_t *again = print == pt_report_json ? json_loadb(p.text, p.len, 0, NULL) : NULL;
    if (print == pt_report_json && !again)
        abort();
    json_decref(again);
    free(p.text);
}

static void report(void)
{
    const struct pt_args args = {.positional = {path}, .npositional = 1, .top = PT_UNKNOWN};
    struct pt_session s;
    if (pt_session_open(&args, path, &s))
        return;
    const struct pt_report_options o = {
        .from = s.span.first, .to = s.span.last, .top = PT_UNKNOWN, .charts = true};
    struct pt_err err = {0};
    json_t *doc = pt_report_make(&s, &o, &err);
    if (doc) {
        render(doc, pt_report_text, TERMINAL);
        render(doc, pt_report_markdown, PERSON);
        render(doc, pt_report_html, PERSON);
        render(doc, pt_report_json, PARSER);
    } else if (err.code == PT_OK || err.code == PT_EDAMAGED) {
        abort(); /* what damage takes is left out */
    }
    json_decref(doc);
    pt_session_close(&s, 0);
}

static void command(uint8_t which)
{
    static const struct pt_command *const commands[] = {
        &pt_cmd_info, &pt_cmd_leaks,   &pt_cmd_growth, &pt_cmd_swap,
        &pt_cmd_oom,  &pt_cmd_balance, &pt_cmd_kernel, &pt_cmd_events};
    struct printed p = {NULL, 0};
    FILE *out = open_memstream(&p.text, &p.len);
    const struct pt_args args = {.positional = {path},
                                 .npositional = 1,
                                 .top = PT_UNKNOWN,
                                 .over = PT_UNKNOWN,
                                 .verbose = which & 8,
                                 .all = which & 8,
                                 .json = which & 16,
                                 .out = out};
    const int status = pt_command_run(commands[which & 7], &args);
    fclose(out);
    if (status < 0 || status > PT_EXIT_DAMAGED)
        abort();
    check_printed(&p, args.json ? PARSER : TERMINAL);
    free(p.text);
}

static void remove_all(void)
{
    char other[PATH_MAX + 8];
    unlink(path);
    snprintf(other, sizeof(other), "%s-wal", path);
    unlink(other);
    snprintf(other, sizeof(other), "%s-shm", path);
    unlink(other);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    make(data + 1, size - 1);
    report();
    command(data[0]);
    if (!kept)
        remove_all();
    return 0;
}

/* ---- mutation: within an item, or of the list of them ---- */

static size_t write_items(const struct item *v, size_t n, uint8_t *data, size_t max)
{
    struct pt_buf out;
    pt_buf_init(&out, 1 << 26);
    pt_buf_u8(&out, data[0]);
    for (size_t i = 0; i < n && out.len + 4 + v[i].len <= max; i++)
        put_item(&out, v[i].kind, v[i].bytes, v[i].len);
    const size_t len = out.len;
    memcpy(data, out.data, len);
    pt_buf_release(&out);
    return len;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed)
{
    struct item v[ITEMS + 1];
    const size_t n = size > 1 ? items_of(data + 1, size - 1, v) : 0;
    uint8_t *changed = NULL;
    if (n == 0 || max < 64)
        return LLVMFuzzerMutate(data, size, max);
    const size_t which = seed / 16 % n, other = seed / 4096 % n;
    struct item *item = &v[which];
    const size_t room = max - size + item->len;
    size_t count = n;
    switch (seed % 16) {
    case 0:
        data[0] = (uint8_t)(seed >> 16);
        break;
    case 1:
        memmove(item, item + 1, (n - which - 1) * sizeof(*item));
        count--;
        break;
    case 2:
        v[count++] = v[which];
        break;
    case 3: {
        const struct item first = *item;
        *item = v[other];
        v[other] = first;
        break;
    }
    case 4:
        item->kind = (uint8_t)(seed >> 16) % ITEM_KINDS;
        break;
    default:
        changed = malloc(room + 1);
        memcpy(changed, item->bytes, item->len);
        item->len = LLVMFuzzerMutate(changed, item->len, room);
        item->bytes = changed;
    }
    const size_t len = write_items(v, count, data, max);
    free(changed);
    return len;
}

/* ---- seeds ---- */

static void put_blobs(sqlite3 *db, const char *sql, const char *magic, struct pt_buf *out)
{
    sqlite3_stmt *st;
    struct pt_blob blob;
    if (sqlite3_prepare_v2(db, sql, -1, &st, NULL) != SQLITE_OK)
        abort();
    while (sqlite3_step(st) == SQLITE_ROW) {
        const void *data = sqlite3_column_blob(st, 1);
        const size_t len = (size_t)sqlite3_column_bytes(st, 1);
        if (pt_blob_read(magic, "item", data, len, 1 << 26, &blob, NULL) < 0)
            continue;
        put_item(out, (uint8_t)sqlite3_column_int(st, 0), blob.raw, blob.len);
        free(blob.raw);
    }
    sqlite3_finalize(st);
}

static void put_events(sqlite3 *db, struct pt_buf *out)
{
    sqlite3_stmt *st;
    if (sqlite3_prepare_v2(db, "SELECT kind, n, subject, text FROM event ORDER BY id", -1, &st,
                           NULL) != SQLITE_OK)
        abort();
    while (sqlite3_step(st) == SQLITE_ROW) {
        struct pt_buf item;
        pt_buf_init(&item, 1 << 20);
        pt_buf_u8(&item, (uint8_t)sqlite3_column_int(st, 0));
        pt_buf_u8(&item, (uint8_t)sqlite3_column_int(st, 1));
        pt_buf_u8(&item, 128 + 5);
        pt_buf_put(&item, sqlite3_column_text(st, 2), (size_t)sqlite3_column_bytes(st, 2));
        pt_buf_u8(&item, 0);
        pt_buf_put(&item, sqlite3_column_text(st, 3), (size_t)sqlite3_column_bytes(st, 3));
        put_item(out, ITEM_EVENT, item.data, item.len);
        pt_buf_release(&item);
    }
    sqlite3_finalize(st);
}

static void write_seed(const char *of)
{
    sqlite3 *db;
    struct pt_buf out;
    if (sqlite3_open_v2(of, &db, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK)
        exit(1);
    pt_buf_init(&out, 1 << 26);
    pt_buf_u8(&out, 0);
    put_blobs(db, "SELECT 3 + kind, data FROM block ORDER BY id", PT_BLOCK_MAGIC, &out);
    put_blobs(db, "SELECT 1 - key, data FROM frame ORDER BY n", PT_FRAME_MAGIC, &out);
    put_events(db, &out);
    const bool ok = fwrite(out.data, 1, out.len, stdout) == out.len && fflush(stdout) == 0;
    sqlite3_close(db);
    exit(ok ? 0 : 1);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    const char *of = getenv("PT_SEED_OF");
    (void)argc, (void)argv;
    if (of)
        write_seed(of);
    kept = getenv("PT_KEEP_DB");
    if (kept) {
        snprintf(path, sizeof(path), "%s", kept);
    } else { /* where nothing goes to a disk, if there is such a place */
        const char *dir = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
        snprintf(path, sizeof(path), "%s/pagetrail-fuzz-%d.db", dir, (int)getpid());
        remove_all();
        atexit(remove_all);
    }
    stderr = fopen("/dev/null", "w"); /* what commands say of damage */
    return stderr ? 0 : 1;
}
