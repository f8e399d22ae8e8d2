# SPDX-License-Identifier: MIT
"""score.py --pagetrail PROGRAM --series PROGRAM [--floor-precision P --floor-recall R] [--set-aside A.db ...] RECORDING.db
...: rules on recordings with labels (X.labels.json beside X.db) and prints one table: precision and recall with Wilson
intervals, slope error, coverage of the interval, attribution, time to detect, for pagetrail and the baselines. An entity
is one labelled program; an alarm on anything else in the recording is a false one. Exits with 1 below the floors."""
import argparse
import json
import math
import os
import statistics
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import baselines  # noqa: E402

POSITIVE = ("leak", "per-request-leak", "fast-growth")
ALARMS = POSITIVE + ("leak-or-retention",)
PREFIXES = 10


def wilson(k, n):
    if n == 0:
        return (0.0, 1.0)
    z, p = 1.96, k / n
    mid, half = p + z * z / 2 / n, z * math.sqrt(p * (1 - p) / n + z * z / 4 / n / n)
    return ((mid - half) / (1 + z * z / n), (mid + half) / (1 + z * z / n))


def leaks(program, db, until=None):
    argv = [program, "leaks", db, "--format", "json", "--all"] + (["--until", until] if until else [])
    out = subprocess.run(argv, stdout=subprocess.PIPE, check=True).stdout
    return json.loads(out)


def owner(entities, finding, tmpfs):
    """The labelled entity that a finding is about; None: another."""
    s = finding["subject"]
    if s["kind"] in ("process", "service"):
        for e in entities:
            mine = set(e["pids"])
            if s["pid"] in mine or (s["kind"] == "service" and s["pids"] and len(mine & set(s["pids"])) * 2 > len(s["pids"])):
                return e
    for e in entities:
        if (e["family"] == "sysv" and s["kind"] == "shm") or \
                (e["family"] == "shmfile" and s["kind"] == "tmpfs" and s["name"] == tmpfs):
            return e
    return None


def verdicts(entities, found, tmpfs):
    """name -> the strongest finding about it; and the alarms that are about nothing that has a label."""
    best, strays = {}, []
    for f in found["findings"]:
        e = owner(entities, f, tmpfs)
        alarm = f["verdict"] in ALARMS
        if e is None:
            if alarm:
                strays.append(f)
            continue
        old = best.get(e["name"])
        better = abs(f["growth_bytes"] or 0) > abs(old["growth_bytes"] or 0) if old else True
        if old is None or (alarm, better) > (old["verdict"] in ALARMS, False):
            best[e["name"]] = f
    return best, strays


def outcome(label, verdict):
    """tp, fp, fn or tn."""
    if label == "leak":
        return "tp" if verdict in ALARMS else "fn"
    if label == "retention":
        return "fp" if verdict in POSITIVE else "tn"
    return "fp" if verdict in ALARMS else "tn"


def detection(program, db, entities, labels, best):
    """For each leak found: the first prefix at which it was an alarm, as growth over noise and share of the time to
    exhaustion."""
    found = leaks(program, db)
    begin, end = found["span"]["from"], found["span"]["to"]
    times = {}
    first, last = epoch(begin), epoch(end)
    for k in range(2, PREFIXES + 1):
        at = first + (last - first) * k / PREFIXES
        part, _ = verdicts(entities, leaks(program, db, "%.3f" % at) if k < PREFIXES else found, labels.get("tmpfs"))
        for name, f in part.items():
            if f["verdict"] in ALARMS and name not in times and best[name]["verdict"] in ALARMS:
                growth = [e for e in f["evidence"] if e["test"] == "growth" and e["threshold"]]
                left = (f["exhaustion"] or {}).get("seconds")
                times[name] = (k / PREFIXES, growth[0]["value"] / growth[0]["threshold"] if growth else None,
                               (at - first) / (at - first + left) if left else None)
    return times


def epoch(text):
    import datetime
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def series_of(program, db):
    out = subprocess.run([program, db], stdout=subprocess.PIPE, check=True, text=True).stdout
    series, field, span = {}, None, 0.0
    for row in out.splitlines():
        if row.startswith("span "):
            span = float(row[5:])
        elif row.startswith("field "):
            field = row[6:]
        else:
            source, _, at, value = row.split("\t")
            series.setdefault((source, field), []).append((float(at), None if value == "-" else int(value)))
    return span, series


def on_grid(changes, span, step):
    n, v, i, now = int(span / step) + 1, [], 0, 0
    for k in range(n):
        while i < len(changes) and changes[i][0] <= k * step:
            now = changes[i][1] or 0
            i += 1
        v.append(now)
    return v


def entity_series(e, span, series, step, tmpfs):
    total = [0.0] * (int(span / step) + 1)
    if e["family"] == "shmfile":
        free = on_grid(series.get(("statfs:" + tmpfs, "bfree"), []), span, step)
        return [(free[0] - x) * 4096.0 for x in free]
    for pid in e["pids"]:
        for field in ("RssAnon", "VmSwap", "RssShmem"):
            for i, x in enumerate(on_grid(series.get(("proc:%d/status" % pid, field), []), span, step)):
                total[i] += x * 1024.0
        if e["family"] in ("fds", "sockets"):
            for i, x in enumerate(on_grid(series.get(("proc:%d/fd" % pid, "value"), []), span, step)):
                total[i] += x * 2048.0
    return total


class Score:
    def __init__(self):
        self.count = {"tp": 0, "fp": 0, "fn": 0, "tn": 0}
        self.errors, self.covered, self.attributed, self.times, self.wrong = [], [], [], [], []
        self.by_verdict = {}

    def add(self, label, verdict):
        o = outcome(label, verdict)
        self.count[o] += 1
        row = self.by_verdict.setdefault(verdict, {"leak": 0, "retention": 0, "none": 0})
        row[label] += 1
        return o

    def row(self, name):
        c = self.count
        tp, fp, fn = c["tp"], c["fp"], c["fn"]
        p, r = tp / (tp + fp) if tp + fp else float("nan"), tp / (tp + fn) if tp + fn else float("nan")
        pl, ph = wilson(tp, tp + fp)
        rl, rh = wilson(tp, tp + fn)
        text = "| %s | %d/%d/%d/%d | %.3f (%.2f..%.2f) | %.3f (%.2f..%.2f) |" % (
            name, tp, fp, fn, c["tn"], p, pl, ph, r, rl, rh)
        if self.errors:
            text += " %.1f%% | %d of %d | %d of %d |" % (100 * statistics.median(self.errors), sum(self.covered),
                                                        len(self.covered), sum(self.attributed), len(self.attributed))
        else:
            text += " - | - | - |"
        if self.times:
            noise = [t[1] for t in self.times if t[1]]
            left = [t[2] for t in self.times if t[2] is not None]
            text += " %.0f%% of the record, %.1f, %.1f%% |" % (100 * statistics.median(t[0] for t in self.times),
                                                             statistics.median(noise) if noise else float("nan"),
                                                             100 * statistics.median(left) if left else float("nan"))
        else:
            text += " - |"
        return text


def score_one(args, db, score, others):
    labels = json.load(open(os.path.splitext(db)[0] + ".labels.json"))
    entities = labels["entities"]
    best, strays = verdicts(entities, leaks(args.pagetrail, db), labels.get("tmpfs"))
    for f in strays:
        score.count["fp"] += 1
        score.wrong.append("%s: stray %s on %s %s (%s)" % (os.path.basename(db), f["verdict"], f["subject"]["kind"],
                                                          f["subject"]["comm"] or f["subject"]["name"] or
                                                          f["subject"]["service"], f["class"]))
    for e in entities:
        f = best.get(e["name"], {"verdict": "none", "class": None})
        o = score.add(e["label"], f["verdict"])
        if o in ("fp", "fn"):
            score.wrong.append("%s: %s %s called %s%s" % (os.path.basename(db), e["label"], e["name"], f["verdict"],
                                                         "".join("; " + x["text"] for x in f.get("evidence", [])
                                                                 if x["passed"] == (o == "fp"))[:300]))
        if o == "tp" and e["classes"]:
            score.attributed.append(f["class"] in e["classes"])
            if not score.attributed[-1]:
                score.wrong.append("%s: %s is %s, called %s" % (os.path.basename(db), e["name"], e["classes"], f["class"]))
        if o == "tp" and e.get("bytes") and not e.get("speed_varies") and f["slope_bytes_per_hour"]:
            busy = labels["seconds"] * (1 - e.get("onset", 0))
            true = e["bytes"] / busy * 3600
            score.errors.append(abs(f["slope_bytes_per_hour"] - true) / true)
            score.covered.append(f["slope_low"] <= true * 1.0001 and f["slope_high"] >= true * 0.9999)
            if args.verbose:
                print("  %-20s slope %.3f of true, [%.3f, %.3f] %s" % (
                    e["name"], f["slope_bytes_per_hour"] / true, f["slope_low"] / true, f["slope_high"] / true,
                    f["class"]))
    if args.times:
        score.times += detection(args.pagetrail, db, entities, labels, best).values()
    if args.series:
        span, series = series_of(args.series, db)
        step = max(1.0, span / 600)
        for e in entities:
            v = entity_series(e, span, series, step, labels.get("tmpfs"))
            v = v[int(len(v) * 0.02):] or [0.0]
            for name, rule in baselines.ALL.items():
                others[name].add(e["label"], "leak" if len(v) > 20 and rule(v, step) else "stable")


HEAD = ("| method | TP/FP/FN/TN | precision | recall | slope error | interval covers | class right | detected at: record, "
        "growth/noise, of time to exhaustion |\n|---|---|---|---|---|---|---|---|")


def table(args, title, dbs):
    score, others = Score(), {name: Score() for name in baselines.ALL}
    for db in dbs:
        score_one(args, db, score, others)
    print("\n## %s: %d recording%s, %d entities\n" % (title, len(dbs), "" if len(dbs) == 1 else "s",
                                                   sum(sum(r.values()) for r in score.by_verdict.values())))
    print(HEAD)
    print(score.row("pagetrail leaks"))
    for name, s in others.items():
        if args.series:
            print(s.row(name))
    print("\n| verdict | on leaks | on retention | on the rest |\n|---|---|---|---|")
    for v, row in sorted(score.by_verdict.items()):
        print("| %s | %d | %d | %d |" % (v, row["leak"], row["retention"], row["none"]))
    if score.wrong:
        print("\nWrong:\n")
        for w in score.wrong:
            print("- " + w)
    c = score.count
    return (c["tp"] / (c["tp"] + c["fp"]) if c["tp"] + c["fp"] else 0,
            c["tp"] / (c["tp"] + c["fn"]) if c["tp"] + c["fn"] else 0)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("recordings", nargs="+")
    parser.add_argument("--set-aside", nargs="*", default=[])
    parser.add_argument("--pagetrail", required=True)
    parser.add_argument("--series")
    parser.add_argument("--times", action="store_true", help="also when each leak is first found")
    parser.add_argument("--floor-precision", type=float, default=0)
    parser.add_argument("--floor-recall", type=float, default=0)
    parser.add_argument("-v", "--verbose", action="store_true")
    args = parser.parse_args()
    good = True
    for title, dbs in (("Recordings thresholds were chosen on", args.recordings), ("Set aside", args.set_aside)):
        if dbs:
            precision, recall = table(args, title, dbs)
            good = good and precision >= args.floor_precision and recall >= args.floor_recall
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
