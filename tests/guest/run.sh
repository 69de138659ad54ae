#!/bin/sh
# run.sh HV GUESTS [ENGINE...] - golden runs: every guest on every engine that works here. What it
# prints must be tests/guest/NAME.txt to the byte, and it must end with the status below.
# Then the same guest on two engines: the same exits in the same order, where both can show them.
# Called by `make check-guest`, and in QEMU by `make check-kvm`; ends with "N passed, N failed".
set -u
hv=$1 guests=$2
shift 2
here=$(dirname "$0")
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
passed=0 failed=0 skipped=0

# guest | status: (v << 1) | 1 for what it wrote to the debug-exit port | options
table() {
    cat <<'END'
hello16|1|
hello32|1|
hello64|1|
minios|1|
END
}

[ $# -gt 0 ] || set -- soft kvm
for engine in "$@"; do
    # An engine that does not work here is skipped, and why is said; `soft` always works.
    why=$("$hv" run --engine "$engine" --console null --limit exits=1 "$guests/hello64" 2>&1 </dev/null)
    status=$?
    if [ "$engine" != soft ] && [ $status = 1 ]; then
        count=$(table | wc -l)
        skipped=$((skipped + count))
        echo "skipped: $count guests on $engine: $why"
        continue
    fi
    while IFS='|' read -r guest want options; do
        [ -f "$here/$guest.txt" ] || { echo "FAILED: no $here/$guest.txt"; failed=$((failed + 1)); continue; }
        # shellcheck disable=SC2086 # options are words
        timeout 120 "$hv" run --engine "$engine" --trace "$work/$engine.$guest.hvt" $options "$guests/$guest" \
            >"$work/out" 2>"$work/err" </dev/null
        status=$?
        if [ $status != "$want" ]; then
            echo "FAILED: $guest on $engine: status $status, not $want: $(tail -n 1 "$work/err")"
            failed=$((failed + 1))
        elif ! cmp -s "$work/out" "$here/$guest.txt"; then
            echo "FAILED: $guest on $engine prints something else:"
            diff -a "$here/$guest.txt" "$work/out" | head -n 10 | sed 's/^/    /'
            failed=$((failed + 1))
        else
            passed=$((passed + 1))
        fi
    done <<END
$(table)
END
done

line="guest: $passed passed, $failed failed"
[ $skipped = 0 ] || line="$line, $skipped skipped"
echo "$line"
[ $failed = 0 ]
