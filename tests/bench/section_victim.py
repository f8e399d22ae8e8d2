# SPDX-License-Identifier: MIT
"""What a large process feels: one thread maps and unmaps memory, another faults pages in
(victim.c), alone, beside the recorder at its defaults, beside atop without and with -R, and during
one deep read.

The others are stopped but in their turns. By its defaults the recorder reads a process this large
deeply once an hour at most, and not in its first minutes: what a deep read does to it is measured
apart, in turns with one `pagetraild --once --deep all` each. Ten seconds are the recorder's own
interval, so each turn holds at least one snapshot."""
import subprocess
import time

from benchlib import Ratio, Turns, time_text

STALL_LIMIT_NS = 20e6
WARM = 25  # seconds in which the recorder comes to know everybody


class Victim:
    def __init__(self, b):
        self.popen = subprocess.Popen([b.tools.victim, str(b.size["victim"])], text=True,
                                      stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        if self.popen.stdout.readline() != "ready\n":
            raise RuntimeError("no memory for the victim")

    def turn(self, seconds, during=None):
        """Nanoseconds by name: map_p999, map_max, fault_p999, fault_max ..."""
        self.popen.stdin.write("%d\n" % (seconds * 1000))
        self.popen.stdin.flush()
        if during:
            during()
        w = self.popen.stdout.readline().split()
        return {k: int(v) for k, v in zip(w[::2], w[1::2])}

    def close(self):
        self.popen.stdin.close()
        self.popen.wait(60)


def measure(b):
    victim = Victim(b)
    argv = [b.tools.recorder, "-q", "-o", b.path("victim.db")]
    beside = {"recorder": Turns(b.start("victim", argv))}
    for name, option in (("atop", []), ("atop -R", ["-R"])):
        if b.peers.path["atop"]:
            argv = [b.peers.path["atop"], *option, "-w", b.path(name + ".raw"), "10"]
            beside[name] = Turns(b.start("victim-" + name, argv))
    time.sleep(WARM)
    for t in beside.values():
        t.rest()
    seconds = b.size["victim turn"]
    got = {name: [] for name in ["alone", "deep read"] + list(beside)}
    for _ in range(b.size["victim pairs"]):
        got["alone"].append(victim.turn(seconds))
        for name, turns in beside.items():
            turns.wake()
            got[name].append(victim.turn(seconds))
            turns.rest()
        got["deep read"].append(victim.turn(4, lambda: deep_read(b)))
    victim.close()
    b.raw["victim"] = got
    for name in list(beside) + ["deep read"]:
        rows(b, name, got)


def deep_read(b):
    time.sleep(0.5)
    subprocess.run([b.tools.recorder, "-q", "-o", b.path("deep.db"), "--once", "--deep", "all"],
                   check=True, timeout=60)


def rows(b, name, got):
    """The recorder at its defaults has a goal; the others are told."""
    ours = name == "recorder"
    for op, what in (("map", "mmap+munmap"), ("fault", "page fault")):
        with_it, alone = ([turn[op + "_p999"] for turn in got[n]] for n in (name, "alone"))
        r = Ratio(with_it, alone)
        b.table.add("%s p99.9 beside %s" % (what, name), time_text(middle(with_it)),
                    "alone %s" % time_text(middle(alone)), r.interval(),
                    "<= 1.05" if ours else "", r.median <= 1.05 if ours else None)
        with_it, alone = ([turn[op + "_max"] for turn in got[n]] for n in (name, "alone"))
        added = middle(with_it) - middle(alone)
        b.table.add("%s longest beside %s" % (what, name), time_text(middle(with_it)),
                    "alone %s" % time_text(middle(alone)), "added %s" % time_text(max(0, added)),
                    "<= 20 ms" if ours else "", added <= STALL_LIMIT_NS if ours else None)


def middle(values):
    return sorted(values)[len(values) // 2]
