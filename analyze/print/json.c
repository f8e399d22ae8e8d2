/* SPDX-License-Identifier: MIT
 * JSON values. jansson's json_pack and json_object_set_new take NULL for an error and pass it on,
 * so a missing value shows at the end as a missing document. */
#include "analyze/print/json.h"

#include <string.h>

#include "analyze/print/text.h"
#include "analyze/print/units.h"

json_t *pt_json_int(int64_t v)
{
    return v == PT_UNKNOWN ? json_null() : json_integer(v);
}

json_t *pt_json_time(int64_t us)
{
    char text[PT_UNITS_BUF];
    return us == PT_UNKNOWN ? json_null() : json_string(pt_units_rfc3339(text, sizeof(text), us));
}

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

/* Would a reader take it for an escaped name? */
static bool looks_escaped(const char *s, size_t n)
{
    for (size_t i = 0; i + 3 < n; i++) {
        const char c = s[i + 2];
        if (s[i] == '\\' && s[i + 1] == 'x' && is_hex(c) && (c >= 'a' || c >= '8') &&
            is_hex(s[i + 3]))
            return true;
    }
    return false;
}

json_t *pt_json_name(const char *bytes, size_t n)
{
    static const char hex[] = "0123456789abcdef";
    if (pt_text_is_utf8(bytes, n) && !looks_escaped(bytes, n))
        return json_stringn(bytes, n);
    struct pt_buf out;
    pt_buf_init(&out, SIZE_MAX / 2);
    for (size_t i = 0, len; i < n; i += len ? len : 1) {
        const unsigned char c = (unsigned char)bytes[i];
        len = pt_text_utf8(bytes + i, n - i);
        if (len == 0)
            pt_buf_put(&out, (char[]){'\\', 'x', hex[c >> 4], hex[c & 15]}, 4);
        else if (c == '\\')
            pt_buf_put(&out, "\\\\", 2);
        else
            pt_buf_put(&out, bytes + i, len);
    }
    json_t *j = out.failed ? NULL : json_stringn((const char *)out.data, out.len);
    pt_buf_release(&out);
    return j;
}

json_t *pt_json_str(const char *s)
{
    return s ? pt_json_name(s, strlen(s)) : json_null();
}

json_t *pt_json_change(int64_t before, int64_t after, int64_t delta)
{
    return json_pack("{s:o, s:o, s:o}", "before", pt_json_int(before), "after", pt_json_int(after),
                     "delta", pt_json_int(delta));
}

int pt_json_print(json_t *j, FILE *out)
{
    const int rc = j ? json_dumpf(j, out, JSON_INDENT(2)) : -1;
    json_decref(j);
    if (rc == 0)
        fputc('\n', out);
    return rc;
}
