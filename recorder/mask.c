/* SPDX-License-Identifier: MIT
 * Masking of secrets in command lines.
 *
 * What is masked: the value after a secret-looking key ("--password=x", "MYSQL_PWD=x", "token: x",
 * "?api_key=x&"), the argument after a secret-looking option ("--password x"), the password of a
 * URL ("scheme://user:x@host"), what follows -p of the MySQL clients and of sshpass, the password
 * of curl's -u, and words that look like keys of well-known services wherever they stand. Rather
 * one too many than one too few. */
#include "recorder/mask.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

static const char stars[] = "***";

/* Parts of a key that make its value a secret; matched without case, '-' and '_' and '.' being one.
 */
static const char *const secret_parts[] = {
    "password",    "passwd",     "passphrase",    "passcode",    "secret",     "token",
    "apikey",      "api_key",    "accesskey",     "access_key",  "privatekey", "private_key",
    "secretkey",   "credential", "authorization", "cookie",      "auth_key",   "encryption_key",
    "signing_key", "_pwd",       "_pass",         "requirepass", "masterauth",
};
static const char *const secret_words[] = {"pass",   "pwd",     "auth", "pw",
                                           "passin", "passout", "pin",  "bearer"};
/* Keys that only point to a secret or describe it. */
static const char *const harmless_ends[] = {
    "_file", "_path", "_dir", "_url",    "_uri",    "_env",   "_ttl",
    "_name", "_type", "_id",  "_policy", "_length", "_store", "_expiry",
};
/* Words that are secrets by themselves: prefix and the least length of the whole. */
static const struct {
    const char *prefix;
    size_t least;
} secret_values[] = {
    {"AKIA", 20},        {"ASIA", 20},     {"ghp_", 30},    {"gho_", 30},  {"ghs_", 30},
    {"github_pat_", 30}, {"glpat-", 20},   {"xoxb-", 20},   {"xoxp-", 20}, {"xoxa-", 20},
    {"sk_live_", 20},    {"rk_live_", 20}, {"sk-", 32},     {"AIza", 35},  {"hvs.", 24},
    {"eyJ", 40},         {"npm_", 36},     {"dop_v1_", 40},
};

static bool key_char(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '-' || c == '.';
}

/* Does the key end with one of these? `key` is folded: lower case, '_' for '-' and '.'. */
static bool ends_with(const char *key, size_t len, const char *end)
{
    const size_t n = strlen(end);
    return len >= n && memcmp(key + len - n, end, n) == 0;
}

static bool secret_key(const char *key, size_t len)
{
    char folded[64];
    while (len && (*key == '-' || *key == '.' || *key == '_')) {
        key++;
        len--;
    }
    if (len > sizeof(folded)) { /* what decides stands at the end */
        key += len - sizeof(folded);
        len = sizeof(folded);
    }
    for (size_t i = 0; i < len; i++)
        folded[i] = key[i] == '-' || key[i] == '.' ? '_' : (char)tolower((unsigned char)key[i]);
    for (size_t i = 0; i < sizeof(harmless_ends) / sizeof(*harmless_ends); i++) {
        if (ends_with(folded, len, harmless_ends[i]) && !ends_with(folded, len, "access_key_id"))
            return false;
    }
    for (size_t i = 0; i < sizeof(secret_parts) / sizeof(*secret_parts); i++) {
        if (memmem(folded, len, secret_parts[i], strlen(secret_parts[i])))
            return true;
    }
    for (size_t i = 0; i < sizeof(secret_words) / sizeof(*secret_words); i++) {
        if (len == strlen(secret_words[i]) && memcmp(folded, secret_words[i], len) == 0)
            return true;
    }
    return false;
}

/* A word that is a secret whatever stands before it: its length, or 0. */
static size_t secret_value(const char *p, const char *end)
{
    for (size_t i = 0; i < sizeof(secret_values) / sizeof(*secret_values); i++) {
        const size_t n = strlen(secret_values[i].prefix);
        if ((size_t)(end - p) < secret_values[i].least ||
            memcmp(p, secret_values[i].prefix, n) != 0)
            continue;
        size_t len = n;
        while (p + len < end &&
               (key_char(p[len]) || p[len] == '/' || p[len] == '+' || p[len] == '='))
            len++;
        if (len >= secret_values[i].least)
            return len;
    }
    return 0;
}

/* Where a value ends: at the argument's end when its key opens the argument, else at a blank, quote
 * or '&'. */
static const char *value_end(const char *p, const char *end, bool whole)
{
    if (whole)
        return end;
    if (p < end && (*p == '"' || *p == '\'')) {
        const char *close = memchr(p + 1, *p, (size_t)(end - p - 1));
        return close ? close + 1 : end;
    }
    while (p < end && !isspace((unsigned char)*p) && *p != '&' && *p != '"' && *p != '\'' &&
           *p != ';')
        p++;
    return p;
}

/* "//user:password@" from the slashes on: where the password starts and ends. */
static bool url_password(const char *p, const char *end, const char **ret, const char **ret_end)
{
    const char *stop = p + 2;
    const char *at = NULL, *colon = NULL;
    for (; stop < end && *stop != '/' && !isspace((unsigned char)*stop); stop++) {
        if (*stop == ':' && !colon)
            colon = stop;
        if (*stop == '@')
            at = stop;
    }
    if (!at || !colon || colon > at)
        return false;
    *ret = colon + 1;
    *ret_end = at;
    return true;
}

static void put_stars(struct pt_buf *out)
{
    pt_buf_put(out, stars, sizeof(stars) - 1);
}

/* After a key's '=' or ':' at p: masks the value and returns where to go on. */
static const char *mask_value(const char *p, const char *end, bool whole, char sep,
                              struct pt_buf *out)
{
    const char *value = p;
    while (sep == ':' && value < end && *value == ' ')
        value++;
    pt_buf_put(out, p, (size_t)(value - p));
    /* a header's value ("Authorization: Bearer x") goes on over blanks */
    const char *stop = value_end(value, end, whole || (sep == ':' && value > p));
    if (stop > value)
        put_stars(out);
    return stop;
}

static void mask_arg(const char *arg, size_t len, bool only, struct pt_buf *out)
{
    const char *p = arg;
    const char *const end = arg + len;
    const char *key = NULL; /* start of the run of key characters before p */
    while (p < end) {
        const char *from, *to;
        const size_t word = key ? 0 : secret_value(p, end);
        if (word) {
            put_stars(out);
            p += word;
            continue;
        }
        if ((*p == '=' || *p == ':') && key && secret_key(key, (size_t)(p - key))) {
            const bool whole = key == arg && !only;
            pt_buf_u8(out, (uint8_t)*p);
            p = mask_value(p + 1, end, whole, *p, out);
            key = NULL;
            continue;
        }
        if (end - p > 2 && p[0] == '/' && p[1] == '/' && p > arg && p[-1] == ':' &&
            url_password(p, end, &from, &to)) {
            pt_buf_put(out, p, (size_t)(from - p));
            put_stars(out);
            p = to;
            key = NULL;
            continue;
        }
        key = !key_char(*p) ? NULL : key ? key : p;
        pt_buf_u8(out, (uint8_t)*p++);
    }
}

/* ---- options of single programs ---- */

enum next { NEXT_PLAIN = 0, NEXT_SECRET, NEXT_USER };

static const struct {
    const char *program; /* prefix of the base name */
    const char *option;
    enum next what;
    bool joined; /* also "-pSECRET" */
} options[] = {
    {"mysql", "-p", NEXT_PLAIN, true},          {"mariadb", "-p", NEXT_PLAIN, true},
    {"sshpass", "-p", NEXT_SECRET, true},       {"curl", "-u", NEXT_USER, true},
    {"curl", "--user", NEXT_USER, false},       {"curl", "-U", NEXT_USER, true},
    {"curl", "--proxy-user", NEXT_USER, false}, {"redis-cli", "-a", NEXT_SECRET, false},
    {"ldap", "-w", NEXT_SECRET, true},          {"smbclient", "-U", NEXT_USER, false},
};

static const char *base_name(const char *arg, size_t *len)
{
    const char *slash = memrchr(arg, '/', *len);
    if (!slash)
        return arg;
    *len -= (size_t)(slash + 1 - arg);
    return slash + 1;
}

/* "user:password": the password masked. */
static void mask_user(const char *arg, size_t len, struct pt_buf *out)
{
    const char *colon = memchr(arg, ':', len);
    pt_buf_put(out, arg, colon ? (size_t)(colon + 1 - arg) : len);
    if (colon && colon + 1 < arg + len)
        put_stars(out);
}

/* What a program's own option says of this argument; joined values are masked here (true: done). */
static bool mask_option(const char *program, size_t program_len, const char *arg, size_t len,
                        enum next *next, struct pt_buf *out)
{
    for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++) {
        const size_t n = strlen(options[i].option), m = strlen(options[i].program);
        if (program_len < m || memcmp(program, options[i].program, m) != 0 || len < n ||
            memcmp(arg, options[i].option, n) != 0)
            continue;
        if (len == n)
            *next = options[i].what;
        if (len == n || !options[i].joined)
            continue;
        pt_buf_put(out, arg, n);
        if (options[i].what == NEXT_USER)
            mask_user(arg + n, len - n, out);
        else
            put_stars(out);
        return true;
    }
    return false;
}

static void mask_all(const char *cmdline, size_t len, struct pt_buf *out)
{
    const char *p = cmdline;
    const char *const end = cmdline + len;
    const char *first_nul = memchr(p, 0, len);
    size_t program_len = first_nul ? (size_t)(first_nul - p) : len;
    const bool only =
        !first_nul || first_nul + 1 >= end; /* a rewritten title: one argument with blanks */
    const char *program = base_name(p, &program_len);
    enum next next = NEXT_PLAIN;
    while (p < end) {
        const char *nul = memchr(p, 0, (size_t)(end - p));
        const size_t n = nul ? (size_t)(nul - p) : (size_t)(end - p);
        const enum next now = next;
        next = NEXT_PLAIN;
        if (now == NEXT_SECRET && n && *p != '-')
            put_stars(out);
        else if (now == NEXT_USER)
            mask_user(p, n, out);
        else if (p == cmdline || !mask_option(program, program_len, p, n, &next, out))
            mask_arg(p, n, only, out);
        if (next == NEXT_PLAIN && n > 1 && *p == '-' && !memchr(p, '=', n) && secret_key(p, n))
            next = NEXT_SECRET;
        if (nul)
            pt_buf_u8(out, 0);
        p += n + (nul ? 1 : 0);
    }
}

void pt_mask(enum pt_cmdline how, const char *cmdline, size_t len, struct pt_buf *out)
{
    if (how == PT_CMDLINE_FULL) {
        pt_buf_put(out, cmdline, len);
    } else if (how == PT_CMDLINE_NAME) {
        size_t n = 0;
        while (n < len && cmdline[n] && cmdline[n] != ' ')
            n++;
        pt_buf_put(out, cmdline, n);
        if (n < len)
            pt_buf_u8(out, 0);
    } else {
        mask_all(cmdline, len, out);
    }
}
