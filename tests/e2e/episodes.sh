#!/bin/sh
# SPDX-License-Identifier: MIT
# The recordings of tests/fixtures/episodes are ruled on as well as ever: floors on states, victims and aggressors, over
# those that thresholds were chosen on and over those set aside. tests/episodes/results.sh prints the whole table.
. "${PT_SOURCE:?}/tests/lib/e2e.sh"
recordings=$PT_SOURCE/tests/fixtures/episodes
[ -d "$recordings/chosen" ] || fail 'there are no recordings'
run python3 "$PT_SOURCE/tests/episodes/score.py" --pagetrail "$analyzer" --floor-states 1 --floor-blame 0.95 --least 120 \
    "$recordings"/chosen/*.db --set-aside "$recordings"/aside/*.db >"$PT_TMP/table" || fail "$(cat "$PT_TMP/table")"
grep -q '^| aggressors |' "$PT_TMP/table" || fail 'nothing was ruled on'
