#!/bin/sh
# SPDX-License-Identifier: MIT
# run-one.sh SCRATCH COMMAND...: runs one test with an empty scratch directory in PT_TMP, gone after success.
set -u
PT_TMP=$1
shift
rm -rf "$PT_TMP" && mkdir -p "$PT_TMP" || exit 1
export PT_TMP
"$@"
rc=$?
case $rc in
0 | 77) rm -rf "$PT_TMP" ;;
esac
exit $rc
