# SPDX-License-Identifier: MIT
"""notify.py RECORDER DATABASE FROZEN: plays the service manager. FROZEN: a mounted file system that
holds DATABASE and can be frozen, or ""."""
import atexit
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time

recorder, database, frozen = sys.argv[1:4]
WATCHDOG_S = 2.0
sockets = tempfile.TemporaryDirectory()  # of a short name: 107 bytes at most


class Manager:
    def __init__(self, address, **env):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(address)
        name = "@" + address[1:] if address[0] == "\0" else address
        self.child = subprocess.Popen(
            [recorder, "-q", "-o", database, "-i", "1h", "--deep", "off"], env={**os.environ, "NOTIFY_SOCKET": name, **env}
        )
        atexit.register(self.child.kill)

    def lines(self, timeout):
        """Of the next message; none: nothing came."""
        self.socket.settimeout(timeout)
        try:
            return self.socket.recv(4096).decode().split("\n")
        except TimeoutError:
            return []

    def until(self, line, timeout=60):
        """The messages up to the one that has the line."""
        seen, end = [], time.monotonic() + timeout
        while time.monotonic() < end:
            seen.append(self.lines(end - time.monotonic()))
            if line in seen[-1]:
                return seen
        sys.exit(f"FAILED: no '{line}' in {timeout} s: {seen}")

    def signs(self, seconds):
        end, n = time.monotonic() + seconds, 0
        while time.monotonic() < end:
            n += "WATCHDOG=1" in self.lines(max(0.01, end - time.monotonic()))
        return n

    def stop(self):
        self.child.send_signal(signal.SIGTERM)
        self.until("STOPPING=1")
        check(self.child.wait(60) == 0, f"exit status {self.child.returncode}")


def check(good, text):
    if not good:
        sys.exit(f"FAILED: {text}")


def snapshots():
    return sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=5).execute("select count(*) from snapshot").fetchone()[0]


print("-- ready, status, signs of life, reloading, stopping")
m = Manager(os.path.join(sockets.name, "1"), WATCHDOG_USEC=str(int(WATCHDOG_S * 1e6)))
ready = m.until("READY=1")[-1]
check(snapshots() >= 1, "ready before a snapshot was stored")
check(any(l.startswith("STATUS=recording every 3600 s: 1 snapshots, ") for l in ready), f"status: {ready}")
check(m.signs(3 * WATCHDOG_S) >= 3, "signs of life are too rare")
m.child.send_signal(signal.SIGHUP)
seen = m.until("READY=1")
check(any("RELOADING=1" in message for message in seen), f"not told to be reloading: {seen}")
check(any(l.startswith("MONOTONIC_USEC=") for l in sum(seen, [])), "reloading since when?")
m.stop()

print("-- no sign of life nobody asked for, abstract socket")
m = Manager("\0pagetrail-test-%d" % os.getpid(), WATCHDOG_USEC="500000", WATCHDOG_PID="1")
m.until("READY=1")
check(m.signs(1.5) == 0, "the watchdog is another process's")
m.stop()

print("-- an address that is none")
for bad in "", "relative", "@", "/" + "x" * 200, "/nonexistent/socket":
    env = {**os.environ, "NOTIFY_SOCKET": bad}
    done = subprocess.run([recorder, "-q", "-o", database, "--once", "--deep", "off"], env=env, timeout=60)
    check(done.returncode == 0, f"exit status {done.returncode} with NOTIFY_SOCKET='{bad}'")

if frozen:
    print("-- a disk that hangs")
    m = Manager(os.path.join(sockets.name, "2"), WATCHDOG_USEC=str(int(WATCHDOG_S * 1e6)))
    m.until("READY=1")
    subprocess.run(["fsfreeze", "-f", frozen], check=True)
    try:
        m.child.send_signal(signal.SIGUSR1)  # something to write
        time.sleep(2 * WATCHDOG_S)
        states = [open(f"/proc/{m.child.pid}/task/{t}/stat").read().rsplit(")", 1)[1].split()[0]
                  for t in os.listdir(f"/proc/{m.child.pid}/task")]
        check("D" in states, f"the writer does not wait for the disk: {states}")
        m.signs(0.1)
        check(m.signs(2 * WATCHDOG_S) >= 2, "no signs of life while the disk hangs")
        m.child.send_signal(signal.SIGHUP)
        m.until("RELOADING=1")
        check(m.signs(2 * WATCHDOG_S) >= 2, "no signs of life while the database cannot be opened anew")
        check(m.child.poll() is None, "it died")
    finally:
        subprocess.run(["fsfreeze", "-u", frozen], check=True)
    before = snapshots()
    m.child.send_signal(signal.SIGUSR1)
    end = time.monotonic() + 30
    while snapshots() <= before and time.monotonic() < end:
        time.sleep(0.2)
    check(snapshots() > before, "nothing is stored after the disk came back")
    m.stop()
