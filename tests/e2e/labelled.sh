#!/bin/sh
# SPDX-License-Identifier: MIT
# The recordings of tests/fixtures/labelled are ruled on as well as ever: floors on precision and recall, over those
# that thresholds were chosen on and over those set aside. tests/labelled/results.sh prints the whole table.
. "${PT_SOURCE:?}/tests/lib/e2e.sh"
recordings=$PT_SOURCE/tests/fixtures/labelled
[ -d "$recordings/chosen" ] || fail 'there are no recordings'
run python3 "$PT_SOURCE/tests/labelled/score.py" --pagetrail "$analyzer" \
    --floor-precision 0.99 --floor-recall 0.97 "$recordings"/chosen/*.db --set-aside "$recordings"/aside/*.db >"$PT_TMP/table" ||
    fail "$(cat "$PT_TMP/table")"
grep -q 'pagetrail leaks' "$PT_TMP/table" || fail 'nothing was ruled on'
