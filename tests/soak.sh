#!/bin/sh
# SPDX-License-Identifier: MIT
# A soak: sh tests/soak.sh [TICKS] records a tree of kernel files that churns for 200,000 ticks, about twenty minutes,
# and compares memory, descriptors and the size of the file with what they were after the first thousand. The recorder
# is the one in $PT_BUILD, by default build/release. tests/e2e/soak.sh is a short one.
set -eu
source=$(cd "$(dirname "$0")/.." && pwd)
build=${PT_BUILD:-$source/build/release}
[ -x "$build/pagetraild" ] || {
    echo "soak.sh: '$build/pagetraild' is not built" >&2
    exit 2
}
scratch=$(mktemp -d "${TMPDIR:-/tmp}/soak-XXXXXX")
trap 'rm -rf "$scratch"' EXIT
python3 "$source/tests/support/soak.py" "$scratch" "${1:-200000}" "${PT_INTERVAL:-3ms}" 2M \
    "$source/tests/fixtures/linux-6.18-x86_64" "$build/pagetraild"
"$build/pagetrail" check "$scratch/soak.db"
