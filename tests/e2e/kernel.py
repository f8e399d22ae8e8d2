# SPDX-License-Identifier: MIT
"""Loads for kernel.sh, one a call: each fills one kind of kernel or shared memory, says "ready" and its pid on standard
output, and holds it until it is killed.
  dentries DIR N       looks for N files that are not there: negative dentries stay behind, in no process
  inodes DIR N         makes N empty files
  udp BYTES            UDP sockets whose datagrams nobody reads
  unix BYTES           UNIX datagrams of 1000 bytes that nobody reads: slab
  segment BYTES        a System V segment, filled and left by all; says its id too, and ends
  deleted FILE BYTES   a file mapped and deleted
  held FILE BYTES      a file written, deleted, and held open without being mapped
  memfd NAME BYTES     a memfd that is mapped
  neighbour BYTES      anonymous memory"""
import ctypes
import mmap
import os
import resource
import socket
import sys
import time

IPC_CREAT = 0o1000
KEEP = []


def fill(fd, size, flags=mmap.MAP_SHARED):
    m = mmap.mmap(fd, size, flags=flags)
    for at in range(0, size, 4096):
        m[at] = 1
    KEEP.append(m)


def dentries(folder, n):
    for i in range(int(n)):
        os.path.exists("%s/a name of some thirty bytes %d" % (folder, i))


def inodes(folder, n):
    for i in range(int(n)):
        os.close(os.open("%s/%d" % (folder, i), os.O_CREAT | os.O_WRONLY, 0o600))


def unread(size, make, payload):
    """Sends until that much lies unread; a socket that takes no more is followed by another."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit[1], limit[1]))
    left = int(size)
    while left > 0:
        sender, receiver = make()
        KEEP.append((sender, receiver))
        sender.setblocking(False)
        for _ in range(100):
            try:
                sender.send(payload)
            except BlockingIOError:
                break
            left -= len(payload)


def udp_pair():
    receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    receiver.bind(("127.0.0.1", 0))
    sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sender.connect(receiver.getsockname())
    return sender, receiver


def udp(size):
    unread(size, udp_pair, b"x" * 1400)


def unix(size):
    unread(size, lambda: socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM), b"x" * 1000)


def segment(size):
    libc = ctypes.CDLL(None, use_errno=True)
    libc.shmat.restype = ctypes.c_void_p
    libc.shmdt.argtypes = [ctypes.c_void_p]
    shmid = libc.shmget(0, ctypes.c_size_t(int(size)), IPC_CREAT | 0o600)
    if shmid < 0:
        raise OSError(ctypes.get_errno(), "shmget")
    at = libc.shmat(shmid, None, 0)
    ctypes.memset(at, 1, int(size))
    libc.shmdt(at)
    print("ready", os.getpid(), shmid, flush=True)
    sys.exit(0)


def deleted(path, size):
    fd = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    os.ftruncate(fd, int(size))
    fill(fd, int(size))
    os.unlink(path)


def held(path, size):
    fd = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    os.write(fd, b"x" * int(size))
    os.unlink(path)
    KEEP.append(fd)


def memfd(name, size):
    fd = os.memfd_create(name)
    os.ftruncate(fd, int(size))
    fill(fd, int(size))


def neighbour(size):
    fill(-1, int(size), mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)


globals()[sys.argv[1]](*sys.argv[2:])
print("ready", os.getpid(), flush=True)
time.sleep(600)
