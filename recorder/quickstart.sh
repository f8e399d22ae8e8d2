#!/bin/sh
# SPDX-License-Identifier: MIT
# Builds Pagetrail on this machine, records it for DURATION (60 seconds; 90, 5m, 1h are fine) and shows what the
# recording says. Installs what is missing when run as root, and says what; else prints the line to run. Leaves the
# machine as it is otherwise: everything is in build/quickstart.
#   DURATION=5m INTERVAL=5s sh recorder/quickstart.sh
set -eu
cd "$(dirname "$0")/.."
duration=${DURATION:-60} interval=${INTERVAL:-5s}
build=build/quickstart

say()
{
    printf '\n== %s\n' "$*"
}

is_complete()
{
    for program in cc cmake ninja pkg-config; do
        command -v $program >/dev/null 2>&1 || return 1
    done
    pkg-config --exists 'sqlite3 >= 3.34' 'libzstd >= 1.4.8' 'jansson >= 2.13' &&
        echo '#include <linux/netlink.h>' | cc -E - >/dev/null 2>&1
}

# The package manager's own names of a compiler, cmake, ninja, pkg-config, SQLite, zstd and jansson.
install_line()
{
    if command -v apt-get >/dev/null 2>&1; then
        echo "apt-get update -qq && apt-get install -y -qq --no-install-recommends gcc libc6-dev cmake ninja-build" \
            "pkg-config libsqlite3-dev libzstd-dev libjansson-dev"
    elif command -v dnf >/dev/null 2>&1; then
        echo "dnf install -y -q gcc glibc-devel cmake ninja-build pkgconf-pkg-config sqlite-devel libzstd-devel" \
            "jansson-devel"
    elif command -v apk >/dev/null 2>&1; then
        echo "apk add -q gcc musl-dev linux-headers cmake samurai pkgconf sqlite-dev zstd-dev jansson-dev"
    elif command -v pacman >/dev/null 2>&1; then
        echo "pacman -Sy --needed --noconfirm gcc cmake ninja pkgconf sqlite zstd jansson"
    elif command -v zypper >/dev/null 2>&1; then
        echo "zypper -n -q install gcc glibc-devel cmake ninja pkg-config sqlite3-devel libzstd-devel libjansson-devel"
    else
        return 1
    fi
}

install_missing()
{
    is_complete && return
    if ! line=$(install_line); then
        echo "quickstart: needs a C compiler, cmake, ninja, pkg-config, SQLite, zstd and jansson with headers" >&2
        exit 1
    fi
    if [ "$(id -u)" -ne 0 ]; then
        echo "quickstart: something is missing; run this, then quickstart again:" >&2
        echo "    sudo sh -c '$line'" >&2
        exit 1
    fi
    say "installing what is missing: $line"
    mkdir -p "$build"
    DEBIAN_FRONTEND=noninteractive sh -c "$line" >"$build/install.log" 2>&1 || {
        cat "$build/install.log" >&2
        exit 1
    }
    is_complete || {
        echo "quickstart: still not complete; see $build/install.log" >&2
        exit 1
    }
}

case $duration in
*[!0-9]*) ;;
*) duration=${duration}s ;;
esac
install_missing
mkdir -p "$build"

# Not every distribution has it, and reports have pictures without it.
charts=OFF
[ ! -e /usr/share/javascript/dygraphs/dygraph.min.js ] || charts=ON

say "building in $build"
cmake -S . -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DPT_TESTS=OFF -DPT_CHARTS=$charts >"$build/configure.log" ||
    { cat "$build/configure.log" >&2; exit 1; }
cmake --build "$build"

database=$build/$(uname -n)-$(date +%Y%m%d-%H%M%S).db
say "recording this machine for $duration, every $interval (DURATION= and INTERVAL= change it)"
"$build/pagetraild" -o "$database" -d "$duration" -i "$interval"

say "pagetrail info"
"$build/pagetrail" info "$database"
say "pagetrail diff"
"$build/pagetrail" diff "$database"
say "the recording is $PWD/$database"
echo "Ask it more: $build/pagetrail --help"
