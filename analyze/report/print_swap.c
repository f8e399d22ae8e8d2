/* SPDX-License-Identifier: MIT
 * Swap in a report: whether it did harm, its episodes with whom they hurt and who grew, and the
 * areas. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "analyze/report/beside.h"
#include "analyze/report/print_int.h"

#define EPISODES 10 /* the newest */
#define PARTS    3  /* victims, aggressors */
#define HOLDERS  5

/* "grew: 46 batch1 +61.3 MiB, 9 mmap2 +13.4 MiB" */
static void print_parts(struct pt_page *p, const char *what, const json_t *list, const char *key)
{
    const json_t *one;
    char text[512], bytes[PT_UNITS_BUF];
    size_t i, n = (size_t)snprintf(text, sizeof(text), "%s:", what);
    json_array_foreach(list, i, one)
    {
        if (i == PARTS || n + 1 >= sizeof(text))
            break;
        const int len = snprintf(text + n, sizeof(text) - n, "%s %" PRId64 " %s %s", i ? "," : "",
                                 pt_tree_int(one, "pid"), pt_print_str(one, "comm"),
                                 pt_print_bytes(one, key, true, bytes));
        n += len > 0 ? (size_t)len : 0;
    }
    const size_t all = json_array_size(list);
    if (all > i && n + 1 < sizeof(text))
        snprintf(text + n, sizeof(text) - n, ", and %zu more", all - i);
    if (i > 0)
        pt_page_item(p, ' ', "", text);
}

static void print_episode(struct pt_page *p, const json_t *e)
{
    char from[PT_UNITS_BUF], length[PT_UNITS_BUF], in[PT_UNITS_BUF], out[PT_UNITS_BUF],
        stalled[PT_UNITS_BUF], text[512];
    const bool bad = pt_tree_is(e, "state", "thrash") || pt_tree_is(e, "state", "churn") ||
                     pt_tree_is(e, "state", "exhaustion-risk");
    snprintf(text, sizeof(text), "%s from %s for %s: %s in, %s out, stalled for %s",
             pt_print_str(e, "state"), pt_print_time(p, e, "from", from),
             pt_print_seconds(e, "seconds", length), pt_print_bytes(e, "bytes_in", false, in),
             pt_print_bytes(e, "bytes_out", false, out),
             pt_print_seconds(e, "stall_seconds", stalled));
    pt_page_item(p, bad ? '!' : '-', "", text);
    if (!pt_tree_at(e, "victims"))
        pt_page_item(p, ' ', "", "whom it hurt was not looked into: others cost more");
    print_parts(p, "hurt", pt_tree_at(e, "victims"), "refilled_bytes");
    print_parts(p, "grew", pt_tree_at(e, "aggressors"), "growth_bytes");
}

static void print_holders(struct pt_page *p, const json_t *swap, int64_t cut)
{
    static const struct pt_column columns[] = {{"PID", true, 0},      {"IN SWAP", true, 0},
                                               {"MOST", true, 0},     {"READ BACK", true, 0},
                                               {"SERVICE", false, 8}, {"COMMAND", false, 10}};
    const json_t *one;
    char buf[PT_UNITS_BUF];
    struct pt_table t;
    size_t i, shown = 0;
    pt_table_init(&t, columns, 6);
    json_array_foreach(pt_tree_at(swap, "processes"), i, one)
    {
        const char *service = pt_tree_str(one, "service");
        if (!pt_beside_swapped(one))
            continue;
        if (shown == HOLDERS) {
            cut++;
            continue;
        }
        shown++;
        pt_table_cellf(&t, "%" PRId64, pt_tree_int(one, "pid"));
        pt_table_cell(&t, pt_print_bytes(one, "last_bytes", false, buf));
        pt_table_cell(&t, pt_print_bytes(one, "most_bytes", false, buf));
        pt_table_cell(&t, pt_print_bytes(one, "swapped_in_bytes", false, buf));
        pt_table_cell(&t, service ? service : "-");
        pt_table_cell(&t, pt_print_str(one, "comm"));
    }
    pt_page_table(p, &t);
    pt_print_omitted(p, shown > 0 ? cut : 0, "");
}

static void print_devices(struct pt_page *p, const json_t *swap)
{
    static const struct pt_column columns[] = {
        {"SWAP AREA", false, 16}, {"SIZE", true, 0}, {"USED", true, 0}, {"MOST", true, 0}};
    const json_t *one;
    char buf[PT_UNITS_BUF];
    struct pt_table t;
    size_t i;
    pt_table_init(&t, columns, 4);
    json_array_foreach(pt_tree_at(swap, "devices"), i, one)
    {
        const bool there = json_is_true(pt_tree_at(one, "present"));
        pt_table_cell(&t, pt_print_str(one, "name"));
        pt_table_cell(&t, pt_print_bytes(one, "size_bytes", false, buf));
        pt_table_cell(&t, there ? pt_print_bytes(one, "used_bytes", false, buf) : "gone");
        pt_table_cell(&t, pt_print_bytes(one, "most_used_bytes", false, buf));
    }
    pt_page_table(p, &t);
}

void pt_print_swap(struct pt_page *p, const json_t *doc)
{
    const json_t *swap = pt_tree_at(doc, "swap"), *episodes = pt_tree_at(swap, "episodes"), *one;
    const size_t n = json_array_size(episodes), first = n > EPISODES ? n - EPISODES : 0;
    size_t i;
    if (!swap)
        return;
    pt_page_heading(p, "Swap");
    pt_page_para(p, "%s", pt_print_str(swap, "text"));
    json_array_foreach(episodes, i, one)
    {
        if (i >= first)
            print_episode(p, one);
    }
    const int64_t omitted = pt_tree_int(doc, "swap_omitted");
    pt_print_omitted(p, (int64_t)first + (omitted > 0 ? omitted : 0), "episodes");
    print_devices(p, swap);
    print_holders(p, swap, pt_print_cut(doc, "swap.processes"));
    json_array_foreach(pt_tree_at(swap, "not_known"), i, one) if (json_is_string(one))
        pt_page_item(p, '?', "not known:", json_string_value(one));
}
