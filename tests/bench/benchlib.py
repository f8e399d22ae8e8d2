# SPDX-License-Identifier: MIT
"""What the sections of the benchmark stand on: metered programs, turns, peers, ratios, the table.

Standard library only. Units: seconds, bytes; nanoseconds of CPU time where a name ends in _ns."""
import math
import os
import re
import shutil
import signal
import sqlite3
import statistics
import subprocess
import sys
import time

PEERS = {"atop": "atop", "sadc": "sysstat", "pidstat": "sysstat", "smem": "smem", "zstd": "zstd"}
SADC_PLACES = ["/usr/lib/sysstat/sadc", "/usr/lib64/sa/sadc", "/usr/lib/sa/sadc"]


def say(text):
    """Progress, on standard error: the table alone goes to standard output."""
    print(time.strftime("%H:%M:%S"), text, file=sys.stderr, flush=True)


def cpu_ns(pid):
    """CPU time of all threads of a process so far, ended ones included."""
    return time.clock_gettime_ns(((~pid) << 3) | 2)  # the kernel's CPU clock of another process


class Metered:
    """A program under bench_meter: it dies with us, and its own peak memory is known at its end."""

    def __init__(self, meter, result, argv, stdout=subprocess.DEVNULL):
        self.result, self.argv, self.pid = result, argv, None
        if os.path.exists(result):
            os.unlink(result)
        with open(result + ".err", "w") as err:
            self.popen = subprocess.Popen(
                [meter, result] + argv, stdin=subprocess.DEVNULL, stdout=stdout, stderr=err
            )
        deadline = time.monotonic() + 5
        while self.pid is None and time.monotonic() < deadline:
            self.pid = self._result().get("pid")
            time.sleep(0.002)
        if self.pid is None:
            raise RuntimeError("%s did not start" % argv[0])

    def _result(self):
        try:
            with open(self.result) as f:
                words = f.read().split()
        except OSError:
            return {}
        return {k: int(v) for k, v in zip(words[::2], words[1::2])}

    def running(self):
        return self.popen.poll() is None

    def send(self, sig):
        os.kill(self.pid, sig)

    def io(self):
        """wchar, write_bytes ... so far; {} when it has ended."""
        try:
            with open("/proc/%d/io" % self.pid) as f:
                return {k: int(v) for k, v in (line.split(": ") for line in f)}
        except (OSError, ValueError):
            return {}

    def kept_descriptors(self):
        """Descriptors of files of processes that it holds open."""
        place = "/proc/%d/fd" % self.pid
        n = 0
        for name in os.listdir(place):
            try:
                n += bool(re.match(r"/proc/\d+/", os.readlink(os.path.join(place, name))))
            except OSError:
                pass
        return n

    def wait(self, timeout=120):
        """status, wall_ns, cpu_ns, rss_kb; a program that failed is an error."""
        try:
            self.popen.wait(timeout)
        except subprocess.TimeoutExpired:
            self.send(signal.SIGKILL)
            self.popen.wait(5)
            raise RuntimeError("%s did not end in %d s" % (self.argv[0], timeout))
        result = self._result()
        if "status" not in result:
            raise RuntimeError("%s left no result" % self.argv[0])
        if result["status"]:
            with open(self.result + ".err", errors="replace") as f:
                what = " ".join(f.read().split())[-300:]
            raise RuntimeError("%s: status %d: %s" % (self.argv[0], result["status"], what))
        return result

    def stop(self):
        """Ends a recorder as its users do."""
        if self.running():
            self.send(signal.SIGCONT)
            self.send(signal.SIGTERM)
        return self.wait()

    def kill(self):
        if self.running():
            self.send(signal.SIGKILL)
            self.popen.wait(10)


class Turns:
    """A program that is stopped but for its turns, so that one runs at a time."""

    SETTLE = 2.5  # what piled up while it was stopped is read in this time, which does not count

    def __init__(self, program):
        self.program = program
        self.asleep = False

    def rest(self):
        self.program.send(signal.SIGSTOP)
        self.asleep = True

    def wake(self):
        if self.asleep:
            self.program.send(signal.SIGCONT)
        self.asleep = False
        time.sleep(self.SETTLE)

    def turn(self, length):
        """CPU nanoseconds a second over a turn."""
        self.wake()
        start, before = time.monotonic_ns(), cpu_ns(self.program.pid)
        time.sleep(length)
        after, end = cpu_ns(self.program.pid), time.monotonic_ns()
        self.rest()
        return (after - before) * 1e9 / (end - start)


class Peers:
    """Other recorders and tools: where they are, or why not."""

    def __init__(self):
        packages = sorted({PEERS[name] for name in PEERS if not self.find(name)})
        if packages and os.geteuid() == 0 and shutil.which("apt-get"):
            say("installing %s" % " ".join(packages))
            install = ["install", "-y", "-q"] + packages
            if self.apt(install) != 0:
                self.apt(["update", "-q"])
                self.apt(install)
        self.path = {name: self.find(name) for name in PEERS}

    @staticmethod
    def apt(arguments):
        env = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        return subprocess.run(["apt-get"] + arguments, env=env, **quiet).returncode

    @staticmethod
    def find(name):
        if name == "sadc":
            return next((p for p in SADC_PLACES if os.access(p, os.X_OK)), None)
        return shutil.which(name)

    @staticmethod
    def why_not(name):
        return "%s is not installed (package %s)" % (name, PEERS[name])


class Account:
    """What a recording says of the recorder itself, snapshot by snapshot."""

    def __init__(self, b, recorder):
        path = recorder.argv[recorder.argv.index("-o") + 1]
        self.all = []
        db = sqlite3.connect("file:%s?mode=ro" % path, uri=True)
        numbers = [row[0] for row in db.execute("select n from snapshot order by n")]
        # snapshots that pressure, an OOM kill, little memory or a signal called for: dear ones
        self.triggers, = db.execute("select count(*) from snapshot where trigger between 4 and 7").fetchone()
        db.close()
        for n in numbers:
            argv = [b.tools.analyzer, "show", path, "text", "self:account", "--at", "@%d" % n]
            out = subprocess.run(argv, check=True, stdout=subprocess.PIPE, text=True).stdout
            self.all.append({k: int(v) for k, v in (line.split() for line in out.splitlines())})

    def at(self, index):
        return self.all[index]


class Ratio:
    """The median of ratios of pairs measured one after the other."""

    def __init__(self, values, against):
        r = [a / b for a, b in zip(values, against)]
        self.median, self.pairs = statistics.median(r), len(r)
        self.least, self.most = min(r), max(r)
        self.sorted = sorted(r)

    def interval(self):
        """The median and the interval it is in with 95% certainty, by the order of the pairs."""
        n, low, chance = self.pairs, 0, 0.0
        while low < (n - 1) // 2 and (chance := chance + math.comb(n, low) / 2 ** n) <= 0.025:
            low += 1
        low = max(0, low - 1)
        return "%.3f (%d pairs, %.3f..%.3f)" % (
            self.median, n, self.sorted[low], self.sorted[n - 1 - low])

    def text(self, inverse=False):
        """As 0.62, or inverse as 1/17.3."""
        def one(x):
            return "1/%.1f" % (1 / x) if inverse and x < 1 else "%.3f" % x

        if self.pairs == 1:
            return one(self.median)
        return "%s (%d pairs, %s..%s)" % (
            one(self.median), self.pairs, one(self.least), one(self.most))


def bytes_text(n):
    for unit, size, least in (("MiB", 1 << 20, 1 << 20), ("KiB", 1 << 10, 2 << 10)):
        if n >= least:
            return "%.1f %s" % (n / size, unit)
    return "%d B" % n


def time_text(ns):
    return "%.2f s" % (ns / 1e9) if ns >= 1e9 else "%.2f ms" % (ns / 1e6)


class Table:
    HEAD = ("measure", "value", "against", "ratio", "goal", "met")

    def __init__(self):
        self.rows = []
        self.notes = []

    def add(self, measure, value, against="", ratio="", goal="", met=None):
        """met: True, False, or None where there is no goal or nothing could be measured."""
        word = {True: "yes", False: "NO", None: "?" if goal else ""}[met]
        self.rows.append((measure, value, against, ratio, goal, word))
        say("| " + " | ".join(x for x in self.rows[-1] if x))

    def missing(self, measure, why, goal=""):
        self.add(measure, "not measured", why, "", goal)

    def note(self, text):
        self.notes.append(text)
        say(text)

    def text(self):
        rows = [self.HEAD] + self.rows
        width = [max(len(r[i]) for r in rows) for i in range(len(self.HEAD))]
        lines = ["  ".join(x.ljust(w) for x, w in zip(r, width)).rstrip() for r in rows]
        lines.insert(1, "  ".join("-" * w for w in width))
        return "\n".join(lines + [""] + self.notes)
