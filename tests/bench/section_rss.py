# SPDX-License-Identifier: MIT
"""Memory for each further process: the same recording with some hundred idle processes more."""
import time

from benchlib import bytes_text

MORE = 600


def measure(b):
    span = b.size["rss"]
    if "few" not in b.used:
        p = b.recorder("few")
        time.sleep(span)
        b.used["few"] = p.stop()
    more = b.populate(MORE, "--idle")
    p = b.recorder("many")
    time.sleep(span)
    b.used["many"] = p.stop()
    more.terminate()
    more.wait(30)
    few, many = (b.used[name]["rss_kb"] * 1024 for name in ("few", "many"))
    slope = max(0, many - few) / MORE
    b.table.add("peak RSS for each further process", bytes_text(slope),
                "%s with %d, %s with %d more, %d s each" % (
                    bytes_text(few), b.population, bytes_text(many), MORE, span),
                "", "<= 3 KiB", slope <= 3072)
