#!/bin/sh
# SPDX-License-Identifier: MIT
# pagetraild dump of a live database, to a file and through a pipe: whole, sliced, sound, nothing beside it, and the
# recorder none the worse. What cannot be dumped is said, and leaves nothing behind.
. "${PT_SOURCE:?}/tests/lib/e2e.sh"
cd "$PT_TMP" || exit 1
db=$PT_TMP/r.db
tree=$PT_SOURCE/tests/fixtures/linux-6.18-x86_64/proc

# status WANT COMMAND...: exit status and, on failure, one line on standard error (in ./said).
status()
{
    want=$1
    shift
    "$@" >out 2>said
    got=$?
    [ $got -eq "$want" ] || fail "exit status $got instead of $want of: $* ($(cat said))"
    [ "$want" -eq 0 ] || [ -s said ] || fail "not a word from: $*"
}

# sound DATABASE: whole, closed, readable by SQLite alone.
sound()
{
    run "$analyzer" check "$1" >/dev/null
    [ "$(sqlite3 "$1" 'pragma journal_mode; pragma integrity_check')" = "delete
ok" ] || fail "not a plain database: $1"
    [ ! -e "$1-wal" ] && [ ! -e "$1-shm" ] && [ ! -e "$1-journal" ] || fail "something is left beside $1"
}

# range DATABASE: first, last and number of its snapshots.
range()
{
    sqlite3 "$1" "select min(n), max(n), count(*) from snapshot" | tr '|' ' '
}

start "$recorder" -q -o "$db" -i 25ms --deep off --cpu-budget 100% --procfs "$tree" --raw-log log # the same few files on any machine
daemon=$pid
enough()
{
    [ "$(snapshots "$db")" -ge "$1" ]
}
until_true 120 enough 400 || fail 'the recorder does not record'

# whole, several at once, while chains are sealed
for i in 1 2; do
    before=$(snapshots "$db")
    run "$recorder" dump "$db" -o "whole$i.db" &
    one=$!
    "$recorder" dump "$db" >"piped$i.db" || fail 'dump to a pipe'
    wait $one || fail 'dump beside another'
    for dump in "whole$i.db" "piped$i.db"; do
        sound "$dump"
        # shellcheck disable=SC2046 # three words
        set -- $(range "$dump")
        [ "$1" -eq 1 ] && [ "$2" -eq "$3" ] && [ "$3" -ge "$before" ] || fail "$dump has @$1 to @$2, $3 of $before"
    done
    [ "$(stat -c %a "whole$i.db")" = 600 ] || fail 'mode of a dump'
done
enough "$(($(snapshots whole2.db) + 1))" || sleep 1
enough "$(($(snapshots whole2.db) + 1))" || fail 'the recorder stopped'

# slices
run "$recorder" dump "$db" --since 3s -q >since.db
sound since.db
run "$recorder" dump "$db" --since @50 --until @70 -o until.db
sound until.db
# shellcheck disable=SC2046
set -- $(range until.db)
[ "$1" -eq 50 ] && [ "$2" -eq 70 ] && [ "$3" -eq 21 ] || fail "@50 to @70 gave @$1 to @$2"
status 3 "$recorder" dump "$db" --until '2001-01-01'
grep -q 'nothing was recorded' said || fail "$(cat said)"
status 2 "$recorder" dump "$db" --since nonsense
status 2 "$recorder" dump "$db" --sinc
status 2 "$recorder" dump a b

# where from
printf 'output = %s\n' "$db" >conf
run "$recorder" dump --config conf -o conf.db
sound conf.db
mkdir -p default
ln -s "$db" default/pagetrail.db # where a service records to
STATE_DIRECTORY=$PT_TMP/default "$recorder" dump >default.db || fail "the default database: exit status $?"
sound default.db
STATE_DIRECTORY=$PT_TMP/default run "$recorder" dump -o - >explicit.db
sound explicit.db
status 3 "$recorder" dump nowhere.db
printf 'not a database, but long enough to look into\n' >text
status 3 "$recorder" dump text
cp whole1.db newer.db
sqlite3 newer.db 'pragma user_version=99'
status 3 "$recorder" dump newer.db
grep -q 99 said || fail "$(cat said)"
run "$recorder" dump whole1.db -o again.db
cmp -s whole1.db again.db || [ "$(range whole1.db)" = "$(range again.db)" ] || fail 'a dump of a dump'

# where to
cp until.db there.db
status 2 "$recorder" dump "$db" -o there.db
cmp -s until.db there.db || fail 'a file was overwritten'
status 2 "$recorder" dump "$db" -o "$db"
status 2 "$recorder" dump "$db" -o .
mkfifo fifo
status 2 timeout 20 "$recorder" dump "$db" -o fifo
[ -p fifo ] || fail 'a FIFO was replaced'
: >kept
run "$recorder" dump "$db" -o kept
sound kept
status 3 "$recorder" dump "$db" -o no/such/dir.db
if command -v script >/dev/null 2>&1; then
    script -qec "'$recorder' dump '$db'" /dev/null >tty.out 2>&1 </dev/null && fail 'dump to a terminal'
    grep -q 'is a terminal' tty.out || fail "$(head -c 300 tty.out)"
fi
if [ -c /dev/full ]; then
    "$recorder" dump "$db" >/dev/full 2>said && fail 'dump to a full device'
    grep -q 'No space left' said || fail "$(cat said)"
fi
{ "$recorder" dump "$db" 2>said; echo $? >code; } | head -c 100 >/dev/null
until_true 10 grep -q 'Broken pipe' said || fail "a pipe that closes early: $(cat said)"
until_true 10 test -s code
[ "$(cat code)" = 1 ] || fail "a pipe that closes early: exit status $(cat code)"
mkdir -p small
if mount -t tmpfs -o size=64k none small 2>/dev/null; then
    TMPDIR=$PT_TMP/small "$recorder" dump "$db" 2>said | cat >part.db
    grep -q "No space left\|is full" said || fail "a full TMPDIR: $(cat said)"
    status 1 "$recorder" dump "$db" -o small/x.db
    [ -z "$(ls small)" ] || fail 'a part is left behind'
    umount small
fi
if [ "$(id -u)" -eq 0 ] && command -v setpriv >/dev/null 2>&1 && [ "$PT_SANITIZED" != 1 ]; then
    cp "$recorder" "$PT_TMP/pagetraild"
    chmod 755 "$PT_TMP" "$PT_TMP/pagetraild"
    if setpriv --reuid 65534 --regid 65534 --clear-groups "$PT_TMP/pagetraild" --version >/dev/null 2>&1; then
        status 3 setpriv --reuid 65534 --regid 65534 --clear-groups "$PT_TMP/pagetraild" dump "$db"
        grep -q "cannot open '$db': Permission denied" said || fail "$(cat said)"
    fi
fi
"$recorder" dump "$db" -o slow.db &
one=$!
kill -INT $one
wait $one
[ ! -e slow.db ] || sound slow.db
for left in *.part-*; do
    [ ! -e "$left" ] || fail "left behind: $left"
done

run kill "$daemon"
wait "$daemon" || fail 'the recorder did not end well'
[ "$(sqlite3 -readonly "$db" 'select count(*) from event where kind = 4')" = 0 ] || fail 'a dump had the recorder lose something'
run "$recorder" dump "$db" -o last.db
sound last.db
run "$verify" --every 40 last.db log
run "$verify" --cut --every 40 whole1.db log
echo "$(snapshots last.db) snapshots dumped"
