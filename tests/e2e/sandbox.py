# SPDX-License-Identifier: MIT
"""sandbox.py UNIT PROGRAM DIR [ARGUMENT]...: runs PROGRAM as systemd would run it from UNIT, with the restrictions that [Service] asks
for, made of namespaces, remounts, cgroups (v1), setpriv and seccomp. Needs root. A setting it does not know is an error,
so that unit and test cannot drift apart. The program's state directory is DIR/state, its NOTIFY_SOCKET DIR/socket.
Prints its process id and, at the end, its exit status."""
import ctypes
import os
import resource
import shutil
import subprocess
import sys

UID = 64321  # nobody's
BOX = "/mnt"
# What is left to systemd, and why nothing is lost.
IGNORED = {
    "Type", "ExecReload", "Restart", "RestartSec", "RestartPreventExitStatus", "TimeoutStartSec", "TimeoutStopSec",
    "WatchdogSec",  # not restrictions; the protocol has a test of its own
    "OOMScoreAdjust", "Nice",  # given before privileges are dropped
    "StateDirectoryMode", "UMask",  # of a directory and of files that only the program's user makes
    "IPAddressDeny", "MemorySwapMax", "RemoveIPC", "KeyringMode",  # of what the program does not use
}
libc = ctypes.CDLL(None, use_errno=True)


def service(path):
    """[(key, value)] of the section, in order."""
    section, settings = None, []
    for line in open(path):
        line = line.strip()
        if line.startswith("["):
            section = line
        elif section == "[Service]" and line and line[0] != "#":
            settings.append(tuple(line.split("=", 1)))
    return settings


def mount(*words):
    subprocess.run(["mount", *words], check=True)


def size(text):
    if text == "infinity":
        return resource.RLIM_INFINITY
    return int(text[:-1]) << {"K": 10, "M": 20, "G": 30}[text[-1]] if text[-1] in "KMG" else int(text)


# ---- the view of the file system ----


def mounts():
    """Deepest last."""
    return [line.split()[4].encode().decode("unicode_escape") for line in open("/proc/self/mountinfo")]


def read_only(path, but=()):
    for point in mounts():
        inside = path == "/" or point == path or point.startswith(path + "/")
        if inside and not any(point == b or point.startswith(b + "/") for b in but):
            subprocess.run(["mount", "-o", "remount,bind,ro", point], check=False, stderr=subprocess.DEVNULL)


def bind_read_only(path):
    if os.path.exists(path):
        mount("--rbind", path, path)
        read_only(path)


def hide(*paths):
    for path in paths:
        if os.path.isdir(path):
            mount("-t", "tmpfs", "-o", "mode=000,ro", "tmpfs", path)
        elif os.path.exists(path):
            mount("--bind", "/dev/null", path)


def tunables():
    for path in "/proc/sys", "/proc/sysrq-trigger", "/proc/fs", "/proc/irq", "/proc/bus", "/sys":
        bind_read_only(path)
    hide("/proc/kallsyms", "/proc/kcore")


FILE_SYSTEM = {
    ("ProtectHome", "yes"): lambda: hide("/home", "/root", "/run/user"),
    ("PrivateTmp", "yes"): lambda: [mount("-t", "tmpfs", "tmpfs", p) for p in ("/tmp", "/var/tmp")],
    ("ProtectKernelModules", "yes"): lambda: hide("/usr/lib/modules"),
    ("ProtectKernelTunables", "yes"): tunables,
    ("ProtectControlGroups", "yes"): lambda: bind_read_only("/sys/fs/cgroup"),
    ("ProtectSystem", "strict"): lambda: read_only("/", ("/proc", "/sys", "/dev", BOX)),
    ("ProtectHostname", "yes"): lambda: None,  # the system calls below
    ("ProtectClock", "yes"): lambda: None,  # capabilities and system calls below
    ("PrivateMounts", "yes"): lambda: None,  # this very namespace
}


# ---- control groups ----


class Groups:
    """Of the v1 controllers that are there."""

    def __init__(self):
        self.made = []

    def put(self, controller, *writes):
        root = f"/sys/fs/cgroup/{controller}"
        if not os.path.exists(f"{root}/cgroup.procs"):
            print(f"note: no {controller} controller here", flush=True)
            return
        path = f"{root}/pagetrail-test-{os.getpid()}"
        if path not in self.made:
            os.mkdir(path)
            self.made.append(path)
        for file, value in writes:
            open(f"{path}/{file}", "w").write(value)

    def devices(self, allowed):
        name, rights = allowed.split()
        of = os.stat(name).st_rdev
        usual = [f"c 1:{n} rwm" for n in (3, 5, 7, 8, 9)]
        self.put("devices", ("devices.deny", "a"), *(("devices.allow", d) for d in usual),
                 ("devices.allow", f"c {os.major(of)}:{os.minor(of)} {rights}"))

    def enter(self):
        for path in self.made:
            open(f"{path}/cgroup.procs", "w").write("0")

    def remove(self):
        for path in self.made:
            os.rmdir(path)


# ---- system calls ----


class Arg(ctypes.Structure):
    _fields_ = [("arg", ctypes.c_uint), ("op", ctypes.c_int), ("a", ctypes.c_uint64), ("b", ctypes.c_uint64)]


NE, EQ, MASKED_EQ = 1, 4, 7
ALLOW = 0x7FFF0000


def errno_action(number):
    return 0x00050000 | number


class Filter:
    def __init__(self, default):
        self.lib = ctypes.CDLL("libseccomp.so.2")
        self.lib.seccomp_init.restype = ctypes.c_void_p
        self.context = ctypes.c_void_p(self.lib.seccomp_init(ctypes.c_uint32(default)))

    def rule(self, action, name, *args):
        number = self.lib.seccomp_syscall_resolve_name(name.encode())
        if number < 0:
            return  # of another architecture
        array = (Arg * max(1, len(args)))(*args)
        if self.lib.seccomp_rule_add_array(self.context, ctypes.c_uint32(action), number, len(args), array) < 0:
            sys.exit(f"seccomp: no rule for {name}")

    def load(self):
        if self.lib.seccomp_load(self.context) < 0:
            sys.exit("seccomp: cannot load")


def expand(name):
    """The calls of a set such as @system-service."""
    if name[0] != "@":
        return {name}
    text = subprocess.run(["systemd-analyze", "syscall-filter", "--no-pager", name], check=True, capture_output=True, text=True)
    words = [w.strip() for w in text.stdout.split("\n")[1:]]
    return set().union(*(expand(w) for w in words if w and w[0] != "#"))


def system_calls(settings):
    allowed = expand("@default")
    for words in (v for k, v in settings if k == "SystemCallFilter"):
        calls = set().union(*(expand(w) for w in words.lstrip("~").split()))
        allowed = allowed - calls if words[0] == "~" else allowed | calls
    allowed |= expand("@default")  # whatever the unit takes away
    f = Filter(ALLOW)
    families = dict(settings)["RestrictAddressFamilies"].split()
    numbers = {"AF_UNIX": 1, "AF_NETLINK": 16}
    # one filter for all pairs of a call that must be none of several needs a chain: refuse the ones below 64 instead
    for family in set(range(64)) - {numbers[name] for name in families}:
        f.rule(errno_action(97), "socket", Arg(0, EQ, family, 0))
    for mask in (0x00020000, 0x02000000, 0x04000000, 0x08000000, 0x10000000, 0x20000000, 0x40000000):
        f.rule(errno_action(1), "clone", Arg(0, MASKED_EQ, mask, mask))
        f.rule(errno_action(1), "unshare", Arg(0, MASKED_EQ, mask, mask))
    f.rule(errno_action(38), "clone3")  # its flags are in memory: systemd refuses it so that clone is tried
    f.rule(errno_action(1), "setns")
    f.rule(errno_action(1), "sethostname")
    f.rule(errno_action(1), "setdomainname")
    f.rule(errno_action(1), "mmap", Arg(2, MASKED_EQ, 6, 6))
    f.rule(errno_action(1), "mprotect", Arg(2, MASKED_EQ, 4, 4))
    f.rule(errno_action(1), "shmat", Arg(2, MASKED_EQ, 0o100000, 0o100000))
    f.rule(errno_action(1), "personality", Arg(0, NE, 0, 0))
    for call, at in (("chmod", 1), ("fchmod", 1), ("fchmodat", 2), ("mkdir", 1), ("mkdirat", 2)):
        for bit in (0o4000, 0o2000):
            f.rule(errno_action(1), call, Arg(at, MASKED_EQ, bit, bit))
    f.load()
    f = Filter(errno_action(1))
    for call in allowed:
        f.rule(ALLOW, call)
    f.load()


CALLS = {
    "SystemCallFilter", "RestrictAddressFamilies", "RestrictNamespaces", "RestrictRealtime", "RestrictSUIDSGID",
    "LockPersonality", "MemoryDenyWriteExecute", "SystemCallArchitectures", "SystemCallErrorNumber",
}


# ---- all together ----


def enter(settings, program, folder, groups):
    """In the child: everything up to the exec. The second stage runs without privileges."""
    if libc.unshare(0x00020000 | 0x04000000):
        sys.exit("cannot unshare")
    mount("--make-rprivate", "/")
    mount("-t", "tmpfs", "-o", "mode=755", "tmpfs", BOX)
    shutil.copy(program, f"{BOX}/program")
    shutil.copy(__file__, f"{BOX}/sandbox.py")
    shutil.copy(sys.argv[1], f"{BOX}/unit")
    os.makedirs(f"{folder}/state", 0o700, exist_ok=True)
    os.chown(f"{folder}/state", UID, UID)
    for name, make in (("state", os.mkdir), ("socket", lambda path: open(path, "w").close())):
        make(f"{BOX}/{name}")
        mount("--bind", f"{folder}/{name}", f"{BOX}/{name}")
    groups.enter()
    privileges, limits = ["--reuid", str(UID), "--regid", str(UID), "--clear-groups"], {"NOFILE", "CORE", "MEMLOCK"}
    views = []
    for key, value in settings:
        caps = ",".join("+" + c[4:].lower() for c in value.split() if c.startswith("CAP_"))
        if (key, value) in FILE_SYSTEM:
            views.append((key, value))
        elif key == "AmbientCapabilities":
            privileges += ["--inh-caps", "-all," + caps, "--ambient-caps", "-all," + caps]
        elif key == "CapabilityBoundingSet":
            privileges += ["--bounding-set", "-all," + caps]
        elif (key, value) == ("NoNewPrivileges", "yes"):
            privileges += ["--no-new-privs"]
        elif key.startswith("Limit") and key[5:] in limits:
            limit, wanted = getattr(resource, "RLIMIT_" + key[5:]), size(value)
            try:
                resource.setrlimit(limit, (wanted, wanted))
            except ValueError:
                print(f"note: {key}={value} is more than may be had here", flush=True)
        elif key not in CALLS | IGNORED | {"ExecStart", "User", "Group", "StateDirectory", "DevicePolicy", "DeviceAllow",
                                           "MemoryMax", "TasksMax"}:
            sys.exit(f"FAILED: sandbox.py does not know {key}={value}")
    # the table's order: what is hidden is hidden before all is made read-only
    for view in FILE_SYSTEM:
        if view in views:
            FILE_SYSTEM[view]()
    os.environ.update(NOTIFY_SOCKET=f"{BOX}/socket", STATE_DIRECTORY=f"{BOX}/state")
    os.umask(0o077)
    os.chdir("/")
    os.execvp("setpriv", ["setpriv", *privileges, sys.executable, f"{BOX}/sandbox.py", "--inside", *sys.argv[4:]])


def inside():
    system_calls(service(f"{BOX}/unit"))
    os.execv(f"{BOX}/program", ["pagetraild", *sys.argv[2:]])


def main():
    unit, program, folder = sys.argv[1:4]
    settings = service(unit)
    values, groups = dict(settings), Groups()
    if values["DevicePolicy"] == "closed":
        groups.devices(values["DeviceAllow"])
    groups.put("memory", ("memory.limit_in_bytes", str(size(values["MemoryMax"]))))
    groups.put("pids", ("pids.max", values["TasksMax"]))
    child = os.fork()
    if child == 0:
        enter(settings, program, folder, groups)
    try:
        print(f"pid {child}", flush=True)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        print(f"status {status}", flush=True)
    finally:
        groups.remove()


if __name__ == "__main__":
    inside() if sys.argv[1] == "--inside" else main()
