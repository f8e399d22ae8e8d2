/* SPDX-License-Identifier: MIT
 * Escaping, measuring and shortening of text for terminals. */
#include "analyze/print/text.h"

#include <string.h>

#include "analyze/print/units.h"

struct range {
    uint32_t first, last;
};

/* Unseen or turning the direction of text: U+200B.., LRM, RLM, embeddings, isolates, line
 * separators, BOM, tags. */
static const struct range hidden[] = {
    {0x80, 0x9f},     {0xad, 0xad},     {0x61c, 0x61c},   {0x200b, 0x200f},   {0x2028, 0x202e},
    {0x2060, 0x206f}, {0xfeff, 0xfeff}, {0xfff9, 0xfffb}, {0xe0000, 0xe0fff},
};
static const struct range zero[] = {
    {0x300, 0x36f},   {0x483, 0x489},   {0x591, 0x5bd},     {0x610, 0x61a},
    {0x64b, 0x65f},   {0x1ab0, 0x1aff}, {0x1dc0, 0x1dff},   {0x20d0, 0x20ff},
    {0xfe00, 0xfe0f}, {0xfe20, 0xfe2f}, {0xe0100, 0xe01ef},
};
static const struct range wide[] = {
    {0x1100, 0x115f}, {0x2e80, 0x303e}, {0x3041, 0xa4cf}, {0xac00, 0xd7a3},   {0xf900, 0xfaff},
    {0xfe30, 0xfe6f}, {0xff00, 0xff60}, {0xffe0, 0xffe6}, {0x1f300, 0x1faff}, {0x20000, 0x3fffd},
};

static bool within(uint32_t c, const struct range *r, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (c >= r[i].first && c <= r[i].last)
            return true;
    }
    return false;
}
#define WITHIN(c, table) within(c, table, sizeof(table) / sizeof((table)[0]))

/* The code point at s; 0 bytes when it is not well-formed UTF-8 (overlong, surrogate, cut short).
 */
static size_t decode(const unsigned char *s, size_t n, uint32_t *ret)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    const size_t len = s[0] < 0x80   ? 1
                       : s[0] < 0xc2 ? 0
                       : s[0] < 0xe0 ? 2
                       : s[0] < 0xf0 ? 3
                       : s[0] < 0xf5 ? 4
                                     : 0;
    if (len == 0 || len > n)
        return 0;
    uint32_t c = len == 1 ? s[0] : s[0] & (0x7fu >> len);
    for (size_t i = 1; i < len; i++) {
        if ((s[i] & 0xc0) != 0x80)
            return 0;
        c = c << 6 | (s[i] & 0x3fu);
    }
    if (c < least[len] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
        return 0;
    *ret = c;
    return len;
}

size_t pt_text_char(const char *s, size_t n, int *ret_width)
{
    uint32_t c;
    const size_t len = decode((const unsigned char *)s, n, &c);
    *ret_width = -1;
    if (len == 0 || c < 0x20 || c == 0x7f || (c >= 0x80 && WITHIN(c, hidden)))
        return 1;
    *ret_width = c < 0x300 ? 1 : WITHIN(c, zero) ? 0 : WITHIN(c, wide) ? 2 : 1;
    return len;
}

size_t pt_text_utf8(const char *s, size_t n)
{
    uint32_t c;
    return decode((const unsigned char *)s, n, &c);
}

bool pt_text_is_utf8(const char *s, size_t n)
{
    for (size_t i = 0; i < n;) {
        const size_t len = pt_text_utf8(s + i, n - i);
        if (len == 0)
            return false;
        i += len;
    }
    return true;
}

void pt_text_escape(const char *s, size_t n, struct pt_buf *out)
{
    static const char hex[] = "0123456789abcdef";
    for (size_t i = 0; i < n;) {
        int width;
        const size_t len = pt_text_char(s + i, n - i, &width);
        if (width >= 0) {
            pt_buf_put(out, s + i, len);
        } else {
            const unsigned char c = (unsigned char)s[i];
            pt_buf_put(out, (char[]){'\\', 'x', hex[c >> 4], hex[c & 15]}, 4);
        }
        i += len;
    }
}

size_t pt_text_width(const char *s, size_t n)
{
    size_t columns = 0;
    for (size_t i = 0; i < n;) {
        int width;
        i += pt_text_char(s + i, n - i, &width);
        columns += width >= 0 ? (size_t)width : 4;
    }
    return columns;
}

/* Bytes of the longest head of s in at most `width` columns. */
static size_t head_bytes(const char *s, size_t n, size_t width)
{
    size_t i = 0;
    while (i < n) {
        int w;
        const size_t len = pt_text_char(s + i, n - i, &w);
        const size_t columns = w >= 0 ? (size_t)w : 4;
        if (columns > width)
            break;
        width -= columns;
        i += len;
    }
    return i;
}

void pt_text_fit(const char *s, size_t n, size_t width, struct pt_buf *out)
{
    const size_t total = pt_text_width(s, n);
    if (total <= width) {
        pt_text_escape(s, n, out);
        return;
    }
    const size_t dots = width < 8 ? 0 : 3; /* too narrow for dots: the head alone */
    const size_t tail_width = dots ? (width - dots) / 2 : 0;
    const size_t head = head_bytes(s, n, width - dots - tail_width);
    pt_text_escape(s, head, out);
    if (!dots)
        return;
    pt_buf_put(out, "...", dots);
    size_t skip = head, left = pt_text_width(s + head, n - head);
    while (left > tail_width) {
        int w;
        skip += pt_text_char(s + skip, n - skip, &w);
        left -= w >= 0 ? (size_t)w : 4;
    }
    pt_text_escape(s + skip, n - skip, out);
}

/* "123 kB" at s, with nothing behind it that goes on: its length, and how much it is; 0: none. */
static size_t amount(const char *s, size_t n, int64_t *ret_bytes)
{
    static const char unit[] = {' ', 'k', 'B'};
    size_t i = 0;
    int64_t kb = 0;
    for (; i < n && s[i] >= '0' && s[i] <= '9'; i++)
        if (__builtin_mul_overflow(kb, 10, &kb) || __builtin_add_overflow(kb, s[i] - '0', &kb))
            return 0;
    if (i == 0 || n - i < sizeof(unit) || memcmp(s + i, unit, sizeof(unit)) != 0 ||
        __builtin_mul_overflow(kb, 1024, ret_bytes))
        return 0;
    i += sizeof(unit);
    return i == n || memchr(" ,;:)", s[i], 5) ? i : 0;
}

void pt_text_amounts(const char *s, size_t n, struct pt_buf *out)
{
    static const char command[] = "command line: ";
    const char *end = memmem(s, n, command, strlen(command));
    const size_t told = end ? (size_t)(end - s) : n;
    for (size_t i = 0; i < told;) {
        char text[PT_UNITS_BUF];
        int64_t bytes;
        const size_t len = i == 0 || s[i - 1] == ' ' ? amount(s + i, told - i, &bytes) : 0;
        if (len)
            pt_buf_put(out, text, strlen(pt_units_bytes(text, sizeof(text), bytes, false)));
        else
            pt_buf_u8(out, (uint8_t)s[i]);
        i += len ? len : 1;
    }
    pt_buf_put(out, s + told, n - told);
}

void pt_text_wrap(const char *s, size_t n, size_t indent, size_t width, struct pt_buf *out)
{
    struct pt_buf text;
    pt_buf_init(&text, SIZE_MAX / 2);
    pt_text_escape(s, n, &text);
    const char *p = text.len ? (const char *)text.data : "", *end = p + text.len;
    while (p < end) {
        const size_t left = (size_t)(end - p), fits = head_bytes(p, left, width - indent);
        size_t take = fits;
        while (fits < left && take > 0 && p[take] != ' ')
            take--;
        if (take == 0) /* no blank to break at */
            take = fits ? fits : left;
        size_t shown = take;
        while (shown > 0 && p[shown - 1] == ' ')
            shown--;
        pt_buf_put(out, p, shown);
        p += take;
        while (p < end && *p == ' ')
            p++;
        if (p < end) {
            pt_buf_u8(out, '\n');
            for (size_t i = 0; i < indent; i++)
                pt_buf_u8(out, ' ');
        }
    }
    out->failed |= text.failed;
    pt_buf_release(&text);
}

int pt_text_print(FILE *out, const char *label, size_t indent, const char *s)
{
    struct pt_buf lines;
    pt_buf_init(&lines, SIZE_MAX / 2);
    pt_text_wrap(s, strlen(s), indent, PT_TEXT_WIDTH, &lines);
    const int rc = lines.failed ? -1 : 0;
    if (rc == 0)
        fprintf(out, "%-*s%.*s\n", (int)indent, label, (int)lines.len, (const char *)lines.data);
    pt_buf_release(&lines);
    return rc;
}
