# SPDX-License-Identifier: MIT
"""record.py OUT.db --subject PROGRAM --recorder pagetraild [--programs common|confusers] [--seconds S] [--seed N]
[--interval 2s]: starts programs whose memory behaves in known ways, together, records them, and writes OUT.labels.json
beside the recording: for each program its pids, whether it leaks, in which class of memory and how fast by its own
account. Runs in a PID namespace of its own (it makes one), so that nothing else is in the recording. Programs that are
not installed are left out, and said so. Units: bytes, seconds."""
import argparse
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import confusers  # noqa: E402

MIB = 1 << 20

# Mode, label, what its class of memory may be called, and its pace: MiB a minute between two bounds.
SLOW, MID, FAST = (0.12, 0.3), (0.8, 2.5), (6, 12)
C_MODES = [
    ("malloc", "leak", ["heap", "anon"], SLOW), ("malloc", "leak", ["heap", "anon"], MID),
    ("malloc", "leak", ["heap", "anon"], FAST), ("brk", "leak", ["heap"], MID), ("brk", "leak", ["heap"], SLOW),
    ("mmap", "leak", ["anon"], MID), ("mmap", "leak", ["anon"], FAST), ("mmap", "leak", ["anon"], SLOW),
    ("threads", "leak", ["anon", "stack", "arena"], MID), ("fds", "leak", ["descriptors"], (0.9, 1.3)),
    ("sockets", "leak", ["descriptors", "slab"], (0.9, 1.3)), ("memfd", "leak", ["shmem"], MID),
    ("shmfile", "leak", ["tmpfs", "shmem"], MID), ("sysv", "leak", ["shmem"], MID),
    ("sparse", "leak", ["anon", "page-tables"], MID), ("onset", "leak", ["heap", "anon"], (2, 6)),
    ("onset", "leak", ["heap", "anon"], (6, 12)), ("staircase", "leak", ["heap", "anon"], (2, 6)),
    ("fast", "leak", ["heap", "anon"], (2, 6)), ("requests", "leak", ["heap", "anon"], (3, 6)),
    ("waves", "leak", ["heap", "anon"], (3, 6)), ("workers", "leak", ["anon", "heap"], (3, 6)),
    ("restarts", "leak", ["anon", "heap"], (4, 8)),
    ("flat", "none", [], MID), ("saw", "none", [], MID), ("cap30", "none", [], MID), ("cap60", "none", [], FAST),
    ("cap60", "none", [], MID), ("cap80", "none", [], MID), ("cap95", "none", [], MID), ("log", "none", [], MID),
    ("cache", "none", [], FAST), ("warm", "none", [], MID), ("thp", "none", [], FAST), ("cow", "none", [], MID),
    ("lazyfree", "none", [], FAST), ("churn", "retention", ["heap", "anon"], MID), ("ramp", "none", [], MID),
    ("diurnal", "none", [], MID), ("batch", "none", [], MID), ("steps", "none", [], MID),
    ("okworkers", "none", [], MID), ("forks", "none", [], MID),
]


class Run:
    def __init__(self, args):
        self.args, self.random, self.entities, self.children = args, random.Random(args.seed), [], []
        self.work = tempfile.mkdtemp(prefix="labelled-")
        self.begin = None
        self.left_out = []
        self.at_end = []

    def pace(self, bounds):
        return self.random.uniform(*bounds) * MIB / 60

    def spawn(self, name, label, family, classes, rate, argv, **more):
        log = open(os.path.join(self.work, name + ".out"), "w+")
        groups = more.pop("groups", [])

        def join():
            for path in groups:
                with open(os.path.join(path, "cgroup.procs"), "w") as f:
                    f.write("0")
        child = subprocess.Popen(argv, stdout=log, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL, cwd=self.work,
                                 preexec_fn=join if groups else None)
        self.children.append(child)
        entity = {"name": name, "label": label, "family": family, "classes": classes, "pids": [child.pid],
                  "bytes_per_hour": rate * 3600 if label == "leak" else None, "log": log.name, **more}
        self.entities.append(entity)
        return child, entity

    def wait_port(self, port, seconds=30):
        for _ in range(seconds * 10):
            try:
                return socket.create_connection(("127.0.0.1", port), 1)
            except OSError:
                time.sleep(0.1)
        raise SystemExit("nothing listens on port %d" % port)

    def later(self, fn, *args):
        threading.Thread(target=fn, args=args, daemon=True).start()

    def seconds_left(self, end):
        return end - time.monotonic()


def start_c(run):
    counts = {}
    for mode, label, classes, pace in C_MODES:
        counts[mode] = counts.get(mode, 0) + 1
        name = "%s%d" % (mode, counts[mode])
        exe = os.path.join(run.work, name)
        shutil.copy(run.args.subject, exe)  # a service of its own
        rate, level = run.pace(pace), run.random.choice([0, 2 * MIB, 10 * MIB, 40 * MIB])
        if pace is SLOW:
            level = min(level, 10 * MIB)
        more = {}
        if mode == "onset":
            more["onset"] = 0.45
        if mode in ("fast", "requests", "waves", "workers", "restarts", "staircase", "fds", "sockets", "sparse"):
            more["speed_varies"] = True
        run.spawn(name, label, mode, classes, rate,
                  [exe, mode, name, "%d" % run.args.seconds, "%d" % rate, str(level), str(run.random.randrange(1, 9999))],
                  **more)


def start_scripts(run):
    python = os.path.realpath(sys.executable)
    for mode, label, classes, pace in [("list", "leak", ["anon", "heap"], MID), ("ctypes", "leak", ["heap", "anon"], MID),
                                       ("lru", "none", [], FAST), ("gc", "none", [], MID)]:
        rate = run.pace(pace)
        run.spawn("python-" + mode, label, "python", classes, rate,
                  [python, os.path.join(HERE, "subject.py"), mode, "%d" % run.args.seconds, "%.1f" % rate,
                   str(run.random.choice([0, 20 * MIB])), str(run.args.seed)],
                  **({"speed_varies": True} if mode == "list" else {}))
    node = shutil.which("node")
    for mode, label, pace in [("closure", "leak", (3, 6)), ("buffer", "leak", FAST), ("saw", "none", FAST)]:
        rate = run.pace(pace)
        if not node:
            run.left_out.append("node-" + mode)
            continue
        run.spawn("node-" + mode, label, "node", ["anon", "heap", "arena"], rate,
                  [node, os.path.join(HERE, "subject.js"), mode, "%d" % run.args.seconds, "%.1f" % rate],
                  **({"speed_varies": True} if mode == "closure" else {}))  # what an object takes is its runtime's affair


def start_java(run):
    java, javac = shutil.which("java"), shutil.which("javac")
    if not java or not javac:
        run.left_out.append("java")
        return
    subprocess.run([javac, "-d", run.work, os.path.join(HERE, "Subject.java")], check=True)
    for mode, label, classes, pace, heap in [("list", "leak", ["anon"], (6, 12), 1024),
                                             ("direct", "leak", ["anon", "heap", "arena"], (4, 8), 128),
                                             ("flat", "none", [], (60, 90), 96)]:
        rate = run.pace(pace)
        run.spawn("java-" + mode, label, "java", classes, rate,
                  [java, "-Xmx%dm" % heap, "-Xms16m", "-XX:+UseSerialGC", "-XX:MaxDirectMemorySize=1g", "-cp", run.work,
                   "Subject", mode, "%d" % run.args.seconds, "%.1f" % rate])


def feed_redis(run, connection, rate, end, account):
    done, key = 0, 0
    begin = time.monotonic()
    value = b"x" * 960
    while time.monotonic() < end:
        while done < rate * (time.monotonic() - begin):
            name = b"key:%012d" % key
            connection.sendall(b"*3\r\n$3\r\nSET\r\n$%d\r\n%s\r\n$%d\r\n%s\r\n" % (len(name), name, len(value), value))
            connection.recv(64)
            key += 1
            done += 1096  # jemalloc's classes for key, value and entry
        time.sleep(0.05)
    account["bytes"] = done


def start_redis(run, end):
    redis = shutil.which("redis-server")
    if not redis:
        run.left_out.append("redis")
        return
    port = 26379 + run.args.seed % 1000 * 8
    for i, reach in enumerate([None, 0.3, 0.6, 0.8, 0.95]):
        rate = run.pace((2, 4))
        name = "redis-leak" if reach is None else "redis-lru%d" % (reach * 100)
        argv = [redis, "--port", str(port + i), "--save", "", "--appendonly", "no", "--dir", run.work, "--bind", "127.0.0.1"]
        if reach is not None:
            argv += ["--maxmemory", str(int(1.2 * MIB + rate * run.args.seconds * reach)), "--maxmemory-policy", "allkeys-lru"]
        _, entity = run.spawn(name, "leak" if reach is None else "none", "redis", ["anon", "heap"], rate, argv,
                              speed_varies=True)
        run.later(feed_redis, run, run.wait_port(port + i), rate, end, entity)


def start_postgres(run, end):
    bins = "/usr/lib/postgresql"
    version = max(os.listdir(bins)) if os.path.isdir(bins) else None
    if not version:
        run.left_out.append("postgres")
        return
    bins = os.path.join(bins, version, "bin")
    data = os.path.join(run.work, "pg")
    os.mkdir(data)
    os.chmod(run.work, 0o755)
    shutil.chown(data, "nobody")
    port = 25432 + run.args.seed % 1000
    user = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"]
    subprocess.run(user + [bins + "/initdb", "-D", data, "-U", "postgres", "-A", "trust"], check=True,
                   stdout=subprocess.DEVNULL)
    run.spawn("postgres", "none", "postgres", [], 0,
              user + [bins + "/postgres", "-D", data, "-p", str(port), "-k", data, "-c", "shared_buffers=96MB",
                      "-c", "autovacuum=off"])
    run.wait_port(port).close()
    psql = ["psql", "-h", "127.0.0.1", "-p", str(port), "-U", "postgres", "-q", "-A", "-t", "postgres"]
    subprocess.run(psql, input=b"create table t as select i, repeat('x', 700) as s from generate_series(1, 110000) i;",
                   check=True)

    def session(name, label, classes, lines):
        client = subprocess.Popen(psql, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
        run.children.append(client)
        client.stdin.write(b"select pg_backend_pid();\n")
        pid = int(client.stdout.readline())
        run.entities.append({"name": name, "label": label, "family": "postgres", "classes": classes, "pids": [pid],
                             "bytes_per_hour": None})

        def talk():
            for line in lines():
                if time.monotonic() > end:
                    break
                try:
                    client.stdin.write(line)
                except OSError:
                    break
        threading.Thread(target=lambda: [None for _ in client.stdout], daemon=True).start()
        run.later(talk)

    def prepared():
        n = 0
        while True:
            for _ in range(6):
                n += 1
                yield b"prepare p%d as select * from t where i = $1 and s like 'a%d';\n" % (n, n)
            time.sleep(0.5)

    def warming():
        step = 110000 / (run.args.seconds * 0.8) / 2
        at = 0.0
        while at < 110000:
            yield b"select count(s) from t where i between %d and %d;\n" % (at, at + step)
            at += step
            time.sleep(0.5)
        while True:
            yield b"select 1;\n"
            time.sleep(1)

    session("postgres-prepared", "leak", ["heap", "anon"], prepared)
    session("postgres-warming", "none", [], warming)


def start_nginx(run, end):
    nginx = shutil.which("nginx")
    if not nginx:
        run.left_out.append("nginx")
        return
    conf = os.path.join(run.work, "nginx.conf")
    port = 28080 + run.args.seed % 1000
    with open(conf, "w") as f:
        f.write("worker_processes 2; daemon off; pid %s/nginx.pid; error_log /dev/null;\n"
                "events {}\nhttp { access_log off; server { listen 127.0.0.1:%d; } }\n" % (run.work, port))
    child, _ = run.spawn("nginx", "none", "nginx", [], 0, [nginx, "-c", conf, "-p", run.work])

    def reload():
        while time.monotonic() < end:
            time.sleep(run.args.seconds / 6)
            child.send_signal(signal.SIGHUP)
    run.later(reload)


def accounted(e):
    return e["label"] != "leak" or "bytes" in e or "log" not in e or any(line.startswith("bytes ") for line in open(e["log"]))


def accounts(run):
    """What each program said that it leaked."""
    for e in run.entities:
        log = e.pop("log", None)
        if not log or e["label"] != "leak" or "bytes" in e:
            continue
        for line in open(log):
            if line.startswith("bytes "):
                e["bytes"] = int(line.split()[1])


def grandchildren(run):
    """Workers and what they were replaced by: all that ever had a labelled program as its ancestor."""
    parents = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            parents[int(pid)] = int(open("/proc/%s/stat" % pid).read().rsplit(")", 1)[1].split()[1])
        except OSError:
            pass
    for e in run.entities:
        known = set(e["pids"])
        for pid in sorted(parents):
            if parents[pid] in known:
                known.add(pid)
        if e["family"] != "postgres":
            e["pids"] = sorted(known)


def start(args, run, end):
    if args.programs == "confusers":
        confusers.start(run)
        start_java(run)
        return
    start_c(run)
    start_scripts(run)
    start_java(run)
    start_redis(run, end)
    start_postgres(run, end)
    start_nginx(run, end)


def record(args, run, end, tmpfs):
    start(args, run, end)
    if run.left_out:
        print("left out, not installed:", ", ".join(run.left_out), file=sys.stderr)
    recorder = subprocess.Popen([args.recorder, "-q", "-o", args.out, "-i", args.interval, "--burst-length", "0",
                                 "--cpu-budget", "5", "-d", "%ds" % int(end - time.monotonic() - 2)])
    while recorder.poll() is None:
        grandchildren(run)
        time.sleep(0.5)
    for _ in range(100):
        if all("bytes" in e for e in run.entities if e["family"] == "redis" and e["label"] == "leak"):
            break
        time.sleep(0.1)
    for _ in range(400):  # some were started late
        if all(accounted(e) for e in run.entities):
            break
        time.sleep(0.1)
    accounts(run)
    with open(os.path.splitext(args.out)[0] + ".labels.json", "w") as f:
        json.dump({"seed": args.seed, "seconds": args.seconds, "interval": args.interval, "tmpfs": tmpfs,
                   "left_out": run.left_out, "entities": run.entities}, f, indent=1)
        f.write("\n")
    return recorder.returncode


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out")
    parser.add_argument("--subject", required=True)
    parser.add_argument("--recorder", required=True)
    parser.add_argument("--seconds", type=int, default=1500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--interval", default="2s")
    parser.add_argument("--programs", choices=["common", "confusers"], default="common")
    args = parser.parse_args()
    if "LABELLED_INSIDE" not in os.environ:
        os.environ["LABELLED_INSIDE"] = "1"
        os.execvp("unshare", ["unshare", "--fork", "--pid", "--ipc", "--mount", "--mount-proc", "--kill-child", sys.executable]
                  + sys.argv)
    run = Run(args)
    tmpfs = os.path.join(run.work, "tmpfs")
    os.mkdir(tmpfs)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2g", "labelled", tmpfs], check=True)
    os.environ["LABELLED_TMPFS"] = tmpfs
    run.begin = time.monotonic()
    end = run.begin + args.seconds
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        return record(args, run, end, tmpfs)
    finally:
        for fn in run.at_end:
            fn()
        for child in run.children:
            child.kill()
        subprocess.run(["umount", "-l", tmpfs])
        shutil.rmtree(run.work, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
