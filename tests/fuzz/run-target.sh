#!/bin/sh
# SPDX-License-Identifier: MIT
# run-target.sh PROGRAM SECONDS SEEDS: a short run of one fuzz target from its seeds (the folder may be missing).
# What it finds stays in PT_TMP.
set -eu
mkdir "$PT_TMP/corpus"
set -- "$1" "$2" "$PT_TMP/corpus" ${3:+"$3"}
[ -d "${4:-}" ] || set -- "$1" "$2" "$3"
program=$1 seconds=$2
shift 2
exec "$program" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=2048 -malloc_limit_mb=1024 -verbosity=1 \
    -print_final_stats=1 -artifact_prefix="$PT_TMP/" "$@"
