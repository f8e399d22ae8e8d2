/* SPDX-License-Identifier: MIT
 * Reads raw logs. */
#include "tests/support/rawlog.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "schema/source.h"

int rawlog_open(struct rawlog *l, const char *path)
{
    *l = (struct rawlog){.file = fopen(path, "re")};
    return l->file ? 0 : -1;
}

void rawlog_close(struct rawlog *l)
{
    fclose(l->file);
    free(l->line);
    free(l->text);
}

static bool number(const char *word, int64_t *ret)
{
    int64_t scale = 0;
    return word && pt_number(word, strlen(word), ret, &scale) && scale == 1;
}

/* The word after `key` in a line of words; *at moves past it. */
static char *word_of(char **at, const char *key)
{
    const char *const k = strsep(at, " ");
    return k && strcmp(k, key) == 0 ? strsep(at, " ") : NULL;
}

/* \ooo back to bytes, in place. */
static void unescape(char *name)
{
    char *to = name;
    for (const char *s = name; *s; to++) {
        if (*s == '\\' && s[1] && s[2] && s[3]) {
            *to = (char)((s[1] - '0') << 6 | (s[2] - '0') << 3 | (s[3] - '0'));
            s += 4;
        } else {
            *to = *s++;
        }
    }
    *to = 0;
}

static bool outcome_of(struct rawlog *l, const char *word)
{
    static const char unreadable[] = "unreadable:";
    int64_t why = 0;
    if (!word)
        return false;
    if (strcmp(word, "read") == 0)
        l->outcome = RAWLOG_READ;
    else if (strcmp(word, "gone") == 0)
        l->outcome = RAWLOG_GONE;
    else if (strncmp(word, unreadable, strlen(unreadable)) == 0 &&
             number(word + strlen(unreadable), &why))
        l->outcome = RAWLOG_UNREADABLE;
    else
        return false;
    l->why = (int)why;
    return true;
}

static bool parse_head(struct rawlog *l)
{
    char *at = l->line;
    int64_t len = 0;
    if (!number(word_of(&at, "snapshot"), &l->n))
        return false;
    l->name = word_of(&at, "source");
    if (!l->name || !number(word_of(&at, "length"), &len) || len < 0 ||
        !number(word_of(&at, "read_us"), &l->read_us))
        return false;
    unescape(l->name);
    l->len = (size_t)len;
    return outcome_of(l, word_of(&at, "outcome"));
}

int rawlog_next(struct rawlog *l)
{
    const ssize_t n = getline(&l->line, &l->line_cap, l->file);
    if (n <= 0 || l->line[n - 1] != '\n')
        return 0;
    l->line[n - 1] = 0;
    if (!parse_head(l))
        return -1;
    if (l->len + 1 > l->text_cap) {
        char *const text = realloc(l->text, l->len + 1);
        if (!text)
            return -1;
        l->text = text;
        l->text_cap = l->len + 1;
    }
    if (fread(l->text, 1, l->len + 1, l->file) != l->len + 1)
        return 0;
    return l->text[l->len] == '\n' ? 1 : -1;
}
