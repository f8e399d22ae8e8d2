# SPDX-License-Identifier: MIT
"""diff.py PAGETRAIL DATABASE [DATABASE2]: do the lines of a diff of a real recording add up, and agree with the texts?"""
import json
import subprocess
import sys

MEASURES = ("rss", "anon", "file", "shmem", "swap", "pss", "uss")
failures = []


def expect(true, what):
    if not true:
        failures.append(what)


def pagetrail(*args):
    done = subprocess.run([sys.argv[1], *args], stdout=subprocess.PIPE, check=False)
    assert done.returncode == 0, f"exit status {done.returncode} of: pagetrail {' '.join(args)}"
    return done.stdout


def diff(*args):
    return json.loads(pagetrail("diff", *args, "--format", "json"))


def check_change(c, what):
    before, after, delta = c["before"], c["after"], c["delta"]
    if before is not None and after is not None:
        expect(delta == after - before, f"{what}: {after} - {before} is not {delta}")
    elif delta is not None:
        one = after if after is not None else -before if before is not None else None
        expect(delta == one, f"{what}: one-sided, {before} to {after}, is not {delta}")


def check_balance(d, what):
    lines, total = d["system"], d["total"]
    expect(len(lines) >= 10, f"{what}: only {len(lines)} lines")
    expect(any(line["name"] == "unaccounted" for line in lines), f"{what}: no unaccounted line")
    for key in ("before", "after", "delta"):
        s = sum(line[key] for line in lines)
        expect(s == total[key], f"{what}: the lines' {key} add up to {s}, the total is {total[key]}")


def fields(text):
    """The lines "Key: number kB" of a text, in bytes."""
    out = {}
    for line in text.decode("utf-8", "replace").splitlines():
        words = line.split()
        if len(words) == 3 and words[2] == "kB":
            out[words[0].rstrip(":")] = int(words[1]) * 1024
    return out


def check_texts(database, d):
    """The numbers are those of the texts, not only consistent."""
    for end, key in (("from", "before"), ("to", "after")):
        at = f"@{d[end]['snapshot']}"
        meminfo = fields(pagetrail("show", database, "text", "proc:meminfo", "--at", at))
        lines = {line["name"]: line[key] for line in d["system"]}
        expect(d["total"][key] == meminfo["MemTotal"], f"MemTotal {at}")
        expect(lines["free"] == meminfo["MemFree"], f"MemFree {at}")
        expect(d["available"][key] == meminfo["MemAvailable"], f"MemAvailable {at}")
        for p in [p for p in d["processes"] if p[("rss")][key] is not None][:8]:
            pid = p["before_pid"] if key == "before" and "before_pid" in p else p["pid"]
            status = fields(pagetrail("show", database, "text", f"proc:{pid}/status", "--at", at))
            statm = pagetrail("show", database, "text", f"proc:{pid}/statm", "--at", at).split()
            known = {status.get("VmRSS"), int(statm[1]) * 4096 if statm else None}
            expect(p["rss"][key] in known, f"rss of {pid} {at}: {p['rss'][key]} is none of {known}")


def check_processes(d, what):
    seen = set()
    for p in d["processes"]:
        name = f"{what}: {p['comm']} ({p['pid']})"
        for m in MEASURES:
            check_change(p[m], f"{name} {m}")
        expect(p["state"] in ("both", "new", "gone"), name)
        expect(p["state"] != "new" or p["rss"]["before"] is None, f"{name} is new and was there")
        expect(p["state"] != "gone" or p["rss"]["after"] is None, f"{name} is gone and is there")
        expect((p["pid"], p["start_time"]) not in seen, f"{name} is told twice")
        seen.add((p["pid"], p["start_time"]))
    expect(d["processes"], f"{what}: no processes")
    for c in d["mappings"] + d["slabs"]:
        check_change(c, f"{what}: {c['name']}")
    for m in d["mappings"]:
        expect((m["pid"], m["start_time"]) in seen, f"{what}: mapping {m['name']} of no process")
    sizes = [abs(m["delta"]) for m in d["mappings"] if m["delta"] is not None]
    expect(sizes == sorted(sizes, reverse=True), f"{what}: mappings are not by largest change")


def check_groups(args, plain):
    for by in ("exe", "service", "cgroup", "user"):
        d = diff(*args, "--by", by)
        for measure in ("rss", "anon"):
            for key in ("before", "after"):
                ours = sum(g[measure][key] or 0 for g in d["groups"])
                theirs = sum(p[measure][key] or 0 for p in plain["processes"])
                expect(ours == theirs, f"--by {by}: {measure} {key} adds up to {ours}, not {theirs}")


def check_text(*args):
    for line in pagetrail("diff", *args).decode("utf-8", "replace").splitlines():
        expect(len(line) <= 80, f"over 80 columns: {line}")


def main():
    database = sys.argv[2]
    ends = diff(database)
    check_balance(ends, "ends")
    check_processes(ends, "ends")
    check_texts(database, ends)
    check_groups([database], ends)
    check_text(database)
    expect(ends["from"]["snapshot"] < ends["to"]["snapshot"], "the ends")

    first, last = ends["from"]["snapshot"], ends["to"]["snapshot"]
    middle = (first + last) // 2
    one, two = diff(database, f"@{first}", f"@{middle}"), diff(database, f"@{middle}", f"@{last}")
    for d, what in ((one, "first half"), (two, "second half")):
        check_balance(d, what)
        check_processes(d, what)
    # Two halves make the whole, line by line; a line that one of them had to fold away is not compared.
    halves = [{line["name"]: line["delta"] for line in d["system"]} for d in (one, two)]
    for line in ends["system"]:
        if all(line["name"] in half for half in halves):
            s = sum(half[line["name"]] for half in halves)
            expect(s == line["delta"], f"halves of {line['name']}: {s} is not {line['delta']}")

    if len(sys.argv) > 3:
        other = diff(database, sys.argv[3])
        check_balance(other, "two databases")
        check_processes(other, "two databases")
        expect(all(p["matched_by"] for p in other["processes"] if p["state"] == "both"), "matched_by is missing")
        check_text(database, sys.argv[3])
    for failure in failures[:30]:
        print(failure)
    print(f"{len(ends['processes'])} processes, {len(ends['mappings'])} mappings, {len(failures)} wrong")
    sys.exit(1 if failures else 0)


main()
