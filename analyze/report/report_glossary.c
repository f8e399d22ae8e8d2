/* SPDX-License-Identifier: MIT
 * What the words of a report mean: fields of the kernel by the field dictionary, and the words that
 * are Pagetrail's own. A term is the key or the word the document uses. */
#include <string.h>

#include "analyze/print/json.h"
#include "analyze/report/report_int.h"
#include "schema/source.h"

static const struct {
    const char *term, *title;
    const char *source, *field; /* NULL: meaning stands here */
    const char *meaning;
} terms[] = {
    /* of processes */
    {"rss", "RSS", "proc:1/status", "VmRSS", NULL},
    {"anon", "anonymous", "proc:1/status", "RssAnon", NULL},
    {"swap", "swap of a process", "proc:1/status", "VmSwap", NULL},
    {"shmem", "shared memory", "proc:1/status", "RssShmem", NULL},
    {"file", "file pages", "proc:1/status", "RssFile", NULL},
    {"pss", "PSS", "proc:1/smaps", "Pss", NULL},
    {"uss", "USS", NULL, NULL, "resident memory that no other process maps: what its end frees"},
    {"change", "change", NULL, NULL,
     "anonymous memory and swap of the same process at the end of the span, less that at its "
     "beginning"},
    /* of the machine */
    {"mem_available", "available memory", "proc:meminfo", "MemAvailable", NULL},
    {"free", "free", "proc:meminfo", "MemFree", NULL},
    {"page cache", "page cache", "proc:meminfo", "Cached", NULL},
    {"anonymous", "anonymous memory", "proc:meminfo", "AnonPages", NULL},
    {"shared memory and tmpfs", "shared memory and tmpfs", "proc:meminfo", "Shmem", NULL},
    {"swap cache", "swap cache", "proc:meminfo", "SwapCached", NULL},
    {"slab, reclaimable", "slab, reclaimable", "proc:meminfo", "SReclaimable", NULL},
    {"slab, unreclaimable", "slab, unreclaimable", "proc:meminfo", "SUnreclaim", NULL},
    {"kernel stacks", "kernel stacks", "proc:meminfo", "KernelStack", NULL},
    {"page tables", "page tables", "proc:meminfo", "PageTables", NULL},
    {"per-CPU data", "per-CPU data", "proc:meminfo", "Percpu", NULL},
    {"vmalloc, other", "vmalloc", "proc:meminfo", "VmallocUsed", NULL},
    {"huge pages (hugetlb)", "huge pages", "proc:meminfo", "Hugetlb", NULL},
    {"unaccounted", "unaccounted", NULL, NULL,
     "what no counter of the kernel tells: memory that drivers and the kernel took page by page; "
     "below zero where counters overlap"},
    {"pressure_some", "pressure, some", NULL, NULL,
     "share of the time in which at least one task waited for memory"},
    {"pressure_full", "pressure, full", NULL, NULL,
     "share of the time in which no task could run because all that could waited for memory"},
    {"swap_in", "swapped in", "proc:vmstat", "pswpin", NULL},
    {"swap_out", "swapped out", "proc:vmstat", "pswpout", NULL},
    /* classes of memory */
    {"heap", "heap", NULL, NULL, "memory of malloc in the area that brk extends"},
    {"arena", "arena", NULL, NULL,
     "memory of malloc in areas of 64 MiB of its own, made for threads"},
    {"descriptors", "descriptors", NULL, NULL,
     "open files, sockets and pipes, taken as what the kernel keeps for one"},
    {"private-file", "private file", NULL, NULL, "written pages of private mappings of files"},
    {"slab", "slab", NULL, NULL, "objects of the kernel, kept in caches by kind"},
    {"page-tables", "page tables of a process", "proc:1/status", "VmPTE", NULL},
    /* swap: schema of `swap` */
    {"parked", "parked", NULL, NULL, "memory lies in swap and nobody asks for it: no harm"},
    {"swap-out-pressure", "swap-out pressure", NULL, NULL,
     "memory is pushed out for half a minute and more, and little comes back"},
    {"churn", "churn", NULL, NULL, "memory goes out and soon comes back, and tasks wait for it"},
    {"thrash", "thrash", NULL, NULL,
     "so much comes back that for much of the time nothing runs that could"},
    {"exhaustion-risk", "exhaustion risk", NULL, NULL,
     "less than a tenth of swap and of available memory is left"},
    /* the recording */
    {"gap", "gap", NULL, NULL,
     "more than five intervals without a snapshot; nothing is averaged over it"},
    {"snapshot", "snapshot", NULL, NULL, "all that was read at one time"},
    /* verdicts */
    {"leak", "leak", NULL, NULL,
     "grows steadily to the end, whatever the load, and in time for no "
     "reason that was found"},
    {"leak-or-retention", "leak or retention", NULL, NULL,
     "as a leak, but an allocator that keeps what is freed looks the same from outside"},
    {"per-request-leak", "per-request leak", NULL, NULL,
     "grows with the work it has done, and does not give back when idle"},
    {"fast-growth", "fast growth", NULL, NULL,
     "too short or too rough for a verdict, but memory would be full within 12 hours"},
    {"bounded", "bounded", NULL, NULL, "grew and levels off, as a cache with a limit does"},
    {"step", "step", NULL, NULL, "grew at once, once or a few times, and stays"},
    {"load-following", "load-following", NULL, NULL, "at equal load it holds equal memory"},
    {"sawtooth", "sawtooth", NULL, NULL, "rises and falls, as with a garbage collector"},
    {"undetermined", "undetermined", NULL, NULL, "grew, and the record is too short to say why"},
    {"shrinking", "shrinking", NULL, NULL, "holds less and less"},
    {"stable", "stable", NULL, NULL, "does not change by more than its noise"},
    {"insufficient", "insufficient", NULL, NULL, "known for too short a time for any trend"},
    {"oom-kill", "OOM kill", NULL, NULL,
     "no memory could be found, of the machine or of a control group, and the kernel ended a "
     "process to free some"},
    /* against an earlier report */
    {"new", "new", NULL, NULL, "a finding that the earlier report does not have"},
    {"ongoing", "ongoing", NULL, NULL,
     "it goes on, or came again, or the record is too short to say that it does not"},
    {"worse", "worse", NULL, NULL, "faster, or more of the time, beyond what chance explains"},
    {"better", "better", NULL, NULL, "slower, or less of the time, beyond what chance explains"},
    {"resolved", "resolved", NULL, NULL, "the earlier report has it, and it is no more"},
    {"confidence", "confidence", NULL, NULL,
     "high: the record without its last part says so too; medium: only all of it does"},
};

static json_t *entry(size_t i)
{
    const char *source = terms[i].source, *name = terms[i].field;
    const struct pt_file *file = source ? pt_file_of(source) : NULL;
    const struct pt_field *field = file ? pt_field_of(file, name, strlen(name)) : NULL;
    const char *meaning = field ? field->doc : terms[i].meaning;
    return json_pack("{s:s, s:s, s:s, s:s, s:o}", "term", terms[i].term, "title", terms[i].title,
                     "meaning", meaning ? meaning : "", "unit",
                     field ? pt_unit_name(field->unit) : "", "field",
                     file ? json_sprintf("%s %s", file->pattern, name) : json_null());
}

json_t *pt_report_glossary(struct pt_report *r, struct pt_err *err)
{
    json_t *all = json_array();
    (void)r;
    for (size_t i = 0; i < sizeof(terms) / sizeof(*terms); i++)
        json_array_append_new(all, entry(i));
    if (json_array_size(all) != sizeof(terms) / sizeof(*terms)) {
        json_decref(all);
        pt_err_nomem(err);
        return NULL;
    }
    return all;
}
