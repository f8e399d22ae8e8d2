/* SPDX-License-Identifier: MIT
 * What all parsers are made of, and the generic grammars. */
#include "schema/parse.h"

bool pt_take_line(struct pt_str *rest, struct pt_str *ret)
{
    if (rest->n == 0)
        return false;
    const char *lf = memchr(rest->p, '\n', rest->n);
    size_t n = lf != NULL ? (size_t)(lf - rest->p) : rest->n;
    size_t step = lf != NULL ? n + 1 : n;
    *ret = (struct pt_str){rest->p, n};
    if (n > 0 && rest->p[n - 1] == '\r')
        ret->n--;
    rest->p += step;
    rest->n -= step;
    return true;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

bool pt_take_word(struct pt_str *rest, struct pt_str *ret)
{
    while (rest->n > 0 && is_blank(*rest->p)) {
        rest->p++;
        rest->n--;
    }
    size_t n = 0;
    while (n < rest->n && !is_blank(rest->p[n]))
        n++;
    *ret = (struct pt_str){rest->p, n};
    rest->p += n;
    rest->n -= n;
    return n > 0;
}

bool pt_take_digits(struct pt_str *rest, struct pt_str *ret)
{
    size_t n = 0;
    while (n < rest->n && is_digit(rest->p[n]))
        n++;
    *ret = (struct pt_str){rest->p, n};
    rest->p += n;
    rest->n -= n;
    return n > 0;
}

struct pt_str pt_trim(struct pt_str s)
{
    while (s.n > 0 && is_blank(*s.p)) {
        s.p++;
        s.n--;
    }
    while (s.n > 0 && is_blank(s.p[s.n - 1]))
        s.n--;
    return s;
}

bool pt_is_number(struct pt_str s)
{
    struct pt_str digits;
    if (s.n > 0 && *s.p == '-') {
        s.p++;
        s.n--;
    }
    if (!pt_take_digits(&s, &digits))
        return false;
    if (s.n > 0 && *s.p == '.') {
        s.p++;
        s.n--;
        if (!pt_take_digits(&s, &digits))
            return false;
    }
    return s.n == 0;
}

int pt_put(const struct pt_out *o, struct pt_str field, struct pt_str value)
{
    struct pt_item item = {
        .row = o->row.p != NULL ? o->row.p : "",
        .row_len = o->row.n,
        .field = field.p,
        .field_len = field.n,
        .value = value.p,
        .value_len = value.n,
    };
    return o->emit(o->ctx, &item);
}

int pt_put_name(const struct pt_out *o, const char *field, struct pt_str value)
{
    return pt_put(o, (struct pt_str){field, strlen(field)}, value);
}

int pt_put_nth(const struct pt_out *o, struct pt_str stem, unsigned n, const char *tail,
               struct pt_str value)
{
    char name[96], digits[12];
    size_t len = 0, ndigits = 0, tail_len = strlen(tail);
    do {
        digits[ndigits++] = (char)('0' + n % 10);
        n /= 10;
    } while (n > 0);
    if (stem.n + ndigits + tail_len > sizeof(name))
        return 0; /* no kernel has a key of that length */
    memcpy(name, stem.p, stem.n);
    len = stem.n;
    while (ndigits > 0)
        name[len++] = digits[--ndigits];
    memcpy(name + len, tail, tail_len);
    return pt_put(o, (struct pt_str){name, len + tail_len}, value);
}

/* Is s made of numbers, with or without a unit at its end? Then *ret is the numbers alone. */
static bool all_numbers(struct pt_str s, struct pt_str *ret)
{
    struct pt_str rest = s, word;
    size_t count = 0;
    *ret = s;
    while (pt_take_word(&rest, &word)) {
        if (!pt_is_number(word)) {
            bool unit = pt_str_is(word, "kB") || pt_str_is(word, "KB") || pt_str_is(word, "B");
            ret->n = (size_t)(word.p - s.p);
            return unit && count > 0 && pt_trim(rest).n == 0;
        }
        count++;
    }
    return count > 0;
}

/* field, field.1, field.2, ... */
static int put_numbers(const struct pt_out *o, struct pt_str field, struct pt_str words)
{
    struct pt_str word;
    char stem[64];
    for (unsigned i = 0; pt_take_word(&words, &word); i++) {
        int r;
        if (i == 0) {
            r = pt_put(o, field, word);
        } else if (field.n < sizeof(stem)) {
            memcpy(stem, field.p, field.n);
            stem[field.n] = '.';
            r = pt_put_nth(o, (struct pt_str){stem, field.n + 1}, i, "", word);
        } else {
            return 0;
        }
        if (r < 0)
            return r;
    }
    return 0;
}

static int put_value(const struct pt_out *o, struct pt_str field, struct pt_str value)
{
    struct pt_str numbers;
    if (all_numbers(value, &numbers))
        return put_numbers(o, field, numbers);
    return pt_put(o, field, value);
}

/* The colon that ends a key: the first one that a blank or the line's end follows. */
static const char *key_colon(struct pt_str line)
{
    for (size_t i = 0; i < line.n; i++) {
        if (line.p[i] == ':' && (i + 1 == line.n || is_blank(line.p[i + 1])))
            return line.p + i;
    }
    return NULL;
}

int pt_put_key_line(const struct pt_out *o, struct pt_str line)
{
    const char *colon = key_colon(line);
    struct pt_str key, rest = line;
    if (colon != NULL) {
        key = pt_trim((struct pt_str){line.p, (size_t)(colon - line.p)});
        rest = (struct pt_str){colon + 1, line.n - (size_t)(colon + 1 - line.p)};
        return key.n > 0 ? put_value(o, key, pt_trim(rest)) : 0;
    }
    if (!pt_take_word(&rest, &key))
        return 0;
    rest = pt_trim(rest);
    if (rest.n == 0 || pt_is_number(key))
        return put_value(o, PT_STR("value"), pt_trim(line));
    return put_value(o, key, rest);
}

int pt_put_pairs(const struct pt_out *o, struct pt_str words)
{
    struct pt_str word;
    while (pt_take_word(&words, &word)) {
        const char *equals = memchr(word.p, '=', word.n);
        if (equals == NULL || equals == word.p)
            continue;
        size_t n = (size_t)(equals - word.p);
        int r = pt_put(o, (struct pt_str){word.p, n}, (struct pt_str){equals + 1, word.n - n - 1});
        if (r < 0)
            return r;
    }
    return 0;
}

int pt_put_columns(const struct pt_out *o, struct pt_str words, const char *const *names,
                   size_t count)
{
    struct pt_str word;
    for (unsigned i = 0; pt_take_word(&words, &word); i++) {
        int r = i < count ? pt_put_name(o, names[i], word)
                          : pt_put_nth(o, PT_STR("column"), i, "", word);
        if (r < 0)
            return r;
    }
    return 0;
}

int pt_parse_keys(const char *text, size_t len, pt_emit *emit, void *ctx)
{
    struct pt_out o = {.emit = emit, .ctx = ctx};
    struct pt_str rest = {text, len}, line;
    int r = 0;
    while (r >= 0 && pt_take_line(&rest, &line))
        r = pt_put_key_line(&o, line);
    return r < 0 ? r : 0;
}

int pt_parse_single(const char *text, size_t len, pt_emit *emit, void *ctx)
{
    struct pt_out o = {.emit = emit, .ctx = ctx};
    struct pt_str rest = {text, len}, line;
    if (!pt_take_line(&rest, &line) || pt_trim(line).n == 0)
        return 0;
    const char *open = memchr(line.p, '[', line.n);
    if (open != NULL) {
        size_t left = line.n - (size_t)(open + 1 - line.p);
        const char *close = memchr(open + 1, ']', left);
        if (close != NULL)
            return pt_put(&o, PT_STR("value"),
                          (struct pt_str){open + 1, (size_t)(close - open - 1)});
    }
    return put_value(&o, PT_STR("value"), pt_trim(line));
}

int pt_parse_text(const char *text, size_t len, pt_emit *emit, void *ctx)
{
    struct pt_out o = {.emit = emit, .ctx = ctx};
    if (len == 0)
        return 0;
    if (text[len - 1] == '\n')
        len--;
    return pt_put(&o, PT_STR("value"), (struct pt_str){text, len});
}

int pt_parse_pairs(const char *text, size_t len, pt_emit *emit, void *ctx)
{
    struct pt_out o = {.emit = emit, .ctx = ctx};
    struct pt_str rest = {text, len}, line;
    int r = 0;
    while (r >= 0 && pt_take_line(&rest, &line)) {
        struct pt_str words = line, word;
        if (!pt_take_word(&words, &word))
            continue;
        const char *equals = memchr(word.p, '=', word.n);
        o.row = word;
        if (equals != NULL) { /* "total=1 N0=1" of cgroup v1: the first key names the row too */
            o.row.n = (size_t)(equals - word.p);
            words = line;
        }
        r = pt_put_pairs(&o, words);
    }
    return r < 0 ? r : 0;
}

int pt_parse_rows(const char *text, size_t len, pt_emit *emit, void *ctx)
{
    struct pt_out o = {.emit = emit, .ctx = ctx};
    struct pt_str rest = {text, len}, line;
    while (pt_take_line(&rest, &line)) {
        struct pt_str key, value;
        if (!pt_take_word(&line, &o.row) || o.row.p[o.row.n - 1] != ':')
            continue;
        o.row.n--;
        while (pt_take_word(&line, &key) && pt_take_word(&line, &value)) {
            int r = pt_put(&o, key, value);
            if (r < 0)
                return r;
        }
    }
    return 0;
}
