#!/bin/sh
# SPDX-License-Identifier: MIT
# How pagetrail is talked to: usage, exit status, what it leaves behind, what it does with files that are no recordings.
. "${PT_SOURCE:?}/tests/lib/e2e.sh"
dir=$PT_TMP/dir
db=$dir/a.db
mkdir "$dir"
run "$recorder" -q --once -o "$db"

# status WANT ARGUMENT...: the exit status, and that a refusal says something.
status()
{
    want=$1
    shift
    "$analyzer" "$@" >"$PT_TMP/out" 2>"$PT_TMP/err"
    got=$?
    [ "$got" -eq "$want" ] || fail "exit status $got, not $want, of: pagetrail $*: $(cat "$PT_TMP/err")"
    [ "$want" -eq 0 ] || [ -s "$PT_TMP/err" ] || fail "no word on standard error of: pagetrail $*"
}

# says WORD: the last command printed it, here or there.
says()
{
    grep -qF -- "$1" "$PT_TMP/out" "$PT_TMP/err" || fail "does not say '$1': $(cat "$PT_TMP/out" "$PT_TMP/err")"
}

status 0 --help
for command in info diff show balance oom events check explain; do
    says "pagetrail $command"
    "$analyzer" "$command" --help >"$PT_TMP/help" || fail "$command --help"
    grep -q "usage: pagetrail $command" "$PT_TMP/help" || fail "usage of $command"
    awk 'length > 80 { exit 1 }' "$PT_TMP/help" || fail "$command --help: over 80 columns"
done
status 0 --version
says 'pagetrail 0'
status 2
status 2 frobnicate
says frobnicate
status 2 info
status 2 info "$db" "$db"
status 2 info "$db" --frobnicate
says "pagetrail info: unrecognized option '--frobnicate'"
status 2 "$db"
says "pagetrail info '$db'"
status 0 help
says 'pagetrail leaks DB'
status 0 help events
says 'usage: pagetrail events'
status 2 info "$db" --format xml
status 2 info "$db" --at 14:05
status 2 diff "$db" @1 @1 @1
status 2 diff "$db" --from @1 @1
status 2 diff "$db" --by colour
says 'process, exe, service, cgroup or user'
status 2 diff "$db" "$dir/absent.db"
says 'nor is it a file'
status 2 diff "$db" --top -1
status 2 diff "$db" --top 1x
status 2 diff "$db" 25:00
says 25:00
status 2 show "$db"
status 2 show "$db" text
status 2 show "$db" pss
says "'pss' is not a view"
status 2 show "$db" ps more
status 2 events "$db" --kind oom,frobnicate
says oom,frobnicate
says 'the kinds: start, '
status 2 events "$db" --kind ''
status 2 events "$db" --kind exit,-exit
status 0 events "$db" --kind -exit,-start
status 2 events "$db" --format xml
status 2 info "$db" --format csv
status 2 events "$db" last 1000000000
status 2 events "$db" --from first first
status 0 events "$db"
status 0 events "$db" --kind suspend
says 'no such events'
status 0 events "$db" first last --kind start,oom --top 3 --utc --format csv
says time,kind,subject,detail
status 2 explain
status 2 explain MemFre
says MemFree
status 0 explain MemFree
status 0 explain meminfo.MemFree
for name in swappiness oom_score memory.current; do # files of one value
    status 0 explain "$name"
    says "$name: "
    [ "$(awk '{ print length }' "$PT_TMP/out" | sort -n | tail -n 1)" -le 80 ] || fail "explain $name: over 80 columns"
done
for name in nr_dying_descendants deep_overdue; do
    status 0 explain "$name"
    says "$name: gauge, count"
done
status 2 explain memory.curren
says memory.current
# the span goes by either name with every command
status 0 leaks "$db" --from @1 --to @1
status 0 diff "$db" --since @1 --until=@1
says 'the same snapshot'
status 2 diff "$db" --since @1 @1
status 0 diff "$db" -- @1
says 'the same snapshot'
status 0 diff "$db" --top=3 --utc -v
status 0 diff "$db" "$db" --from=first

status 3 info "$PT_TMP/absent.db"
says absent.db
status 3 info "$PT_TMP"
: >"$PT_TMP/empty.db"
status 3 info "$PT_TMP/empty.db"
head -c 100000 /dev/urandom >"$PT_TMP/noise.db"
for command in info diff balance oom check; do
    status 3 "$command" "$PT_TMP/noise.db"
done
status 3 show "$PT_TMP/noise.db" ps
status 3 show "$db" text proc:no/such
status 3 show "$db" meminfo --at @77
status 3 diff "$db" @77
status 3 show "$db" meminfo --at 1000000000
says "before '1000000000', 2001-09-09 0"
says 'the recording begins at 20'
status 0 show "$db" meminfo --at 4000000000
says "before '4000000000' is @1"

# One text, nothing else, byte for byte as it was recorded.
status 0 show "$db" text proc:version
cat /proc/version >"$PT_TMP/version"; cmp -s "$PT_TMP/out" "$PT_TMP/version" || fail 'the text of proc:version'

# A full disk is told.
if [ -w /dev/full ]; then
    "$analyzer" info "$db" >/dev/full 2>/dev/null && fail 'a failed write went unnoticed'
    "$analyzer" diff "$db" --format json >/dev/full 2>"$PT_TMP/err" && fail 'a failed write of JSON went unnoticed'
    grep -q memory "$PT_TMP/err" && fail "a full disk is called: $(cat "$PT_TMP/err")"
fi

# Names from a recording do not reach the terminal raw, and nothing is left beside it. Read-only is enough.
before=$(ls -la --time-style=full-iso "$dir")
chmod a-w "$dir" "$db"
for view in "info $db" "diff $db" "check $db" "show $db ps" "show $db meminfo" "events $db" "balance $db" "oom $db"; do
    # shellcheck disable=SC2086 # words
    status 0 $view
    LC_ALL=C grep -q "$(printf '\033')" "$PT_TMP/out" && fail "escape sequences in: $view"
done
chmod u+w "$dir" "$db"
[ "$before" = "$(ls -la --time-style=full-iso "$dir")" ] || fail 'the directory of the recording changed'
exit 0
