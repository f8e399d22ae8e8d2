# SPDX-License-Identifier: MIT
"""`pagetrail swap` and `pagetrail kernel` on a generated history: a week at 10 s, in which swap is used all the time."""
import statistics

from benchlib import bytes_text, time_text
from section_analyze import SNAPSHOTS, history

MIB = 1 << 20
SECOND_NS = 1e9
RUNS = 5


def measure(b):
    db = history(b, SNAPSHOTS, b.population)
    for command in ("swap", "kernel"):
        used = [b.start(command, [b.tools.analyzer, command, db, "--from", "first"]).wait(600) for _ in range(RUNS)]
        wall, cpu = (statistics.median(u[key] for u in used) for key in ("wall_ns", "cpu_ns"))
        peak = max(u["rss_kb"] for u in used) * 1024
        b.raw["%s week" % command] = {"wall_ns": wall, "cpu_ns": cpu, "rss": peak}
        b.table.add("%s of a week at 10 s, %d processes" % (command, b.population), time_text(wall),
                    "median of %d; CPU %s" % (RUNS, time_text(cpu)), "", "<= 1 s", wall <= SECOND_NS)
        b.table.add("  peak RSS", bytes_text(peak), "", "", "<= 128 MiB", peak <= 128 * MIB)
