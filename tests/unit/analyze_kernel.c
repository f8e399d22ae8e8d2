/* SPDX-License-Identifier: MIT
 * Kernel memory: courses and what slab caches lost, which caches can be taken back, how fragmented
 * a zone is; and a recording of two nodes, of segments and objects, of two boots, of almost
 * nothing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/kernel/kernel_int.h"
#include "tests/support/recording.h"

#define START    1795000000000000ll
#define INTERVAL 10000000ll
#define PAGE     4096ll

/* ---- pure ---- */

static void hold(struct pt_curve *c, double from, double to, double value)
{
    assert_true(pt_curve_hold(c, from, to, value));
}

static void courses(void **state)
{
    struct pt_curve c;
    struct pt_course course;
    const struct pt_timeline t = {.first_us = START};
    double known;
    (void)state;
    pt_curve_init(&c, 10);
    hold(&c, 0, 30, 5);
    hold(&c, 30, 40, 9);
    hold(&c, 40, 100, 2);
    pt_course_of(&c, &t, 2, 3, &course);
    assert_int_equal(course.first, 10);
    assert_int_equal(course.last, 6);
    assert_int_equal(course.least, 4);
    assert_int_equal(course.most, 18);
    assert_int_equal(course.most_us, START + 35000000);
    assert_int_equal(pt_course_change(&course), -4);
    assert_true(pt_course_at(&c, 35) == 9 && isnan(pt_course_at(&c, 101)));
    pt_curve_release(&c);

    /* a level that never moved, and one of a single instant */
    pt_curve_init(&c, 10);
    hold(&c, 0, 50, 7);
    pt_course_of(&c, &t, 1, NAN, &course);
    assert_int_equal(course.first, 7);
    assert_int_equal(course.most, 7);
    assert_true(course.last == PT_UNKNOWN && pt_course_change(&course) == PT_UNKNOWN);
    assert_true(pt_course_time(&c, &known) == 350 && known == 50);
    pt_curve_release(&c);
    pt_curve_init(&c, 10);
    pt_course_of(&c, &t, 1, 4, &course);
    assert_int_equal(course.first, 4);
    assert_int_equal(course.most, 4);
    assert_int_equal(pt_course_change(&course), 0);
    pt_curve_release(&c);
}

/* Only what a cache lost while somebody looked at it counts. */
static void lost_in_spells(void **state)
{
    struct pt_curve scans, cache;
    struct pt_spell spells[4];
    (void)state;
    pt_curve_init(&scans, 10);
    hold(&scans, 0, 300, 1000);
    hold(&scans, 300, 310, 1200);
    hold(&scans, 310, 320, 1300);
    hold(&scans, 320, 1000, 1300);
    const size_t n = pt_course_rises(&scans, spells, 4);
    assert_int_equal(n, 1);
    assert_true(spells[0].from == 300 && spells[0].to == 320);
    pt_curve_init(&cache, 10);
    hold(&cache, 0, 100, 50);
    hold(&cache, 100, 290, 20); /* by itself */
    hold(&cache, 290, 310, 80);
    hold(&cache, 310, 330, 30);
    hold(&cache, 330, 600, 100);
    hold(&cache, 600, 1000, 10); /* later, by itself */
    assert_true(pt_course_lost(&cache, spells, n) == 50);
    assert_true(pt_course_lost(&cache, spells, 0) == 0);
    pt_curve_release(&scans);
    pt_curve_release(&cache);
    /* more spells than there is room for: the last holds all that is left */
    pt_curve_init(&scans, 10);
    for (int i = 0; i < 20; i++)
        hold(&scans, 30 * i, 30 * i + 30, i);
    assert_int_equal(pt_course_rises(&scans, spells, 4), 4);
    assert_true(spells[3].to > 550);
    pt_curve_release(&scans);
}

static void reclaimable_by_name(void **state)
{
    static const struct {
        const char *name;
        enum pt_reclaim reclaim;
    } names[] = {
        {"dentry", PT_RECLAIM_YES},
        {"ext4_inode_cache", PT_RECLAIM_YES},
        {"xfs_inode", PT_RECLAIM_YES},
        {"kmalloc-rcl-64", PT_RECLAIM_YES},
        {"kmalloc-64", PT_RECLAIM_NO},
        {"kmalloc-cg-4k", PT_RECLAIM_NO},
        {"shmem_inode_cache", PT_RECLAIM_NO},
        {"inode_cache", PT_RECLAIM_YES},
        {"pid", PT_RECLAIM_NO},
        {"pid_namespace", PT_RECLAIM_UNKNOWN},
        {"nobody_knows", PT_RECLAIM_UNKNOWN},
        {"", PT_RECLAIM_UNKNOWN},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        assert_int_equal(pt_slab_reclaim(names[i].name), names[i].reclaim);
}

static void unusable_share(void **state)
{
    const int64_t blocks[] = {4, 2, 1, 0}; /* 4 + 4 + 4 pages */
    const int64_t none[] = {0, 0};
    double share[4];
    (void)state;
    pt_unusable(blocks, 4, share);
    assert_true(share[0] == 0 && fabs(share[1] - 1.0 / 3) < 1e-9);
    assert_true(fabs(share[2] - 2.0 / 3) < 1e-9 && share[3] == 1);
    pt_unusable(none, 2, share);
    assert_true(isnan(share[0]) && isnan(share[1]));
}

/* ---- recordings ---- */

#define STAT(pid)                                                                                  \
#pid " (worker) S 1 1 1 0 -1 64 0 0 0 0 0 0 0 0 20 0 1 0 500 4096 9 18446744073709551615\n"
#define MAPPING(range, dev_inode, path, pss)                                                       \
    range " rw-s 00000000 " dev_inode " " path "\n"                                                \
          "Size:               8192 kB\nRss:                " pss " kB\nPss:                " pss  \
          " kB\nSwap:                  0 kB\nSwapPss:               0 kB\n"
#define ZONE(node, zone, free)                                                                     \
    "Node " node ", zone   " zone "\n  pages free     " free                                       \
    "\n        min      100\n        low      200\n        high     300\n        managed  5000\n"

static const struct source_text nodes_before[] = {
    {"proc:buddyinfo", "Node 0, zone   Normal    100      0      1 \n"
                       "Node 1, zone   Normal      0      0     10 \n"},
    {"proc:meminfo", "MemTotal:         100000 kB\nMemFree:           50000 kB\n"
                     "Shmem:             20000 kB\nSUnreclaim:         1000 kB\n"},
    {"proc:10/stat", STAT(10)},
    {"proc:10/smaps",
     MAPPING("7f0000000000-7f0000800000", "00:01 55", "/memfd:cache (deleted)", "1024")},
    {"proc:slabinfo", "kmalloc-64 10 20 64 64 1 : tunables 0 0 0 : slabdata 10 10 0\n"},
    {"proc:sysvipc/shm",
     "       key      shmid perms                  size  cpid  lpid nattch   uid   gid  cuid  cgid"
     "      atime      dtime      ctime                   rss                  swap\n"
     "         0          7  1600               1048576    10    11      1     0     0     0     0"
     "          0          0          0               1048576                     0\n"},
    {"proc:vmallocinfo", "0x1-0x2    8192 pcpu_get_vm_areas+0x0/0x1 pages=1 vmalloc N0=1\n"
                         "0x3-0x4    8192 acpi_os_map_iomem+0x1/0x2 phys=0xa0000 ioremap\n"},
    {"proc:zoneinfo", ZONE("0", "Normal", "1000") ZONE("1", "Normal", "2000")},
    {"statfs:/dev/shm", "bsize 4096\nblocks 1000\nbfree 900\nbavail 900\nfiles 500\nffree 499\n"},
    {"statfs:/tmp/same", "bsize 4096\nblocks 1000\nbfree 900\nbavail 900\nfiles 500\nffree 499\n"},
};
static const struct source_text nodes_after[] = {
    {"proc:buddyinfo", "Node 0, zone   Normal    150      0      0 \n"
                       "Node 1, zone   Normal      0      0     10 \n"},
    {"proc:meminfo", "MemTotal:         100000 kB\nMemFree:           40000 kB\n"
                     "Shmem:             20000 kB\nSUnreclaim:         3000 kB\n"},
    {"proc:10/smaps",
     MAPPING("7f0000000000-7f0000800000", "00:01 55", "/memfd:cache (deleted)", "4096")},
    {"proc:slabinfo", "kmalloc-64 40 60 64 64 1 : tunables 0 0 0 : slabdata 30 30 0\n"},
    {"proc:sysvipc/shm",
     "       key      shmid perms                  size  cpid  lpid nattch   uid   gid  cuid  cgid"
     "      atime      dtime      ctime                   rss                  swap\n"
     "         0          7   600               1048576    10    11      0     0     0     0     0"
     "          0          0          0               1048576                     0\n"},
    {"proc:vmallocinfo", "0x1-0x2    8192 pcpu_get_vm_areas+0x0/0x1 pages=1 vmalloc N0=1\n"
                         "0x3-0x4    8192 acpi_os_map_iomem+0x1/0x2 phys=0xa0000 ioremap\n"
                         "0x5-0x6    8192 pcpu_get_vm_areas+0x0/0x1 pages=1 vmalloc N0=1\n"},
    {"proc:zoneinfo", ZONE("0", "Normal", "150") ZONE("1", "Normal", "2000")},
};
static const struct source_text vmstat_first[] = {
    {"proc:vmstat", "pageoutrun 100\nallocstall_normal 5\n"},
    {"proc:meminfo", "MemTotal: 1000 kB\nMemFree: 10 kB\n"}};
static const struct source_text vmstat_then[] = {
    {"proc:vmstat", "pageoutrun 130\nallocstall_normal 5\n"}};
static const struct source_text vmstat_other[] = {
    {"proc:vmstat", "pageoutrun 4\nallocstall_normal 0\n"},
    {"proc:meminfo", "MemTotal: 1000 kB\nMemFree: 10 kB\n"}};
static const struct source_text vmstat_last[] = {
    {"proc:vmstat", "pageoutrun 9\nallocstall_normal 2\n"}};

struct fixture {
    struct recording r;
    struct pt_session session;
    struct pt_kernel k;
};
static const struct pt_args args = {.top = PT_UNKNOWN};

static void append(struct recording *r, uint32_t boot, int n, const struct source_text *texts,
                   size_t ntexts)
{
    const struct pt_snap snap = {
        .real_us = START + n * INTERVAL, .boot_us = 1000000 + n * INTERVAL, .boot = boot};
    recording_begin(r, &snap, n == 3); /* a boot begins a chain */
    recording_texts(r, texts, ntexts);
    recording_end(r);
}
#define APPEND(f, boot, n, texts) append(&(f)->r, boot, n, texts, sizeof(texts) / sizeof(*(texts)))

static struct fixture *begin(void)
{
    struct fixture *f = calloc(1, sizeof(*f));
    const struct pt_meta meta = {.host = "unit", .page_size = PAGE, .interval_us = INTERVAL};
    assert_non_null(f);
    recording_new(&f->r, &meta, START);
    return f;
}

static void look(struct fixture *f, int64_t from, int64_t to)
{
    struct pt_err err = {0};
    recording_close(&f->r);
    assert_int_equal(pt_session_open(&args, f->r.path, &f->session), 0);
    assert_int_equal(pt_kernel_make(&f->session, from, to, &f->k, &err), 0);
    json_t *j = pt_kernel_json(&f->k, PT_UNKNOWN);
    assert_non_null(j);
    json_decref(j);
}

static void end(struct fixture *f)
{
    pt_kernel_release(&f->k);
    pt_session_close(&f->session, 0);
    recording_remove(&f->r);
    free(f);
}

static const struct pt_kernel_item *find(const struct pt_kernel *k, enum pt_kernel_group group,
                                         const char *name)
{
    for (size_t i = 0; i < k->nitems; i++)
        if (k->items[i].group == group && strcmp(k->items[i].name, name) == 0)
            return &k->items[i];
    fail_msg("no item '%s'", name);
    return NULL;
}

/* Zones of one name on two nodes are two. */
static void zones_of_two_nodes(void **state)
{
    struct fixture *f = begin();
    (void)state;
    APPEND(f, 1, 0, nodes_before);
    APPEND(f, 1, 1, nodes_after);
    APPEND(f, 1, 2, nodes_after);
    look(f, 1, 3);
    assert_int_equal(f->k.nzones, 2);
    const struct pt_kernel_zone *z = f->k.zones;
    assert_string_equal(z[0].name, "Node 0, zone Normal");
    assert_string_equal(z[1].name, "Node 1, zone Normal");
    assert_int_equal(z[0].free.first, 1000 * PAGE);
    assert_int_equal(z[0].free.last, 150 * PAGE);
    assert_int_equal(z[1].free.last, 2000 * PAGE);
    assert_int_equal(z[0].low, 200 * PAGE);
    assert_true(fabs(z[0].known - 20) < 1e-3 && fabs(z[0].below_low - 10) < 1e-3);
    assert_true(z[0].below_min == 0 && z[1].below_low == 0);
    assert_int_equal(z[0].norders, 3);
    assert_true(z[0].unusable[2] == 1 && fabs(z[0].worst[1] - 1) < 1e-9);
    assert_true(z[1].unusable[2] == 0 && z[1].blocks[2] == 10);
    end(f);
}

static void what_grew(void **state)
{
    struct fixture *f = begin();
    (void)state;
    APPEND(f, 1, 0, nodes_before);
    APPEND(f, 1, 1, nodes_after);
    APPEND(f, 1, 2, nodes_after);
    look(f, 1, 3);
    const struct pt_kernel_item *slab = find(&f->k, PT_KERNEL_SLAB, "kmalloc-64");
    assert_int_equal(slab->bytes.first, 10 * PAGE);
    assert_int_equal(slab->bytes.last, 30 * PAGE);
    assert_int_equal(slab->count_first, 10);
    assert_int_equal(slab->count, 40);
    assert_int_equal(slab->reclaim, PT_RECLAIM_NO);
    assert_true(slab->shrank == PT_UNKNOWN);
    const struct pt_kernel_item *caller = find(&f->k, PT_KERNEL_VMALLOC, "pcpu_get_vm_areas");
    assert_int_equal(caller->bytes.first, PAGE);
    assert_int_equal(caller->bytes.last, 2 * PAGE);
    assert_int_equal(caller->count, 2);
    for (size_t i = 0; i < f->k.nitems; i++) /* a device's range is no memory */
        assert_string_not_equal(f->k.items[i].name, "acpi_os_map_iomem");
    const struct pt_kernel_item *line = find(&f->k, PT_KERNEL_CLASS, "slab, unreclaimable");
    assert_int_equal(pt_course_change(&line->bytes), 2000 * 1024);
    end(f);
}

/* A segment that all left, a memfd and its owner, one tmpfs under two names, and what is left. */
static void objects_and_owners(void **state)
{
    struct fixture *f = begin();
    (void)state;
    APPEND(f, 1, 0, nodes_before);
    APPEND(f, 1, 1, nodes_after);
    look(f, 1, 2);
    assert_int_equal(f->k.nobjects, 2);
    const struct pt_object *memfd = &f->k.objects[0], *segment = &f->k.objects[1];
    assert_int_equal(memfd->kind, PT_OBJECT_MEMFD);
    assert_string_equal(memfd->name, "/memfd:cache");
    assert_int_equal(memfd->bytes.first, 1024 * 1024);
    assert_int_equal(memfd->bytes.last, 4096 * 1024);
    assert_int_equal(memfd->size, 8192 * 1024);
    assert_int_equal(memfd->nowners, 1);
    assert_int_equal(memfd->owners[0].process->pid, 10);
    assert_false(memfd->left);
    assert_int_equal(segment->id, 7);
    assert_true(segment->left && !segment->remove);
    assert_int_equal(segment->creator, 10);
    assert_int_equal(segment->bytes.last, 1048576);
    assert_int_equal(segment->nowners, 0);
    const struct pt_kernel_item *shm = find(&f->k, PT_KERNEL_TMPFS, "/dev/shm");
    assert_int_equal(shm->bytes.last, 100 * PAGE);
    assert_true(shm->within != find(&f->k, PT_KERNEL_TMPFS, "/tmp/same")->within);
    assert_int_equal(f->k.shared_rest, 20000 * 1024 - 100 * PAGE - 4096 * 1024 - 1048576);
    end(f);
}

/* Whoever lived at the start and was not read then may have held it already; who came later did
 * not.
 */
static void what_objects_held_before(void **state)
{
    static const struct source_text before[] = {{"proc:10/stat", STAT(10)}};
    static const struct source_text after[] = {
        {"proc:10/smaps",
         MAPPING("7f0000000000-7f0000800000", "00:01 55", "/memfd:old (deleted)", "1024")},
        {"proc:11/stat", STAT(11)},
        {"proc:11/smaps",
         MAPPING("7f0000000000-7f0000800000", "00:01 56", "/memfd:new (deleted)", "512")},
    };
    struct fixture *f = begin();
    (void)state;
    APPEND(f, 1, 0, before);
    APPEND(f, 1, 1, after);
    look(f, 1, 2);
    assert_int_equal(f->k.nobjects, 2);
    assert_string_equal(f->k.objects[0].name, "/memfd:old");
    assert_true(f->k.objects[0].bytes.first == PT_UNKNOWN);
    assert_int_equal(f->k.objects[1].bytes.first, 0);
    assert_int_equal(pt_course_change(&f->k.objects[1].bytes), 512 * 1024);
    end(f);
}

/* Where the kernel profiles allocations, and pools of huge pages of two sizes. */
static void sites_and_pools(void **state)
{
    static const struct source_text before[] = {
        {"proc:allocinfo", "allocinfo - version: 1.0\n#     <size>  <calls> <tag info>\n"
                           "       4096        1 mm/slub.c:1886 func:alloc_slab_page\n"
                           "        100        2 drivers/x.c:7 [leaky] func:grow\n"},
        {"sys:kernel/mm/hugepages/hugepages-2048kB/nr_hugepages", "4\n"},
        {"sys:kernel/mm/hugepages/hugepages-1048576kB/nr_hugepages", "0\n"},
    };
    static const struct source_text after[] = {
        {"proc:allocinfo", "allocinfo - version: 1.0\n#     <size>  <calls> <tag info>\n"
                           "       4096        1 mm/slub.c:1886 func:alloc_slab_page\n"
                           "     900000     9000 drivers/x.c:7 [leaky] func:grow\n"},
        {"sys:kernel/mm/hugepages/hugepages-2048kB/nr_hugepages", "6\n"},
    };
    struct fixture *f = begin();
    (void)state;
    APPEND(f, 1, 0, before);
    APPEND(f, 1, 1, after);
    look(f, 1, 2);
    const struct pt_kernel_item *site =
        find(&f->k, PT_KERNEL_SITE, "drivers/x.c:7 [leaky] func:grow");
    assert_int_equal(site->bytes.first, 100);
    assert_int_equal(site->bytes.last, 900000);
    assert_int_equal(site->count_first, 2);
    assert_int_equal(site->count, 9000);
    assert_ptr_equal(site, &f->k.items[1]); /* the one that grew most, after the pool */
    const struct pt_kernel_item *pool =
        find(&f->k, PT_KERNEL_GAUGE, "huge pages of 2048kB, in the pool");
    assert_int_equal(pt_course_change(&pool->bytes), 4 << 20);
    assert_int_equal(f->k.nitems, 3); /* the pool of the other size is empty */
    end(f);
}

static int64_t counter(const struct pt_kernel *k, const char *name)
{
    for (size_t i = 0; i < k->ncounters; i++)
        if (strcmp(k->counters[i].name, name) == 0)
            return k->counters[i].n;
    return PT_UNKNOWN;
}

/* Each boot counts from 0. */
static void counters_over_boots(void **state)
{
    struct fixture *f = begin();
    (void)state;
    APPEND(f, 1, 0, vmstat_first);
    APPEND(f, 1, 1, vmstat_then);
    const uint32_t boot = recording_boot(&f->r, "boot-2", START + 2 * INTERVAL);
    APPEND(f, boot, 3, vmstat_other);
    APPEND(f, boot, 4, vmstat_last);
    look(f, 1, 4);
    assert_int_equal(f->k.timeline.nboots, 2);
    assert_int_equal(counter(&f->k, "pageoutrun"), 30 + 5);
    assert_int_equal(counter(&f->k, "allocstall"), 2);
    assert_int_equal(counter(&f->k, "compact_stall"), PT_UNKNOWN);
    end(f);
}

static bool is_unknown(const struct pt_kernel *k, const char *what)
{
    for (size_t i = 0; i < k->nunknown; i++)
        if (strcmp(k->unknown[i].what, what) == 0)
            return true;
    return false;
}

/* Almost nothing was recorded: it is said what is not known, and nothing is 0. */
static void nothing_but_a_file(void **state)
{
    static const struct source_text alone[] = {{"proc:loadavg", "0.00 0.00 0.00 1/2 3\n"}};
    struct fixture *f = begin();
    (void)state;
    APPEND(f, 1, 0, alone);
    look(f, 1, 1);
    assert_true(f->k.at);
    assert_int_equal(f->k.nitems, 0);
    assert_int_equal(f->k.ncounters, 0);
    assert_true(f->k.shared_rest == PT_UNKNOWN && f->k.commit.limit == PT_UNKNOWN);
    assert_true(f->k.cgroups.dying.last == PT_UNKNOWN && isnan(f->k.dirty.over_limit));
    assert_true(is_unknown(&f->k, "slab caches") && is_unknown(&f->k, "watermarks of zones"));
    assert_true(is_unknown(&f->k, "NUMA nodes") && is_unknown(&f->k, "fragmentation"));
    end(f);
}

/* One instant: levels are told, and nothing changed. */
static void one_instant(void **state)
{
    struct fixture *f = begin();
    (void)state;
    APPEND(f, 1, 0, nodes_before);
    APPEND(f, 1, 1, nodes_after);
    look(f, 2, 2);
    const struct pt_kernel_item *slab = find(&f->k, PT_KERNEL_SLAB, "kmalloc-64");
    assert_int_equal(slab->bytes.last, 30 * PAGE);
    assert_int_equal(pt_course_change(&slab->bytes), 0);
    assert_int_equal(f->k.zones[0].free.last, 150 * PAGE);
    end(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(courses),
        cmocka_unit_test(lost_in_spells),
        cmocka_unit_test(reclaimable_by_name),
        cmocka_unit_test(unusable_share),
        cmocka_unit_test(zones_of_two_nodes),
        cmocka_unit_test(what_grew),
        cmocka_unit_test(objects_and_owners),
        cmocka_unit_test(what_objects_held_before),
        cmocka_unit_test(sites_and_pools),
        cmocka_unit_test(counters_over_boots),
        cmocka_unit_test(nothing_but_a_file),
        cmocka_unit_test(one_instant),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
