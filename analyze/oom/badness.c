/* SPDX-License-Identifier: MIT
 * The kernel's rule. */
#include "analyze/oom/badness.h"

#include <stdlib.h>
#include <string.h>

#define ADJ_NEVER   (-1000)
#define ADJ_MOST    1000
#define ADJ_DIVISOR 1000

bool pt_oom_within(const char *cgroup, const char *group)
{
    const size_t n = strlen(group);
    if (strcmp(group, "/") == 0)
        return true;
    return cgroup && strncmp(cgroup, group, n) == 0 && (cgroup[n] == '\0' || cgroup[n] == '/');
}

static int64_t plus(int64_t a, int64_t b)
{
    int64_t r;
    if (b == PT_UNKNOWN)
        return a;
    return __builtin_add_overflow(a, b, &r) ? INT64_MAX : r;
}

static bool is_candidate(const struct pt_process *p, const struct pt_oom_rule *rule)
{
    return !p->kernel && p->pid != 1 && p->state != 'Z' && p->state != 'X' &&
           p->m[PT_RSS] != PT_UNKNOWN && (!rule->cgroup || pt_oom_within(p->cgroup, rule->cgroup));
}

static struct pt_candidate weigh(const struct pt_process *p, const struct pt_oom_rule *rule)
{
    struct pt_candidate c = {
        .process = p,
        .badness = plus(plus(p->m[PT_RSS], p->m[PT_SWAP]), p->pgtables),
        .exempt = p->oom_adj == ADJ_NEVER,
        .guessed = p->oom_adj < ADJ_NEVER || p->oom_adj > ADJ_MOST, /* PT_UNKNOWN is less */
    };
    if (!c.exempt && !c.guessed && rule->total != PT_UNKNOWN)
        c.badness = plus(c.badness, rule->total / ADJ_DIVISOR * p->oom_adj);
    return c;
}

static int worst_first(const void *a, const void *b)
{
    const struct pt_candidate *x = a, *y = b;
    if (x->exempt != y->exempt)
        return x->exempt ? 1 : -1;
    if (x->badness != y->badness)
        return x->badness < y->badness ? 1 : -1;
    return x->process->pid < y->process->pid ? -1 : x->process->pid > y->process->pid;
}

int pt_oom_rank(const struct pt_process *v, size_t n, const struct pt_oom_rule *rule,
                struct pt_candidate **ret, size_t *ret_n, struct pt_err *err)
{
    struct pt_candidate *c = calloc(n ? n : 1, sizeof(*c));
    size_t found = 0;
    if (!c)
        return pt_err_nomem(err);
    for (size_t i = 0; i < n; i++)
        if (is_candidate(&v[i], rule))
            c[found++] = weigh(&v[i], rule);
    if (found > 1)
        qsort(c, found, sizeof(*c), worst_first);
    *ret = c;
    *ret_n = found;
    return 0;
}
