#!/bin/sh
# top.sh HV GUESTS PTY - `hv run --top` on a terminal, and where there is none. PTY is the program of
# pty.c. Called by `make check-cli`; ends with "N passed, N failed".
set -u
hv=$1 guests=$2 pty=$3
# shellcheck source=tests/scripts/verdict.sh
. "$(dirname "$0")/../scripts/verdict.sh"

# has WHAT PATTERN: in what was shown
has() {
    grep -q -e "$2" "$work/out"
    is_zero "$1: '$2'" $?
}

escape=$(printf '\033')
enter="$escape\\[?1049h" leave="$escape\\[?1049l"

# A guest that never ends, until Ctrl-C.
printf 'in all|\n OUTS|\\x03\n' >"$work/keys"
timeout 300 "$pty" "$work/keys" "$hv" run --engine soft --top "$guests/minios" >"$work/out" 2>&1
is_zero "Ctrl-C ends the run" "$(($? - 130))"
has "Ctrl-C" "$enter"
has "Ctrl-C" 'io  *[0-9,]* .*OUTS'
has "Ctrl-C" "$leave.*hv: stopped by the user" # the screen is given back first

# A guest that ends by itself.
printf '' >"$work/keys"
timeout 300 "$pty" "$work/keys" "$hv" run --engine soft --top "$guests/hello64" >"$work/out" 2>&1
is_zero "its own status" "$(($? - 1))"
has "a short run" 'powered off with status 1'
grep -q 'Hello' "$work/out"
is_zero "the guest's own words are not on the terminal" "$((1 - $?))"
timeout 300 "$pty" "$work/keys" "$hv" run --engine soft --top --console "file:$work/words" "$guests/hello64" >"$work/out" 2>&1
test -s "$work/words"
is_zero "but where --console says" $?

# Where it cannot be.
timeout 300 "$hv" run --engine soft --top "$guests/hello64" >"$work/out" 2>&1 </dev/null
is_zero "no terminal: status" "$(($? - 1))"
has "no terminal" 'draws on a terminal, and standard error is none'
timeout 300 "$pty" "$work/keys" "$hv" run --engine soft --top --console stdio "$guests/hello64" >"$work/out" 2>&1
has "one terminal for two" 'cannot share a terminal'
timeout 300 "$pty" "$work/keys" "$hv" run --engine soft --top --gdb :0 "$guests/hello64" >"$work/out" 2>&1
has "gdb" 'do not go together'

verdicts top
