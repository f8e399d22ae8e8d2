# SPDX-License-Identifier: MIT
"""Is the CPU budget kept? One process of 8 GiB in small pages and 300 small ones, recorded at the
interval of production, with the budget it has by default and with a tight one, side by side.

What is held against the budget is all from the start on, up to the end of so many seconds. The end of
a recording, which reads and packs all that is open, is told apart: nothing comes after it that could
pay it back."""
import time

from benchlib import Account, Ratio, bytes_text, cpu_ns, time_text

INTERVAL = 10
TIGHT = 0.2  # percent of a core


def measure(b):
    span, big = b.size["governor"], b.size["big"]
    population = b.populate(300, "--no-python", "--big", str(big))
    try:
        plain = ["--burst-length", "0"]  # bursts have a limit of their own
        tight = plain + ["--cpu-budget", "%g%%" % TIGHT]
        runs = [("by default", 0.5, b.recorder("gov-default", *plain, interval=INTERVAL)),
                ("tight", TIGHT, b.recorder("gov-tight", *tight, interval=INTERVAL))]
        begun = time.monotonic()
        time.sleep(span)
        recorded = [(cpu_ns(p.pid), time.monotonic() - begun) for _, _, p in runs]
        for (name, percent, p), (used, seconds) in zip(runs, recorded):
            end = p.stop()["cpu_ns"] - used
            row(b, name, percent, (used, seconds, end), Account(b, p))
    finally:
        population.terminate()
        population.wait(30)
    b.table.note("governor: 300 processes and one of %s, %d s every %d s." % (
        bytes_text(big << 20), span, INTERVAL))


def row(b, name, percent, cost, account):
    used, seconds, end = cost
    budget = seconds * 1e9 * percent / 100
    ratio = Ratio([used], [budget])
    overdue = account.at(-2).get("deep_overdue")  # the last one looks at all who changed
    waited = sum(1 for a in account.all if a.get("deep_overdue", 0) > 0)
    met = ratio.median <= 1.05 and (ratio.median < 0.8 or overdue > 0)
    b.table.add("CPU of the budget, %s: %g%%" % (name, percent), time_text(used),
                "%s; reads overdue in %d of %d snapshots, at last %d; %d triggers; %s more to end" % (
                    time_text(budget), waited, len(account.all), overdue, account.triggers,
                    time_text(end)),
                ratio.text(), "<= 1.05; >= 0.8 only if overdue", met)
