# shellcheck shell=sh
# verdict.sh - what the shell tests share: a folder for scratch, a count, and what a failure shows.
#
# Sourced by tests/*/*.sh, whose last line is `verdicts NAME`. Before that a test may set $about, which
# stands before what failed, and $shown, the files whose end of $lines lines is printed with it.
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
passed=0 failed=0 skipped=0 about='' shown="$work/out $work/err" lines=15

verdict() { # WHAT REASON...; no reason: passed
    verdict_what=$1
    shift
    if [ $# = 0 ]; then
        passed=$((passed + 1))
        return
    fi
    failed=$((failed + 1))
    echo "FAILED: $about$verdict_what: $*"
    for verdict_file in $shown; do
        [ ! -f "$verdict_file" ] || tail -n "$lines" "$verdict_file" | sed 's/^/    /'
    done
}

# is_zero WHAT STATUS
is_zero() {
    if [ "$2" = 0 ]; then verdict "$1"; else verdict "$1" "status $2"; fi
}

# check WHAT COMMAND...: passed if the command succeeds. What it prints is shown if not.
check() {
    check_what=$1
    shift
    if "$@" >"$work/check" 2>&1; then
        verdict "$check_what"
    else
        verdict "$check_what" "not so: $*"
        tail -n "$lines" "$work/check" | sed 's/^/    /'
    fi
}

# wait_until COMMAND...: until the command succeeds, a minute at most; status 1: it did not. A test waits for
# what has to be, not for a time: how long a loaded machine takes nobody knows.
wait_until() {
    wait_end=$(($(date +%s) + 60))
    until "$@"; do
        [ "$(date +%s)" -lt $wait_end ] || return 1
        sleep 0.1
    done
}

# listens SOCKET: does anybody accept there? The file is there a moment before. (proc_net_unix: flag 00010000)
listens() {
    grep -q " 00010000 .* $1\$" /proc/net/unix
}

# ends WHAT STATUS PATTERN...: what ran last ended with $work/status and printed into $work/out the patterns, in
# this order.
ends() {
    ends_what=$1 ends_want=$2 ends_got=$(cat "$work/status")
    shift 2
    if [ "$ends_got" != "$ends_want" ]; then
        verdict "$ends_what" "status $ends_got, not $ends_want"
        return
    fi
    ends_from=1
    for ends_pattern; do
        ends_at=$(tail -n "+$ends_from" "$work/out" | grep -n -m 1 -e "$ends_pattern" | cut -d: -f1)
        if [ -z "$ends_at" ]; then
            verdict "$ends_what" "lacks '$ends_pattern' from line $ends_from on"
            return
        fi
        ends_from=$((ends_from + ends_at))
    done
    verdict "$ends_what"
}

# verdicts [NAME]: the last line, and the status.
verdicts() {
    [ "$skipped" = 0 ] || set -- "${1-}" ", $skipped skipped"
    echo "${1:+$1: }$passed passed, $failed failed${2-}"
    [ "$failed" = 0 ]
}
