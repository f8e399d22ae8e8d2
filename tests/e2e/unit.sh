#!/bin/sh
# SPDX-License-Identifier: MIT
# The shipped systemd unit: its exposure, a reason for each remaining mark, and what is recorded under its restrictions:
# slabinfo, the mappings of root's and of other users' processes, ends of processes, the kernel log.
. "${PT_SOURCE:?}/tests/lib/e2e.sh"
unit=$PT_SOURCE/recorder/pagetraild.service
command -v systemd-analyze >/dev/null 2>&1 || skip 'no systemd-analyze'

echo '-- exposure'
SYSTEMD_COLORS=0 systemd-analyze security --offline=true --no-pager --threshold=22 "$unit" >"$PT_TMP/security" ||
    fail "over 2.2: $(cat "$PT_TMP/security")"
grep -q 'exposure level for pagetraild.service: [0-9.]' "$PT_TMP/security" || fail 'systemd-analyze says no level'
sed -n '/still marks/,/^$/s/^#//p' "$unit" | tr -d '\n' >"$PT_TMP/reasons"
grep -a '✗' "$PT_TMP/security" | awk '{print $2}' | sed 's/^[A-Za-z]*=\(~.\)/\1/' >"$PT_TMP/marks"
[ -s "$PT_TMP/marks" ] || fail 'nothing is marked?'
while read -r mark; do
    grep -qF -- "$mark" "$PT_TMP/reasons" || fail "'$mark' is marked, and the unit does not say why"
done <"$PT_TMP/marks"

echo '-- verify'
sed "s|^ExecStart=pagetraild|ExecStart=$recorder|" "$unit" >"$PT_TMP/pagetraild.service"
systemd-analyze verify --man=no "$PT_TMP/pagetraild.service" >"$PT_TMP/verify" 2>&1 || fail "verify: $(cat "$PT_TMP/verify")"
grep 'pagetraild' "$PT_TMP/verify" && fail 'see above'

echo '-- what is recorded under it'
[ "$(id -u)" -eq 0 ] || skip 'the restrictions need root; the unit itself is good'
[ -z "${PT_SANITIZED:-}" ] || skip 'sanitizers need what the unit takes away'
python=/usr/bin/python3 # not below a home, which the unit hides
[ -x $python ] && command -v setpriv >/dev/null 2>&1 || skip 'no python3 or setpriv'
$python -c 'import ctypes; ctypes.CDLL("libseccomp.so.2")' 2>/dev/null || skip 'no libseccomp'
box=$(mktemp -d) # a socket's name is short
confined()
{
    sed -n 's/^pid //p' "$PT_TMP/box"
}
cleanup()
{
    kill -9 "$(confined)" 2>/dev/null && sleep 0.5 # its control groups go with it
    stop_started
    rm -rf "$box"
}
trap cleanup EXIT
: >"$box/socket"
start sleep 600
of_root=$pid
start setpriv --reuid 65534 --regid 65534 --clear-groups sleep 600
of_nobody=$pid
start $python "$PT_SOURCE/tests/e2e/sandbox.py" "$unit" "$recorder" "$box" -i 500ms --deep all --raw-log /mnt/state/raw \
    >"$PT_TMP/box" 2>"$PT_TMP/err"
db=$box/state/pagetrail.db
enough()
{
    [ "$(snapshots "$db")" -ge 4 ] && grep -aq "source proc:$of_nobody/smaps length [1-9]" "$box/state/raw"
}
until_true 120 enough || fail 'no snapshots'

# text SOURCE PATTERN
text()
{
    "$analyzer" show "$db" text "$1" >"$PT_TMP/text" || fail "'$1' is not recorded"
    grep -Eq -- "$2" "$PT_TMP/text" || fail "'$1' does not have '$2': $(head -5 "$PT_TMP/text")"
}
text proc:slabinfo '^kmalloc|^dentry'
text proc:vmallocinfo '^0x[0-9a-f]*[1-9a-f]'
text "proc:$of_root/smaps" '^Pss: '
text "proc:$of_nobody/smaps" '^Pss: '
text "proc:$of_nobody/exe" sleep
# of root's; where many end it is among the others of which one line tells
ended()
{
    sleep 1.5
    [ "$(sqlite3 -readonly "$db" 'select count(*) from event where kind = 10')" -ge 1 ]
}
until_true 2 ended || fail "ends of processes are not told: $(cat "$PT_TMP/err")"
kernel_log=$(find "/proc/$(confined)/fd" -lname /dev/kmsg)
[ ! -c /dev/kmsg ] || [ -n "$kernel_log" ] || fail 'the kernel log is not read'
# Nothing was refused but what is refused to root too, and the two that the kernel shows to user 0 alone.
sed -nE 's/^snapshot .* source proc:(.*) length .* outcome unreadable:(1|13)$/\1/p' "$box/state/raw" | sort -u |
    grep -v '^sys/vm/mmap_rnd_' | while read -r file; do
    case $file in
    */exe) readlink "/proc/$file" ;;
    *) cat "/proc/$file" ;;
    esac >/dev/null 2>&1 && echo "$file"
done >"$PT_TMP/refused"
[ ! -s "$PT_TMP/refused" ] || fail "refused: $(cat "$PT_TMP/refused")"

run kill -TERM "$(confined)"
until_true 30 grep -q '^status' "$PT_TMP/box" || fail 'it does not stop'
grep -q '^status 0$' "$PT_TMP/box" || fail "$(cat "$PT_TMP/box")"
run "$analyzer" check "$db" >/dev/null
