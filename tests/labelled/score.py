# SPDX-License-Identifier: MIT
"""score.py --pagetrail PROGRAM --series PROGRAM [--floor-precision P --floor-recall R] [--set-aside A.db ...] RECORDING.db
...: rules on recordings with labels (X.labels.json beside X.db) and prints a table: precision and recall with Wilson
intervals, slope error, coverage of the interval, attribution, time to detect, for pagetrail and the baselines; and one by
verdict. An entity is one labelled program; an alarm on anything else in the recording is a false one. Exits with 1 below
the floors."""
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
COUNTER_ERROR = 64 * 4096
FIRST_SHARE = 0.02  # of a series, left out: programs that are starting

# The kind of growth that each family is of, and what else is true of it. Leaks may be any alarm.
KINDS = {
    "requests": ("per-request-leak",), "churn": ("leak-or-retention", "bounded", "stable", "sawtooth"),
    "saw": ("sawtooth", "stable", "bounded"), "batch": ("sawtooth", "stable", "bounded"),
    "steps": ("step", "bounded", "stable"), "nginx": ("step", "bounded", "stable"),
    "ramp": ("load-following", "bounded", "stable", "sawtooth"), "diurnal": ("load-following", "bounded", "stable", "sawtooth"),
    **dict.fromkeys(("cap30", "cap60", "cap80", "cap95", "log", "cache", "warm", "thp", "redis", "dentry"),
                    ("bounded", "stable")),
    **dict.fromkeys(("flat", "cow", "lazyfree", "okworkers", "forks", "postgres", "flood", "stress"),
                    ("stable", "bounded", "sawtooth", "insufficient")),
}
# Of families that hold several kinds, by the name's end.
NAMES = {"lru": "cache", "gc": "saw", "saw": "saw", "flat": "saw", "warming": "warm", "cache": "cache",
         "swappedcap1": "cap60", "swappedsaw1": "saw", "swappedlog1": "log", "parked1": "flat", "parked2": "flat"}


# Whose own account is of what was asked for, not of what it took: a thread, a page table, an object of a runtime.
ROUGH_ACCOUNTS = ("threads", "sparse", "python-list", "node-closure", "node-buffer")


def kinds_of(e):
    """What an entity may be called; the first is the kind it is counted under."""
    if e["label"] == "leak":
        return (KINDS.get(e["family"], ("leak",))[0] if e["family"] == "requests" else "leak",) + ALARMS
    family = NAMES.get(e["name"], NAMES.get(e["name"].rsplit("-", 1)[-1], e["family"]))
    return KINDS.get(family, KINDS["flat"])


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
                (e["family"] == "shmfile" and s["kind"] == "tmpfs" and s["name"] == tmpfs) or \
                (e["family"] == "dentry" and s["kind"] == "slab" and s["name"] == "dentry"):
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
        self.no_speed = {}  # leaks that were found, by why their speed is not compared
        self.by_verdict = {}  # verdict -> label -> how many
        self.of_kind = {}  # kind -> [called so or what is as true, all]
        self.called = {}  # verdict -> [rightly so, all]

    def add(self, e, verdict):
        o, kinds = outcome(e["label"], verdict), kinds_of(e)
        right = verdict in kinds
        self.count[o] += 1
        self.by_verdict.setdefault(verdict, {"leak": 0, "retention": 0, "none": 0})[e["label"]] += 1
        for table, key in ((self.of_kind, kinds[0]), (self.called, verdict)):
            row = table.setdefault(key, [0, 0])
            row[0] += right
            row[1] += 1
        return o

    def stray(self, verdict):
        self.count["fp"] += 1
        self.called.setdefault(verdict, [0, 0])[1] += 1

    def slope(self, true, slope, low, high):
        self.errors.append(abs(slope - true) / true)
        if low is not None:
            self.covered.append(low <= true * 1.0001 and high >= true * 0.9999)

    def row(self, name):
        c = self.count
        tp, fp, fn = c["tp"], c["fp"], c["fn"]
        cells = [name, "%d/%d/%d/%d" % (tp, fp, fn, c["tn"]), share(tp, tp + fp), share(tp, tp + fn),
                 "%.1f%%" % (100 * statistics.median(self.errors)) if self.errors else "-",
                 "%d of %d" % (sum(self.covered), len(self.covered)) if self.covered else "-",
                 "%d of %d" % (sum(self.attributed), len(self.attributed)) if self.attributed else "-"]
        for i, text in enumerate(("%.0f%%", "%.0f", "%.2f%%")):
            known = [t[i] for t in self.times if t[i] is not None]
            value = statistics.median(known) if known else None
            cells.append("-" if value is None else text % (value if i == 1 else 100 * value))
        return "| %s |" % " | ".join(cells)

    def verdict_rows(self):
        for v in sorted(set(self.called) | set(self.of_kind)):
            on = self.by_verdict.get(v, {"leak": 0, "retention": 0, "none": 0})
            yield "| %s | %d | %d | %d | %s | %s |" % (v, on["leak"], on["retention"], on["none"],
                                                      share(*self.called.get(v, (0, 0))), share(*self.of_kind.get(v, (0, 0))))


def share(k, n):
    low, high = wilson(k, n)
    return "%.3f (%.2f..%.2f)" % (k / n, low, high) if n else "-"


def noise_of(v):
    """What one value of a series may be off by: from how it bends, and never less than the kernel's counter."""
    bends = sorted(abs(a - 2 * b + c) for a, b, c in zip(v, v[1:], v[2:]))
    return max(COUNTER_ERROR, 1.4826 * bends[len(bends) // 2] / math.sqrt(6)) if bends else COUNTER_ERROR


class Truth:
    """What is known of one leak besides what is said of it: its series, its speed, when all memory is used up."""

    def __init__(self, labels, e, found, span, v, step):
        left = (found.get("exhaustion") or {}).get("seconds")
        self.end = span + left if left else None
        self.span, self.v, self.step = span, v, step
        self.noise = noise_of(v)
        self.speed, rough = None, {e["name"], e["family"]} & set(ROUGH_ACCOUNTS)
        self.no_speed = "of rough account (%s)" % ", ".join(ROUGH_ACCOUNTS) if rough else \
            "whose speed varies" if e.get("speed_varies") else None if e.get("bytes") else "that keep no account"
        if not self.no_speed:
            self.speed = e["bytes"] / (labels["seconds"] * (1 - e.get("onset", 0)))

    def detected(self, part):
        """Of a first alarm after so much of the record: that; growth by then over noise; part of the time to exhaustion."""
        at = self.v[:max(1, int(len(self.v) * part))]
        return part, max(0, at[-1] - at[0]) / self.noise, self.span * part / self.end if self.end else None


def first_alarms(program, db, labels, best):
    """For each leak found: the part of the record after which it first was an alarm."""
    span = leaks(program, db)["span"]
    first, last = epoch(span["from"]), epoch(span["to"])
    parts = {}
    for k in range(2, PREFIXES + 1):
        found = leaks(program, db, "%.3f" % (first + (last - first) * k / PREFIXES)) if k < PREFIXES else None
        part = verdicts(labels["entities"], found, labels.get("tmpfs"))[0] if found else best
        for name, f in part.items():
            if f["verdict"] in ALARMS and best.get(name, f)["verdict"] in ALARMS:
                parts.setdefault(name, k / PREFIXES)
    return parts


def score_baselines(args, e, truth, step, v, others):
    for name, rule in baselines.ALL.items():
        found = rule(v, step) if len(v) > 20 else baselines.Found(False)
        o = others[name].add(e, "leak" if found.alarm else "stable")
        if o != "tp":
            continue
        if truth.speed and found.slope is not None:
            others[name].slope(truth.speed, *[x / step if x is not None else None for x in found[1:]])
        if args.times:
            for k in range(2, PREFIXES + 1):
                part = v[:len(v) * k // PREFIXES]
                if k == PREFIXES or (len(part) > 20 and rule(part, step).alarm):
                    others[name].times.append(truth.detected(k / PREFIXES))
                    break


def score_entity(args, db, labels, e, f, truth, score):
    where = os.path.basename(db)
    o = score.add(e, f["verdict"])
    if o in ("fp", "fn"):
        score.wrong.append("%s: %s %s called %s%s" % (where, e["label"], e["name"], f["verdict"],
                                                     "".join("; " + x["text"] for x in f.get("evidence", [])
                                                             if x["passed"] == (o == "fp"))[:300]))
    if o == "tp" and e["classes"]:
        score.attributed.append(f["class"] in e["classes"])
        if not score.attributed[-1]:
            score.wrong.append("%s: %s is %s, called %s" % (where, e["name"], e["classes"], f["class"]))
    if o == "tp" and truth.no_speed:
        score.no_speed[truth.no_speed] = score.no_speed.get(truth.no_speed, 0) + 1
    elif o == "tp" and f["slope_bytes_per_hour"]:
        score.slope(truth.speed, f["slope_bytes_per_hour"] / 3600, f["slope_low"] / 3600, f["slope_high"] / 3600)
        if args.verbose:
            print("  %-20s slope %.3f of true, [%.3f, %.3f] %s" % (
                e["name"], *(f[k] / 3600 / truth.speed for k in ("slope_bytes_per_hour", "slope_low", "slope_high")), f["class"]))
    return o


def score_one(args, db, score, others):
    labels = json.load(open(os.path.splitext(db)[0] + ".labels.json"))
    entities, tmpfs = labels["entities"], labels.get("tmpfs")
    best, strays = verdicts(entities, leaks(args.pagetrail, db), tmpfs)
    for f in strays:
        score.stray(f["verdict"])
        score.wrong.append("%s: stray %s on %s %s (%s)" % (os.path.basename(db), f["verdict"], f["subject"]["kind"],
                                                          f["subject"]["comm"] or f["subject"]["name"] or
                                                          f["subject"]["service"], f["class"]))
    span, series = series_of(args.series, db) if args.series else (0, {})
    step = max(1.0, span / 600)
    alarmed = first_alarms(args.pagetrail, db, labels, best) if args.times else {}
    for e in entities:
        f = best.get(e["name"], {"verdict": "none", "class": None})
        v = entity_series(e, span, series, step, tmpfs)
        v = v[int(len(v) * FIRST_SHARE):] or [0.0]
        truth = Truth(labels, e, f, span, v, step)
        o = score_entity(args, db, labels, e, f, truth, score)
        if o == "tp" and e["name"] in alarmed:
            score.times.append(truth.detected(alarmed[e["name"]]))
        if args.series:
            score_baselines(args, e, truth, step, v, others)


HEAD = ("| method | TP/FP/FN/TN | precision | recall | slope error | interval covers | class right | detected after, of the "
        "record | by then growth / noise | of the time to exhaustion |\n|---|---|---|---|---|---|---|---|---|---|")


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
    print("\nSlope and interval are those of %d of the %d leaks found; left out are %s." % (
        len(score.errors), score.count["tp"], ", ".join("%d %s" % (n, why) for why, n in sorted(score.no_speed.items())) or "none"))
    print("\n| verdict | on leaks | on retention | on the rest | precision | recall |\n|---|---|---|---|---|---|")
    for row in score.verdict_rows():
        print(row)
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
