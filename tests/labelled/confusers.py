# SPDX-License-Identifier: MIT
"""What record.py --programs confusers starts: what is no program's own memory (page cache, dentries), what is swapped out
in a memory cgroup with a swap file of its own, runtimes that collect garbage, and stressors. Units: bytes, seconds."""
import os
import shutil
import subprocess
import time

HERE = os.path.dirname(os.path.abspath(__file__))
MIB = 1 << 20
SWAP = 512 * MIB
# Controller and file of cgroup v1, file of v2.
MEMORY = ("memory", "memory.limit_in_bytes", "memory.max")
CPU = ("cpu", "cpu.cfs_quota_us", "cpu.max")
PARK_AT = 0.3  # of the time

# Name, mode of subject.c, label, classes, MiB a minute, MiB held from the start, MiB of its cgroup (None: in none).
C_PROGRAMS = [
    ("flood1", "flood", "none", [], (20, 40), 0, None), ("flood2", "flood", "none", [], (2, 6), 10, None),
    ("dentry1", "dentry", "none", [], (2, 4), 0, None),
    ("swapped1", "malloc", "leak", ["heap", "anon"], (0.8, 2.5), 10, 12), ("swapped2", "mmap", "leak", ["anon"], (2, 5), 2, 8),
    ("swapped3", "malloc", "leak", ["heap", "anon"], (2, 5), 40, 16), ("swappedcap1", "cap60", "none", [], (2, 5), 2, 10),
    ("swappedsaw1", "saw", "none", [], (0.8, 2.5), 2, 12), ("swappedlog1", "log", "none", [], (1, 3), 2, 12),
    ("parked1", "flat", "none", [], (1, 1), 60, 80), ("parked2", "flat", "none", [], (1, 1), 30, 40),
]


class Places:
    """Control groups and a swap file, gone with it."""

    def __init__(self, run):
        self.run, self.dirs, self.swap = run, [], os.path.join(run.work, "swapfile")

    def swap_on(self):
        with open(self.swap, "wb") as f:
            for _ in range(SWAP // MIB):
                f.write(bytes(MIB))
        os.chmod(self.swap, 0o600)
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        return subprocess.run(["mkswap", self.swap], **quiet).returncode == 0 and \
            subprocess.run(["swapon", self.swap], **quiet).returncode == 0

    def group(self, name, kind, value):
        """The directory of a new group with that limit; None: there is no such controller."""
        controller, old, new = kind
        root = "/sys/fs/cgroup"
        first = os.path.exists(os.path.join(root, controller))
        path = os.path.join(root, controller if first else "", "labelled-%d-%s" % (self.run.args.seed, name))
        try:
            os.mkdir(path)
            self.dirs.append(path)
            with open(os.path.join(path, old if first else new), "w") as f:
                f.write(str(value))
        except OSError:
            return None
        return path

    def release(self):
        for child in self.run.children:
            child.kill()
            child.wait()
        for path in self.dirs:
            for _ in range(50):
                try:
                    for pid in open(os.path.join(path, "cgroup.procs")).read().split():
                        os.kill(int(pid), 9)
                    os.rmdir(path)
                    break
                except OSError:
                    time.sleep(0.1)
        if os.path.exists(self.swap):
            subprocess.run(["swapoff", self.swap], stderr=subprocess.DEVNULL)


def limit(path, value):
    for name in MEMORY[1:]:
        if os.path.exists(os.path.join(path, name)):
            with open(os.path.join(path, name), "w") as f:
                f.write(str(value))


def start_c(run, places):
    swap = places.swap_on()
    for name, mode, label, classes, pace, level, room in C_PROGRAMS:
        group = places.group(name, MEMORY, (room + level if label == "leak" else room) * MIB) if room and swap else None
        if room and not group:
            run.left_out.append(name)
            continue
        exe = os.path.join(run.work, name)
        shutil.copy(run.args.subject, exe)
        rate = run.pace(pace)
        family = "swapped" if room else mode
        run.spawn(name, label, family, classes, rate,
                  [exe, mode, name, str(run.args.seconds), "%d" % rate, str(level * MIB), str(run.random.randrange(1, 9999))],
                  groups=[group] if group else [])
        if name.startswith("parked"):
            run.later(lambda path=group, least=level: (time.sleep(run.args.seconds * PARK_AT), limit(path, least * MIB // 5)))


def start_go(run):
    go = shutil.which("go")
    exe = os.path.join(run.work, "subject-go")
    env = dict(os.environ, HOME=run.work, GOCACHE=os.path.join(run.work, "build-cache"), GO111MODULE="off", GOFLAGS="")
    if not go or subprocess.run([go, "build", "-o", exe, os.path.join(HERE, "subject.go")], env=env).returncode:
        run.left_out.append("go")
        return
    for mode, label, pace in [("leak", "leak", (2, 5)), ("saw", "none", (40, 60)), ("cache", "none", (2, 5))]:
        own = os.path.join(run.work, "go-" + mode)
        shutil.copy(exe, own)
        rate = run.pace(pace)
        run.spawn("go-" + mode, label, "go", ["anon"] if label == "leak" else [], rate,
                  [own, mode, str(run.args.seconds), "%.1f" % rate], **({"speed_varies": True} if label == "leak" else {}))


def start_stressors(run, places):
    """Within bounds, each at a twentieth of a CPU."""
    program = shutil.which("stress-ng")
    kinds = {"vm": ["--vm", "2", "--vm-bytes", "40M", "--vm-hang", "7"], "malloc": ["--malloc", "1", "--malloc-bytes", "512K", "--malloc-max", "64"],
             "bigheap": ["--bigheap", "1", "--bigheap-bytes", "48M"], "mmap": ["--mmap", "1", "--mmap-bytes", "24M"]}
    for kind, options in kinds.items():
        group = places.group("stress-" + kind, CPU, 5000) if program else None
        if not group:
            run.left_out.append("stress-" + kind)
            continue
        own = os.path.join(run.work, "stress-" + kind)
        shutil.copy(program, own)
        run.spawn("stress-" + kind, "none", "stress", [], 0,
                  [own, *options, "--timeout", "%ds" % (run.args.seconds + 60), "--temp-path", run.work, "--quiet"],
                  groups=[group])


def start(run):
    places = Places(run)
    run.at_end.append(places.release)
    start_c(run, places)
    start_go(run)
    start_stressors(run, places)
