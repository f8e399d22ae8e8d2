#!/bin/sh
# SPDX-License-Identifier: MIT
# pagetraild-static: no shared library, and it records in a root that has nothing but it and /proc.
. "${PT_SOURCE:?}/tests/lib/e2e.sh"
[ -z "${PT_SANITIZED:-}" ] || skip 'sanitizers are shared libraries'
cmake --build "$PT_BUILD" --target pagetraild-static >"$PT_TMP/build" 2>&1 || fail "cannot build: $(cat "$PT_TMP/build")"
static=$PT_BUILD/pagetraild-static
ldd "$static" 2>&1 | grep -q 'not a dynamic executable' || fail "$(ldd "$static")"
readelf -d "$static" 2>/dev/null | grep NEEDED && fail 'needs the above'

[ "$(id -u)" -eq 0 ] || skip 'a root of its own needs root; the rest is good'
root=$PT_TMP/root
mkdir -p "$root/proc"
cp "$static" "$root/pagetraild"
# in a mount namespace, so that nothing stays mounted
cat >"$PT_TMP/within" <<'END'
mount -t proc proc "$1/proc" || exit 77
TZ=Europe/Berlin exec chroot "$1" /pagetraild -o /x.db -i 200ms -d 1s --deep all
END
unshare --mount sh "$PT_TMP/within" "$root" 2>"$PT_TMP/err"
rc=$?
[ $rc -ne 77 ] || skip 'cannot mount /proc'
[ $rc -eq 0 ] || fail "exit status $rc: $(cat "$PT_TMP/err")"
# no tzdata there: libc takes UTC, and so it is told
[ "$(sqlite3 -readonly "file:$root/x.db?immutable=1" "select value from meta where key = 'zone'")" = UTC ] || fail 'a zone without rules'
[ "$(find "$root" -type f | wc -l)" -eq 2 ] || fail "left behind: $(find "$root" -type f)"
run "$analyzer" check "$root/x.db" >/dev/null
[ "$(snapshots "$root/x.db")" -ge 2 ] || fail 'no snapshots'
"$analyzer" show "$root/x.db" text proc:meminfo | grep -q '^MemTotal: ' || fail 'no meminfo'
