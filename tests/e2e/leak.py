# SPDX-License-Identifier: MIT
"""leak.py PID MAPPING LOG DIFF.json SECONDS: does the diff tell the leak that the log of the program tells?"""
import bisect
import datetime
import json
import sys

TOLERANCE = 0.02


def epoch_us(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() * 1e6


def leaked_at(steps, us):
    """Bytes the program had leaked, the last step at or before us."""
    return steps[bisect.bisect_right(steps, (us, float("inf"))) - 1][1]


def main():
    pid, mapping, log, path, seconds = int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4], int(sys.argv[5])
    with open(log, encoding="ascii") as f:
        steps = [tuple(map(int, line.split())) for line in f if line.endswith("\n")]
    with open(path, encoding="utf-8") as f:
        diff = json.load(f)
    start, end = epoch_us(diff["from"]["time"]), epoch_us(diff["to"]["time"])
    truth = leaked_at(steps, end) - leaked_at(steps, start)
    assert truth > 0.8 * seconds * 2**20, f"the program leaked only {truth} bytes: the recording is too short"

    # First, but for programs that grew or shrank by more meanwhile: there may be such on a machine in use.
    rank = next((i for i, p in enumerate(diff["processes"]) if p["pid"] == pid), None)
    assert rank is not None, f"{pid} is not told at all"
    for p in diff["processes"][:rank]:
        weight = abs((p["anon"]["delta"] or 0) + (p["swap"]["delta"] or 0)) or abs(p["rss"]["delta"] or 0)
        assert weight > truth * (1 - TOLERANCE), f"before ours is {p['comm']} ({p['pid']}), which changed by {weight}"
    first = diff["processes"][rank]
    assert first["state"] == "both", first["state"]
    for measure in ("rss", "anon"):
        delta = first[measure]["delta"]
        error = abs(delta - truth) / truth
        print(f"{measure}: grew by {delta}, leaked {truth}: {100 * error:.2f}% off")
        assert error <= TOLERANCE, measure
    grown = [m for m in diff["mappings"] if m["pid"] == pid]
    assert grown, "no mapping of the process is told"
    print(f"mapping {grown[0]['name']} grew by {grown[0]['delta']}")
    assert grown[0]["name"] == mapping, f"first mapping is {grown[0]['name']}, not {mapping}"
    # Mappings are read less often than the process: their growth is held against their own reading times.
    read = [epoch_us(grown[0]["read"][which]) for which in ("before", "after")]
    truth = leaked_at(steps, read[1]) - leaked_at(steps, read[0])
    error = abs(grown[0]["delta"] - truth) / truth
    print(f"leaked {truth} between its readings, {(read[1] - read[0]) / 1e6:.1f} s: {100 * error:.2f}% off")
    assert error <= TOLERANCE, "the mapping's growth"
    assert read[1] - read[0] > 0.5 * (end - start), "the mapping was hardly read"


main()
