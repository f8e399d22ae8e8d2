# SPDX-License-Identifier: MIT
"""300, 3,000 and 10,000 processes, of which 100, 500 and 500 are busy every second: what a snapshot costs, how it grows, what
the budget makes of it, and atop -w and atop -R beside it.

Costs of the recorder are those between two snapshots of the timer, start and end left out; those of
atop are the difference of a run of several samples and a run of one."""
import statistics
import time

from benchlib import Account, Ratio, bytes_text, time_text

COUNTS = ((300, 100), (3000, 500), (10000, 500))


def measure(b):
    first = {}
    for count, busy in COUNTS:
        population = b.populate(count, "--no-python", "--busy", str(busy))
        try:
            one(b, count, first)
            if population.poll() is not None:
                raise RuntimeError("the population ended before its time: the rows above are wrong")
        except (RuntimeError, OSError) as e:
            b.table.missing("%d processes" % count, str(e), "all of it")
        finally:
            population.terminate()
            population.wait(60)


def one(b, count, first):
    free = record(b, count, "--cpu-budget", "100%", "--deep", "off")
    held = record(b, count)
    name = "%d processes" % count
    for key, what, text in (("cpu", "CPU a snapshot", time_text), ("bytes", "frame bytes", bytes_text),
                            ("rss", "peak RSS", bytes_text)):
        value = free[key]
        first.setdefault(key, value)
        grown = "" if count == COUNTS[0][0] else "%.2f times as much for %.1f times as many" % (
            value / first[key], count / COUNTS[0][0])
        b.table.add("%s, %s" % (what, name), text(value), grown)
    percent = 100 * held["cpu"] / 1e9 / held["interval"]
    b.table.add("  within the budget, %s" % name, time_text(held["cpu"]),
                "%.0f of them looked at in a snapshot, every %g s: %.2f%% of a core of %.2f%%%s" % (
                    held["read"], held["interval"], percent, held["budget"],
                    "; %d triggers" % held["triggers"] if held["triggers"] else ""),
                Ratio([percent], [held["budget"]]).text(), "<= 1.05",
                percent <= 1.05 * held["budget"])
    for option in ("-w", "-R"):
        atop(b, option, free["cpu"])


def record(b, count, *options):
    name = "scale-%d-%d" % (count, len(options))
    p = b.recorder(name, "--burst-length", "0", *options)
    time.sleep(b.size["scale"])
    used = p.stop()
    account = Account(b, p)
    timed = account.all[2:-1]
    if len(timed) < 3:
        raise RuntimeError("only %d snapshots in %d s" % (len(account.all), b.size["scale"]))
    ticks = len(timed) - 1
    return {
        "cpu": 1000 * (timed[-1]["cpu_us"] - timed[0]["cpu_us"]) / ticks,
        "bytes": (timed[-1]["frame_bytes"] - timed[0]["frame_bytes"]) / ticks,
        "rss": used["rss_kb"] * 1024,
        "read": statistics.mean(a["processes_read"] for a in timed),
        "interval": timed[-1]["interval_us"] / 1e6,
        "budget": timed[-1]["budget_ppm"] / 1e4,
        "triggers": account.triggers,
    }


def atop(b, option, ours):
    label = "  beside atop %s" % option
    if not b.peers.path["atop"]:
        b.table.missing(label, b.peers.why_not("atop"))
        return
    samples = b.size["scale atop"]
    argv = [b.peers.path["atop"]] + (["-R"] if option == "-R" else [])
    runs = [b.start("atop", argv + ["-w", b.path("scale-atop-%d.raw" % n), "1", str(n)]).wait(600)
            for n in (1, 1 + samples)]
    each = (runs[1]["cpu_ns"] - runs[0]["cpu_ns"]) / samples
    b.table.add(label, time_text(ours), time_text(each), Ratio([ours], [each]).text(True))
