#!/bin/sh
# SPDX-License-Identifier: MIT
# The lines of a diff of this machine under churn add up and agree with the recorded texts; every document that
# `--format json` prints keeps to its schema.
. "${PT_SOURCE:?}/tests/lib/e2e.sh"
mkdir "$PT_TMP/scratch"

start "$PT_TOOLS/e2e_churn" 20 "$PT_TMP/scratch"
run "$recorder" -q -o "$PT_TMP/a.db" -i 250ms -d 6s --deep all
run "$recorder" -q -o "$PT_TMP/b.db" -i 250ms -d 2s
run python3 "$PT_SOURCE/tests/e2e/diff.py" "$analyzer" "$PT_TMP/a.db" "$PT_TMP/b.db"

# document SCHEMA ARGUMENT...: what the command prints, against SCHEMA.schema.json.
document()
{
    schema=$1
    shift
    run "$analyzer" "$@" --format json >"$PT_TMP/document"
    validate "$schema" "$PT_TMP/document"
}
document info info "$PT_TMP/a.db"
document diff diff "$PT_TMP/a.db"
document diff diff "$PT_TMP/a.db" "$PT_TMP/b.db" --by exe
document show-meminfo show "$PT_TMP/a.db" meminfo --at @3
document show-ps show "$PT_TMP/a.db" ps --at @3
document events events "$PT_TMP/a.db"
document check check "$PT_TMP/a.db"
document explain explain MemAvailable
