# SPDX-License-Identifier: MIT
"""CPU time, in interleaved turns: recorder, floor, atop, and again.

Deep reads are not measured in turns: while it is stopped the recorder saves up their budget, and
spends it in its turn. What they cost is seen in the average over the long recording."""
import os
import statistics
import subprocess
import time

import section_bytes
from benchlib import Ratio, Turns, bytes_text, time_text

median = statistics.median


class Floor:
    """The floor program; it works only while it is asked to."""

    def __init__(self, b):
        argv = [b.tools.floor, "--stdin", "--scan", "--files", b.path("files.list")]
        self.popen = subprocess.Popen(
            argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.last = {}

    def turn(self, ticks):
        """CPU nanoseconds a tick, without and with looking for new processes."""
        self.popen.stdin.write("%d\n" % ticks)
        self.popen.stdin.flush()
        w = self.popen.stdout.readline().split()
        self.last = r = {k: int(v) for k, v in zip(w[::2], w[1::2])}
        return (r["cpu_ns"] - r["scan_ns"]) / ticks, r["cpu_ns"] / ticks

    def close(self):
        self.popen.stdin.close()
        self.popen.wait(10)


def measure(b):
    if not os.path.exists(b.path("files.list")):
        list_files(b)
    floor = Floor(b)
    turns = {"cheap": Turns(b.recorder("turns-cheap", "--deep", "off"))}
    if b.peers.path["atop"]:
        argv = [b.peers.path["atop"], "-w", b.path("turns-atop.raw"), "1"]
        turns["atop"] = Turns(b.start("turns-atop", argv))
    time.sleep(8)
    for t in turns.values():
        t.rest()
    got = take(b, turns, floor)
    floor.close()
    turns["cheap"].program.stop()
    rows(b, got, floor.last)
    peer_rows(b, median(got["cheap"]))


def list_files(b):
    """What the floor has to read, where no long recording was made."""
    p = b.recorder("prepare", "--deep", "off", "--raw-log", b.path("raw.log"))
    time.sleep(62)
    p.stop()
    section_bytes.split_raw_log(b)


def take(b, turns, floor):
    got = {name: [] for name in ("floor", "scanning", "cheap", "atop")}
    length = b.size["turn"]
    for _ in range(b.size["pairs"]):
        got["cheap"].append(turns["cheap"].turn(length))
        literal, scanning = floor.turn(length)
        got["floor"].append(literal)
        got["scanning"].append(scanning)
        if "atop" in turns:
            got["atop"].append(turns["atop"].turn(b.size["atop turn"]))
    b.raw["cpu ns a tick"] = got
    return got


def rows(b, got, floor):
    against = "floor %s" % time_text(median(got["floor"]))
    ours = time_text(median(got["cheap"]))
    r = Ratio(got["cheap"], got["floor"])
    b.table.add("CPU a tick, --deep off", ours, against, r.text(), "<= 0.8", r.median <= 0.8)
    average(b, "cheap", "  the same with start and seals", against, median(got["floor"]))
    if got["atop"]:
        atop = "atop -w %s" % time_text(median(got["atop"]))
        r = Ratio(got["cheap"], got["atop"])
        b.table.add("CPU a tick, --deep off", ours, atop, r.text(True), "<= 1/15",
                    r.median <= 1 / 15)
    else:
        b.table.missing("CPU a tick, --deep off", b.peers.why_not("atop"), "<= 1/15")
    average(b, "default", "  and with deep reads", against, median(got["floor"]))
    each = bytes_text(floor["bytes"] / floor["ticks"])
    b.table.note("floor: %d processes, %d system files, %s a tick; with a look through /proc for "
                 "new processes %s." % (floor["processes"], floor["files"], each,
                                        time_text(median(got["scanning"]))))


def average(b, name, what, against, floor):
    """Over the whole of the long recording: start, key frames and seals included."""
    if name in b.snapshots:
        each = b.used[name]["cpu_ns"] / b.snapshots[name]
        r = Ratio([each], [floor])
        goal = "<= 0.8" if name == "cheap" else ""
        b.table.add(what, time_text(each), against, r.text(),
                    goal, r.median <= 0.8 if goal else None)


def peer_rows(b, ours):
    def row(label, got):
        b.raw[label] = got
        b.table.add("  beside " + label, time_text(ours), time_text(median(got)),
                    Ratio([ours], [median(got)]).text(True))

    tools = (("pidstat -r -p ALL", "pidstat", ["-r", "-p", "ALL", "1"]),
             ("sadc -S XALL, no processes", "sadc", ["-S", "XALL", "1", b.path("sa.raw")]))
    for label, tool, options in tools:
        if not b.peers.path[tool]:
            b.table.missing("  beside " + label, b.peers.why_not(tool))
            continue
        t = Turns(b.start(tool, [b.peers.path[tool]] + options))
        row(label, [t.turn(5) for _ in range(b.size["peer turns"])])
        t.program.kill()
    if not b.peers.path["smem"]:
        b.table.missing("  beside smem", b.peers.why_not("smem"))
        return
    runs = [b.start("smem", [b.peers.path["smem"]]).wait() for _ in range(1 + b.size["peer turns"])]
    row("smem, one sample", [r["cpu_ns"] for r in runs])
