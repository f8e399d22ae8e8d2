# SPDX-License-Identifier: MIT
"""`pagetrail leaks` on generated histories: a week at 10 s of 300 processes with their mappings; how it grows from its
first day to its first four; and 10,000 processes at once."""
import os
import statistics

from benchlib import bytes_text, time_text
from section_analyze import SNAPSHOTS, history

MIB = 1 << 20
SECOND_NS = 1e9
DAY = 8640  # snapshots
DAYS = (1, 2, 4)
MANY = 10000
MANY_SNAPSHOTS = 360
RUNS = 5


def measure(b):
    week(b)
    days(b)
    many(b)


def timed(b, db, *options):
    """Medians of some runs: wall and CPU time; the greatest peak."""
    used = [b.start("leaks", [b.tools.analyzer, "leaks", db, *options]).wait(600) for _ in range(RUNS)]
    wall, cpu = (statistics.median(u[key] for u in used) for key in ("wall_ns", "cpu_ns"))
    return wall, cpu, max(u["rss_kb"] for u in used) * 1024


def week(b):
    wall, cpu, peak = timed(b, history(b, SNAPSHOTS, b.population))
    b.raw["leaks week"] = {"wall_ns": wall, "cpu_ns": cpu, "rss": peak}
    b.table.add("leaks of a week at 10 s, %d processes" % b.population, time_text(wall),
                "median of %d; CPU %s" % (RUNS, time_text(cpu)), "", "<= 2 s", wall <= 2 * SECOND_NS)
    b.table.add("  peak RSS", bytes_text(peak), "", "", "<= 256 MiB", peak <= 256 * MIB)


def days(b):
    first = None
    for n in DAYS:
        _, cpu, peak = timed(b, history(b, SNAPSHOTS, b.population), "--until", "@%d" % (n * DAY))
        b.raw["leaks %d days" % n] = {"cpu_ns": cpu, "rss": peak}
        name = "  CPU of its first %d day%s" % (n, "" if n == 1 else "s")
        first = first or cpu
        # linear, and a fifth for noise
        goal = 1.2 * n
        b.table.add(name, time_text(cpu), "peak RSS %s" % bytes_text(peak), "%.2f" % (cpu / first),
                    "<= %.1f" % goal if n > 1 else "", cpu <= goal * first if n > 1 else None)


def many(b):
    db = history(b, MANY_SNAPSHOTS, MANY)
    wall, cpu, peak = timed(b, db)
    b.raw["leaks many"] = {"wall_ns": wall, "cpu_ns": cpu, "rss": peak}
    b.table.add("leaks of an hour, %d processes" % MANY, time_text(wall),
                "median of %d; CPU %s; peak RSS %s; %s" % (
                    RUNS, time_text(cpu), bytes_text(peak), bytes_text(os.path.getsize(db))),
                "", "<= 10 s", wall <= 10 * SECOND_NS)
