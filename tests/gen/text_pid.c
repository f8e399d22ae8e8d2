/* SPDX-License-Identifier: MIT
 * The generator's texts of processes, spelt as Linux 6.18 spells them. */
#include "tests/gen/model.h"

static int64_t rss_of(const struct process *p)
{
    return p->anon - p->swap + p->file + p->shmem;
}

static int64_t size_of(const struct process *p)
{
    return p->anon + p->file + p->shmem + 20000;
}

static void print_statm(struct text *t, const struct process *p)
{
    const int64_t pages[] = {
        size_of(p) / 4, rss_of(p) / 4, (p->file + p->shmem) / 4, 200, 0, p->anon / 4, 0};
    for (unsigned i = 0; i < 7; i++) {
        if (i)
            text_str(t, " ");
        text_num(t, (uint64_t)pages[i]);
    }
    text_str(t, "\n");
}

static void print_pid_stat(struct text *t, const struct process *p)
{
    text_num(t, p->pid);
    text_str(t, " (");
    text_str(t, p->name);
    text_str(t, ") S 1 ");
    const uint64_t head[] = {p->pid, p->pid, 0};
    for (unsigned i = 0; i < 3; i++) {
        text_num(t, head[i]);
        text_str(t, " ");
    }
    text_str(t, "-1 4194560 ");
    const uint64_t mid[] = {p->minflt,
                            0,
                            p->majflt,
                            0,
                            p->utime,
                            p->stime,
                            0,
                            0,
                            20,
                            0,
                            p->threads,
                            0,
                            p->start,
                            (uint64_t)size_of(p) * 1024,
                            (uint64_t)rss_of(p) / 4};
    for (unsigned i = 0; i < sizeof mid / sizeof *mid; i++) {
        text_num(t, mid[i]);
        text_str(t, " ");
    }
    text_str(t, "18446744073709551615 ");
    text_num(t, p->heap - 0x100000);
    text_str(t, " ");
    text_num(t, p->heap - 0x80000);
    text_str(t, " 140725109121376 0 0 0 0 4096 134234626 1 0 0 17 1 0 0 0 0 0 ");
    text_num(t, p->heap - 0x10000);
    text_str(t, " ");
    text_num(t, p->heap - 0x8000);
    text_str(t, " ");
    text_num(t, p->heap);
    text_str(t, " 140725109127784 140725109127839 140725109127839 140725109129195 0\n");
}

static void status_head(struct text *t, const struct process *p)
{
    text_str(t, "Name:\t");
    text_str(t, p->name);
    text_str(t, "\nUmask:\t0022\nState:\tS (sleeping)\nTgid:\t");
    text_num(t, p->pid);
    text_str(t, "\nNgid:\t0\nPid:\t");
    text_num(t, p->pid);
    text_str(t, "\nPPid:\t1\nTracerPid:\t0\nUid:\t1000\t1000\t1000\t1000\nGid:"
                "\t1000\t1000\t1000\t1000\nFDSize:\t256\n"
                "Groups:\t1000 \nNStgid:\t");
    text_num(t, p->pid);
    text_str(t, "\nNSpid:\t");
    text_num(t, p->pid);
    text_str(t, "\nNSpgid:\t");
    text_num(t, p->pid);
    text_str(t, "\nNSsid:\t");
    text_num(t, p->pid);
    text_str(t, "\nKthread:\t0\n");
}

static void print_status(struct text *t, const struct process *p)
{
    const struct {
        const char *name;
        int64_t kb;
    } rows[] = {
        {"VmPeak:\t", size_of(p) + p->peak - rss_of(p)},
        {"VmSize:\t", size_of(p)},
        {"VmLck:\t", 0},
        {"VmPin:\t", 0},
        {"VmHWM:\t", p->peak},
        {"VmRSS:\t", rss_of(p)},
        {"RssAnon:\t", p->anon - p->swap},
        {"RssFile:\t", p->file},
        {"RssShmem:\t", p->shmem},
        {"VmData:\t", p->anon + 2000},
        {"VmStk:\t", 132},
        {"VmExe:\t", 800},
        {"VmLib:\t", 9000},
        {"VmPTE:\t", size_of(p) / 400},
        {"VmSwap:\t", p->swap},
        {"HugetlbPages:\t", 0},
    };
    status_head(t, p);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        text_kb(t, rows[i].name, 0, rows[i].kb);
    text_str(t, "CoreDumping:\t0\nTHP_enabled:\t1\nuntag_mask:\t0xffffffffffffffff\nThreads:\t");
    text_num(t, p->threads);
    text_str(
        t,
        "\nSigQ:\t0/"
        "96365\nSigPnd:\t0000000000000000\nShdPnd:\t0000000000000000\nSigBlk:\t0000000000000000\n"
        "SigIgn:\t0000000000001000\nSigCgt:\t0000000180004002\nCapInh:\t0000000000000000\nCapPrm:"
        "\t0000000000000000\n"
        "CapEff:\t0000000000000000\nCapBnd:\t000001ffffffffff\nCapAmb:"
        "\t0000000000000000\nNoNewPrivs:\t0\nSeccomp:\t0\n"
        "Seccomp_filters:\t0\nSpeculation_Store_Bypass:\tvulnerable\nSpeculationIndirectBranch:"
        "\talways enabled\n"
        "Cpus_allowed:\t3\nCpus_allowed_list:\t0-1\nMems_allowed:\t00000001\nMems_allowed_list:"
        "\t0\n"
        "voluntary_ctxt_switches:\t");
    text_num(t, p->voluntary);
    text_str(t, "\nnonvoluntary_ctxt_switches:\t");
    text_num(t, p->forced);
    text_str(t, "\n");
}

static void print_fd(struct text *t, const struct process *p)
{
    text_num(t, p->files);
}

static void print_exe(struct text *t, const struct process *p)
{
    text_str(t, "/usr/bin/");
    text_str(t, p->service ? p->name : pt_gen_kind_name(p->kind));
}

static void print_cmdline(struct text *t, const struct process *p)
{
    print_exe(t, p);
    *t->p++ = 0;
    text_str(t, "--instance=");
    text_num(t, p->index);
    *t->p++ = 0;
}

static void print_cgroup(struct text *t, const struct process *p)
{
    text_str(t, "0::/system.slice/");
    text_str(t, p->service ? p->name : p->index % 2 ? "a" : "b");
    text_str(t, ".service\n");
}

/* ---- smaps ---- */

struct mapping {
    uint64_t start, kb;
    const char *perms, *path;
    int64_t rss, anon, swap;
};

static void print_mapping(struct text *t, const struct mapping *m)
{
    const struct {
        const char *name;
        int64_t kb;
    } rows[] = {
        {"Size:", (int64_t)m->kb},
        {"KernelPageSize:", 4},
        {"MMUPageSize:", 4},
        {"Rss:", m->rss},
        {"Pss:", m->anon + (m->rss - m->anon) / 3},
        {"Pss_Dirty:", m->anon},
        {"Shared_Clean:", m->rss - m->anon},
        {"Shared_Dirty:", 0},
        {"Private_Clean:", 0},
        {"Private_Dirty:", m->anon},
        {"Referenced:", m->rss},
        {"Anonymous:", m->anon},
        {"KSM:", 0},
        {"LazyFree:", 0},
        {"AnonHugePages:", 0},
        {"ShmemPmdMapped:", 0},
        {"FilePmdMapped:", 0},
        {"Shared_Hugetlb:", 0},
        {"Private_Hugetlb:", 0},
        {"Swap:", m->swap},
        {"SwapPss:", m->swap},
        {"Locked:", 0},
    };
    const char *line = t->p;
    text_digits(t, m->start, 16, 0, '0');
    text_str(t, "-");
    text_digits(t, m->start + m->kb * 1024, 16, 0, '0');
    text_str(t, " ");
    text_str(t, m->perms);
    text_str(t, m->path[0] == '/' ? " 00000000 fe:00 247498" : " 00000000 00:00 0");
    if (m->path[0])
        while (t->p - line < 73)
            text_str(t, " ");
    text_str(t, m->path);
    text_str(t, "\n");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        text_kb(t, rows[i].name, 16, rows[i].kb);
    text_str(t, "THPeligible:           0\nVmFlags: rd wr mr mw me ac sd\n");
}

static void print_smaps(struct text *t, const struct process *p)
{
    static const char *const libraries[] = {"/usr/lib/x86_64-linux-gnu/libc.so.6",
                                            "/usr/lib/x86_64-linux-gnu/libm.so.6",
                                            "/usr/lib/x86_64-linux-gnu/libz.so.1.2.13"};
    static const char *const perms[] = {"r--p", "r-xp", "r--p", "rw-p"};
    const int64_t heap = p->anon - (p->base < p->anon ? p->base : p->anon) / 16 * 4;
    const int64_t out = p->anon ? p->swap * (heap / 4) / (p->anon / 4) / 4 * 4 : 0;
    const uint64_t kind = (uint64_t)p->kind * 0x1000000;
    for (unsigned i = 0; i < 4; i++)
        print_mapping(
            t, &(struct mapping){p->heap - 0x100000 + i * 0x20000, 128, perms[i],
                                 p->kind == PT_GEN_LEAK ? "/usr/bin/leak" : "/usr/bin/steady", 64,
                                 i == 3 ? 64 : 0, 0});
    print_mapping(t, &(struct mapping){p->heap, (uint64_t)heap + 132, "rw-p", "[heap]", heap - out,
                                       heap - out, out});
    print_mapping(t, &(struct mapping){0x7f0000000000u + kind, (uint64_t)(p->anon - heap) + 64,
                                       "rw-p", "", p->anon - heap - p->swap + out,
                                       p->anon - heap - p->swap + out, p->swap - out});
    for (unsigned l = 0; l < 3; l++)
        for (unsigned i = 0; i < 4; i++)
            print_mapping(t, &(struct mapping){0x7f1000000000u + kind + l * 0x400000 + i * 0x100000,
                                               1024, perms[i], libraries[l], p->file / 12 / 4 * 4,
                                               i == 3 ? 16 : 0, 0});
    print_mapping(t, &(struct mapping){0x7ffd00000000u + kind, 132, "rw-p", "[stack]", 24, 24, 0});
}

const struct process_def process_files[P_COUNT] = {
    [P_STATM] = {"statm", print_statm},    [P_STAT] = {"stat", print_pid_stat},
    [P_STATUS] = {"status", print_status}, [P_FD] = {"fd", print_fd},
    [P_EXE] = {"exe", print_exe},          [P_CMDLINE] = {"cmdline", print_cmdline},
    [P_CGROUP] = {"cgroup", print_cgroup}, [P_SMAPS] = {"smaps", print_smaps},
};
