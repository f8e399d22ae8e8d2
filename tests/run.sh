#!/bin/sh
# SPDX-License-Identifier: MIT
# Builds and tests everything from a clean clone: installs what is missing (Debian and Ubuntu, as root), builds with gcc
# and with clang + address and undefined behaviour sanitizers, runs every test on both, the lints once and each fuzz
# target for PT_FUZZ_SECONDS (3). Ends with ctest's summary of all of them. Builds are in build/.
set -eu
cd "$(dirname "$0")/.."
. tests/lib/install.sh

# Where Node comes from its makers npm comes with it, and is no package.
npm=
command -v npm >/dev/null 2>&1 || npm='nodejs npm'
# shellcheck disable=SC2086 # a list of words
install_missing $npm \
    cmake ninja-build gcc libc6-dev pkg-config libsqlite3-dev libzstd-dev libjansson-dev \
    clang libclang-rt-dev libcmocka-dev sqlite3 zstd python3 python3-jsonschema jq \
    clang-format mandoc shellcheck procps e2fsprogs btrfs-progs systemd libseccomp2 dpkg-dev file libjs-dygraphs chromium

seconds=${PT_FUZZ_SECONDS:-3}
for preset in dev asan fuzz; do
    echo "== build: $preset"
    cmake --preset $preset -DPT_TEST_PREFIX=$preset: -DPT_FUZZ_SECONDS="$seconds" >build-$preset.log 2>&1 ||
        { cat build-$preset.log; exit 1; }
    mkdir -p build && mv build-$preset.log build/
    cmake --build --preset $preset
done

# One run of ctest over all builds, so that there is one summary and it is the last thing printed.
for preset in dev asan fuzz; do
    echo "subdirs($preset)"
done >build/CTestTestfile.cmake
echo "== test"
exec ctest --test-dir build --parallel "$(nproc)" --output-on-failure --no-label-summary "$@"
