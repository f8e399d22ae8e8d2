#!/bin/sh
# SPDX-License-Identifier: MIT
# JSON files parse; *.schema.json are valid schemas.
. "${PT_SOURCE:?}/tests/lib/lint.sh"

python3 -c 'import jsonschema' 2>/dev/null || skip 'no python3 with jsonschema'
{
    find schema recorder analyze tests -name '*.json' -not -path '*/fixtures/*'
    find . -maxdepth 1 -name '*.json'
} | xargs -r python3 -c '
import json, sys, jsonschema
for path in sys.argv[1:]:
    try:
        with open(path, encoding="utf-8") as f:
            doc = json.load(f)
        if path.endswith(".schema.json"):
            jsonschema.validators.validator_for(doc, jsonschema.Draft202012Validator).check_schema(doc)
    except Exception as e:
        print(f"{path}: {str(e).splitlines()[0]}")
' | rule 'not valid'
lint_end
