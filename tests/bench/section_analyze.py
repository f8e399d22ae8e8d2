# SPDX-License-Identifier: MIT
"""The analyzer on a generated history of 60,000 snapshots: a week at 10 s."""
import os
import random
import statistics

from benchlib import bytes_text, say, time_text

SNAPSHOTS = 60000
MIB = 1 << 20
SECOND_NS = 1e9


def measure(b):
    db = history(b, SNAPSHOTS, b.population)
    b.table.note("history: %d generated snapshots of %d processes, %s." % (
        SNAPSHOTS, b.population, bytes_text(os.path.getsize(db))))
    peaks = []
    diff_rows(b, db, peaks)
    field_row(b, db, peaks)
    balance_row(b, db, peaks)
    b.raw["analyzer peaks"] = peaks
    b.table.add("analyzer peak RSS", bytes_text(max(peaks)), "", "", "<= 128 MiB",
                max(peaks) <= 128 * MIB)


def history(b, snapshots, processes, interval=10):
    """Kept between runs while the generator is the same."""
    every = "" if interval == 10 else "-%ds" % interval
    db = os.path.join(b.build, "bench-history-%d-%d%s.db" % (snapshots, processes, every))
    stamp = db + ".made"
    made = "%d" % os.stat(b.tools.ptgen).st_mtime_ns
    if os.path.exists(stamp) and os.path.exists(db):
        with open(stamp) as f:
            if f.read() == made:
                return db
    for name in (db, db + "-wal", db + "-shm", stamp):
        if os.path.exists(name):
            os.unlink(name)
    say("generating a history of %d snapshots of %d processes" % (snapshots, processes))
    argv = [b.tools.ptgen, "-o", db, "-n", str(snapshots), "-p", str(processes), "-i", str(interval)]
    b.used["ptgen"] = b.start("ptgen", argv).wait(3600)
    with open(stamp, "w") as f:
        f.write(made)
    return db


def diff_rows(b, db, peaks):
    rng = random.Random(7)
    walls, cpus = [], []
    for _ in range(b.size["diffs"]):
        first, second = sorted(rng.sample(range(1, SNAPSHOTS + 1), 2))
        argv = [b.tools.analyzer, "diff", db, "@%d" % first, "@%d" % second]
        used = b.start("diff", argv).wait()
        walls.append(used["wall_ns"])
        cpus.append(used["cpu_ns"])
        peaks.append(used["rss_kb"] * 1024)
    b.raw["diff ns"] = {"wall": walls, "cpu": cpus}
    middle = statistics.median(walls)
    b.table.add("diff of two random instants", time_text(middle),
                "median of %d; CPU %s" % (len(walls), time_text(statistics.median(cpus))), "",
                "<= 30 ms", middle <= 30e6)
    b.table.add("  the slowest of them", time_text(max(walls)), "", "", "<= 30 ms",
                max(walls) <= 30e6)


def field_row(b, db, peaks):
    walls, cpus = [], []
    for _ in range(3):
        with open(b.path("scan.out"), "w") as out:
            argv = [b.tools.fieldscan, db, "proc:*/status", "VmRSS"]
            used = b.start("scan", argv, stdout=out).wait()
        walls.append(used["wall_ns"])
        cpus.append(used["cpu_ns"])
        peaks.append(used["rss_kb"] * 1024)
    with open(b.path("scan.out")) as f:
        words = f.read().split()
    b.raw["field scan"] = {"wall_ns": walls, "said": words}
    middle = statistics.median(walls)
    points = int(words[words.index("points") + 1])
    b.table.add("VmRSS of every process, all of it", time_text(middle),
                "%d changes; CPU %s" % (points, time_text(statistics.median(cpus))), "",
                "<= 1 s", middle <= SECOND_NS)


def balance_row(b, db, peaks):
    walls = []
    for _ in range(3):
        argv = [b.tools.analyzer, "balance", db, "first", "last", "--over", "500", "--format", "json"]
        used = b.start("balance", argv).wait()
        walls.append(used["wall_ns"])
        peaks.append(used["rss_kb"] * 1024)
    b.raw["balance over time ns"] = walls
    middle = statistics.median(walls)
    b.table.add("balance sheets of 500 slices, all of it", time_text(middle), "", "", "<= 1 s",
                middle <= SECOND_NS)
