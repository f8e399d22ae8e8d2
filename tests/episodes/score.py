# SPDX-License-Identifier: MIT
"""score.py --pagetrail PROGRAM RECORDING.db... [--set-aside RECORDING.db...]: what `pagetrail swap` says of recordings
with labels (RECORDING.labels.json beside each), against the labels: the state of each span, its victims, its aggressors.

A span is judged in its core, without MARGIN seconds at both ends, in which one state becomes another. Of a span of
swapping the state is what covers more than half of the core; of a quiet one anything else that touches the core at all is
wrong. A process counts as blamed if it is a victim or an aggressor of any episode in the core. Units: seconds."""
import argparse
import datetime
import json
import os
import statistics
import subprocess
import sys

QUIET = ("none", "parked")
STATES = QUIET + ("swap-out-pressure", "churn", "thrash", "exhaustion-risk")
BLAMING = ("swap-out-pressure", "churn", "thrash")  # who is to blame for a lack of memory is not in the labels


def wilson(k, n, z=1.96):
    if n == 0:
        return float("nan"), float("nan")
    p = k / n
    mid, half = p + z * z / (2 * n), z * ((p * (1 - p) + z * z / (4 * n)) / n) ** 0.5
    return (mid - half) / (1 + z * z / n), (mid + half) / (1 + z * z / n)


def epoch(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def found_in(program, db):
    out = subprocess.run([program, "swap", db, "--format", "json"], stdout=subprocess.PIPE, check=True, text=True).stdout
    episodes = json.loads(out)["episodes"]
    for e in episodes:
        e["begin"], e["end"] = epoch(e["from"]), epoch(e["to"])
    return episodes


def overlap(episode, begin, end):
    return max(0.0, min(episode["end"], end) - max(episode["begin"], begin))


def state_in(episodes, quiet, begin, end):
    """The state of the time between."""
    lengths = {}
    for e in episodes:
        lengths[e["state"]] = lengths.get(e["state"], 0) + overlap(e, begin, end)
    busy = {k: v for k, v in lengths.items() if k not in QUIET and v > (0 if quiet else (end - begin) / 2)}
    if busy:
        return max(busy, key=busy.get)
    return "parked" if lengths.get("parked", 0) > (end - begin) / 2 else "none"


def pids(episodes, role):
    return {p["pid"] for e in episodes for p in e[role] or []}


class Counts:
    """Found and right, found and wrong, not found."""

    def __init__(self):
        self.tp = self.fp = self.fn = 0

    def add(self, wanted, found):
        self.tp += len(wanted & found)
        self.fp += len(found - wanted)
        self.fn += len(wanted - found)

    def precision(self):
        return self.tp / (self.tp + self.fp) if self.tp + self.fp else 1.0

    def recall(self):
        return self.tp / (self.tp + self.fn) if self.tp + self.fn else 1.0

    def row(self, name):
        return "| %s | %d/%d/%d | %.3f (%.2f..%.2f) | %.3f (%.2f..%.2f) |" % (
            (name, self.tp, self.fp, self.fn, self.precision()) + wilson(self.tp, self.tp + self.fp) +
            (self.recall(),) + wilson(self.tp, self.tp + self.fn))


class Score:
    def __init__(self):
        self.states = {s: Counts() for s in STATES}
        self.all, self.victims, self.aggressors = Counts(), Counts(), Counts()
        self.confused, self.edges, self.wrong, self.unsound, self.n = {}, {"from": [], "to": []}, [], [], 0

    def span(self, where, labels, s, episodes):
        begin, end = s["from"] + labels["margin"], s["to"] - labels["margin"]
        state = state_in(episodes, s["state"] in QUIET, begin, end)
        there = [e for e in episodes if e["state"] not in QUIET and overlap(e, begin, end) > 0]
        self.n += 1
        self.all.add({s["state"]}, {state})
        for name, counts in self.states.items():
            counts.add({s["state"]} & {name}, {state} & {name})
        kinds = self.confused.setdefault((s["state"], s["kind"]), {})
        kinds[state] = kinds.get(state, 0) + 1
        if state != s["state"]:
            self.wrong.append("%s: %s %s is called %s; %s" % (where, s["state"], s["kind"], state, s["witness"]))
        elif state in BLAMING:
            right = [e for e in there if e["state"] == state]
            self.edges["from"].append(abs(min(e["begin"] for e in right) - s["from"]))
            self.edges["to"].append(abs(max(e["end"] for e in right) - s["to"]))
        if s["state"] in QUIET + BLAMING:
            self.blame(where, labels, s, there)

    def blame(self, where, labels, s, there):
        for role, counts in (("victims", self.victims), ("aggressors", self.aggressors)):
            wanted, found = set(s[role]), pids(there, role)
            if role == "victims":
                found -= set(s["either"])
            counts.add(wanted, found)
            names = lambda some: ", ".join(labels["programs"].get(str(p), {"name": "pid %d" % p})["name"] for p in sorted(some))
            if found - wanted:
                self.wrong.append("%s: %s %s: %s called %s" % (where, s["state"], s["kind"], names(found - wanted), role))
            if wanted - found:
                self.wrong.append("%s: %s %s: %s not among the %s" % (where, s["state"], s["kind"], names(wanted - found), role))

    def recording(self, program, db):
        labels = json.load(open(os.path.splitext(db)[0] + ".labels.json"))
        episodes = found_in(program, db)
        for s in labels["spans"]:
            where = "%s +%d s" % (os.path.basename(db), s["from"] - labels["spans"][0]["from"])
            if s["unsound"]:
                self.unsound.append("%s: %s %s: %s" % (where, s["state"], s["kind"], "; ".join(s["unsound"])))
            else:
                self.span(where, labels, s, episodes)

    def show(self):
        print("| of | right/wrong/missed | precision | recall |\n|---|---|---|---|")
        for name in STATES:
            if self.states[name].tp + self.states[name].fp + self.states[name].fn:
                print(self.states[name].row(name))
        print(self.all.row("all states"))
        print(self.victims.row("victims"))
        print(self.aggressors.row("aggressors"))
        if self.edges["from"]:
            print("\nBeginning off by %.0f s in the median and %.0f s at most, end by %.0f s and %.0f s." % (
                statistics.median(self.edges["from"]), max(self.edges["from"]), statistics.median(self.edges["to"]),
                max(self.edges["to"])))
        print("\n| label | kind | %s |\n|---|---|%s" % (" | ".join(STATES), "---|" * len(STATES)))
        for (state, kind), row in sorted(self.confused.items(), key=lambda i: (STATES.index(i[0][0]), i[0][1])):
            print("| %s | %s | %s |" % (state, kind, " | ".join(str(row.get(s, "")) for s in STATES)))
        for title, lines in (("Wrong", self.wrong), ("Not what the schedule meant, and not scored", self.unsound)):
            if lines:
                print("\n%s:\n\n- %s" % (title, "\n- ".join(lines)))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("recordings", nargs="+")
    parser.add_argument("--set-aside", nargs="*", default=[])
    parser.add_argument("--pagetrail", required=True)
    parser.add_argument("--floor-states", type=float, default=0, help="precision and recall over all states")
    parser.add_argument("--floor-blame", type=float, default=0, help="of victims and of aggressors")
    parser.add_argument("--least", type=int, default=0, help="so many spans are scored")
    args = parser.parse_args()
    good, spans = True, 0
    for title, dbs in (("Recordings thresholds were chosen on", args.recordings), ("Set aside", args.set_aside)):
        score = Score()
        for db in dbs:
            score.recording(args.pagetrail, db)
        if dbs:
            print("\n## %s: %d recording%s, %d spans\n" % (title, len(dbs), "" if len(dbs) == 1 else "s", score.n))
            score.show()
        spans += score.n
        good = good and all(x >= args.floor_states for x in (score.all.precision(), score.all.recall()))
        good = good and all(x >= args.floor_blame for c in (score.victims, score.aggressors)
                            for x in (c.precision(), c.recall()))
    return 0 if good and spans >= args.least else 1


if __name__ == "__main__":
    sys.exit(main())
