# SPDX-License-Identifier: MIT
"""What packing a chain of snapshots takes: a recorder is killed, and what it left is packed by itself.
Bytes are those of its frames before compression, by which the recorder foresees the cost of a seal."""
import contextlib
import os
import shutil
import sqlite3
import statistics
import subprocess
import time

from benchlib import bytes_text, time_text

COUNTS = ((300, 100), (3000, 500), (10000, 500))
TURNS = 5
GUESS = 0.15  # microseconds a byte, as a recorder begins: SEAL_US_BYTE in recorder/sampler_budget.c


def measure(b):
    before = None
    for count, busy in COUNTS:
        name = "%d processes" % count
        population = b.populate(count, "--no-python", "--busy", str(busy))
        try:
            path = leave_frames(b, count)
        finally:
            population.terminate()
            population.wait(60)
        frames, raw = frame_bytes(path)
        turns = [seal(b, path) for _ in range(TURNS)]
        cpu = statistics.median(t["cpu_ns"] for t in turns)
        memory = statistics.median(t["rss_kb"] for t in turns) * 1024
        each = cpu / 1000 / raw
        b.table.add("CPU of a seal, %s" % name, time_text(cpu), "%d snapshots of %s" % (
            frames, bytes_text(raw)), "%.3f us a byte" % each, "%g within eight times" % GUESS,
            GUESS / 8 <= each <= GUESS * 8)
        grown = "" if not before else "%s for each further process" % bytes_text(
            max(0, memory - before[1]) / (count - before[0]))
        b.table.add("memory of a seal, %s" % name, bytes_text(memory), grown)
        b.table.add("  blocks it makes", bytes_text(turns[0]["bytes"]))
        before = count, memory


def leave_frames(b, count):
    """The database of a recorder that had no time to pack anything."""
    p = b.recorder("seal-%d" % count, "--burst-length", "0", "--cpu-budget", "100%", "--deep", "off")
    time.sleep(b.size["seal"])
    p.kill()
    return b.path("seal-%d.db" % count)


def frame_bytes(path):
    heads = [row[0] for row in ask(path, "select substr(data, 1, 20) from frame")]
    return len(heads), sum(int.from_bytes(head[8:12], "little") for head in heads)


def seal(b, path):
    copy = b.path("seal-copy.db")
    for end in ("", "-wal"):
        shutil.copyfile(path + end, copy + end)
    out = subprocess.run([b.tools.seal, copy], check=True, stdout=subprocess.PIPE, text=True).stdout
    words = out.split()
    (size,), = ask(copy, "select sum(bytes) from segment")
    for end in ("", "-wal", "-shm"):
        if os.path.exists(copy + end):
            os.unlink(copy + end)
    return dict(zip(words[::2], map(int, words[1::2])), bytes=size)


def ask(path, query):
    """Closed at once: of what is open here still, another program would take the -shm for good."""
    with contextlib.closing(sqlite3.connect("file:%s?mode=ro" % path, uri=True)) as db:
        return db.execute(query).fetchall()
