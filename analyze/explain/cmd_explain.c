/* SPDX-License-Identifier: MIT
 * pagetrail explain: what a field of a kernel file means. */
#include <string.h>
#include <strings.h>

#include "analyze/args.h"
#include "analyze/print/json.h"
#include "analyze/print/text.h"
#include "schema/source.h"

#define SUGGESTIONS    5
#define NAME_MAX_SHOWN 64
#define ONE_VALUE      "value" /* the field of a file of one value */

/* What is asked for: a field, of any file or of those whose name ends in `file`. */
struct query {
    const char *file;
    size_t file_len;
    const char *field;
};

struct hit {
    const struct pt_file *file;
    const struct pt_field *field;
};

static bool file_matches(const struct pt_file *file, const struct query *q)
{
    const size_t n = strlen(file->pattern);
    if (q->file_len == 0)
        return true;
    if (n < q->file_len || strncasecmp(file->pattern + n - q->file_len, q->file, q->file_len) != 0)
        return false;
    const char before = n == q->file_len ? '/' : file->pattern[n - q->file_len - 1];
    return before == '/' || before == ':' || before == '*';
}

static size_t find(const struct query *q, struct hit *ret, size_t max)
{
    size_t nfiles, n = 0;
    const struct pt_file *files = pt_files(&nfiles);
    for (size_t i = 0; i < nfiles; i++) {
        if (!file_matches(&files[i], q))
            continue;
        const struct pt_field *exact = pt_field_of(&files[i], q->field, strlen(q->field));
        for (size_t k = 0; !exact && k < files[i].nfields; k++) {
            if (strcasecmp(files[i].fields[k].name, q->field) == 0)
                exact = &files[i].fields[k];
        }
        if (exact && strcmp(exact->name, "*") != 0 && n < max)
            ret[n++] = (struct hit){&files[i], exact};
    }
    return n;
}

/* "VmRSS", "meminfo.MemFree", "proc:*\/status.VmRSS", "memory.stat.anon": each dot may end the
 * file. "swappiness", "memory.current": the file of one value. */
static size_t find_any(const char *text, struct hit *ret, size_t max)
{
    const struct query plain = {.field = text};
    size_t n = find(&plain, ret, max);
    for (const char *dot = strchr(text, '.'); n == 0 && dot; dot = strchr(dot + 1, '.')) {
        const struct query q = {.file = text, .file_len = (size_t)(dot - text), .field = dot + 1};
        n = find(&q, ret, max);
    }
    const struct query whole = {.file = text, .file_len = strlen(text), .field = ONE_VALUE};
    return n > 0 || whole.file_len == 0 ? n : find(&whole, ret, max);
}

/* What people call a field: the only one of a file bears the file's name. */
static const char *title_of(const struct pt_file *file, const struct pt_field *field)
{
    const char *slash = strrchr(file->pattern, '/');
    const char *last = slash ? slash + 1 : file->pattern + strcspn(file->pattern, ":") + 1;
    return strcmp(field->name, ONE_VALUE) == 0 ? last + strspn(last, "*") : field->name;
}

/* ---- suggestions ---- */

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* Levenshtein's distance, case left out. */
static unsigned distance(const char *a, const char *b)
{
    const size_t na = strlen(a), nb = strlen(b);
    unsigned row[NAME_MAX_SHOWN + 1];
    if (na > NAME_MAX_SHOWN || nb > NAME_MAX_SHOWN)
        return NAME_MAX_SHOWN;
    for (size_t j = 0; j <= nb; j++)
        row[j] = (unsigned)j;
    for (size_t i = 1; i <= na; i++) {
        unsigned diagonal = row[0];
        row[0] = (unsigned)i;
        for (size_t j = 1; j <= nb; j++) {
            const unsigned above = row[j];
            const unsigned change = diagonal + (lower(a[i - 1]) != lower(b[j - 1]));
            const unsigned step = 1 + (above < row[j - 1] ? above : row[j - 1]);
            row[j] = change < step ? change : step;
            diagonal = above;
        }
    }
    return row[nb];
}

/* A name within the other counts as near: people leave out prefixes. */
static unsigned nearness(const char *asked, const char *name)
{
    const unsigned d = distance(asked, name);
    return d > 2 && strlen(asked) > 3 && strcasestr(name, asked) ? 2 : d;
}

struct suggestion {
    const char *name;
    unsigned distance;
};

static void consider(struct suggestion *best, const char *name, unsigned d)
{
    for (size_t i = 0; i < SUGGESTIONS; i++) {
        if (best[i].name && strcmp(best[i].name, name) == 0)
            return;
    }
    for (size_t i = 0; i < SUGGESTIONS; i++) {
        if (best[i].name && best[i].distance <= d)
            continue;
        memmove(&best[i + 1], &best[i], (SUGGESTIONS - 1 - i) * sizeof(best[0]));
        best[i] = (struct suggestion){name, d};
        return;
    }
}

static void suggest(const char *asked)
{
    struct suggestion best[SUGGESTIONS] = {{0}};
    const char *dot = strrchr(asked, '.');
    const char *name = dot && dot[1] ? dot + 1 : asked;
    size_t nfiles;
    const struct pt_file *files = pt_files(&nfiles);
    for (size_t i = 0; i < nfiles; i++) {
        for (size_t k = 0; k < files[i].nfields; k++) {
            const char *title = title_of(&files[i], &files[i].fields[k]);
            const unsigned whole = nearness(asked, title), part = nearness(name, title);
            const unsigned d = whole < part ? whole : part;
            if (d <= 2 + strlen(name) / 3 && *title && *title != '*')
                consider(best, title, d);
        }
    }
    for (size_t i = 0; i < SUGGESTIONS && best[i].name; i++)
        fprintf(stderr, "%s%s", i == 0 ? "did you mean: " : ", ", best[i].name);
    if (best[0].name)
        fputc('\n', stderr);
}

/* ---- output ---- */

static void print_hit(const struct hit *h, FILE *out)
{
    const char *unit = pt_unit_name(h->field->unit);
    fprintf(out, "%s: %s%s%s\n", title_of(h->file, h->field), pt_field_kind_name(h->field->kind),
            *unit ? ", " : "", unit);
    if (h->field->doc)
        pt_text_print(out, "", 4, h->field->doc);
    const char *doc = h->file->doc && h->file->doc != h->field->doc ? h->file->doc : "";
    char where[512];
    snprintf(where, sizeof(where), "in %s%s%s", h->file->pattern, *doc ? ": " : "", doc);
    pt_text_print(out, "", 4, where);
}

static json_t *hit_json(const struct hit *h)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:s?, s:s?}", "file", h->file->pattern, "field",
                     h->field->name, "unit", pt_unit_name(h->field->unit), "kind",
                     pt_field_kind_name(h->field->kind), "doc", h->field->doc, "file_doc",
                     h->file->doc);
}

static int run(const struct pt_args *args)
{
    const char *asked = args->positional[0];
    struct hit hits[64];
    const size_t n = find_any(asked, hits, sizeof(hits) / sizeof(hits[0]));
    if (n == 0) {
        fprintf(stderr, "pagetrail: no field '%s' is known\n", asked);
        suggest(asked);
        return PT_EXIT_USAGE;
    }
    if (args->json) {
        json_t *found = json_array();
        for (size_t i = 0; i < n; i++)
            json_array_append_new(found, hit_json(&hits[i]));
        return pt_json_print(json_pack("{s:o, s:o}", "asked", pt_json_str(asked), "found", found),
                             args->out) < 0
                   ? PT_EXIT_READ
                   : PT_EXIT_OK;
    }
    for (size_t i = 0; i < n; i++)
        print_hit(&hits[i], args->out);
    return PT_EXIT_OK;
}

const struct pt_command pt_cmd_explain = {
    .name = "explain",
    .usage = "FIELD",
    .summary = "what a field means, its unit and its files",
    .detail =
        "FIELD is a name as the kernel writes it (VmRSS), or with its file\n(meminfo.MemFree); a "
        "file of one value is known by its own name (swappiness,\nmemory.current).\n",
    .options = 0,
    .min = 1,
    .max = 1,
    .run = run,
};
