/* SPDX-License-Identifier: MIT
 * Reports as HTML: whatever stands in a document is text in the page, and data in its script. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "analyze/report/html/assets.h"
#include "analyze/report/report.h"

#define EVIL "</script><script>x</script><img src=x onerror=\"y\">' onload='z&amp;\xe2\x80\xae"

static char *render(const json_t *doc)
{
    char *text = NULL;
    size_t n;
    FILE *f = open_memstream(&text, &n);
    assert_non_null(f);
    assert_int_equal(pt_report_html(doc, f), 0);
    fclose(f);
    return text;
}

static size_t count(const char *text, const char *what)
{
    size_t n = 0;
    for (const char *p = text; (p = strstr(p, what)); p += strlen(what))
        n++;
    return n;
}

/* What is in scripts becomes blank. */
static void blank_scripts(char *text)
{
    for (char *p = text; (p = strstr(p, "<script"));) {
        p = strchr(p, '>');
        assert_non_null(p);
        char *end = strstr(p, "</script>");
        assert_non_null(end);
        memset(p + 1, ' ', (size_t)(end - p - 1));
        p = end;
    }
}

/* ' stands for ". */
static json_t *parse(const char *text)
{
    char *copy = strdup(text);
    assert_non_null(copy);
    for (char *p = copy; (p = strchr(p, '\'')); p++)
        *p = '"';
    json_t *j = json_loads(copy, 0, NULL);
    assert_non_null(j);
    free(copy);
    return j;
}

/* What a document of report.schema.json has, every string of it one that would be markup. */
static json_t *evil_doc(void)
{
    return parse(
        "{'report': 1, 'kind': 'report', 'program': 'S', 'database': 'S', 'utc_offset_seconds': "
        "3600,"
        "'span': {'from': 'S', 'to': 'S', 'seconds': null}, 'notes': ['S'],"
        "'verdict': [{'severity': 'S', 'section': 'S', 'text': 'S', 'finding': 'S', 'status': "
        "'S'}],"
        "'machine': {'host': {'name': 'S', 'kernel': 'S', 'arch': 'S'}, 'boots': [],"
        "  'first': {'time': 'S'}, 'gaps': [{'time': 'S', 'seconds': 1.5}],"
        "  'unreadable': [{'files': 'S', 'error': 'S', 'count': 3}]},"
        "'leaks': {'alarms': 1, 'findings': ["
        "  {'id': 'S', 'title': 'S', 'sentence': 'S', 'status': 'S', 'verdict': 'leak',"
        "   'confidence': 'S', 'class': 'S', 'since': 'S', 'growth_bytes': 1048576,"
        "   'slope_bytes_per_hour': 1.5, 'exhaustion': {'limit': 'S', 'seconds': 60},"
        "   'picture': {'from': 'S', 'to': 'S', 'values': [1, null, 2, 3]},"
        "   'mappings': [{'name': 'S', 'class': 'S', 'growth_bytes': 1, 'count': 2}],"
        "   'evidence': [{'test': 'S', 'passed': true, 'text': 'S'}]},"
        "  {'id': 'S', 'title': 'S', 'sentence': 'S', 'verdict': 'S', 'class': 'S',"
        "   'picture': {'values': ['S', 2]}}]},"
        "'growth': {'classes': [{'class': 'S', 'bytes': {'delta': 1}, 'holders': ["
        "  {'pid': 3, 'comm': 'S', 'service': 'S'}, {'pid': null, 'name': 'S'}]}]},"
        "'charts': {'from': 'S', 'seconds': [0, 1, 2],"
        "  'memory': {'seconds': [0, 1, 2], 'layers': ["
        "    {'name': 'S', 'title': 'S', 'values': [1, null, 3]},"
        "    {'name': 'S', 'title': 'S', 'values': [1, null, -3]}]},"
        "  'lines': [{'name': 'S', 'title': 'S', 'unit': 'S', 'low': [1, 2, 3],"
        "             'values': [1, 2, 3], 'high': [1, 2, 3]}]},"
        "'marks': [{'kind': 'S', 'seconds': 1, 'until': null, 'time': 'S', 'text': 'S'}],"
        "'oom': [{'kill': {'subject': 'S', 'detail': 'S', 'constraint': 'S'},"
        "  'before': {'limits': [{'cgroup': 'S'}],"
        "    'processes': [{'comm': 'S', 'service': 'S', 'killed': true}]},"
        "  'grown': [{'comm': 'S'}], 'candidates': [{'comm': 'S'}], 'minutes': [{'time': 'S'}]}],"
        "'swap': {'text': 'S', 'not_known': ['S'], 'devices': [{'name': 'S', 'type': 'S'}],"
        "  'episodes': [{'state': 'S', 'victims': [{'pid': 1, 'comm': 'S'}], 'aggressors': []}],"
        "  'processes': [{'comm': 'S', 'service': 'S', 'most_bytes': 1}]},"
        "'kernel': {'classes': [{'name': 'S'}], 'slabs': [{'name': 'S'}],"
        "  'shared': {'objects': [{'name': 'S', 'kind': 'S'}]}, 'zones': [{'name': 'S'}],"
        "  'counters': {'reclaim': [{'name': 'S', 'title': 'S'}]},"
        "  'unknown': [{'what': 'S', 'why': 'S'}]},"
        "'events': {'rows': [{'time': 'S', 'kind': 'S', 'subject': 'S', 'detail': 'S'}]},"
        "'processes': {'rows': [{'pid': 1, 'comm': 'S', 'cmdline': 'S', 'service': 'S',"
        "  'verdict': 'S', 'finding': 'S', 'rss': null}]},"
        "'glossary': [{'term': 'S', 'title': 'S', 'meaning': 'S', 'field': 'S'},"
        "             {'term': 'leak', 'title': 'S', 'meaning': 'S', 'field': null}],"
        "'against': {'name': 'S', 'host': 'S', 'findings': ["
        "  {'title': 'S', 'class': 'S', 'status': 'S', 'text': 'S', 'before': {'verdict': 'S'}}]},"
        "'compare': {'columns': [{'title': 'S', 'file': 'S', 'verdict': 'S'}],"
        "  'rows': [{'title': 'S', 'unit': 'S', 'values': ['S']}],"
        "  'services': [{'name': 'S', 'values': [1]}],"
        "  'findings': [{'title': 'S', 'cells': [{'verdict': 'S', 'status': 'S'}]}]}}");
}

/* Every string "S" of j becomes EVIL. */
static void fill(json_t *j)
{
    size_t i;
    const char *key;
    json_t *v;
    if (json_is_string(j) && strcmp(json_string_value(j), "S") == 0)
        assert_int_equal(json_string_set(j, EVIL), 0);
    json_array_foreach(j, i, v) fill(v);
    json_object_foreach(j, key, v) fill(v);
}

static void no_string_is_markup(void **state)
{
    (void)state;
    json_t *doc = evil_doc();
    fill(doc);
    char *text = render(doc);
    assert_int_equal(count(text, "<script"), pt_asset_charts.size ? 3 : 2);
    assert_int_equal(count(text, "</script"), pt_asset_charts.size ? 3 : 2);
    assert_int_equal(count(text, "<img"), 0);
    blank_scripts(text); /* in JSON a quotation mark may stand after an apostrophe */
    assert_int_equal(count(text, "onerror=\""), 0);
    assert_int_equal(count(text, "onload='"), 0);
    assert_int_equal(count(text, "\xe2\x80\xae"), 0); /* nor turns it the text around */
    assert_true(count(text, "&lt;script&gt;x") > 60);
    free(text);
    json_decref(doc);
}

static void data_of_scripts_is_the_documents(void **state)
{
    (void)state;
    static const char begin[] = "id=\"chart-data\">";
    json_t *doc = evil_doc();
    fill(doc);
    char *text = render(doc);
    const char *data = strstr(text, begin);
    assert_non_null(data);
    data += sizeof(begin) - 1;
    json_t *read = json_loadb(data, strcspn(data, "<"), 0, NULL);
    assert_non_null(read);
    assert_int_equal(strncmp(data + strcspn(data, "<"), "</script>", 9), 0);
    assert_true(json_equal(json_object_get(read, "charts"), json_object_get(doc, "charts")));
    assert_true(json_equal(json_object_get(read, "marks"), json_object_get(doc, "marks")));
    assert_int_equal(json_integer_value(json_object_get(read, "offset")), 3600);
    json_decref(read);
    free(text);
    json_decref(doc);
}

static void unknown_is_said(void **state)
{
    (void)state;
    json_t *doc = parse("{'processes': {'rows': [{'pid': 1, 'comm': 'a', 'rss': null}]}}");
    char *text = render(doc);
    assert_non_null(strstr(text, "data-l=\"RSS\" class=num>?"));
    free(text);
    json_decref(doc);
}

static void little_is_a_page_too(void **state)
{
    (void)state;
    static const char *const docs[] = {
        "{}",
        "[]",
        "{'machine': null, 'leaks': null, 'growth': 3, 'verdict': 'x'}",
        "{'leaks': {'findings': [null, 1, {}]}, 'charts': {'seconds': []}, 'glossary': [3]}",
        "{'charts': {'seconds': [1], 'memory': {'layers': [3]}, 'lines': [{}]}, 'marks': [{}]}",
        "{'processes': {'rows': 'x'}, 'oom': {'a': 1}, 'compare': {'rows': [{}]}}"};
    for (size_t i = 0; i < sizeof(docs) / sizeof(docs[0]); i++) {
        json_t *doc = parse(docs[i]);
        char *text = render(doc);
        assert_non_null(strstr(text, "<main id=\"main\">"));
        assert_string_equal(text + strlen(text) - 8, "</html>\n");
        free(text);
        json_decref(doc);
    }
}

static void policy_allows_the_embedded_alone(void **state)
{
    (void)state;
    json_t *doc = json_object();
    char *text = render(doc);
    assert_non_null(strstr(text, "content=\"default-src 'none'; style-src 'sha256-"));
    assert_int_equal(count(text, "unsafe-"), 0);
    assert_int_equal(strlen(pt_asset_style.hash), strlen("sha256-") + 44);
    if (pt_asset_charts.size > 0) /* a licence comes with what it is of */
        assert_non_null(strstr(text, "Permission is hereby granted"));
    blank_scripts(text);
    assert_int_equal(count(text, "style=\""), 0);
    free(text);
    json_decref(doc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_string_is_markup),
        cmocka_unit_test(data_of_scripts_is_the_documents),
        cmocka_unit_test(unknown_is_said),
        cmocka_unit_test(little_is_a_page_too),
        cmocka_unit_test(policy_allows_the_embedded_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
