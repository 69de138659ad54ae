#!/bin/sh
# run.sh HV GUESTS OUT - `make check-browser`: the player's page in a real browser, without a window.
#
# Records minios under each strategy, makes pages of it, and a few of recordings that are hostile,
# long or lack something; then check.py opens them. Pages and screenshots stay in OUT, to be looked
# at. Ends with "N passed, N failed".
set -eu
hv=$(realpath "$1") guests=$2 out=$3
here=$(dirname "$0")
rm -rf "$out"
mkdir -p "$out"

# record NAME GUEST OPTION...
record() {
    name=$1 guest=$2
    shift 2
    status=0
    timeout 900 "$hv" run --engine soft --console null --append tasks=preempt --trace "$out/$name.hvt" "$@" \
        "$guests/$guest" </dev/null >"$out/$name.txt" 2>&1 || status=$?
    [ $status = 1 ] || { cat "$out/$name.txt" >&2 && exit 1; }
}

# page NAME RECORDING OPTION...
page() {
    name=$1 recording=$2
    shift 2
    timeout 900 "$hv" trace "$out/$recording.hvt" --html "$out/$name.html" "$@" 2>"$out/$name.err" ||
        { cat "$out/$name.err" >&2 && exit 1; }
}

record hardware minios --trace-guest
record trap minios --strategy trap
record paravirt minios-pv --strategy paravirt
for name in hardware trap paravirt; do
    page $name $name
    "$hv" trace --no-times "$out/$name.hvt" >"$out/$name.table"
done
"$hv" graph card --exit 21 "$out/trap.hvt" -o "$out/card.dot"

# A process, with an arrow for each call. Where namespaces are not to be had, check.py does without.
if timeout 300 "$hv" run --strategy ski --trace "$out/ski.hvt" -- /bin/sh -c 'ls / | wc -l' >"$out/ski.txt" 2>&1; then
    page ski ski
fi

page range trap --range 1001:2000
python3 "$here/forge.py" long "$out/trap.hvt" "$out/long.hvt" 1000000
page long long
rm "$out/long.hvt"
# Names of functions and files of source are the guest's, too.
python3 "$here/forge.py" hostile "$out/trap.hvt" "$out/hostile.hvt"
objcopy --redefine-sym 'kmain=</script><img src=x onerror=alert(6)>' "$guests/minios" "$out/hostile.elf"
page hostile hostile --symbols "$out/hostile.elf" --title '</title><script>alert(7)</script>'
# Where the source is not, and where Graphviz is not: PATH has nothing then.
(cd "$out" && "$hv" trace --html nosource.html --symbols "$OLDPWD/$guests/minios" trap.hvt)
status=0
PATH=/nonexistent "$hv" trace --html "$out/nodot.html" "$out/paravirt.hvt" 2>"$out/nodot.err" || status=$?
[ $status = 0 ] && grep -q 'package graphviz' "$out/nodot.err" || echo "without dot: status $status" >&2

PYTHONDONTWRITEBYTECODE=1 timeout 600 python3 "$here/check.py" "$out"
