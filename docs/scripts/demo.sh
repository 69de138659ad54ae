#!/bin/sh
# demo.sh HV GUESTS OUT - `make demo`: runs minios, prints where control went, draws it.
#
# Everything it does is an hv command that you can type yourself; each is shown before it runs.
set -eu
hv=$1 guests=$2 out=$3
mkdir -p "$out"

show() {
    echo
    echo "\$ $*"
}

show hv run --engine soft --trace "$out/minios.hvt" --trace-guest --append tasks=preempt minios
status=0
"$hv" run --engine soft --trace "$out/minios.hvt" --trace-guest --append tasks=preempt "$guests/minios" </dev/null || status=$?
[ $status = 1 ] || { echo "minios ended with status $status, not 1" >&2 && exit 1; }

show hv trace --from 7 --limit 3 "$out/minios.hvt"
"$hv" trace --from 7 --limit 3 "$out/minios.hvt"

show hv trace --stats "$out/minios.hvt"
"$hv" trace --stats "$out/minios.hvt"

show hv graph "$out/minios.hvt" -o "$out/minios.svg"
"$hv" graph "$out/minios.hvt" -o "$out/minios.svg"

echo
echo "The picture is $out/minios.svg: open it in a browser."
echo "The recording is $out/minios.hvt: 'hv trace $out/minios.hvt' prints every exit."
