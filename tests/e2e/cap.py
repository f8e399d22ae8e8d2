# SPDX-License-Identifier: MIT
"""Runs the recorder on a database with a size limit and samples the size on the disk all the while.

  cap.py [--reader SECONDS] [--slack BYTES] [--settle SECONDS] [--thinned] DB LIMIT SECONDS RECORDER [ARGUMENT ...]

Exits 1 when the file, its -wal and its -shm together were ever above LIMIT + BYTES; --settle: but for the first so
many seconds. --thinned: goes on, five times as long at most, until something was taken out: on a busy machine snapshots are
few. --reader: in the midst of it a transaction is held open for so long, so that the -wal cannot be emptied.
Prints what was seen."""
import argparse
import os
import sqlite3
import subprocess
import sys
import threading
import time


def on_disk(db):
    total = 0
    for suffix in ("", "-wal", "-shm"):
        try:
            st = os.stat(db + suffix)
        except FileNotFoundError:
            continue
        total += max(st.st_size, st.st_blocks * 512)
    return total


def goes_on(o, seconds):
    if seconds < o.seconds or not o.thinned or seconds >= 5 * o.seconds:
        return seconds < o.seconds
    con = sqlite3.connect(f"file:{o.db}?mode=ro", uri=True, timeout=5)
    gone = con.execute("SELECT sum(last - first + 1 - kept) FROM thinned").fetchone()[0]
    con.close()
    return not gone


def hold(db, seconds):
    """A reader that takes its time."""
    con = sqlite3.connect(f"file:{db}?mode=ro", uri=True, isolation_level=None)
    con.execute("BEGIN")
    seen = con.execute("SELECT count(*) FROM frame").fetchone()
    time.sleep(seconds)
    assert con.execute("SELECT count(*) FROM frame").fetchone() == seen
    con.execute("COMMIT")
    con.close()


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--reader", type=float, default=0)
    p.add_argument("--slack", type=int, default=0)
    p.add_argument("--settle", type=float, default=0)
    p.add_argument("--thinned", action="store_true")
    p.add_argument("db")
    p.add_argument("limit", type=int)
    p.add_argument("seconds", type=float)
    p.add_argument("command", nargs=argparse.REMAINDER)
    o = p.parse_args()
    recorder = subprocess.Popen([*o.command, "-q", "-o", o.db, "--max-size", str(o.limit)])
    start = time.monotonic()
    reader = None
    most = samples = 0
    while goes_on(o, time.monotonic() - start) and recorder.poll() is None:
        now = time.monotonic() - start
        if now >= o.settle:
            most = max(most, on_disk(o.db))
        samples += 1
        if o.reader and not reader and now > o.seconds / 4:
            reader = threading.Thread(target=hold, args=(o.db, o.reader))
            reader.start()
        time.sleep(0.002)
    if recorder.poll() is not None:
        sys.exit(f"the recorder ended by itself: {recorder.returncode}")
    if reader:
        reader.join()
    recorder.terminate()
    if recorder.wait() != 0:
        sys.exit(f"the recorder ended with {recorder.returncode}")
    print(f"{samples} samples, at most {most} of {o.limit} bytes")
    sys.exit(most > o.limit + o.slack)


main()
