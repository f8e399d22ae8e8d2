/* SPDX-License-Identifier: MIT
 * Cutting a text into a shape and its slots. Runs once per new shape; texts of a known shape are
 * matched (shape.c). Whatever is cut here is only a proposal: a text counts as recorded when it
 * matches the shape that came out. */
#include "schema/shape.h"

enum { WIDTH_MAX = 63 };

struct lexer {
    const char *text;
    size_t len;
    size_t literal; /* where the pending literal begins */
    size_t dec_end; /* where the last decimal slot ended; a fraction may follow */
    uint32_t nslots;
    unsigned width;
    struct pt_buf *wire, *slots;
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_word(char c)
{
    return is_digit(c) || c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_hex(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f');
}

static void put_slot(struct lexer *l, enum pt_slot_kind kind, unsigned width, size_t start,
                     size_t end, uint64_t value)
{
    pt_buf_varint(l->wire, start - l->literal);
    pt_buf_put(l->wire, l->text + l->literal, start - l->literal);
    pt_buf_u8(l->wire, (uint8_t)((unsigned)kind << 6 | width));
    pt_buf_varint(l->slots, value);
    l->nslots++;
    l->literal = end;
    l->dec_end = kind == PT_SLOT_DEC ? end : SIZE_MAX;
}

static bool decimal(const char *digits, size_t n, uint64_t *ret)
{
    uint64_t v = 0;
    for (size_t i = 0; i < n; i++) {
        const unsigned digit = (unsigned)(digits[i] - '0');
        if (v > UINT64_MAX / 10 || (v == UINT64_MAX / 10 && digit > UINT64_MAX % 10))
            return false;
        v = v * 10 + digit;
    }
    *ret = v;
    return true;
}

/* May the digits that start at i be a number, as far as what stands before them tells? */
static bool stands_free(const struct lexer *l, size_t i)
{
    if (i == 0)
        return true;
    const char before = l->text[i - 1];
    if (is_word(before))
        return false;
    return !((before == '.' || before == '-') && i >= 2 && is_word(l->text[i - 2]));
}

/* How much of the blank before a number is padding (the rest is literal), and the width that pads
 * it so. A blank of one is a separator; of a longer one the first is, unless the file's own width
 * says otherwise. */
static void put_decimal(struct lexer *l, size_t i, size_t j, uint64_t value)
{
    const size_t digits = j - i;
    size_t blank = 0;
    while (i - blank > l->literal && l->text[i - blank - 1] == ' ')
        blank++;
    size_t pad = blank > 1 ? blank - 1 : 0;
    unsigned width = 0;
    if (l->width && digits < l->width && blank + digits >= l->width)
        pad = l->width - digits;
    else if (l->width && digits >= l->width)
        pad = 0;
    if (pad + digits > WIDTH_MAX)
        pad = digits < WIDTH_MAX ? WIDTH_MAX - digits : 0;
    if (pad > 0)
        width = (unsigned)(pad + digits);
    else if (l->width && digits >= l->width)
        width = l->width;
    put_slot(l, PT_SLOT_DEC, width, i - pad, j, value);
}

static void lex_decimals(struct lexer *l, size_t from)
{
    for (size_t i = from, j; i < l->len; i = j) {
        j = i + 1;
        if (!is_digit(l->text[i]))
            continue;
        while (j < l->len && is_digit(l->text[j]))
            j++;
        uint64_t value;
        if ((j < l->len && is_word(l->text[j])) || !decimal(l->text + i, j - i, &value))
            continue;
        if (i >= 1 && l->text[i - 1] == '.' && l->dec_end == i - 1) {
            if (j - i <= 19)
                put_slot(l, PT_SLOT_FRAC, (unsigned)(j - i), i, j, value);
        } else if (stands_free(l, i) && (l->text[i] != '0' || j - i == 1)) {
            put_decimal(l, i, j, value);
        }
    }
}

/* A hexadecimal number at i: puts its slot and returns its end; i when there is none. */
static size_t lex_hex(struct lexer *l, size_t i)
{
    uint64_t value = 0;
    size_t j = i;
    for (; j < l->len && j - i <= 16 && is_hex(l->text[j]); j++)
        value = value << 4 |
                (unsigned)(is_digit(l->text[j]) ? l->text[j] - '0' : l->text[j] - 'a' + 10);
    const size_t n = j - i;
    if (n == 0 || n > 16)
        return i;
    const unsigned width = l->text[i] == '0' || n < 8 ? (unsigned)n : 8;
    put_slot(l, PT_SLOT_HEX, width, i, j, value);
    return j;
}

static size_t skip(const struct lexer *l, size_t i, const char *what)
{
    while (*what && i < l->len && l->text[i] == *what) {
        i++;
        what++;
    }
    return *what ? SIZE_MAX : i;
}

/* "[0x]start-[0x]end"; returns where it ends, SIZE_MAX when the line does not begin so. */
static size_t lex_range(struct lexer *l)
{
    size_t i = skip(l, 0, "0x");
    const char *prefix = i == SIZE_MAX ? "" : "0x";
    size_t j = lex_hex(l, i = i == SIZE_MAX ? 0 : i);
    if (j == i || (i = skip(l, j, "-")) == SIZE_MAX || (i = skip(l, i, prefix)) == SIZE_MAX)
        return SIZE_MAX;
    j = lex_hex(l, i);
    return j == i ? SIZE_MAX : j;
}

/* "start-end perms offset major:minor inode ..." */
static void lex_maps(struct lexer *l)
{
    size_t i = lex_range(l);
    if (i == SIZE_MAX || l->len - i < 7)
        return;
    size_t j = lex_hex(l, i += 6); /* " rw-p " */
    if (j == i || (i = skip(l, j, " ")) == SIZE_MAX)
        return;
    j = lex_hex(l, i);
    if (j == i || (i = skip(l, j, ":")) == SIZE_MAX)
        return;
    j = lex_hex(l, i);
    if (j == i || (i = skip(l, j, " ")) == SIZE_MAX)
        return;
    for (j = i; j < l->len && is_digit(l->text[j]); j++)
        ;
    uint64_t inode;
    if (j > i && (l->text[i] != '0' || j - i == 1) && decimal(l->text + i, j - i, &inode))
        put_slot(l, PT_SLOT_DEC, 0, i, j, inode);
}

void pt_lex(enum pt_lex lex, unsigned width, const char *text, size_t len, struct pt_buf *wire,
            struct pt_buf *slots)
{
    const size_t base = wire->len;
    struct lexer l = {.text = text,
                      .len = len,
                      .dec_end = SIZE_MAX,
                      .width = width,
                      .wire = wire,
                      .slots = slots};
    if (lex == PT_LEX_MAPS) {
        lex_maps(&l);
    } else if (lex == PT_LEX_RANGE) {
        const size_t end = lex_range(&l);
        if (end != SIZE_MAX)
            lex_decimals(&l, end);
    } else if (lex == PT_LEX_DEC) {
        lex_decimals(&l, 0);
    }
    pt_buf_varint(wire, len - l.literal);
    pt_buf_put(wire, text + l.literal, len - l.literal);

    /* the count goes first, and is known last */
    uint8_t count[PT_VARINT_MAX];
    const size_t n = pt_varint_put(count, l.nslots);
    if (pt_buf_room(wire, n)) {
        memmove(wire->data + base + n, wire->data + base, wire->len - base);
        memcpy(wire->data + base, count, n);
        wire->len += n;
    }
}
