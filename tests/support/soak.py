# SPDX-License-Identifier: MIT
"""Records a tree of kernel files that changes all the time, for many ticks, and sees whether the recorder stays what it
was: its memory and its descriptors, and the size of its file.

  soak.py DIRECTORY TICKS INTERVAL LIMIT FIXTURE RECORDER

The tree is FIXTURE's, with processes that are born, grow, are renamed and die, and host files whose numbers move. A
first run fills the file to its limit. Of the second, what it holds in the last twentieth of the ticks is compared with
what it held in the thousand after the first thousand, and, more strictly, in the twentieth after the first tenth (from
20,000 ticks on): memory by
the least, since packing and thinning take some for a moment, and snapshots wait in memory, two MiB of them at most, where a
busy machine does not keep the pace; descriptors by the median. Prints a line now and then; exits 1 when something has
grown."""
import os
import random
import re
import shutil
import signal
import sqlite3
import statistics
import subprocess
import sys
import time

PROCESSES = 24
# The heap is locked in memory and keeps the size of the largest packing and thinning so far; after a tenth of the ticks
# it has seen most of what it will see. Over 200,000 ticks the second is less than three bytes a tick.
RSS_FIRST_KB = 2048
RSS_SETTLED_KB = 512
# Which processes are active, and so have descriptors kept, is chance.
FDS_SLACK = 4


class Tree:
    """A fixture that lives."""

    def __init__(self, root, fixture):
        self.root = root
        shutil.copytree(fixture, root)
        self.proc = os.path.join(root, "proc")
        self.random = random.Random(1)
        self.host = {}
        for name in ("meminfo", "stat", "loadavg", "pressure/memory", "slabinfo", "buddyinfo", "zoneinfo"):
            path = os.path.join(self.proc, name)
            if os.path.exists(path):
                with open(path, encoding="utf-8", errors="surrogateescape") as f:
                    self.host[name] = f.read()
        with open(os.path.join(self.proc, "500/status"), encoding="utf-8") as f:
            self.status = f.read()
        with open(os.path.join(self.proc, "500/stat"), encoding="utf-8") as f:
            self.stat = f.read()
        self.next_pid = 1000
        self.pids = {}
        for _ in range(PROCESSES):
            self.born()

    def write(self, name, text):
        with open(os.path.join(self.proc, name), "w", encoding="utf-8", errors="surrogateescape") as f:
            f.write(text)

    def born(self):
        pid = self.next_pid
        while pid in self.pids:
            pid += 1
        self.next_pid = pid + 1 if pid < 3000 else 1000
        shutil.copytree(os.path.join(self.proc, "500"), os.path.join(self.proc, str(pid)))
        self.pids[pid] = [self.random.randrange(100, 100000), f"w{self.random.randrange(1000)}", self.next_pid * 100]
        self.tell(pid)

    def died(self):
        pid = self.random.choice(list(self.pids))
        del self.pids[pid]
        shutil.rmtree(os.path.join(self.proc, str(pid)))

    def tell(self, pid):
        pages, name, start = self.pids[pid]
        status = re.sub(r"^Name:.*", f"Name:\t{name}", self.status, flags=re.M)
        status = re.sub(r"^(VmRSS:\s*)\d+", lambda m: m[1] + str(pages * 4), status, flags=re.M)
        status = re.sub(r"^(T?g?[Pp]id:\s*)\d+", lambda m: m[1] + str(pid), status, flags=re.M)
        fields = self.stat[self.stat.rindex(")") + 2:].split()
        fields[19], fields[21] = str(start), str(pages)
        self.write(f"{pid}/status", status)
        self.write(f"{pid}/stat", f"{pid} ({name}) {' '.join(fields)}\n")
        self.write(f"{pid}/statm", f"{pages * 3} {pages} 100 20 0 {pages} 0\n")

    def move(self, m):
        return str(int(m[0]) + self.random.randrange(3)) if self.random.randrange(3) == 0 else m[0]

    def step(self):
        for pid in self.random.sample(list(self.pids), 3):
            self.pids[pid][0] = max(10, self.pids[pid][0] + self.random.randrange(-500, 600))
            if self.random.randrange(50) == 0:
                self.pids[pid][1] = f"w{self.random.randrange(100000)}"
            self.tell(pid)
        for name in self.random.sample(list(self.host), 2):
            self.host[name] = re.sub(r"\d+", self.move, self.host[name])
            self.write(name, self.host[name])
        if self.random.randrange(6) == 0:
            self.died()
            self.born()


def on_disk(db):
    total = 0
    for suffix in ("", "-wal", "-shm"):
        try:
            st = os.stat(db + suffix)
            total += max(st.st_size, st.st_blocks * 512)
        except FileNotFoundError:
            pass
    return total


def ticks_of(db):
    try:
        con = sqlite3.connect(f"file:{db}?mode=ro", uri=True, timeout=5)
        n = con.execute("SELECT max(n) FROM (SELECT max(n) AS n FROM frame UNION SELECT max(n) FROM sealed)").fetchone()
        con.close()
    except sqlite3.OperationalError:
        return 0
    return n[0] or 0


def rss_of(pid):
    with open(f"/proc/{pid}/status", encoding="utf-8") as f:
        return int(re.search(r"^VmRSS:\s*(\d+)", f.read(), re.M)[1])


class Watch:
    """What was seen between two ticks."""

    def __init__(self):
        self.rss = []
        self.fds = []

    def see(self, pid):
        self.rss.append(rss_of(pid))
        self.fds.append(len(os.listdir(f"/proc/{pid}/fd")))

    def text(self):
        return (f"RSS {min(self.rss)} to {max(self.rss)} KiB, "
                f"{statistics.median(self.fds):.0f} descriptors (at most {max(self.fds)})")


class Run:
    """The recorder, on a file that has `base` snapshots, for so many ticks."""

    def __init__(self, command, db, tree):
        self.db, self.tree = db, tree
        self.base = ticks_of(db)
        self.ticks = self.size = 0
        self.recorder = subprocess.Popen(command)

    def step(self):
        for _ in range(20):
            self.tree.step()
            self.size = max(self.size, on_disk(self.db))
            time.sleep(0.01)
            if self.recorder.poll() is not None:
                sys.exit(f"the recorder ended by itself: {self.recorder.returncode}")
        self.ticks = ticks_of(self.db) - self.base

    def end(self):
        self.recorder.send_signal(signal.SIGTERM)
        if self.recorder.wait() != 0:
            sys.exit(f"the recorder ended with {self.recorder.returncode}")


def main():
    directory, ticks, interval, limit, fixture, program = sys.argv[1:7]
    ticks, limit = int(ticks), int(limit.rstrip("M")) << 20
    db = os.path.join(directory, "soak.db")
    tree = Tree(os.path.join(directory, "tree"), fixture)
    command = [program, "-q", "-o", db, "-i", interval, "--max-size", str(limit)]
    command += [f"--{fs}={tree.root}/{at}" for fs, at in (("procfs", "proc"), ("sysfs", "sys"), ("cgroupfs", "cgroup"))]
    start = time.monotonic()
    run = Run(command, db, tree)
    while run.size < limit * 2 // 3:
        run.step()
    run.end()
    print(f"{time.monotonic() - start:.0f} s: {run.ticks} ticks, {run.size} bytes", flush=True)
    run = Run(command, db, tree)
    first, settled, last = Watch(), Watch(), Watch()
    told = 0
    while run.ticks < ticks:
        run.step()
        for watch, begin, end in ((first, 1000, 2000), (settled, ticks // 10, ticks * 3 // 20),
                                  (last, ticks * 19 // 20, ticks)):
            if begin <= run.ticks < end or not watch.rss and run.ticks >= begin:
                watch.see(run.recorder.pid)
        if run.ticks >= told + ticks // 20:
            told = run.ticks
            now = Watch()
            now.see(run.recorder.pid)
            print(f"{time.monotonic() - start:.0f} s: {told} ticks, {now.text()}, {on_disk(db)} bytes", flush=True)
    run.end()
    print(f"{run.ticks} ticks in {time.monotonic() - start:.0f} s; after the first 1000 {first.text()}, after a tenth "
          f"{settled.text()}, at last {last.text()}; at most {run.size} of {limit} bytes on the disk")
    # a tenth of a short run is before the first packing
    is_settled = ticks // 10 >= 2000
    if (min(last.rss) > min(first.rss) + RSS_FIRST_KB or
            is_settled and min(last.rss) > min(settled.rss) + RSS_SETTLED_KB):
        sys.exit("the recorder's memory has grown")
    if statistics.median(last.fds) > statistics.median(first.fds) + FDS_SLACK:
        sys.exit("the recorder has more descriptors open")
    if run.size > limit:
        sys.exit("the file was larger than its limit")


main()
