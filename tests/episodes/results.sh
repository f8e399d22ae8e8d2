#!/bin/sh
# SPDX-License-Identifier: MIT
# results.sh BUILD: prints RESULTS.md: what pagetrail of that build says of the recordings of tests/fixtures/episodes.
set -eu

build=$(cd "${1:?usage: results.sh BUILD}" && pwd)
cd "$(dirname "$0")"
cat <<'EOT'
# Recorded swapping: results

Printed by `sh tests/episodes/results.sh BUILD`. A span is a piece of a recording whose state the schedule made (README.md
says how); right, wrong and missed, and what is judged, as in score.py; intervals are Wilson's at 95%. Thresholds were
chosen on the first group of recordings, never on the second.
EOT
python3 score.py --pagetrail "$build/pagetrail" ../fixtures/episodes/chosen/*.db --set-aside ../fixtures/episodes/aside/*.db
