#!/bin/sh
# SPDX-License-Identifier: MIT
# Long histories with labels: ten days with gaps, of every family of tests/gen/history.c, once whole and once with
# reboots. Leaks of 12 MB a day in noisy diurnal processes of 200 MB and 4 GB are among them, and the same without a leak.
. "${PT_SOURCE:?}/tests/lib/e2e.sh"
command -v python3 >/dev/null || skip 'no python3'
interval=240
[ -z "${PT_SANITIZED:-}" ] || interval=960
snapshots=$((10 * 86400 / interval))

# history NAME PRECISION RECALL OPTION...: made, sound, and ruled on.
history()
{
    name=$1 precision=$2 recall=$3
    shift 3
    run "$PT_TOOLS/ptgen" --history -o "$PT_TMP/$name.db" -n $snapshots -i $interval -p 50 "$@"
    sound "$PT_TMP/$name.db"
    run python3 "$PT_SOURCE/tests/labelled/score.py" --pagetrail "$analyzer" --floor-precision "$precision" \
        --floor-recall "$recall" "$PT_TMP/$name.db"
}

history whole 1 1 -s 1 --gap-every $((snapshots / 5)) --gap-hours 5
# a boot is five days: too few for some of the slowest
history boots 1 .9 -s 2 --gap-every $((snapshots / 4)) --gap-hours 5 --reboot-every 2
