# shellcheck shell=bash
# What the scripts share. Sourced, not run:  . "$(dirname "$0")/lib.sh"
set -euo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$top"

say() { printf '%s\n' "$*"; }
die() { printf '%s: %s\n' "${0##*/}" "$*" >&2; exit 1; }
wrong_usage() { printf '%s: %s (see --help)\n' "${0##*/}" "$*" >&2; exit 2; }
# The comment at the head of the script is its help.
help() { sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$0"; exit 0; }

# quietly LOG COMMAND…: its output goes to LOG and is shown only when it fails.
quietly() {
    local log=$1
    shift
    mkdir -p "$(dirname "$log")"
    "$@" >"$log" 2>&1 || { local code=$?; tail -n 60 "$log" >&2; say "failed: $* (all of it: $log)" >&2; return $code; }
}

# configure DIR COMPILER [meson option…]: sets the folder up, once.
configure() {
    local dir=$1 compiler=$2
    shift 2
    [ -f "$dir/build.ninja" ] || CC=$compiler quietly "out/$dir.log" meson setup "$dir" "$@"
}

# compile DIR COMPILER [meson option…]: the same, then builds what changed.
compile() {
    configure "$@"
    quietly "out/$1.log" ninja -C "$1"
}
