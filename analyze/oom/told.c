/* SPDX-License-Identifier: MIT
 * What the recorder's words say of a kill. */
#include "analyze/oom/oom.h"

#include <string.h>

const char *pt_constraint_name(enum pt_constraint c)
{
    static const char *const names[] = {[PT_CONSTRAINT_NONE] = NULL,
                                        [PT_CONSTRAINT_HOST] = "host",
                                        [PT_CONSTRAINT_CGROUP] = "cgroup",
                                        [PT_CONSTRAINT_CPUSET] = "cpuset",
                                        [PT_CONSTRAINT_POLICY] = "memory policy"};
    return names[c];
}

static bool starts(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* A group's name may hold anything: it ends at the first of what the recorder puts behind it. */
static size_t name_length(const char *name)
{
    static const char *const behind[] = {"; snapshot ", "; in no snapshot", "; its number is "};
    size_t len = strlen(name);
    for (size_t i = 0; i < sizeof(behind) / sizeof(*behind); i++) {
        const char *at = strstr(name, behind[i]);
        if (at && (size_t)(at - name) < len)
            len = (size_t)(at - name);
    }
    return len;
}

struct pt_oom_told pt_oom_told(const char *subject, const char *text)
{
    static const char of_cgroup[] = "killed: out of memory in cgroup ";
    static const struct {
        const char *words;
        enum pt_constraint constraint;
    } said[] = {
        {"killed: the host is out of memory", PT_CONSTRAINT_HOST},
        {of_cgroup, PT_CONSTRAINT_CGROUP},
        {"killed: out of memory in the nodes of its cpuset", PT_CONSTRAINT_CPUSET},
        {"killed: out of memory in the nodes of its memory policy", PT_CONSTRAINT_POLICY},
    };
    struct pt_oom_told told = {PT_CONSTRAINT_NONE, false, NULL, 0};
    for (size_t i = 0; i < sizeof(said) / sizeof(*said); i++)
        if (starts(text, said[i].words))
            told.constraint = said[i].constraint;
    if (told.constraint == PT_CONSTRAINT_CGROUP) {
        const char *name = text + sizeof(of_cgroup) - 1;
        if (*name == '/') {
            told.cgroup = name;
            told.cgroup_len = name_length(name);
        }
    } else if (told.constraint == PT_CONSTRAINT_NONE && strstr(text, " killed: the kernel log")) {
        /* counters alone: of a group whose count rose, or of the host's */
        told.counted = true;
        told.constraint = *subject == '/' ? PT_CONSTRAINT_CGROUP : PT_CONSTRAINT_HOST;
        told.cgroup = *subject == '/' ? subject : NULL;
        told.cgroup_len = told.cgroup ? strlen(subject) : 0;
    }
    return told;
}
