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

python3 -c 'import jsonschema' 2>/dev/null || skip 'schemas are not checked: no python3 with jsonschema'
# document SCHEMA ARGUMENT...: what the command prints, against analyze/SCHEMA.schema.json.
document()
{
    schema=$PT_SOURCE/analyze/$1.schema.json
    shift
    run "$analyzer" "$@" --format json >"$PT_TMP/document"
    run python3 -c '
import json, sys, jsonschema
schema, document = (json.load(open(path, encoding="utf-8")) for path in sys.argv[1:])
jsonschema.Draft202012Validator(schema).validate(document)' "$schema" "$PT_TMP/document"
}
document info info "$PT_TMP/a.db"
document diff diff "$PT_TMP/a.db"
document diff diff "$PT_TMP/a.db" "$PT_TMP/b.db" --by exe
document show-meminfo show "$PT_TMP/a.db" meminfo --at @3
document show-ps show "$PT_TMP/a.db" ps --at @3
document events events "$PT_TMP/a.db"
document check check "$PT_TMP/a.db"
document explain explain MemAvailable
