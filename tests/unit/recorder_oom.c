/* SPDX-License-Identifier: MIT
 * OOM kills from lines of kernel logs: of several releases, with names of processes and cgroups
 * that try to deceive, cut anywhere. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "recorder/oom.h"

static bool line(struct pt_oom *o, const char *text, struct pt_oom_kill *k)
{
    return pt_oom_line(o, text, strlen(text), k);
}

static void records(void **state)
{
    (void)state;
    struct pt_kmsg k;
    static const char good[] = "6,339,5140900,-,caller=T1;text; more\n SUBSYSTEM=pci\n";
    assert_true(pt_kmsg_parse(good, sizeof(good) - 1, &k));
    assert_int_equal(k.facility, 0);
    assert_int_equal(k.seq, 339);
    assert_int_equal(k.stamp_us, 5140900);
    assert_int_equal(k.len, strlen("text; more"));
    assert_true(pt_kmsg_parse("12,1,2,-;user", 13, &k));
    assert_int_equal(k.facility, 1);
    assert_int_equal(k.len, 4);
    assert_true(pt_kmsg_parse("3,1,2,-;", 8, &k));
    assert_int_equal(k.len, 0);
    static const char *const bad[] = {"",       ";",         "3",
                                      "3;x",    "3,;x",      "3,1;x",
                                      "3,1,;x", "a,1,2,-;x", "3,1,99999999999999999999,-;x",
                                      "3,1,2,-"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        assert_false(pt_kmsg_parse(bad[i], strlen(bad[i]), &k));
    for (size_t n = 0; n < sizeof(good); n++) {
        char *copy = malloc(n + 1); /* so that a sanitizer sees reads past the end */
        memcpy(copy, good, n);
        const bool whole = pt_kmsg_parse(copy, n, &k);
        assert_int_equal(whole, memchr(good, ';', n) != NULL);
        free(copy);
    }
}

static void of_cgroup(void **state)
{
    (void)state;
    struct pt_oom o = {0};
    struct pt_oom_kill k;
    assert_false(line(&o,
                      "oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed="
                      "0,oom_memcg=/oomx,task_memcg=/oomx/inner,task=python3,pid=13121,uid=7",
                      &k));
    assert_true(line(&o,
                     "Memory cgroup out of memory: Killed process 13121 (python3) "
                     "total-vm:118968kB, anon-rss:32364kB, file-rss:6564kB, shmem-rss:1kB, UID:7 "
                     "pgtables:132kB oom_score_adj:-17",
                     &k));
    assert_int_equal(k.pid, 13121);
    assert_string_equal(k.comm, "python3");
    assert_true(k.of_cgroup);
    assert_string_equal(k.limit, "/oomx");
    assert_string_equal(k.cgroup, "/oomx/inner");
    assert_int_equal(k.total_vm_kb, 118968);
    assert_int_equal(k.anon_kb, 32364);
    assert_int_equal(k.file_kb, 6564);
    assert_int_equal(k.shmem_kb, 1);
    assert_int_equal(k.pgtables_kb, 132);
    assert_int_equal(k.uid, 7);
    assert_int_equal(k.adj, -17);
}

static void of_host(void **state)
{
    (void)state;
    struct pt_oom o = {0};
    struct pt_oom_kill k;
    static const char *const lines[] = {
        "Out of memory: Killed process 4 (a b) total-vm:1kB, anon-rss:2kB, file-rss:3kB",
        "Out of memory (x): Killed process 4 (a b) total-vm:1kB, anon-rss:2kB, file-rss:3kB",
        "Killed process 4 (a b) total-vm:1kB, anon-rss:2kB, file-rss:3kB",
    };
    for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
        line(&o,
             "oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=a,mems_allowed=0,"
             "global_oom,task_memcg=/b,task=a b,pid=4,uid=0",
             &k);
        assert_true(line(&o, lines[i], &k));
        assert_int_equal(k.pid, 4);
        assert_string_equal(k.comm, "a b");
        assert_false(k.of_cgroup);
        assert_string_equal(k.limit, "");
        assert_string_equal(k.cgroup, "/b");
        assert_int_equal(k.file_kb, 3);
        assert_int_equal(k.shmem_kb, PT_UNKNOWN);
        assert_int_equal(k.adj, PT_UNKNOWN);
    }
}

/* The constraint stands before any name: no name can make it. */
static void of_nodes(void **state)
{
    static const struct {
        const char *constraint;
        bool cpuset, policy;
        const char *words;
    } cases[] = {
        {"CONSTRAINT_CPUSET", true, false, "killed: out of memory in the nodes of its cpuset; "},
        {"CONSTRAINT_MEMORY_POLICY", false, true,
         "killed: out of memory in the nodes of its memory policy; "},
        {"CONSTRAINT_NONE", false, false, "killed: the host is out of memory; "},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct pt_oom o = {0};
        struct pt_oom_kill k;
        char summary[256], subject[PT_OOM_SUBJECT], text[PT_OOM_TEXT];
        snprintf(summary, sizeof(summary),
                 "oom-kill:constraint=%s,nodemask=0,cpuset=constraint=CONSTRAINT_CPUSET,"
                 "mems_allowed=0,global_oom,task_memcg=/b,task=x,pid=4,uid=0",
                 cases[i].constraint);
        line(&o, summary, &k);
        assert_true(line(&o, "Out of memory: Killed process 4 (x) total-vm:1kB", &k));
        assert_int_equal(k.of_cpuset, cases[i].cpuset);
        assert_int_equal(k.of_policy, cases[i].policy);
        assert_false(k.of_cgroup);
        pt_oom_describe(&k, NULL, false, subject, text);
        assert_memory_equal(text, cases[i].words, strlen(cases[i].words));
    }
}

/* Linux 4.18 */
static void old(void **state)
{
    (void)state;
    struct pt_oom o = {0};
    struct pt_oom_kill k;
    assert_false(line(&o, "Task in /b killed as a result of limit of /a", &k));
    assert_false(line(
        &o, "Memory cgroup out of memory: Kill process 9 (x) score 990 or sacrifice child", &k));
    assert_true(line(&o, "Killed process 9 (x) total-vm:10kB, anon-rss:9kB, file-rss:0kB", &k));
    assert_true(k.of_cgroup);
    assert_string_equal(k.limit, "/a");
    assert_string_equal(k.cgroup, "/b");
    /* the next one has no such line */
    assert_true(line(&o, "Killed process 9 (x) total-vm:10kB, anon-rss:9kB, file-rss:0kB", &k));
    assert_false(k.of_cgroup);
    assert_string_equal(k.limit, "");
}

/* A process may call itself anything of 15 bytes, a cgroup anything but '/'. */
static void deceit(void **state)
{
    (void)state;
    static const struct {
        const char *spelt, *shown;
    } names[] = {
        {"x) total-vm:9", "x) total-vm:9"},
        {") total-vm:1kB", ") total-vm:1kB"},
        {"a,pid=1,uid=0", "a,pid=1,uid=0"},
        {",task=x,pid=1", ",task=x,pid=1"},
        {"(((", "((("},
        {"", ""},
        {"\\x0aKilled", "\\x0aKilled"},
        {"\\x5cx41", "\\x5cx41"}, /* a backslash, x, 4, 1 */
        {"caf\\xc3\\xa9", "caf\xc3\xa9"},
        {"\\xff\\x1b[31m", "\xff\\x1b[31m"},
    };
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        struct pt_oom o = {0};
        struct pt_oom_kill k;
        char text[512];
        snprintf(text, sizeof(text),
                 "oom-kill:constraint=CONSTRAINT_MEMCG,oom_memcg=/a,b,task_memcg=/a,b/c,task=%s,"
                 "pid=77,uid=5",
                 names[i].spelt);
        line(&o, text, &k);
        snprintf(
            text, sizeof(text),
            "Memory cgroup out of memory: Killed process 77 (%s) total-vm:40kB, anon-rss:30kB, "
            "file-rss:20kB, shmem-rss:0kB, UID:5 pgtables:1kB oom_score_adj:0",
            names[i].spelt);
        assert_true(line(&o, text, &k));
        assert_int_equal(k.pid, 77);
        assert_string_equal(k.comm, names[i].shown);
        assert_int_equal(k.total_vm_kb, 40);
        assert_string_equal(k.limit, "/a,b");
        assert_string_equal(k.cgroup, "/a,b/c");
    }
}

/* The line before is another victim's: nothing of it is taken. */
static void another(void **state)
{
    (void)state;
    struct pt_oom o = {0};
    struct pt_oom_kill k;
    line(&o, "oom-kill:constraint=C,oom_memcg=/a,task_memcg=/a,task=x,pid=7,uid=0", &k);
    assert_true(line(&o, "Memory cgroup out of memory: Killed process 8 (x) total-vm:1kB", &k));
    assert_string_equal(k.cgroup, "");
    assert_true(k.of_cgroup);
}

static void cut(void **state)
{
    (void)state;
    static const char summary[] =
        "oom-kill:constraint=C,oom_memcg=/a,task_memcg=/a,task=x,pid=7,uid=0";
    static const char killed[] = "Memory cgroup out of memory: Killed process 7 (x) total-vm:1kB, "
                                 "anon-rss:2kB, UID:0 pgtables:3kB oom_score_adj:-5";
    const size_t least = (size_t)(strstr(killed, "1kB") - killed);
    for (size_t n = 0; n < sizeof(killed); n++) {
        struct pt_oom o = {0};
        struct pt_oom_kill k;
        char *copy = malloc(n + 1);
        memcpy(copy, summary, n < sizeof(summary) - 1 ? n : 0);
        pt_oom_line(&o, copy, n < sizeof(summary) - 1 ? n : 0, &k);
        memcpy(copy, killed, n);
        assert_int_equal(pt_oom_line(&o, copy, n, &k), n >= least);
        free(copy);
    }
    struct pt_oom o = {0};
    struct pt_oom_kill k;
    assert_false(line(&o, "Out of memory: Killed process 0 (x) total-vm:1kB", &k));
    assert_false(line(&o, "Out of memory: Killed process 99999999999 (x) total-vm:1kB", &k));
    assert_false(line(&o, "Out of memory: Killed process 7 x) total-vm:1kB", &k));
    assert_false(line(&o, "Out of memory: Killed process 7 () total-v:1kB", &k));
    assert_false(line(&o, "Out of memory) total-vm:1kB Killed process 9 (x", &k));
    assert_false(line(&o, "systemd: Out of memory: Killed process 7 (x) total-vm:1kB", &k));
}

static void words(void **state)
{
    (void)state;
    struct pt_oom o = {0};
    struct pt_oom_kill k;
    char subject[PT_OOM_SUBJECT], text[PT_OOM_TEXT];
    line(&o, "oom-kill:constraint=C,oom_memcg=/a,task_memcg=/a/b,task=java,pid=7,uid=0", &k);
    line(&o,
         "Memory cgroup out of memory: Killed process 7 (java) total-vm:1kB, anon-rss:2kB, "
         "UID:0 pgtables:3kB oom_score_adj:-5",
         &k);
    const struct pt_portrait p = {.pid = 7,
                                  .start_time = 555,
                                  .n = 42,
                                  .rss_kb = 1000,
                                  .swap_kb = 20,
                                  .cgroup = "/other",
                                  .cmdline = "java -jar x.jar"};
    pt_oom_describe(&k, &p, false, subject, text);
    assert_string_equal(subject, "7 java");
    assert_string_equal(
        text, "killed: out of memory in cgroup /a; snapshot 42: RSS 1000 kB, swap 20 kB; kernel: "
              "total-vm 1 kB, anon-rss 2 kB, page tables 3 kB, oom_score_adj -5, uid 0; cgroup "
              "/a/b; started 555 ticks after boot; command line: java -jar x.jar");
    pt_oom_describe(&k, NULL, false, subject, text);
    assert_string_equal(text,
                        "killed: out of memory in cgroup /a; in no snapshot; kernel: total-vm "
                        "1 kB, anon-rss 2 kB, page tables 3 kB, oom_score_adj -5, uid 0; "
                        "cgroup /a/b");
    k.of_cgroup = false;
    pt_oom_describe(&k, NULL, true, subject, text);
    assert_non_null(strstr(text, "killed: the host is out of memory; its number is that of another "
                                 "pid namespace; kernel:"));
}

static void lines(void **state)
{
    (void)state;
    char out[16];
    assert_int_equal(pt_line_put(out, sizeof(out), "plain", 5), 5);
    assert_string_equal(out, "plain");
    pt_line_put(out, sizeof(out), "a\nb\\\x7f", 5);
    assert_string_equal(out, "a\\x0ab\\x5c\\x7f");
    pt_line_put(out, sizeof(out), "123456789012345", 15);
    assert_string_equal(out, "123456789012345");
    pt_line_put(out, sizeof(out), "1234567890123456", 16);
    assert_string_equal(out, "123456789012...");
    pt_line_put(out, sizeof(out), "", 0);
    assert_string_equal(out, "");
    for (size_t size = 5; size < 40; size++) {
        char *buf = malloc(size);
        for (size_t len = 0; len < 40; len++) {
            char in[40];
            memset(in, len % 3 ? 'x' : '\t', sizeof(in));
            assert_true(pt_line_put(buf, size, in, len) < size);
            assert_int_equal(buf[strlen(buf)], 0);
        }
        free(buf);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records),  cmocka_unit_test(of_cgroup), cmocka_unit_test(of_host),
        cmocka_unit_test(of_nodes), cmocka_unit_test(old),       cmocka_unit_test(deceit),
        cmocka_unit_test(another),  cmocka_unit_test(cut),       cmocka_unit_test(words),
        cmocka_unit_test(lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
