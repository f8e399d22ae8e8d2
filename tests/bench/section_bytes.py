# SPDX-License-Identifier: MIT
"""Sizes and memory, over one long recording: recorders and atop record the same seconds."""
import os
import re
import signal
import sqlite3
import subprocess
import time

from benchlib import Ratio, bytes_text

MIB = 1 << 20
ROOTS = {"proc": "/proc", "sys": "/sys", "cgroup": "/sys/fs/cgroup"}


def measure(b):
    record(b)
    size_rows(b)
    text_rows(b)
    written_rows(b)
    memory_rows(b)


def record(b):
    n = b.size["snapshots"]
    runs = {
        "default": b.recorder("default"),
        "cheap": b.recorder("cheap", "--deep", "off"),
        "logged": b.recorder("logged", "--raw-log", b.path("raw.log")),
    }
    if b.peers.path["atop"]:
        argv = [b.peers.path["atop"], "-w", b.path("atop.raw"), "1", str(n)]
        runs["atop"] = b.start("atop", argv)
    begun = time.monotonic()
    short = b.recorder("few")  # what section_rss.py compares with
    time.sleep(b.size["rss"])
    b.used["few"] = short.stop()
    time.sleep(max(0, n + 1.5 - (time.monotonic() - begun)))
    b.descriptors = runs["cheap"].kept_descriptors()
    b.io = {}
    for name in ("default", "cheap", "logged"):
        stop_watching(b, name, runs[name])
        b.snapshots[name] = count_snapshots(b.path(name + ".db"))
    if "atop" in runs:
        b.used["atop"] = runs["atop"].wait(30)


def stop_watching(b, name, run):
    """Looks at what it writes until it is gone: the last seal is part of it."""
    b.io[name] = run.io()
    if run.running():
        run.send(signal.SIGTERM)
    while run.running():
        b.io[name] = run.io() or b.io[name]
        time.sleep(0.001)
    b.used[name] = run.wait()


def count_snapshots(path):
    with sqlite3.connect("file:%s?mode=ro" % path, uri=True) as db:
        return db.execute("select count(*) from snapshot").fetchone()[0]


def sealed(b, name):
    """Bytes and snapshots of the file, less a last segment that the end of the run cut short: every
    segment has a key frame, however few snapshots follow it."""
    path = b.path(name + ".db")
    with sqlite3.connect("file:%s?mode=ro" % path, uri=True) as db:
        segments = db.execute("select last, count, bytes from segment order by first").fetchall()
    cut = segments[-1] if len(segments) > 1 else (0, 0, 0)
    size, n = os.path.getsize(path) - cut[2], b.snapshots[name] - cut[1]
    b.raw["size " + name] = {"bytes": size, "snapshots": n, "segments": segments}
    return size, n, segments[-2 if cut[1] else -1][0]


def size_rows(b):
    for name, what in (("default", "sealed bytes a snapshot"), ("cheap", "  with --deep off")):
        size, n, _ = sealed(b, name)
        what = "%s (%d)" % (what, n)
        goal = "<= 1/30"
        if not b.peers.path["atop"]:
            b.table.missing(what, b.peers.why_not("atop"), goal)
            continue
        atop = os.path.getsize(b.path("atop.raw")) / b.size["snapshots"]
        r = Ratio([size / n], [atop])
        b.table.add(what, bytes_text(size / n), "atop -w %s" % bytes_text(atop), r.text(True),
                    goal, r.median <= 1 / 30)


def split_raw_log(b, last=None):
    """Texts up to snapshot `last` to raw.txt, how often each system file was read to files.list.
    Returns the bytes of those texts."""
    reads, snapshots, total = {}, set(), 0
    with open(b.path("raw.log"), "rb") as log, open(b.path("raw.txt"), "wb") as out:
        for line in iter(log.readline, b""):
            w = line.split()
            if len(w) < 6 or w[0] != b"snapshot":
                raise RuntimeError("not a header of the raw log: %r" % line[:80])
            name, length = w[3].decode(), int(w[5])
            text = log.read(length)
            log.read(1)
            if last is None or int(w[1]) <= last:
                out.write(text)
                total += length
            snapshots.add(w[1])
            if length and not re.match(r"proc:\d+/", name):
                reads[name] = reads.get(name, 0) + 1
    with open(b.path("files.list"), "w") as out:
        for name, count in sorted(reads.items()):
            root, _, path = name.partition(":")
            full = os.path.join(ROOTS.get(root, "/nowhere"), path)
            if os.path.isfile(full):
                out.write("%d %s\n" % (max(1, round(len(snapshots) / count)), full))
    b.raw["texts"] = {"bytes": total, "snapshots": last or len(snapshots), "system files": reads}
    return total


def text_rows(b):
    size, n, last = sealed(b, "logged")
    total = split_raw_log(b, last)
    what = "sealed, against its text compressed (%d)" % n
    if not b.peers.path["zstd"]:
        b.table.missing(what, b.peers.why_not("zstd"), "<= 0.30")
        return
    zstd = [b.peers.path["zstd"], "-19", "--long=27", "-q", "-f"]
    subprocess.run(zstd + [b.path("raw.txt"), "-o", b.path("raw.zst")], check=True)
    packed = os.path.getsize(b.path("raw.zst"))
    b.raw["zstd"] = {"text": total, "packed": packed, "database": size}
    r = Ratio([size], [packed])
    b.table.add(what, bytes_text(size), "zstd -19 --long=27 %s" % bytes_text(packed), r.text(),
                "<= 0.30", r.median <= 0.30)
    b.table.note("text: %s in %d snapshots, read by a recorder with --raw-log." % (
        bytes_text(total), b.raw["texts"]["snapshots"]))
    os.unlink(b.path("raw.log"))
    os.unlink(b.path("raw.txt"))


def written_rows(b):
    for name, what in (("default", "bytes written a frame"), ("cheap", "  with --deep off")):
        goal = "<= 8 KiB" if name == "default" else ""
        io, n = b.io[name], b.snapshots[name]
        if not io:
            b.table.missing(what, "/proc/PID/io cannot be read", goal)
            continue
        b.raw["written " + name] = dict(io, snapshots=n)
        handed, dirtied = io["wchar"] / n, io["write_bytes"] / n
        most = max(handed, dirtied)
        b.table.add(what, bytes_text(most),
                    "write() %s, disk %s" % (bytes_text(handed), bytes_text(dirtied)), "",
                    goal, most <= 8192 if goal else None)


def memory_rows(b):
    rss = b.used["default"]["rss_kb"] * 1024
    atop = b.used["atop"]["rss_kb"] * 1024 if "atop" in b.used else None
    b.table.add("peak RSS, deep reads on", bytes_text(rss),
                "atop %s" % bytes_text(atop) if atop else "", "", "<= 8 MiB", rss <= 8 * MIB)
    out = subprocess.run([b.tools.floor, "--fd-cost"], capture_output=True, text=True, check=True)
    words = out.stdout.split()
    each = int(words[words.index("bytes_each") + 1])
    b.table.add("kernel memory of kept descriptors", bytes_text(b.descriptors * each),
                "%d descriptors at %s" % (b.descriptors, bytes_text(each)))
