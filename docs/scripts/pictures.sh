#!/bin/sh
# pictures.sh HV GUESTS OUT DOCS - `make docs-pictures`: draws the pictures of README.md and
# docs/PICTURES.md again, from runs of minios under each strategy on soft.
#
# Counts and numbers of exits are the same each time, as soft is deterministic; times are not.
set -eu
hv=$1 guests=$2 out=$3 docs=$4
mkdir -p "$out" "$docs"

# record NAME GUEST OPTION...: runs it to its end, in OUT/NAME.hvt
record() {
    name=$1 guest=$2
    shift 2
    status=0
    "$hv" run --engine soft --console null --append tasks=preempt --trace "$out/$name.hvt" "$@" \
        "$guests/$guest" </dev/null >"$out/$name.txt" 2>&1 || status=$?
    [ $status = 1 ] || { cat "$out/$name.txt" >&2 && exit 1; }
}

# draw VIEW NAME PICTURE OPTION...
draw() {
    view=$1 name=$2 picture=$3
    shift 3
    "$hv" graph "$view" "$@" -o "$docs/$picture.svg" "$out/$name.hvt"
}

# first REASON TEXT NAME: the first exit of that reason whose line has the text
first() {
    "$hv" trace --no-times "$out/$3.hvt" | awk -v reason="$1" -v text="$2" \
        '$1 ~ /^[0-9]+$/ && index($0, " " reason " ") && index($0, text) { print $1; exit }'
}

record hardware minios --trace-guest
record trap minios --strategy trap
record paravirt minios-pv --strategy paravirt

draw state hardware minios
draw state trap state-trap
draw state paravirt state-paravirt
"$hv" graph --diff -o "$docs/diff.svg" "$out/hardware.hvt" "$out/trap.hvt"
draw state hardware state-symbol --by symbol
kick=$(first kick '' hardware)
draw ladder hardware ladder --range $((kick - 2)):$((kick + 4))
fault=$(first exception '#GP' trap)
draw ladder trap ladder-trap --range 1:$((fault + 8))
draw card trap card-trap --exit "$(first exception priv_console_write trap)"
draw card paravirt card-paravirt --exit "$(first hypercall update-linear paravirt)"
draw timeline trap timeline
draw flame paravirt flame

# The player, if there is a browser to take its picture.
if browser=$(command -v chromium || command -v chromium-browser); then
    "$hv" trace "$out/trap.hvt" --html "$out/player.html"
    exit=$(first exception priv_console_write trap)
    "$browser" --headless --no-sandbox --disable-gpu --hide-scrollbars --window-size=1440,900 \
        --screenshot="$docs/player.png" "file://$(realpath "$out/player.html")#exit=$exit&step=2" 2>/dev/null
fi
