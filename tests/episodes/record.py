# SPDX-License-Identifier: MIT
"""record.py OUT.db --subject PROGRAM --recorder pagetraild [--seed N] [--swap file|zram] [--exhaust] [--interval 2s]:
makes a swap device of known size and memory cgroups, puts programs into them through a schedule of swapping and of quiet
spans, records them, and writes OUT.labels.json beside the recording: for each span its state, when it began and ended,
who suffered and who grew, as the schedule made it; and what the programs and the driver themselves measured meanwhile
(README.md). The programs run in a PID namespace of their own, so that nothing else is in the recording. Needs root, and
that nothing else swaps. Units: MiB, seconds, percent."""
import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

MIB = 1 << 20
SWAP_MIB = 768
QUIET, BUSY = 32, 54  # seconds of a rest and of an episode
PACE = 8000  # pages a second of each thread in a lack; of more threads than THREADS, or faster ones, no page stays unused
THREADS = 4  # long enough to be put out, and the kernel kills. One thread alone reclaims while it touches nothing: any pace.
ALONE_PACE = 1000000
MARGIN = 12  # at both ends of a span, in which one state becomes another
V1 = os.path.exists("/sys/fs/cgroup/memory/memory.limit_in_bytes")
ROOT = "/sys/fs/cgroup/memory" if V1 else "/sys/fs/cgroup"
LIMIT, USAGE = ("memory.limit_in_bytes", "memory.usage_in_bytes") if V1 else ("memory.max", "memory.current")


def put(path, text):
    with open(path, "w") as f:
        f.write(text)


def say(text):
    print(time.strftime("%H:%M:%S"), text, file=sys.stderr, flush=True)


class Group:
    """A memory cgroup, without a limit at first."""

    def __init__(self, parent, name):
        self.path, self.mib = os.path.join(parent, name), None
        os.mkdir(self.path)
        if V1:  # who touches faster than the kernel can put out waits, and is not killed
            put(os.path.join(self.path, "memory.oom_control"), "1")

    def relieve(self):
        """Gives those who wait for want of memory a little more for a moment."""
        if V1 and self.mib and "under_oom 1" in open(os.path.join(self.path, "memory.oom_control")).read():
            for mib in (self.mib + 4, self.mib):
                try:
                    put(os.path.join(self.path, LIMIT), "%d" % (mib * MIB))
                except OSError:  # it is more again
                    pass

    def limit(self, mib):
        self.mib = mib
        if not mib:
            return put(os.path.join(self.path, LIMIT), "-1" if V1 else "max")
        for _ in range(200):  # the kernel gives up, or kills, where pages are used faster than it can put them out
            now = max(mib, self.usage() * 0.9)
            try:
                put(os.path.join(self.path, LIMIT), "%d" % (now * MIB))
                if now == mib:
                    return None
            except OSError:
                pass
            time.sleep(0.05)
        raise SystemExit("the limit of '%s' cannot be set" % self.path)

    def usage(self):
        return int(open(os.path.join(self.path, USAGE)).read()) / MIB


class Witness:
    """What the driver itself reads, each second: (time, values)."""

    def __init__(self, device):
        self.device, self.rows = device, []

    def read(self):
        row = {"time": time.time()}
        vmstat = dict(line.split() for line in open("/proc/vmstat"))
        row["in"], row["out"] = int(vmstat["pswpin"]) / 256, int(vmstat["pswpout"]) / 256
        for line in open("/proc/pressure/memory"):
            row[line.split()[0]] = int(line.rsplit("=", 1)[1]) / 1e6
        for line in open("/proc/meminfo"):
            key, value = line.split()[:2]
            if key in ("MemTotal:", "MemAvailable:", "SwapTotal:", "SwapFree:"):
                row[key[:-1]] = int(value) / 1024
        row["others"] = sum(int(line.split()[3]) for line in open("/proc/swaps").readlines()[1:]
                            if not line.startswith(self.device + " ")) / 1024
        self.rows.append(row)
        return row

    def over(self, begin, end):
        rows = [r for r in self.rows if begin <= r["time"] <= end] or self.rows[-1:]
        first, last = rows[0], rows[-1]
        span = max(last["time"] - first["time"], 1e-3)
        used = [r["SwapTotal"] - r["SwapFree"] for r in rows]
        return {"in": round((last["in"] - first["in"]) / span, 3), "out": round((last["out"] - first["out"]) / span, 3),
                "some": round(100 * (last["some"] - first["some"]) / span, 2),
                "full": round(100 * (last["full"] - first["full"]) / span, 2), "swap_used": round(min(used), 1), "others": round(max(r["others"] for r in rows) - min(r["others"] for r in rows), 1),
                "swap_free_percent": round(100 * max(r["SwapFree"] for r in rows) / rows[0]["SwapTotal"], 1),
                "available_percent": round(100 * max(r["MemAvailable"] for r in rows) / rows[0]["MemTotal"], 1)}


def held(witness, span):
    """Seconds of a span, in pieces of ten, in which what its state is about goes at 1 MiB/s or more."""
    keys, seconds = ("in", "out") if span["state"] == "churn" else ("out",), 0
    begin = span["from"]
    while begin + 10 <= span["to"]:
        piece = witness.over(begin, begin + 10)
        seconds += 10 * all(piece[key] >= 1 for key in keys)
        begin += 10
    return seconds


def sound(span, churn, threads):
    """That the span became what the schedule meant it to be: the reasons why not."""
    w, stalls, why = span["witness"], span["stall_percent"], []

    def need(what, holds):
        if not holds:
            why.append(what)
    state = span["state"]
    suffering = [stalls.get(str(pid)) for pid in span["victims"]]
    if None in suffering:
        return ["one that should suffer has gone"]
    need("nothing moves in other swap", w["others"] < 1)
    need("everybody lives", not span["gone"])
    if state in ("none", "parked"):
        need("swap in use" if state == "parked" else "no swap in use", (w["swap_used"] > 1) == (state == "parked"))
        need("in + out under 0.3 MiB/s", span["kind"] in ("burst", "wake") or w["in"] + w["out"] < 0.3)
    if state == "swap-out-pressure":
        need("1 MiB/s out for 30 s", span["held"] >= 30)
        need("little in", w["in"] < 0.1 * w["out"])
    if state == "churn":
        need("1 MiB/s in and out for 30 s", span["held"] >= 30)
        need("the time of the touchers in faults as it should be", 0.3 <= sum(suffering) * 10 / churn <= 1.7)
    if state == "thrash":
        need("each toucher for half of its time in faults", min(suffering) >= 50 * threads)
    if state == "exhaustion-risk":
        need("little swap and memory", w["swap_free_percent"] < 10 and w["available_percent"] < 10)
    return why


class Run:
    def __init__(self, args):
        self.args, self.random = args, random.Random(args.seed)
        self.witness, self.spans, self.programs, self.groups = Witness(args.device), [], {}, []

    def group(self, name):
        self.groups.append(Group(self.args.cgroup, "%s%d" % (name, len(self.groups) + 1)))
        return self.groups[-1]

    def start(self, name, group, role, **what):
        log = os.path.join(self.args.work, "%d-%s.out" % (len(self.programs), name))
        child = subprocess.Popen([self.args.subject, name, group.path, role] + ["%s=%s" % i for i in what.items()],
                                 stdout=open(log, "w"), stdin=subprocess.DEVNULL)
        program = {"name": name, "role": role, "pid": child.pid, "child": child, "log": log}
        self.programs[child.pid] = program
        while "ready" not in open(log).read():
            if child.poll() is not None:
                raise SystemExit("'%s' did not start" % name)
            time.sleep(0.05)
        return child.pid

    def stop(self, *pids):
        for pid in pids:
            self.programs[pid]["child"].kill()
        for pid in pids:
            self.programs[pid]["child"].wait()

    def go(self, pid):
        self.programs[pid]["child"].send_signal(signal.SIGUSR1)

    def limit_still(self, pid, group, mib):
        """Sets a limit that the kernel would never reach while the program touches what it has."""
        self.programs[pid]["child"].send_signal(signal.SIGSTOP)
        group.limit(mib)
        self.programs[pid]["child"].send_signal(signal.SIGCONT)

    def watch(self, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.witness.read()
            for _ in range(5):
                for group in self.groups:
                    group.relieve()
                time.sleep(min(0.2, max(0, end - time.monotonic())))

    def span(self, kind, state, seconds, victims=(), aggressors=(), either=(), begin=None):
        """A labelled span; its programs were told before what to do. Either: who may suffer or not."""
        begin = begin or time.time()
        self.watch(seconds - (time.time() - begin))
        end = time.time()
        self.spans.append({"kind": kind, "state": state, "from": begin, "to": end, "victims": list(victims),
                           "aggressors": list(aggressors), "either": list(either),
                           "gone": [p for p in (*victims, *aggressors) if self.programs[p]["child"].poll() is not None]})
        say("%-12s %-18s %s" % (kind, state, self.witness.over(begin, end)))

    def rest(self, kind="rest", seconds=QUIET):
        used = self.witness.read()
        self.span(kind, "parked" if used["SwapTotal"] - used["SwapFree"] > 1 else "none", seconds)

    def pick(self, low, high):
        return self.random.uniform(low, high)

    # ---- the schedule's parts ----

    def flood(self):
        """A file is read over and over through a cgroup that holds a part of it."""
        group = self.group("files")
        group.limit(64)
        reader = self.start("reader", group, "read", path=self.args.file, kib=int(self.pick(15, 40) * 1024))
        self.rest("flood", 45)
        self.stop(reader)

    def park(self):
        """Cold memory is put out at once and stays there."""
        group = self.group("services")
        pids = [self.start("cold%d" % i, group, "hold", mib=int(self.pick(20, 60))) for i in range(3)]
        self.rest()
        begin = time.time()
        group.limit(8)
        self.span("burst", "parked", QUIET, begin=begin)
        return group, pids

    def wake(self, group, pids):
        group.limit(None)
        begin = time.time()
        self.go(pids[0])
        self.span("wake", "parked", QUIET, begin=begin)

    def trickle(self):
        group = self.group("mail")
        pid = self.start("mailer", group, "hold", mib=int(self.pick(30, 80)), trickle=1)
        group.limit(8)
        self.rest("burst")
        self.rest("trickle", 45)
        self.stop(pid)

    def grower(self, slow):
        """Growth at the limit of a cgroup puts out what others there leave cold, then its own; then it stops."""
        group = self.group("batch")
        idle = [self.start("idle%d" % i, group, "hold", mib=int(self.pick(10, 50))) for i in range(2)]
        kib = int(self.pick(1.5, 3) * 1024) if slow else int(self.pick(4, 8) * 1024)
        pid = self.start("import", group, "grow", mib=20, to=20 + kib * BUSY // 1024, kib=kib)
        self.rest()
        group.limit(group.usage() + 1)
        begin = time.time()
        self.go(pid)
        self.span("grower", "swap-out-pressure", BUSY, aggressors=[pid], begin=begin)
        self.watch(3)
        self.rest("after")
        self.stop(pid, *idle)

    def bystanders(self):
        """One that grows and one that is busy, both with all the memory they want."""
        group = self.group("elsewhere")
        return [self.start("report", group, "grow", mib=10, to=2000, kib=int(self.pick(0.4, 1.2) * 1024)),
                self.start("busy", group, "touch", mib=int(self.pick(20, 80)), pace=20000)]

    def lack(self, state, beside):
        """The limits of programs, each in a cgroup of its own, fall under what they touch: nobody grows."""
        n = self.random.choice([1, 2]) if state == "churn" else self.random.choice([2, 3])
        threads = self.random.choice([1, 2]) if state == "churn" else self.args.threads
        pace = ALONE_PACE if state == "thrash" and threads == 1 else PACE
        mib = [int(self.pick(40, 100)) for _ in range(n)]
        groups = [self.group("shop") for _ in range(n)]
        pids = [self.start("shop%d" % i, groups[i], "touch", mib=mib[i], threads=threads, write=int(self.pick(70, 100)),
                           pace=pace, stall=self.args.churn // (n * threads) if state == "churn" else 1000) for i in range(n)]
        idle = self.start("helper", groups[0], "hold", mib=int(self.pick(10, 30)))
        others = self.bystanders() if beside else []
        self.rest()
        begin = time.time()
        for pid in others[:1]:
            self.go(pid)
        for i in range(n):
            self.limit_still(pids[i], groups[i], mib[i] * (self.pick(0.7, 0.85) if state == "churn" else
                                                              self.pick(0.3, 0.5)))
        self.span("lack" + ("+others" if beside else ""), state, BUSY, victims=pids, begin=begin)
        self.stop(idle, *pids, *others)

    def squeeze(self, state, locked):
        """One grows in a cgroup that is full: what it takes, the others there touch."""
        group = self.group("site")
        stall = 1000 if state == "thrash" else self.args.churn if locked else self.args.churn // 2
        kib = int(self.pick(1, 1.5) * 1024)
        idle = self.start("spare", group, "hold", mib=4)
        victim = self.start("web", group, "touch", mib=int(self.pick(80, 105)), stall=stall,
                            threads=self.args.threads if state == "thrash" else 1,
                            pace=ALONE_PACE if state == "thrash" and self.args.threads == 1 else 5000)
        grower = self.start("cache", group, "grow", mib=20, to=20 + kib * BUSY // 1024, kib=kib, lock=int(locked),
                            hot=int(not locked), stall=stall, pace=40000)
        self.rest()
        begin = time.time()
        self.limit_still(victim, group, group.usage() - 4)
        self.go(grower)
        self.span("squeeze+" + ("locked" if locked else "hot"), state, BUSY, begin=begin, aggressors=[grower],
                  victims=[victim], either=[] if locked else [grower])
        self.stop(idle, victim, grower)

    def exhaust(self):
        """Swap is full of cold memory; then somebody takes nearly all the rest."""
        group = self.group("archive")
        used = self.witness.read()
        filler = self.start("archive", group, "hold", mib=int(used["SwapFree"] - 0.06 * used["SwapTotal"]))
        self.rest()
        begin = time.time()
        group.limit(8)
        self.span("full", "parked", QUIET + 10, begin=begin)
        group = self.group("hog")
        put(os.path.join(group.path, "memory.swappiness" if V1 else "memory.swap.max"), "0")
        total = used["MemTotal"]
        hog = self.start("hog", group, "available", mib=int(total * 0.085), floor=int(total * 0.06))
        while self.witness.read()["MemAvailable"] > total * 0.1:
            time.sleep(0.2)
        self.span("exhaust", "exhaustion-risk", BUSY - 15)
        if self.programs[hog]["child"].poll() is not None:
            raise SystemExit("memory ran too low: the hog has gone")
        self.stop(hog)
        self.rest()
        self.stop(filler)

    def schedule(self):
        parts = {"flood": self.flood, "trickle": self.trickle, "exhaust": self.exhaust,
                 "grow-slowly": lambda: self.grower(True), "grow-fast": lambda: self.grower(False),
                 "churn": lambda: self.lack("churn", False), "churn-beside": lambda: self.lack("churn", True),
                 "thrash": lambda: self.lack("thrash", False), "thrash-beside": lambda: self.lack("thrash", True),
                 "squeeze-locked": lambda: self.squeeze("thrash", True),
                 "squeeze-hot": lambda: self.squeeze("churn", False)}
        if self.args.parts:
            for name in self.args.parts.split(","):
                parts[name]()
            return
        self.rest("nothing")
        self.flood()
        group, pids = self.park()
        order = ["flood", "trickle", "squeeze-locked", "squeeze-hot", self.random.choice(["grow-slowly", "grow-fast"])]
        order += ["churn-beside", "thrash"] if self.args.seed % 2 else ["churn", "thrash-beside"]
        self.random.shuffle(order)
        for name in order:
            parts[name]()
        self.rest()
        if self.args.exhaust:
            self.exhaust()
        self.wake(group, pids)

    def measured(self, program, begin, end):
        """Percent of the time between that a program spent in faults, by its own account: the sum of its threads."""
        rows = [[float(x) for x in line.split()] for line in open(program["log"]) if line[0].isdigit()]
        rows = [r for r in rows if len(r) == 4 and begin <= r[0] <= end]
        return round(100 * (rows[-1][1] - rows[0][1]) / (rows[-1][0] - rows[0][0]), 2) if len(rows) > 1 else None

    def finish(self):
        for s in self.spans:
            begin, end = s["from"] + MARGIN, s["to"] - MARGIN
            s["witness"] = self.witness.over(begin, end)
            s["stall_percent"] = {str(p["pid"]): self.measured(p, begin, end) for p in self.programs.values()}
            s["stall_percent"] = {k: v for k, v in s["stall_percent"].items() if v is not None}
            s["held"] = held(self.witness, s)
            s["unsound"] = sound(s, self.args.churn, self.args.threads)
            if s["unsound"]:
                say("not what it was meant to be: %s %s: %s: %s, stalls %s" % (
                    s["kind"], s["state"], "; ".join(s["unsound"]), s["witness"], s["stall_percent"]))


def inside(args):
    """In the namespace: the recorder, the schedule, the labels."""
    run = Run(args)
    args.file = os.path.join(args.work, "file")
    with open(args.file, "wb") as f:
        for _ in range(400):
            f.write(os.urandom(MIB))
        f.flush()
        os.fsync(f.fileno())
        os.posix_fadvise(f.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    recorder = subprocess.Popen([args.recorder, "-q", "-o", args.out, "-i", args.interval, "--burst-length", "0",
                                 "--cpu-budget", "5"])
    try:
        time.sleep(3)
        run.schedule()
        recorder.terminate()
        if recorder.wait() != 0:
            raise SystemExit("the recorder failed")
    finally:
        recorder.kill()
        for p in run.programs.values():
            p["child"].kill()
            p["child"].wait()
    run.finish()
    with open(os.path.splitext(args.out)[0] + ".labels.json", "w") as f:
        json.dump({"seed": args.seed, "churn": args.churn, "threads": args.threads, "interval": args.interval,
                   "swap": args.swap, "swap_mib": SWAP_MIB, "margin": MARGIN, "programs": {str(pid): {"name": p["name"], "role": p["role"]}
                                                  for pid, p in run.programs.items()}, "spans": run.spans}, f, indent=1)
        f.write("\n")


def make_swap(args):
    """The device, and what takes it away."""
    if args.swap == "zram":
        n = int(open("/sys/class/zram-control/hot_add").read())
        put("/sys/block/zram%d/disksize" % n, str(SWAP_MIB * MIB))
        device, gone = "/dev/zram%d" % n, lambda: put("/sys/class/zram-control/hot_remove", str(n))
    else:
        device = os.path.join(args.work, "swapfile")
        gone = lambda: os.unlink(device)
        with open(device, "wb") as f:
            os.fchmod(f.fileno(), 0o600)
            for _ in range(SWAP_MIB):
                f.write(bytes(MIB))
    subprocess.run(["mkswap", device], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    subprocess.run(["swapon", "--priority", "100", device], check=True)
    args.device = device
    return lambda: (subprocess.run(["swapoff", device], check=True), gone())


def rmdir(path):
    for _ in range(100):
        try:
            return os.rmdir(path)
        except OSError:
            time.sleep(0.1)
    raise SystemExit("'%s' cannot be removed" % path)


def outside(args):
    """The swap device, the cgroups and the namespace, and their end whatever happens."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    args.work = tempfile.mkdtemp(prefix="episodes-")
    args.cgroup = os.path.join(ROOT, "episodes")
    os.mkdir(args.cgroup)
    if not V1:
        put(os.path.join(args.cgroup, "cgroup.subtree_control"), "+memory")
    child, no_swap = None, lambda: None
    try:
        no_swap = make_swap(args)
        child = subprocess.Popen(["unshare", "--fork", "--pid", "--ipc", "--mount", "--mount-proc", "--kill-child",
                                  sys.executable] + sys.argv + ["--work", args.work, "--cgroup", args.cgroup,
                                                 "--device", args.device])
        return child.wait()
    finally:
        if child and child.poll() is None:
            child.kill()
            child.wait()
        for name in os.listdir(args.cgroup):
            if os.path.isdir(os.path.join(args.cgroup, name)):
                rmdir(os.path.join(args.cgroup, name))
        rmdir(args.cgroup)
        no_swap()
        shutil.rmtree(args.work)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out")
    parser.add_argument("--subject", required=True)
    parser.add_argument("--recorder", required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--swap", choices=["file", "zram"], default="file")
    parser.add_argument("--exhaust", action="store_true", help="with a span in which memory nearly runs out")
    parser.add_argument("--churn", type=int, default=70, help="time in faults of all touchers of a churn, in a thousand")
    parser.add_argument("--threads", type=int, default=THREADS, help="of each toucher in a thrash")
    parser.add_argument("--parts", help="only these parts of the schedule, in this order; with commas")
    parser.add_argument("--interval", default="2s")
    parser.add_argument("--work", help=argparse.SUPPRESS)
    parser.add_argument("--cgroup", help=argparse.SUPPRESS)
    parser.add_argument("--device", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.work:
        inside(args)
        return 0
    return outside(args)


if __name__ == "__main__":
    sys.exit(main())
