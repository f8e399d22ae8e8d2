# SPDX-License-Identifier: MIT
# install_missing PACKAGE...: Debian packages; says what it installs, or, where it may not, the line to run.

install_missing()
{
    if ! command -v dpkg-query >/dev/null 2>&1; then
        echo "tests/run.sh: not Debian or Ubuntu: using what is installed" >&2
        return 0
    fi
    missing=
    for package in "$@"; do
        case $(dpkg-query -W -f='${Status}' "$package" 2>/dev/null) in
        *' ok installed') ;;
        *) missing="$missing $package" ;;
        esac
    done
    [ -n "$missing" ] || return 0
    if [ "$(id -u)" -ne 0 ]; then
        echo "tests/run.sh: missing packages; run: sudo apt-get install -y --no-install-recommends$missing" >&2
        exit 1
    fi
    echo "== install:$missing"
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq
    # shellcheck disable=SC2086 # a list of words
    apt-get install -y -qq --no-install-recommends $missing >/dev/null
}
