#!/bin/sh
# SPDX-License-Identifier: MIT
# A short soak; tests/soak.sh is the long one. A leak that the long one would see as a byte a tick is not seen here, one
# of a descriptor, a segment or a page every few ticks is.
. "${PT_SOURCE:?}/tests/lib/e2e.sh"
[ -z "${PT_SANITIZED:-}" ] || skip 'memory is not what it is without sanitizers'
run python3 "$PT_SOURCE/tests/support/soak.py" "$PT_TMP" 4000 5ms 1M "$PT_SOURCE/tests/fixtures/linux-6.18-x86_64" \
    "$recorder"
integrity "$PT_TMP/soak.db"
run "$analyzer" check "$PT_TMP/soak.db"
