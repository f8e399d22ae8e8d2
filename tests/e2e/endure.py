#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""endure.py PID: tries to push a process's memory out, as a reclaiming kernel would. Prints how many KiB were resident
before, after, and locked; exits 77 where this kernel does not know how."""
import ctypes
import re
import sys

PIDFD_OPEN, PROCESS_MADVISE, PAGEOUT, ENOSYS = 434, 440, 21, 38
libc = ctypes.CDLL(None, use_errno=True)


class Range(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("size", ctypes.c_size_t)]


def field(path, name):
    with open(path) as f:
        return sum(int(n) for n in re.findall(r"^%s:\s+(\d+)" % name, f.read(), re.M))


def push_out(pid):
    pidfd = libc.syscall(PIDFD_OPEN, pid, 0)
    if pidfd < 0:
        sys.exit(77)
    with open("/proc/%d/maps" % pid) as f:
        ranges = [line.split()[0].split("-") for line in f if line[0] != "f"]
    for start, end in ranges:
        r = Range(int(start, 16), int(end, 16) - int(start, 16))
        if libc.syscall(PROCESS_MADVISE, pidfd, ctypes.byref(r), 1, PAGEOUT, 0) < 0:
            if ctypes.get_errno() == ENOSYS:
                sys.exit(77)


def main():
    pid = int(sys.argv[1])
    place = "/proc/%d/" % pid
    before = field(place + "status", "VmRSS")
    push_out(pid)
    print(before, field(place + "status", "VmRSS"), field(place + "smaps", "Locked"))


main()
