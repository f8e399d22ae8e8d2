#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The benchmark: one table, measured in one run, on a population of processes that it starts itself
(population.c: 300, a third of them busy every second).

    cmake --build BUILD --target bench          all of it, some forty minutes
    cmake --build BUILD --target bench-quick    fewer pairs, shorter recordings: some ten minutes
    bench.py --build BUILD [--quick] [--only bytes,cpu,...] [--keep]

How it measures:
- As root it runs in a PID namespace of its own, so that /proc shows the population and the programs
  that are compared, and not what else goes on.
- Everything ticks once a second, so that hours are not needed; in production it is every 10 s.
- CPU time is the kernel's count of the whole process, all threads, in nanoseconds. Programs are
  compared in interleaved turns: all are stopped but the one whose turn it is, and the first seconds
  of a turn do not count. The table gives the median of the ratios of neighbouring turns, their
  number, the least and the greatest. "with start and seals" is the plain average over the whole
  long recording.
- The floor (floor.c) reads stat and status of every user process and every system file the recorder
  reads, as often as it does (by the recorder's own raw log), from kept descriptors, and throws it
  all away. Looking through /proc for new processes is no part of it.
- Sizes: recorder and atop record the same seconds. The sealed size is that of the database file
  after a clean stop, key frames, indexes and free pages included, less a last segment that the end
  of the run cut short (the number of snapshots counted stands in brackets). "its text" is every
  text of the same snapshots in the raw log, without the log's headers.
- Bytes written are what the recorder handed to write(), or what the kernel counted as dirtied for
  it, whichever is more; the last seal and checkpoint are part of it.
- A victim of 6 GiB (2 with --quick) times its own mmap+munmap and page faults, alone and beside
  the recorder, in interleaved turns; medians of ratios with the interval they are in with 95%
  certainty.
- Peak memory is the kernel's count at the end of the process, the last seal included.

Wants python3; root for the full picture. Peers (atop, sysstat, smem, zstd) are installed where apt
can; the table says what is missing. Every number also goes to BUILD/bench-result.json."""
import argparse
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import section_analyze
import section_bytes
import section_cpu
import section_governor
import section_leaks
import section_report
import section_rss
import section_scale
import section_seal
import section_swap
import section_victim
from benchlib import Metered, Peers, Table, say

SECTIONS = {
    "bytes": section_bytes,
    "cpu": section_cpu,
    "rss": section_rss,
    "victim": section_victim,
    "analyze": section_analyze,
    "leaks": section_leaks,
    "swap": section_swap,
    "report": section_report,
    "scale": section_scale,
    "seal": section_seal,
    "governor": section_governor,
}
OWN_POPULATION = ("analyze", "leaks", "swap", "report", "scale", "seal", "governor")
# snapshots of the long recording; turns and their seconds; seconds of a recording for its memory
FULL = {"snapshots": 370, "pairs": 7, "turn": 12, "atop turn": 6, "peer turns": 3, "rss": 100,
        "diffs": 41, "victim": 6144, "victim pairs": 21, "victim turn": 11,
        "scale": 60, "scale atop": 3, "seal": 100, "governor": 600, "big": 8192}
QUICK = {"snapshots": 62, "pairs": 3, "turn": 6, "atop turn": 4, "peer turns": 1, "rss": 30,
         "diffs": 11, "victim": 2048, "victim pairs": 5, "victim turn": 11,
         "scale": 40, "scale atop": 1, "seal": 40, "governor": 120, "big": 2048}


class Tools:
    def __init__(self, build):
        bench = os.path.join(build, "tests", "bench", "bench_")
        self.population = bench + "population"
        self.floor = bench + "floor"
        self.meter = bench + "meter"
        self.fieldscan = bench + "fieldscan"
        self.victim = bench + "victim"
        self.seal = bench + "seal"
        self.recorder = os.path.join(build, "pagetraild")
        self.analyzer = os.path.join(build, "pagetrail")
        self.ptgen = os.path.join(build, "tests", "ptgen")


class Bench:
    """What the sections share."""

    population = 300

    def __init__(self, build, size):
        self.build, self.size = build, size
        self.tools, self.peers, self.table = Tools(build), Peers(), Table()
        self.dir = tempfile.mkdtemp(prefix="bench-run-", dir=build)
        self.started = []
        self.raw, self.used, self.snapshots = {}, {}, {}

    def path(self, name):
        return os.path.join(self.dir, name)

    def start(self, name, argv, **more):
        p = Metered(self.tools.meter, self.path(name + ".result"), argv, **more)
        self.started.append(p)
        return p

    def recorder(self, name, *options, interval=1):
        argv = [self.tools.recorder, "-q", "-o", self.path(name + ".db"), "-i", "%ds" % interval]
        return self.start(name, argv + list(options))

    def populate(self, count, *options):
        p = subprocess.Popen([self.tools.population, "--count", str(count)] + list(options),
                             stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        line = p.stdout.readline()
        if not line.startswith("ready"):
            raise RuntimeError("the population does not stand")
        say("population: " + line.strip())
        return p

    def clean(self):
        for p in self.started:
            p.kill()

    def describe(self):
        with open("/proc/cpuinfo") as f:
            models = [line.split(":")[1].strip() for line in f if line.startswith("model name")]
        processes = sum(name.isdigit() for name in os.listdir("/proc"))
        self.table.note("host: kernel %s, %d CPUs, %s; %d other processes, load %.2f before." % (
            os.uname().release, os.cpu_count(), models[0] if models else os.uname().machine,
            processes, os.getloadavg()[0]))
        self.table.note("population: %d processes, a third busy every second; interval 1 s; "
                        "%d snapshots in the long recording." % (
                            self.population, self.size["snapshots"]))

    def section(self, name):
        try:
            SECTIONS[name].measure(self)
        except (RuntimeError, OSError, sqlite3.Error, subprocess.SubprocessError) as e:
            self.table.missing("(the rest of section %s)" % name, str(e), "all of it")
        self.clean()

    def run(self, sections):
        begun = time.monotonic()
        self.describe()
        population = self.populate(self.population)
        try:
            for name in sections:
                say("section " + name)
                if name in OWN_POPULATION:
                    population.terminate()
                self.section(name)
        finally:
            self.clean()
            population.terminate()
            population.wait(30)
        missed = [r[0].strip() for r in self.table.rows if r[5] == "NO"]
        self.table.note("not met: %s." % ("; ".join(missed) or "none of what was measured"))
        self.table.note("took %d s." % (time.monotonic() - begun))


def isolate():
    """Starts over where /proc shows nobody else; where that is not allowed, goes on."""
    alone = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"]
    if os.environ.get("PT_BENCH_ALONE") or os.geteuid() != 0 or not shutil.which("unshare"):
        return
    if subprocess.run(alone + ["true"], stderr=subprocess.DEVNULL).returncode == 0:
        os.environ["PT_BENCH_ALONE"] = "1"
        os.execvp(alone[0], alone + [sys.executable] + sys.argv)


def main():
    p = argparse.ArgumentParser(description="What Pagetrail costs, beside other recorders.")
    p.add_argument("--build", required=True, help="the build directory")
    p.add_argument("--quick", action="store_true", help="fewer pairs, shorter recordings")
    p.add_argument("--only", default=",".join(SECTIONS), help="some of: " + ",".join(SECTIONS))
    p.add_argument("--keep", action="store_true", help="leave BUILD/bench-run-* for a look")
    args = p.parse_args()
    wanted = args.only.split(",")
    if any(s not in SECTIONS for s in wanted):
        p.error("no such section: " + args.only)
    isolate()
    bench = Bench(os.path.abspath(args.build), QUICK if args.quick else FULL)
    bench.run([s for s in SECTIONS if s in wanted])
    print(bench.table.text())
    with open(os.path.join(bench.build, "bench-result.json"), "w") as f:
        json.dump({"rows": bench.table.rows, "notes": bench.table.notes, "raw": bench.raw,
                   "used": bench.used}, f, indent=1)
    if not args.keep:
        shutil.rmtree(bench.dir, ignore_errors=True)


if __name__ == "__main__":
    main()
