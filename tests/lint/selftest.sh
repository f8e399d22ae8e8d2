#!/bin/sh
# SPDX-License-Identifier: MIT
# The lints themselves: each must pass a good tree and find one fault put into it.
set -u
tree=$PT_TMP/tree
failures=0

good_tree()
{
    rm -rf "$tree"
    mkdir -p "$tree/schema" "$tree/recorder" "$tree/analyze" "$tree/tests" "$tree/.ci"
    cp "$PT_SOURCE/.clang-format" "$tree/"
    printf '/* SPDX-License-Identifier: MIT */\n#ifndef PT_SCHEMA_A_H\n#define PT_SCHEMA_A_H\nint pt_a(int x);\n#endif\n' \
        >"$tree/schema/a.h"
    printf '/* SPDX-License-Identifier: MIT */\n#include "schema/a.h"\n#include <stdio.h>\n\nint pt_a(int x)\n{\n    return x;\n}\n' \
        >"$tree/schema/a.c"
    cp "$tree/schema/a.c" "$tree/recorder/r.c"
    cp "$tree/schema/a.c" "$tree/analyze/n.c"
    printf '#!/bin/sh\n# SPDX-License-Identifier: MIT\ntrue\n' >"$tree/tests/run.sh"
    cp "$tree/tests/run.sh" "$tree/recorder/quickstart.sh"
    printf '# T\n\n    sh recorder/quickstart.sh\n    sh tests/run.sh\n' >"$tree/README.md"
    printf '{}\n' >"$tree/analyze/x.schema.json"
    printf '.Dd November 24, 2026\n.Dt P 1\n.Os\n.Sh NAME\n.Nm p\n.Nd q\n' >"$tree/analyze/pagetrail.1"
    sed 's/Dt P 1/Dt P 8/' "$tree/analyze/pagetrail.1" >"$tree/recorder/pagetraild.8"
}

lint()
{
    PT_LINT_TREE=$tree PT_BUILD='' sh "$PT_SOURCE/tests/lint/$1.sh" >"$PT_TMP/out" 2>&1
}

# finds LINT FILE LINE: with the line added at the end of the file, the lint fails; else it is broken.
finds()
{
    good_tree
    printf "%b\n" "$3" >>"$tree/$2"
    PT_LINT_TREE=$tree lint "$1"
    case $? in
    1) ;;
    77) echo "skipped: $1: $(cat "$PT_TMP/out")" ;;
    *)
        echo "$1 does not find '$3' in $2"
        failures=$((failures + 1))
        ;;
    esac
}

good_tree
for script in "$PT_SOURCE"/tests/lint/*.sh; do
    name=$(basename "$script" .sh)
    [ "$name" != selftest ] || continue
    lint "$name"
    case $? in
    0 | 77) ;;
    *)
        echo "$name fails on a good tree:"
        cat "$PT_TMP/out"
        failures=$((failures + 1))
        ;;
    esac
done

finds layering recorder/r.c '#include "analyze/n.h"'
finds layering analyze/n.c '#include "recorder/r.h"'
finds layering schema/a.c '#include "recorder/r.h"'
finds layering recorder/r.c '#include <sqlite3.h>'
finds layering analyze/n.c '#include <zstd.h>'
finds layering recorder/r.c '#  include <jansson.h>'
finds layering schema/a.c 'static void f(void)\n{\n    printf(f);\n}'
finds layering schema/a.c 'static const char *p = "/proc/meminfo";'
finds layering analyze/n.c '#include "n.h"'
finds layering stray.txt 'x'
finds banned recorder/r.c 'static int f(const char *s)\n{\n    return atoi(s);\n}'
finds banned tests/t.c '    sprintf(b, "x");'
finds format schema/a.c 'int  x ;'
finds sizes schema/a.c "int f(void)\n{\n$(printf '    x();\\n%.0s' $(seq 101))}"
finds sizes schema/a.c "$(printf '/* x */\\n%.0s' $(seq 600))"
finds files analyze/new.c 'int x;'
finds files schema/b.h '/* SPDX-License-Identifier: MIT */\n#ifndef B_H\n#endif'
finds files recorder/r.c '/* TODO: more */'
finds files README.md 'see /home/me/x'
finds files analyze/n.c 'int x; '
finds shell tests/run.sh 'if true; then'
finds shell tests/run.sh 'a=(1 2)'
finds man analyze/pagetrail.1 '.Foo'
finds json analyze/x.schema.json '}'
finds readme README.md '    sh tests/absent.sh'
[ $failures -eq 0 ]
