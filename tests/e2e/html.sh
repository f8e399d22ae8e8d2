#!/bin/sh
# SPDX-License-Identifier: MIT
# HTML reports in a browser, as readers use them (tests/browser/check.mjs): one of a recording with leaks, one of
# programs whose names are markup, and others.
. "${PT_SOURCE:?}/tests/lib/e2e.sh"
[ "${PT_SANITIZED:-}" != 1 ] || skip 'the pages are those of the other build'
command -v npm >/dev/null 2>&1 || skip 'no npm'
CHROMIUM=${CHROMIUM:-$(command -v chromium)} || skip 'no chromium'
export CHROMIUM
cp "$PT_SOURCE"/tests/browser/* "$PT_TMP/"
(cd "$PT_TMP" && npm ci --no-audit --no-fund --prefer-offline >npm.log 2>&1) ||
    skip "cannot install what drives the browser: $(tail -3 "$PT_TMP/npm.log")"

# A directory and a program that would be markup, if anybody took them for it. Not under the scratch directory: a long
# command line is cut in its middle, which is where the name would be in a clone far down.
away=$(mktemp -d) || fail 'no temporary directory'
trap 'stop_started; rm -rf "$away"' EXIT
evil="$away/\"><img src=x onerror=alert(1)>"
mkdir "$evil"
cp "$PT_TOOLS/e2e_leak" "$evil/<script>alert(1)"
start "$evil/<script>alert(1)" 60 heap "$PT_TMP/leaked"
until_true 20 grep -aq '^/.*<script>' "/proc/$pid/cmdline" || fail 'the program with the hostile name was not started'
run "$recorder" -q -o "$PT_TMP/hostile.db" -i 250ms -d 4s --cmdline full --deep all --cpu-budget 100%

db=$PT_SOURCE/tests/fixtures/labelled/chosen/s1.db
run "$analyzer" report "$db" --format html -o "$PT_TMP/report.html"
run "$analyzer" report "$db" --format json -o "$PT_TMP/report.json"
run "$analyzer" report "$PT_TMP/hostile.db" --format html -o "$PT_TMP/hostile.html"
run "$analyzer" report "$db" --format html --top 4 -o "$PT_TMP/short.html"
run "$analyzer" report "$db" --format html --split-at 15:50 -o "$PT_TMP/split.html"

# A week of 300 processes; its size hardly depends on how often it was looked.
week=$PT_TMP/week.db
run "$PT_TOOLS/ptgen" --history -o "$week" -n 250 -i 2419 -p 300 -s 5 --gap-every 60 --gap-hours 5 --reboot-every 2
run "$analyzer" report "$week" --format html -o "$PT_TMP/week.html"
run "$analyzer" report "$week" --format html --every 1d -o "$PT_TMP/days"

run node "$PT_TMP/check.mjs" "$PT_TMP/report.html" "$PT_TMP/report.json" "$PT_TMP/hostile.html" "$PT_TMP/short.html" \
    "$PT_TMP/week.html" "$PT_TMP/split.html" "$PT_TMP/days/index.html"
