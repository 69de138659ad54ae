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
    for _ in $(seq 600); do
        "$@" && return
        sleep 0.1
    done
    return 1
}

# verdicts [NAME]: the last line, and the status.
verdicts() {
    [ "$skipped" = 0 ] || set -- "${1-}" ", $skipped skipped"
    echo "${1:+$1: }$passed passed, $failed failed${2-}"
    [ "$failed" = 0 ]
}
