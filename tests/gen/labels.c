/* SPDX-License-Identifier: MIT
 * What is true of the processes of a history, as tests/labelled/score.py reads it. Units: bytes,
 * seconds. */
#include <stdio.h>

#include "tests/gen/history.h"

static void print_entity(FILE *f, const struct story *s, double seconds)
{
    const struct family *family = s->family;
    const double rate = s->rise * 1024 / (s->span * 3600); /* bytes a second */
    const double onset = family->leak && !family->varies && family->at < 1 ? family->at : 0;
    fprintf(f, "{\"name\": \"%s\", \"family\": \"%s\", \"label\": \"%s\", \"classes\": [%s], ",
            s->name, family->name, family->leak ? "leak" : "none",
            family->leak ? "\"heap\", \"anon\"" : "");
    if (family->leak)
        fprintf(f, "\"bytes_per_hour\": %.0f, \"bytes\": %.0f, \"onset\": %.2f, ", rate * 3600,
                rate * seconds * (1 - onset), onset);
    fprintf(f, "\"speed_varies\": %s, \"pids\": [", family->varies ? "true" : "false");
    for (size_t i = 0; i < s->npids; i++)
        fprintf(f, "%s%u", i ? ", " : "", s->pids[i]);
    fprintf(f, "]}");
}

int history_labels(const struct machine *m, const struct pt_gen_options *o, const char *path,
                   int64_t seconds)
{
    FILE *f = fopen(path, "w");
    if (!f)
        return -1;
    fprintf(f, "{\"seed\": %llu, \"seconds\": %lld, \"interval\": \"%llds\", \"tmpfs\": null,\n",
            (unsigned long long)o->seed, (long long)seconds, (long long)(o->interval_us / 1000000));
    fprintf(f, "\"left_out\": [], \"entities\": [\n");
    for (uint32_t i = 0; i < m->count; i++) {
        print_entity(f, &m->stories[i], (double)seconds);
        fprintf(f, "%s\n", i + 1 < m->count ? "," : "");
    }
    fprintf(f, "]}\n");
    const bool bad = ferror(f);
    return fclose(f) || bad ? -1 : 0;
}
