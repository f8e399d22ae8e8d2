#!/bin/sh
# SPDX-License-Identifier: MIT
# pagetrail check --repair: copies that were taken by cp while a recorder was at work, torn, cut and overwritten, give
# recordings that are right; the copy stays as it is.
. "${PT_SOURCE:?}/tests/lib/e2e.sh"
cd "$PT_TMP" || exit 1
tree=$PT_SOURCE/tests/fixtures/linux-6.18-x86_64/proc

# repair STATUS COPY ARGUMENT...: what is written to standard output is in ./out.
repair()
{
    want=$1
    copy=$2
    shift 2
    cksum "$copy" >before
    rm -f "$copy.repaired"
    "$analyzer" check "$copy" --repair "$@" >out 2>said
    got=$?
    [ $got -eq "$want" ] || fail "exit status $got instead of $want for $copy: $(cat out said)"
    cksum "$copy" | cmp -s - before || fail "$copy was changed"
}

# right DATABASE: every text is what was read.
right()
{
    integrity "$1"
    run "$verify" --cut --every 100 "$1" log
}

# any COPY: whole, or with something missing that is told.
any()
{
    "$analyzer" check "$1" --repair >out 2>said
    case $? in
    0) right "$1.repaired" ;;
    4)
        integrity "$1.repaired"
        [ -s said ] || fail 'not a word of what is missing'
        ;;
    *) fail "$1: $(cat said)" ;;
    esac
}

start "$recorder" -q -o r.db -i 20ms --deep off --cpu-budget 100% --procfs "$tree" --raw-log log
daemon=$pid
# sealed N: as many segments are in the main file alone, where the checkpoint after a seal puts them.
sealed()
{
    [ "$(sqlite3 'file:r.db?immutable=1' 'select count(*) from segment')" -ge "$1" ]
}
until_true 120 sealed 1 || fail 'nothing is sealed'
"$analyzer" check r.db --repair >out 2>said && fail 'a live database was repaired'
grep -q 'dump it instead' said || fail "$(cat said)"
[ ! -e r.db.repaired ] || fail 'something is left behind'
cp r.db alone.db
cp r.db pair.db
cp r.db-wal pair.db-wal
until_true 120 sealed 2 || fail 'nothing more is sealed'
cp r.db-wal alone.later
cp r.db late.db
kill -9 "$daemon"
wait "$daemon" 2>/dev/null
cp r.db killed.db
cp r.db-wal killed.db-wal
run "$analyzer" info killed.db >/dev/null

repair 0 killed.db
right killed.db.repaired
saved=$(snapshots killed.db.repaired)
[ "$saved" -eq "$(snapshots r.db)" ] || fail "only $saved of $(snapshots r.db)"
for copy in alone pair late; do # torn or not: nobody can say what the end was
    any $copy.db
    [ "$(sqlite3 $copy.db.repaired 'select count(*) from segment')" -ge 1 ] || fail "the first segment is not in $copy.db"
done
cp alone.later alone.db-wal # of another moment
rm -f alone.db.repaired
any alone.db

# no beginning, and holes
cp killed.db holes.db
dd if=/dev/zero of=holes.db bs=512 count=3 conv=notrunc status=none
dd if=/dev/urandom of=holes.db bs=512 seek=40 count=2 conv=notrunc status=none
repair 4 holes.db --format json -v
jq -e '.ok == false and .snapshots > 0 and (.lost | length) > 0' out >/dev/null || fail "$(cat out)"
validate check-repair out
integrity holes.db.repaired
head -c $(($(stat -c %s killed.db) * 3 / 4)) killed.db >cut.db
repair 4 cut.db
grep -q 'cut short' said || fail "$(cat said)"

# nothing there, and names
printf 'no recording\n' >text
repair 3 text
[ ! -e text.repaired ] || fail 'an empty recording is left'
: >kept
repair 0 killed.db -o kept
right kept
repair 2 killed.db -o kept
repair 2 killed.db -o .
"$analyzer" check killed.db -o x >out 2>said && fail '-o without --repair'
"$analyzer" check nowhere.db --repair >out 2>said && fail 'a file that is not there'
for left in *.part-*; do
    [ ! -e "$left" ] || fail "left behind: $left"
done
echo "$saved snapshots saved"
