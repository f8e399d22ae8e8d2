/* SPDX-License-Identifier: MIT
 * Parsers: what each makes of good, incomplete, cut, hostile and oversized texts. Items are
 * compared as lines "row|field=value". */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include "schema/parse.h"
#include "tests/support/texts.h"

#ifndef PT_FIXTURES
#error "the fixtures' place is not known"
#endif

static const char *const trees[] = {"linux-6.18-x86_64", "linux-4.18-x86_64",
                                    "linux-5.10-arm64-64k", "cgroup-v2-numa", "hostile"};
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Items as text. */
struct lines {
    struct pt_buf buf;
    size_t items;
    const char *text; /* of which spans must be part */
    size_t len;
};

static int put_line(void *ctx, const struct pt_item *item)
{
    struct lines *l = ctx;
    pt_buf_put(&l->buf, item->row, item->row_len);
    pt_buf_u8(&l->buf, '|');
    pt_buf_put(&l->buf, item->field, item->field_len);
    pt_buf_u8(&l->buf, '=');
    pt_buf_put(&l->buf, item->value, item->value_len);
    pt_buf_u8(&l->buf, '\n');
    l->items++;
    return 0;
}

static struct lines lines_of(pt_parser *parse, const char *text, size_t len)
{
    struct lines l = {.text = text, .len = len};
    pt_buf_init(&l.buf, 256u << 20);
    assert_int_equal(parse(text, len, put_line, &l), 0);
    assert_false(l.buf.failed);
    return l;
}

struct sample {
    const char *source, *text, *lines;
};

static void check(const struct sample *s)
{
    const size_t len = strlen(s->text);
    char *tight = malloc(len + 1); /* no NUL after it: parsers go by length */
    memcpy(tight, s->text, len);
    struct lines l = lines_of(pt_file_of(s->source)->parse, tight, len);
    pt_buf_u8(&l.buf, 0);
    if (strcmp((const char *)l.buf.data, s->lines) != 0)
        fail_msg("%s\n--- text\n%s\n--- items\n%s--- not\n%s", s->source, s->text, l.buf.data,
                 s->lines);
    pt_buf_release(&l.buf);
    free(tight);
}

static const struct sample good[] = {
    {"proc:meminfo", "MemTotal:       24684096 kB\nHugePages_Total:       3\n",
     "|MemTotal=24684096\n|HugePages_Total=3\n"},
    {"proc:vmstat", "nr_free_pages 1130107\npgfault 7\n", "|nr_free_pages=1130107\n|pgfault=7\n"},
    {"proc:pressure/io", "some avg10=0.05 avg60=1.00 avg300=0.00 total=77\nfull total=1\n",
     "some|avg10=0.05\nsome|avg60=1.00\nsome|avg300=0.00\nsome|total=77\nfull|total=1\n"},
    {"proc:buddyinfo", "Node 0, zone      DMA      0      4 \nNode 1, zone   Normal 5\n",
     "Node 0, zone      DMA|order0=0\nNode 0, zone      DMA|order1=4\nNode 1, zone   "
     "Normal|order0=5\n"},
    {"proc:pagetypeinfo",
     "Page block order: 9\n\nFree pages count per migrate type at order 0 1\n"
     "Node    0, zone      DMA, type    Movable     2     1 \n\n"
     "Number of blocks type     Unmovable      Movable \nNode 0, zone      DMA            1       "
     "7 \n",
     "|Page block order=9\nNode    0, zone      DMA, type    Movable|order0=2\n"
     "Node    0, zone      DMA, type    Movable|order1=1\nNode 0, zone      DMA|Unmovable=1\n"
     "Node 0, zone      DMA|Movable=7\n"},
    {"proc:zoneinfo",
     "Node 0, zone      DMA\n  per-node stats\n      nr_mapped    2695\n  pages free     3840\n"
     "        min      52\n        protection: (0, 3019)\n      nr_mlock     1\n  pagesets\n"
     "    cpu: 3\n              count:    9\n              high:     6\n  vm stats threshold: 4\n"
     "  node_unreclaimable:  0\nNode 0, zone    DMA32\n  pages free     5\n",
     "Node 0|nr_mapped=2695\nNode 0, zone      DMA|free=3840\nNode 0, zone      DMA|min=52\n"
     "Node 0, zone      DMA|protection0=0\nNode 0, zone      DMA|protection1=3019\n"
     "Node 0, zone      DMA|nr_mlock=1\nNode 0, zone      DMA|cpu0.cpu=3\n"
     "Node 0, zone      DMA|cpu0.count=9\nNode 0, zone      DMA|cpu0.high=6\n"
     "Node 0, zone      DMA|cpu0.vm_stats_threshold=4\nNode 0, zone      DMA|node_unreclaimable=0\n"
     "Node 0, zone    DMA32|free=5\n"},
    {"proc:swaps",
     "Filename\t\tType\t\tSize\t\tUsed\t\tPriority\n/dev/dm-1      partition\t2097148\t12\t-2\n",
     "/dev/dm-1|Type=partition\n/dev/dm-1|Size=2097148\n/dev/dm-1|Used=12\n/dev/"
     "dm-1|Priority=-2\n"},
    {"proc:slabinfo",
     "slabinfo - version: 2.1\n# name  <active_objs> <num_objs> <objsize> <objperslab> "
     "<pagesperslab> : tunables <limit> <batchcount> <sharedfactor> : slabdata <active_slabs> "
     "<num_slabs> <sharedavail>\nbio-312    12     14    320   12    1 : tunables    0    1    2 : "
     "slabdata      5      6      7\n",
     "bio-312|active_objs=12\nbio-312|num_objs=14\nbio-312|objsize=320\nbio-312|objperslab=12\n"
     "bio-312|pagesperslab=1\nbio-312|limit=0\nbio-312|batchcount=1\nbio-312|sharedfactor=2\n"
     "bio-312|active_slabs=5\nbio-312|num_slabs=6\nbio-312|sharedavail=7\n"},
    {"proc:vmallocinfo",
     "0x00000000588667de-0x00000000ba13a478   20480 kernel_clone+0x94/0x3e0 pages=4 vmalloc N0=4\n"
     "0x0000000069713678-0x00000000029c94aa   8192 unpurged vm_area\n",
     "kernel_clone+0x94/0x3e0|start=0x00000000588667de\n"
     "kernel_clone+0x94/0x3e0|end=0x00000000ba13a478\nkernel_clone+0x94/0x3e0|size=20480\n"
     "kernel_clone+0x94/0x3e0|pages=4\nkernel_clone+0x94/0x3e0|N0=4\n"
     "kernel_clone+0x94/0x3e0|kind=vmalloc\nunpurged vm_area|start=0x0000000069713678\n"
     "unpurged vm_area|end=0x00000000029c94aa\nunpurged vm_area|size=8192\n"},
    {"proc:allocinfo",
     "allocinfo - version: 1.0\n#     <size>  <calls> <tag info>\n"
     "       12288        3 mm/slub.c:100 func:alloc_slab \n",
     "mm/slub.c:100 func:alloc_slab|size=12288\nmm/slub.c:100 func:alloc_slab|calls=3\n"},
    {"proc:sysvipc/shm",
     "       key      shmid perms    size\n1426325521      32768   600  56131584\n",
     "32768|key=1426325521\n32768|shmid=32768\n32768|perms=600\n32768|size=56131584\n"},
    {"proc:loadavg", "0.05 0.10 1.00 1/93 6340\n",
     "|load1=0.05\n|load5=0.10\n|load15=1.00\n|running=1\n|total=93\n|last_pid=6340\n"},
    {"proc:stat", "cpu  1 2 3 4\ncpu0 5 6\nintr 100 7 8\nctxt 9\nbtime 10\nsoftirq 30 1 2\n",
     "cpu|user=1\ncpu|nice=2\ncpu|system=3\ncpu|idle=4\ncpu0|user=5\ncpu0|nice=6\n|intr=100\n"
     "|ctxt=9\n|btime=10\n|softirq=30\nsoftirq|HI=1\nsoftirq|TIMER=2\n"},
    {"proc:uptime", "1709.68 3331.78\n", "|uptime=1709.68\n|idle=3331.78\n"},
    {"proc:version", "Linux version 6.18 #1 SMP\n", "|value=Linux version 6.18 #1 SMP\n"},
    {"proc:cpuinfo", "processor\t: 0\ncpu MHz\t\t: 2300.000\nmodel name\t: Fast (R) 2\n",
     "0|processor=0\n0|cpu MHz=2300.000\n0|model name=Fast (R) 2\n"},
    {"proc:1/mounts", "tmpfs /a\\040b tmpfs rw,size=5k 0 0\n",
     "/a\\040b|source=tmpfs\n/a\\040b|type=tmpfs\n/a\\040b|options=rw,size=5k\n"
     "/a\\040b|freq=0\n/a\\040b|passno=0\n"},
    {"proc:net/sockstat", "sockets: used 16\nTCP: inuse 1 mem 174\n",
     "sockets|used=16\nTCP|inuse=1\nTCP|mem=174\n"},
    {"proc:sys/fs/file-nr", "556\t0\t2466183\n", "|allocated=556\n|unused=0\n|max=2466183\n"},
    {"proc:sys/fs/dentry-state", "87631\t86138\t45\t0\t29383\t0\n",
     "|nr_dentry=87631\n|nr_unused=86138\n|age_limit=45\n|want_pages=0\n|nr_negative=29383\n"
     "|dummy=0\n"},
    {"proc:sys/vm/swappiness", "60\n", "|value=60\n"},
    {"proc:sys/vm/lowmem_reserve_ratio", "256\t32\t0\n", "|value=256\n|value.1=32\n|value.2=0\n"},
    {"proc:7/stat", "7 (a) b) S 1 7 7 0 -1 4 5\n",
     "|pid=7\n|comm=a) b\n|state=S\n|ppid=1\n|pgrp=7\n|session=7\n|tty_nr=0\n|tpgid=-1\n|flags=4\n"
     "|minflt=5\n"},
    {"proc:7/statm", "765 407 378 5 0 123 0\n",
     "|size=765\n|resident=407\n|shared=378\n|text=5\n|lib=0\n|data=123\n|dt=0\n"},
    {"proc:7/status",
     "Name:\tcat 1 2\nState:\tR (running)\nUid:\t0\t1\t2\t3\nGroups:\t4 24 \nNSpid:\t7\t1\n"
     "VmRSS:\t    1628 kB\nSigQ:\t5/96365\n",
     "|Name=cat 1 2\n|State=R (running)\n|Uid=0\n|Uid.effective=1\n|Uid.saved=2\n|Uid.fs=3\n"
     "|Groups=4 24\n|NSpid=7\n|NSpid.1=1\n|VmRSS=1628\n|SigQ=5\n|SigQ.limit=96365\n"},
    {"proc:7/smaps",
     "00400000-00401000 r--p 00000010 fe:00 42                     /opt/a b  c (deleted)\n"
     "Rss:                   8 kB\nVmFlags: rd mr \n00401000-00402000 rw-p 00000000 00:00 0 \n"
     "Rss:                   4 kB\n",
     "/opt/a b  c (deleted)|start=00400000\n/opt/a b  c (deleted)|end=00401000\n"
     "/opt/a b  c (deleted)|perms=r--p\n/opt/a b  c (deleted)|offset=00000010\n"
     "/opt/a b  c (deleted)|dev=fe:00\n/opt/a b  c (deleted)|dev.major=fe\n"
     "/opt/a b  c (deleted)|dev.minor=00\n/opt/a b  c (deleted)|inode=42\n"
     "/opt/a b  c (deleted)|path=/opt/a b  c (deleted)\n/opt/a b  c (deleted)|Rss=8\n"
     "/opt/a b  c (deleted)|VmFlags=rd mr\n[anon]|start=00401000\n[anon]|end=00402000\n"
     "[anon]|perms=rw-p\n[anon]|offset=00000000\n[anon]|dev=00:00\n[anon]|dev.major=00\n"
     "[anon]|dev.minor=00\n[anon]|inode=0\n[anon]|Rss=4\n"},
    {"proc:7/numa_maps",
     "7f00 default file=/lib/x mapped=32 N0=32\n7f01 bind:0-1 heap anon=3\n7f02 default anon=1\n",
     "/lib/x|start=7f00\n/lib/x|policy=default\n/lib/x|file=/lib/x\n/lib/x|mapped=32\n/lib/"
     "x|N0=32\n"
     "[heap]|start=7f01\n[heap]|policy=bind:0-1\n[heap]|anon=3\n[anon]|start=7f02\n"
     "[anon]|policy=default\n[anon]|anon=1\n"},
    {"proc:7/oom_score_adj", "-500\n", "|value=-500\n"},
    {"proc:7/cgroup", "4:memory:/a:b\n0::/c\n",
     "memory|hierarchy=4\nmemory|path=/a:b\n|hierarchy=0\n|path=/c\n"},
    {"proc:7/comm", "a\nb\n", "|value=a\nb\n"},
    {"proc:7/fd", "12\n", "|value=12\n"},
    {"sys:devices/system/node/node1/meminfo", "Node 1 MemFree:         4520696 kB\n",
     "|MemFree=4520696\n"},
    {"sys:devices/system/node/node1/numastat", "numa_hit 5\n", "|numa_hit=5\n"},
    {"sys:block/zram0/mm_stat", "   1   2   3 4 5 6 7 8 9\n",
     "|orig_data_size=1\n|compr_data_size=2\n|mem_used_total=3\n|mem_limit=4\n|mem_used_max=5\n"
     "|same_pages=6\n|pages_compacted=7\n|huge_pages=8\n|huge_pages_since=9\n"},
    {"proc:cgroups", "#subsys_name\thierarchy\tnum_cgroups\tenabled\nmemory\t4\t31\t1\n",
     "memory|hierarchy=4\nmemory|num_cgroups=31\nmemory|enabled=1\n"},
    {"proc:1/net/sockstat6", "TCP6: inuse 3\n", "TCP6|inuse=3\n"},
    {"proc:sys/kernel/sem", "32000\t1024000000\t500\t32000\n",
     "|value=32000\n|value.1=1024000000\n|value.2=500\n|value.3=32000\n"},
    {"sys:block/zram0/io_stat", "  0  1  2  3\n",
     "|failed_reads=0\n|failed_writes=1\n|invalid_io=2\n|notify_free=3\n"},
    {"sys:block/zram0/bd_stat", "4 5 6\n", "|bd_count=4\n|bd_reads=5\n|bd_writes=6\n"},
    {"sys:kernel/mm/transparent_hugepage/enabled", "always [madvise] never\n", "|value=madvise\n"},
    {"sys:module/zswap/parameters/compressor", "lzo\n", "|value=lzo\n"},
    {"statfs:/dev/shm", "bsize 4096\nblocks 10\n", "|bsize=4096\n|blocks=10\n"},
    {"cgroup:a/b/memory.current", "812312576\n", "|value=812312576\n"},
    {"cgroup:a/memory.max", "max\n", "|value=max\n"},
    {"cgroup:memory/a/memory.stat", "cache 1\ntotal_rss 2\n", "|cache=1\n|total_rss=2\n"},
    {"cgroup:a/memory.numa_stat", "anon N0=1 N1=2\n", "anon|N0=1\nanon|N1=2\n"},
    {"cgroup:memory/a/memory.numa_stat", "total=3 N0=1\n", "total|total=3\ntotal|N0=1\n"},
    {"cgroup:a/cgroup.procs", "900\n901\n", "|pid=900\n|pid=901\n"},
    {"proc:of/a/new/kernel", "Alpha: 1 kB\nbeta 2\ngamma: many words\n",
     "|Alpha=1\n|beta=2\n|gamma=many words\n"},
};

/* What is missing, cut off or nonsense is left out; what stands there still comes. */
static const struct sample bad[] = {
    {"proc:meminfo", "", ""},
    {"proc:meminfo", "\n\n\r\n:\n: 5 kB\n", ""},
    {"proc:meminfo", "MemTotal:  5 kB\r\nMemFree:\r\nSlab: 7", "|MemTotal=5\n|MemFree=\n|Slab=7\n"},
    {"proc:meminfo", "A: -1 kB\nB: 007 kB\nC: 99999999999999999999 kB\nD: 5 parsecs\n",
     "|A=-1\n|B=007\n|C=99999999999999999999\n|D=5 parsecs\n"},
    {"proc:vmstat", "lonely\nnr_free_pages", "|value=lonely\n|value=nr_free_pages\n"},
    {"proc:pressure/cpu", "some\nfull avg10= =5 x total", "full|avg10=\n"},
    {"proc:buddyinfo", "Node\nNode 0,\nNode 0, zone\nNode 0 zone DMA 1\nzone DMA 2\n", ""},
    {"proc:pagetypeinfo",
     "Node 0, zone DMA, type\nNumber of blocks type\nNumber of mixed blocks A\n"
     "Node 0, zone DMA 3\n",
     ""},
    {"proc:pagetypeinfo", "Node 0, zone DMA, type Movable >100000 1\n",
     "Node 0, zone DMA, type Movable|order0=>100000\nNode 0, zone DMA, type Movable|order1=1\n"},
    {"proc:zoneinfo", "  pages free 5\nNode 0, zone DMA\n protection: (0, x\n pagesets\n cpu:",
     "Node 0, zone DMA|protection0=0\nNode 0, zone DMA|cpu0.cpu=\n"},
    {"proc:swaps", "Filename\tType\n/a file\n/b", "/a|Type=file\n"},
    {"proc:swaps", "/a\tfile\t1\t2\t3\t4\n",
     "/a|Type=file\n/a|Size=1\n/a|Used=2\n/a|Priority=3\n/a|column5=4\n"},
    {"proc:slabinfo", "two words 5 64 32 64 1 : tunables 1\na 7 b 9  5 64 32 64 1 :\ncut 5 64\n:\n",
     "two words|active_objs=5\ntwo words|num_objs=64\ntwo words|objsize=32\n"
     "two words|objperslab=64\ntwo words|pagesperslab=1\ntwo words|limit=1\n"
     "a 7 b 9|active_objs=5\na 7 b 9|num_objs=64\na 7 b 9|objsize=32\na 7 b 9|objperslab=64\n"
     "a 7 b 9|pagesperslab=1\ncut|active_objs=5\ncut|num_objs=64\n"},
    {"proc:vmallocinfo", "0x1-0x2\n0x1 5 a+0x1\n0x1-0x2 x a+0x1\n0x1-0x2 5",
     "|start=0x1\n|end=0x2\n|size=5\n"},
    {"proc:sysvipc/shm", "key shmid\n1\n-5 7 600\n", "7|key=-5\n7|shmid=7\n7|column2=600\n"},
    {"proc:loadavg", "0.05", "|load1=0.05\n"},
    {"proc:loadavg", "1 2 3 4 5\n", "|load1=1\n|load5=2\n|load15=3\n|last_pid=5\n"},
    {"proc:stat", "cpu\nintr\nctxt 5", "|ctxt=5\n"},
    {"proc:7/stat", "7", ""},
    {"proc:7/stat", "7 (cut", "|pid=7\n"},
    {"proc:7/stat", "x (a) S 1\n", ""},
    {"proc:7/stat", "7 () S 1\n", "|pid=7\n|comm=\n|state=S\n|ppid=1\n"},
    {"proc:7/stat", "7 (foo)\nZ\n) S 1\n", "|pid=7\n|comm=foo)\nZ\n\n|state=S\n|ppid=1\n"},
    {"proc:7/stat", "7 (foo) Z 1 ) S -1\n", "|pid=7\n|comm=foo) Z 1 \n|state=S\n|ppid=-1\n"},
    {"proc:7/statm", "1 2", "|size=1\n|resident=2\n"},
    {"proc:7/status", "Name:\t\nSigQ:\t5\nSigQ:\tx/5\nUid:\t1",
     "|Name=\n|SigQ=5\n|SigQ=x/5\n|Uid=1\n"},
    {"proc:7/smaps", "Rss: 8 kB\n00-1 r--p\n1-2 rw-p 0 0:0\n1-2 rw-p 0 0:0 5\nRss: 4 kB",
     "[anon]|start=1\n[anon]|end=2\n[anon]|perms=rw-p\n[anon]|offset=0\n[anon]|dev=0:0\n"
     "[anon]|dev.major=0\n[anon]|dev.minor=0\n[anon]|inode=5\n[anon]|Rss=4\n"},
    {"proc:7/smaps", "1-2 rw-p 0 0:0 5                /\xff\xfe \nRss: 4 kB\n",
     "/\xff\xfe |start=1\n/\xff\xfe |end=2\n/\xff\xfe |perms=rw-p\n/\xff\xfe |offset=0\n"
     "/\xff\xfe |dev=0:0\n/\xff\xfe |dev.major=0\n/\xff\xfe |dev.minor=0\n/\xff\xfe |inode=5\n"
     "/\xff\xfe |path=/\xff\xfe \n/\xff\xfe |Rss=4\n"},
    {"proc:7/numa_maps", "ffff\nzz default anon=1\n", ""},
    {"proc:7/cgroup", "nonsense\n:::\n5\n5:\n5:a\n", ""},
    {"proc:7/comm", "", ""},
    {"proc:7/comm", "\n", "|value=\n"},
    {"proc:7/oom_score", "\n", ""},
    {"proc:net/sockstat", "TCP inuse 5\nUDP: inuse\nTCP: inuse 1 x\n", "TCP|inuse=1\n"},
    {"sys:devices/system/node/node0/meminfo", "Node\nNode 0\nMemFree: 5 kB\nNode 0 A: 6", "|A=6\n"},
    {"sys:kernel/mm/transparent_hugepage/enabled", "always [madvise never\n",
     "|value=always [madvise never\n"},
    {"cgroup:a/cgroup.procs", "900\nx\n\n-\n901", "|pid=900\n|pid=901\n"},
    {"cgroup:a/memory.numa_stat", "anon\n=5 N0=1\n", "|N0=1\n"},
};

static void good_texts(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(good); i++)
        check(&good[i]);
}

static void bad_texts(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++)
        check(&bad[i]);
}

/* Spans are of the text; names a parser makes up are short. */
static int check_spans(void *ctx, const struct pt_item *item)
{
    struct lines *l = ctx;
    const uintptr_t text = (uintptr_t)l->text, value = (uintptr_t)item->value;
    assert_true(value >= text && value - text <= l->len &&
                item->value_len <= l->len - (value - text));
    const uintptr_t row = (uintptr_t)item->row;
    if (row < text || row - text > l->len)
        assert_true(item->row_len < 16);
    assert_true(item->field_len > 0);
    l->items++;
    return 0;
}

/* Every parser, whatever file a text is of. */
static void each_parser(const char *text, size_t len, void (*fn)(pt_parser *, const char *, size_t))
{
    size_t count;
    const struct pt_file *files = pt_files(&count);
    for (size_t i = 0; i < count; i++) {
        bool seen = false;
        for (size_t j = 0; j < i && !seen; j++)
            seen = files[j].parse == files[i].parse;
        if (!seen)
            fn(files[i].parse, text, len);
    }
}

static void spans_hold(pt_parser *parse, const char *text, size_t len)
{
    struct lines l = {.text = text, .len = len};
    assert_int_equal(parse(text, len, check_spans, &l), 0);
}

static void any_file(void *ctx, const char *source, const char *text, size_t len)
{
    (void)ctx;
    (void)source;
    each_parser(text, len, spans_hold);
}

static void any_parser_takes_any_file(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(trees); i++) {
        char root[512];
        snprintf(root, sizeof root, "%s/%s", PT_FIXTURES, trees[i]);
        assert_true(texts_of_tree(root, any_file, NULL) > 0);
    }
}

struct stop {
    size_t left;
};

static int stop_after(void *ctx, const struct pt_item *item)
{
    struct stop *s = ctx;
    (void)item;
    assert_true(s->left > 0); /* never called again after it said stop */
    return --s->left == 0 ? -77 : 0;
}

/* A parser stops where its caller says so, with the caller's number. */
static void stops(void *ctx, const char *source, const char *text, size_t len)
{
    (void)ctx;
    pt_parser *parse = pt_file_of(source)->parse;
    struct lines l = lines_of(parse, text, len);
    for (size_t n = 1; n <= l.items && n <= 60; n++) {
        struct stop s = {.left = n};
        assert_int_equal(parse(text, len, stop_after, &s), -77);
    }
    pt_buf_release(&l.buf);
}

/* A text cut after a line yields what stood before the cut. */
static void cuts(void *ctx, const char *source, const char *text, size_t len)
{
    (void)ctx;
    const struct pt_file *file = pt_file_of(source);
    if (file->parse == pt_parse_pid_stat || file->parse == pt_parse_text)
        return; /* the last ')' and the last line feed of all decide */
    struct lines all = lines_of(file->parse, text, len);
    for (size_t i = 0, n = 0; i < len && n < 200; i++) {
        if (text[i] != '\n')
            continue;
        struct lines part = lines_of(file->parse, text, i + 1);
        assert_true(part.buf.len <= all.buf.len);
        if (part.buf.len > 0)
            assert_memory_equal(part.buf.data, all.buf.data, part.buf.len);
        pt_buf_release(&part.buf);
        n++;
    }
    pt_buf_release(&all.buf);
}

static void fixtures_stop_and_cut(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(trees); i++) {
        char root[512];
        snprintf(root, sizeof root, "%s/%s", PT_FIXTURES, trees[i]);
        assert_true(texts_of_tree(root, stops, NULL) > 0);
        assert_true(texts_of_tree(root, cuts, NULL) > 0);
    }
}

/* Each cut, at any byte, in a block of just that size. */
static void every_cut(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(good); i++) {
        const size_t len = strlen(good[i].text);
        for (size_t n = 0; n <= len; n++) {
            char *tight = malloc(n > 0 ? n : 1);
            memcpy(tight, good[i].text, n);
            spans_hold(pt_file_of(good[i].source)->parse, tight, n);
            free(tight);
        }
    }
}

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* 1 MiB on one line, of every kind of byte that means something somewhere: in time linear in the
 * size. */
static void huge_lines(void **state)
{
    static const char *const units[] = {"1",     " 1",    "a=1 ",  "(",       ")",
                                        "[",     ": ",    "\t",    "x: 1 ",   "<a> ",
                                        " : t ", "1/",    "-1 ",   "\xff",    "0x1-0x2 5 a+0x1 ",
                                        ",",     "Node ", "cpu: ", "1-2 r 0 "};
    const size_t len = 1 << 20;
    char *text = malloc(len);
    (void)state;
    for (size_t u = 0; u < COUNT(units); u++) {
        const size_t n = strlen(units[u]);
        for (size_t i = 0; i < len; i++)
            text[i] = units[u][i % n];
        const double start = seconds();
        each_parser(text, len, spans_hold);
        assert_true(seconds() - start < 20.0);
        memcpy(text, "7 (a) S ", 8);
        spans_hold(pt_parse_pid_stat, text, len);
        memcpy(text, "Node 0, zone DMA ", 17);
        spans_hold(pt_parse_buddyinfo, text, len);
    }
    free(text);
}

/* A name of 1 MiB comes whole. */
static void huge_name(void **state)
{
    const size_t n = 1 << 20;
    char *text = malloc(n + 16);
    (void)state;
    memcpy(text, "7 (", 3);
    memset(text + 3, ')', n);
    memcpy(text + 3 + n, ") S 1\n", 6);
    struct lines l = lines_of(pt_parse_pid_stat, text, n + 9);
    assert_int_equal(l.items, 4);
    assert_int_equal(l.buf.len, strlen("|pid=7\n|comm=\n|state=S\n|ppid=1\n") + n);
    pt_buf_release(&l.buf);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_texts),
        cmocka_unit_test(bad_texts),
        cmocka_unit_test(any_parser_takes_any_file),
        cmocka_unit_test(fixtures_stop_and_cut),
        cmocka_unit_test(every_cut),
        cmocka_unit_test(huge_lines),
        cmocka_unit_test(huge_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
