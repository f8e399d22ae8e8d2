# SPDX-License-Identifier: MIT
"""`pagetrail report` on generated histories: a week at 10 s and 90 days at a minute, as thinning leaves them, of 300
processes with their mappings; and 10,000 processes at once."""
import os
import statistics

from benchlib import bytes_text, time_text
from section_analyze import SNAPSHOTS, history

MIB = 1 << 20
SECOND_NS = 1e9
MINUTES = 90 * 1440
MANY = 10000
MANY_SNAPSHOTS = 360
RUNS = 3


def measure(b):
    one(b, "report of a week at 10 s, %d processes" % b.population, history(b, SNAPSHOTS, b.population), 3)
    one(b, "report of 90 days at 60 s, %d processes" % b.population, history(b, MINUTES, b.population, 60), 30)
    one(b, "report of an hour, %d processes" % MANY, history(b, MANY_SNAPSHOTS, MANY), None)


def one(b, name, db, seconds):
    """Medians of some runs as HTML, the dearest format, and the greatest peak. seconds: the goal, where there is one."""
    html = os.path.join(b.build, "bench-report.html")
    argv = [b.tools.analyzer, "report", db, "--format", "html", "-o", html]
    used = [b.start("report", argv).wait(600) for _ in range(RUNS)]
    wall, cpu = (statistics.median(u[key] for u in used) for key in ("wall_ns", "cpu_ns"))
    peak, size = max(u["rss_kb"] for u in used) * 1024, os.path.getsize(html)
    b.raw[name] = {"wall_ns": wall, "cpu_ns": cpu, "rss": peak, "html": size}
    b.table.add(name, time_text(wall), "median of %d; CPU %s" % (RUNS, time_text(cpu)), "",
                "<= %d s" % seconds if seconds else "", wall <= seconds * SECOND_NS if seconds else None)
    b.table.add("  peak RSS", bytes_text(peak), "", "", "<= 300 MiB" if seconds else "",
                peak <= 300 * MIB if seconds else None)
    b.table.add("  HTML", bytes_text(size), "", "", "< 1 MiB", size < MIB)
