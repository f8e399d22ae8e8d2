/* SPDX-License-Identifier: MIT
 * The generator's texts, spelt as Linux 6.18 spells them. */
#include "tests/gen/model.h"

#include <string.h>

size_t text_len(const struct text *t)
{
    return (size_t)(t->p - t->buf);
}

void text_str(struct text *t, const char *s)
{
    const size_t n = strlen(s);
    if (n < (size_t)(t->buf + sizeof t->buf - t->p)) {
        memcpy(t->p, s, n);
        t->p += n;
    }
}

void text_digits(struct text *t, uint64_t v, unsigned radix, unsigned width, char pad)
{
    char d[24];
    unsigned n = 0;
    do {
        d[sizeof d - ++n] = "0123456789abcdef"[v % radix];
        v /= radix;
    } while (v);
    while (n < width && n < sizeof d)
        d[sizeof d - ++n] = pad;
    if (n < (size_t)(t->buf + sizeof t->buf - t->p)) {
        memcpy(t->p, d + sizeof d - n, n);
        t->p += n;
    }
}

void text_num(struct text *t, uint64_t v)
{
    text_digits(t, v, 10, 0, ' ');
}

void text_kb(struct text *t, const char *name, unsigned width, int64_t v)
{
    const size_t n = strlen(name);
    text_str(t, name);
    for (size_t i = n; i < width; i++)
        text_str(t, " ");
    text_digits(t, v > 0 ? (uint64_t)v : 0, 10, 8, ' ');
    text_str(t, " kB\n");
}
