#!/bin/sh
# export.sh HV GUESTS - what hv writes for other programs, read by them: jq holds the JSON to its
# shape, babeltrace2 reads the CTF, and all that it says is in the CSV too. Called by `make
# check-cli`; ends with "N passed, N failed".
set -u
hv=$1 guests=$2
here=$(dirname "$0")
# shellcheck source=tests/scripts/verdict.sh
. "$(dirname "$0")/../scripts/verdict.sh"
about='export: ' shown=''

# refused PATTERN ARGS...: hv trace ends with status 1 and one line, which has the pattern.
refused() {
    pattern=$1
    shift
    "$hv" trace "$@" >"$work/out" 2>"$work/err"
    rc=$?
    check "refused: trace $* (status $rc: $(cat "$work/err"))" \
        test "$rc $(wc -l <"$work/err") $(grep -c -e "$pattern" "$work/err")" = "1 1 1"
}

# The fields that both have: time exit kind icount rip address value from to vcpu size flags extra
from_csv() {
    tr -d '\r' | awk -F, 'NR > 1 {
        print $3, $2, $6, $4, $10, $11, $12, $7 "," $8, $9, $13, $14 + 2 * $15 + 4 * $16, $17 }'
}
export LC_ALL=C
for run in hardware:minios trap:minios paravirt:minios-pv; do
    strategy=${run%:*}
    trace=$work/$strategy.hvt
    timeout 300 "$hv" run --engine soft --strategy "$strategy" --console null --append tasks=preempt \
        --trace "$trace" "$guests/${run#*:}" </dev/null >"$work/out" 2>&1
    for format in text csv jsonl chrome ctf; do
        check "$strategy: $format" timeout 300 "$hv" trace --format $format -o "$work/$strategy.$format" "$trace"
    done
    check "$strategy: the Trace Event Format" jq -e -f "$here/chrome.jq" "$work/$strategy.chrome"
    check "$strategy: JSON Lines" jq -e -s -f "$here/jsonl.jq" "$work/$strategy.jsonl"
    timeout 300 "$hv" trace --stats --json "$trace" >"$work/stats"
    check "$strategy: statistics" jq -e -f "$here/stats.jq" "$work/stats"
    # Event by event.
    timeout 300 babeltrace2 --clock-cycles --no-delta "$work/$strategy.ctf" >"$work/bt" 2>"$work/err"
    awk -f "$here/ctf.awk" "$work/bt" >"$work/bt.fields"
    from_csv <"$work/$strategy.csv" >"$work/csv.fields"
    check "$strategy: babeltrace2 has something to say" test -s "$work/bt.fields"
    check "$strategy: babeltrace2 complains about nothing" test ! -s "$work/err"
    check "$strategy: CTF and CSV are the same" cmp "$work/csv.fields" "$work/bt.fields"
done
trace=$work/hardware.hvt

# --- options ---------------------------------------------------------------------------------------

check "text is the default" sh -c "'$hv' trace '$trace' | cmp - '$work/hardware.text'"
"$hv" trace --format csv --from 3 --limit 2 --no-times "$trace" >"$work/out"
check "csv: a part, without times" test "$(tr -d '\r' <"$work/out" | awk -F, 'NR > 1 {print $2 $3}' | uniq | tr '\n' ' ')" = '3 4 '
refused "none of text, csv, jsonl, chrome, ctf; did you mean 'csv'" --format csx "$trace"
refused 'writes a folder: name it with -o' --format ctf "$trace"
refused 'without times would be empty' --format chrome --no-times "$trace"
refused '--json is for --stats' --json "$trace"
refused '--stats has no --format' --stats --format csv "$trace"
refused 'form of its own' --html "$work/x.html" --format csv "$trace"
refused 'is there already' --format ctf -o "$work/hardware.ctf" "$trace"
refused 'cannot write .*/no/such/folder' --format csv -o /no/such/folder/x "$trace"

# --- two recordings ----------------------------------------------------------------------------------

other=$work/trap.hvt
"$hv" trace --diff --no-times "$trace" "$other" >"$work/out"
check "diff: io is gone" grep -q '^- io  *guest kernel -> dispatcher .* gone$' "$work/out"
check "diff: exceptions are new" grep -q '^+ exception .* new$' "$work/out"
check "diff: both have names" sh -c "grep -q '^A  hardware.hvt: .*strategy hardware' '$work/out' && grep -q '^B  trap.hvt: .*strategy trap' '$work/out'"
check "diff: a picture" "$hv" graph --diff --no-times "$trace" "$other" -o "$work/diff.dot"
check "diff: only in A, dashed" grep -q 'only A: io 2,[0-9]*x" .*style=dashed' "$work/diff.dot"
check "diff: only in B, bold" grep -q 'only B: exception .*style=bold' "$work/diff.dot"
refused '--diff takes two recordings' --diff "$trace"
refused 'two recordings are compared with --diff' "$trace" "$other"
refused '--diff compares whole recordings: it takes no --stats' --diff --stats "$trace" "$other"
refused "short.hvt.*No such file" --diff "$trace" "$work/short.hvt"
"$hv" trace --diff "$trace" "$other" >/dev/full 2>"$work/err"
check "diff: a full disk" test "$? $(grep -c 'No space left' "$work/err")" = '1 1'
"$hv" graph --diff "$trace" "$other" -o /no/such/folder/x.dot 2>"$work/err"
check "diff: a picture nowhere" test "$? $(grep -c 'cannot create' "$work/err")" = '1 1'
"$hv" graph --diff "$trace" "$other" >/dev/full 2>"$work/err"
check "diff: a picture on a full disk" test "$? $(grep -c 'No space left' "$work/err")" = '1 1'

# --- a disk that is full, a reader that goes away --------------------------------------------------

for format in text csv jsonl chrome; do
    refused 'No space left on device' --format $format -o /dev/full "$trace"
done
refused 'No space left on device' --stats --json -o /dev/full "$trace"
for format in text csv jsonl chrome; do
    { "$hv" trace --format $format "$trace" 2>"$work/err"; echo $? >"$work/rc"; } | head -1 >"$work/out"
    # SIGPIPE ends it, as any tool; where who called us ignores the signal, a sentence does.
    check "$format: a closed pipe ($(cat "$work/rc") $(cat "$work/err"))" \
        expr "$(cat "$work/rc") $(cat "$work/err")" : '141 $\|1 .*Broken pipe' >"$work/out"
done

# --- recordings that are none -----------------------------------------------------------------------

head -c 100000 "$trace" >"$work/short.hvt"
cp "$trace" "$work/future.hvt"
printf '\002' | dd of="$work/future.hvt" bs=1 seek=8 conv=notrunc 2>/dev/null
cp "$trace" "$work/bad.hvt"
printf '\377\377' | dd of="$work/bad.hvt" bs=1 seek=$((0x2000 + 48 * 100 + 40)) conv=notrunc 2>/dev/null
for format in text csv jsonl chrome ctf; do
    refused 'is cut off: it holds' --format $format -o "$work/none" "$work/short.hvt"
    refused 'format version 2.[0-9]*, this hv reads version 1' --format $format -o "$work/none" "$work/future.hvt"
    refused 'event 101 has the unknown kind 65535' --format $format -o "$work/none" "$work/bad.hvt"
done
# A recording that anybody may have made: two actors of one name that is full of quotes, a clock that
# goes backwards and one that is far ahead. It is read all the same, and so is what comes of it.
cp "$trace" "$work/odd.hvt"
for actor in 6 7; do
    printf 'u"a,r\\t\377\n' | dd of="$work/odd.hvt" bs=1 seek=$((0x700 + 32 * actor)) conv=notrunc 2>/dev/null
done
printf '\0\0\0\0\0\0\0\0' | dd of="$work/odd.hvt" bs=1 seek=$((0x2000 + 48 * 50)) conv=notrunc 2>/dev/null
printf '\377\377\377\377\377\377\377\377' | dd of="$work/odd.hvt" bs=1 seek=$((0x2000 + 48 * 5000)) conv=notrunc 2>/dev/null
for format in csv jsonl chrome ctf; do
    check "odd: $format" "$hv" trace --format $format -o "$work/odd.$format" "$work/odd.hvt"
done
check "odd: the Trace Event Format is JSON" jq -e '.traceEvents | length > 1000' "$work/odd.chrome"
check "odd: JSON Lines" jq -e -s 'length > 1000' "$work/odd.jsonl"
babeltrace2 "$work/odd.ctf" >"$work/bt" 2>"$work/err"
check "odd: babeltrace2 reads every event ($(head -1 "$work/err"))" \
    test "$? $(wc -l <"$work/bt")" = "0 $(($(wc -l <"$work/odd.jsonl") - 1))"

check "nothing was written of them" test ! -e "$work/none"

verdicts export
