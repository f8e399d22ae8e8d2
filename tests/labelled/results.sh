#!/bin/sh
# SPDX-License-Identifier: MIT
# results.sh BUILD: prints RESULTS.md: the recordings of tests/fixtures/labelled by pagetrail of that build and by the baselines.
set -eu

build=$(cd "${1:?usage: results.sh BUILD}" && pwd)
cd "$(dirname "$0")"
cat <<'END'
# Labelled recordings: results

Printed by `sh tests/labelled/results.sh BUILD`. An entity is one labelled program; an alarm on anything else in a
recording is a false one. TP, FP, FN, TN as in score.py; intervals are Wilson's at 95%. Slope error is the median over
leaks of even speed, against what the program itself says it leaked (those left out that count calls or objects and do
not know what these take: ROUGH_ACCOUNTS in score.py); "interval covers": how often a method's own interval at 95% holds
that; "class right": the class of memory that is named. Detected: medians over the leaks found, looked for after each
tenth of the record from the second on; noise is what one value may be off by. The baselines are in baselines.py and are
run on the same recordings. By verdict: precision is over all that were called so; recall over all programs of that kind,
called so or what is true of them as well (KINDS in score.py). Thresholds were chosen on the first group of recordings
and on synthetic families (tests/unit/analyze_verdict.c), never on the second.
END
python3 score.py --pagetrail "$build/pagetrail" --series "$build/tests/labelled_series" --times \
    ../fixtures/labelled/chosen/*.db --set-aside ../fixtures/labelled/aside/*.db
