# SPDX-License-Identifier: MIT
"""analyze_exact.py PAGETRAIL DATABASE: what the commands say of the machine that analyze_exact.sh made up."""
import json
import subprocess
import sys

KIB = 1024


def run(*args, status=0):
    done = subprocess.run([sys.argv[1], *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    assert done.returncode == status, f"exit status {done.returncode} of {args}: {done.stderr.decode()}"
    return done.stdout.decode(), done.stderr.decode()


def document(*args):
    return json.loads(run(*args, "--format", "json")[0])


def change(before, after, delta):
    kib = [None if v is None else v * KIB for v in (before, after, delta)]
    return dict(zip(("before", "after", "delta"), kib))


def lines(d):
    return {line["name"]: line for line in d["system"]}


def one_boot(db):
    d = document("diff", db, "@1", "@2")
    assert d["from"]["time"] == "2026-11-20T10:00:00.000000Z", d["from"]
    assert d["to"]["snapshot"] == 2 and d["reboots"] == 0
    assert d["total"] == change(1000000, 1000000, 0)
    assert d["available"] == change(900000, 880000, -20000)
    assert d["swap_used"] == change(500, 500, 0)
    want = {"free": (900000, 880000), "page cache": (4000, 4000), "anonymous": (50000, 60000),
            "shared memory and tmpfs": (2000, 2000), "slab, unreclaimable": (400, 400), "kernel stacks": (100, 100),
            "vmalloc, other": (50, 50), "unaccounted": (43100, 53100)}
    for name, (before, after) in want.items():
        line = lines(d)[name]
        assert (line["before"], line["after"]) == (before * KIB, after * KIB), (name, line)

    stays, new, gone = d["processes"]
    assert (stays["pid"], stays["start_time"], stays["comm"], stays["state"]) == (10, 100, "stays", "both")
    assert stays["exe"] == "/opt/stays" and stays["cmdline"] == "stays --flag" and stays["service"] == "web.service"
    assert stays["matched_by"] == "identity"
    assert stays["anon"] == change(1000, 9000, 8000) and stays["swap"] == change(8, 16, 8)
    assert stays["pss"] == change(1000, 9000, 8000) and stays["uss"] == change(1000, 9000, 8000)
    # a pid used again is another process
    assert (new["pid"], new["start_time"], new["state"]) == (11, 120, "new")
    assert new["rss"] == change(None, 3000, 3000) and new["matched_by"] is None
    assert (gone["pid"], gone["start_time"], gone["comm"], gone["state"]) == (11, 110, "goes", "gone")
    assert gone["rss"] == change(2000, None, -2000)
    heap = d["mappings"][0]
    assert (heap["pid"], heap["name"], heap["kind"], heap["deleted"]) == (10, "[heap]", "heap", False)
    assert (heap["before"], heap["after"], heap["delta"]) == (1008 * KIB, 9016 * KIB, 8008 * KIB)
    assert d["slabs"] == []

    groups = {g["name"]: g for g in document("diff", db, "@1", "@2", "--by", "service")["groups"]}
    assert groups["web.service"]["anon"] == change(1000, 9000, 8000)
    assert groups[None]["rss"] == change(2000, 3000, 1000) and groups[None]["processes"]["after"] == 1
    groups = {g["name"]: g for g in document("diff", db, "@1", "@2", "--by", "user")["groups"]}
    assert set(groups) == {"0", "1000"}
    assert len(document("diff", db, "@1", "@2", "--top", "1")["processes"]) == 1


def across_boots(db):
    d = document("diff", db, "first", "last")
    assert d["reboots"] == 1
    stays, gone = d["processes"]
    assert (stays["pid"], stays["before_pid"], stays["matched_by"]) == (77, 10, "service")
    assert stays["anon"] == change(1000, 30000, 29000)
    assert gone["state"] == "gone"
    text = run("diff", db, "first", "last")[0]
    assert "1 reboot between" in text, text
    newest = document("diff", db)
    assert newest["from"] == newest["to"] and newest["to"]["snapshot"] == 3


def times(db):
    for time, want in (("2026-11-20 10:00:59 UTC", 1), ("2026-11-20T10:01:00Z", 2), ("-2h", 1), ("1h ago", 2), ("first", 1),
                       ("last", 3), ("@2", 2), ("1795168860", 2), ("2026-11-20T12:00:00+01:00", 2)):
        got = document("show", db, "meminfo", "--at", time)["snapshot"]
        assert got == want, f"{time}: @{got}"
    assert document("show", db, "meminfo", "--utc", "--at", "10:30")["snapshot"] == 2
    _, message = run("show", db, "meminfo", "--at", "-3h", status=3)
    assert "nothing was recorded" in message, message
    _, message = run("show", db, "meminfo", "--at", "@9", status=3)
    assert "no snapshot @9" in message, message
    run("show", db, "meminfo", "--at", "soon", status=2)
    run("diff", db, "@2", "@1", status=2)
    _, message = run("diff", db, "-9h", "@2")
    assert "nothing was recorded before" in message, message


def views(db):
    text = run("show", db, "text", "proc:10/status", "--at", "@2")[0]
    assert "VmRSS:\t    9000 kB\n" in text
    _, message = run("show", db, "text", "proc:10/status", "--at", "@3", status=3)
    assert "was not there" in message, message
    assert document("show", db, "meminfo", "--at", "@1")["meminfo"]["MemFree"] == 900000 * KIB
    p = document("show", db, "ps", "--at", "@1")["processes"]
    assert [(one["pid"], one["rss"]) for one in p] == [(11, 2000 * KIB), (10, 1000 * KIB)]
    text = run("show", db, "ps", "--at", "@1")[0]
    assert "goes --flag" in text and "2.0 MiB" in text, text
    info = document("info", db)
    assert info["snapshots"] == 3 and len(info["boots"]) == 2, info
    assert info["boots"][0]["boot_id"].startswith("11111111")
    assert document("check", db)["ok"]


db_path = sys.argv[2]
one_boot(db_path)
across_boots(db_path)
times(db_path)
views(db_path)
