#!/bin/sh
# html.sh HV LABS OUT [LAB...] - draws the pictures of the handouts anew and renders the handouts: OUT/NN-name/
# index.html. A picture is a line of lab.txt,
#
#     picture: FILE.svg VIEW STRATEGY GUEST WORD...
#
# what `hv graph VIEW` draws of the reference's GUEST under STRATEGY with these words on its command
# line; it is written beside the handout, which is where a student has it. Called by `make labs-html`.
set -eu
hv=$(realpath "$1") labs=$(realpath "$2")
mkdir -p "$3" && out=$(realpath "$3")
shift 3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

draw() { # LAB FILE VIEW STRATEGY GUEST WORD...
    lab=$1 file=$2 view=$3 strategy=$4 guest=$5
    shift 5
    [ -d "$work/$lab" ] || {
        HV_LABS=$labs "$hv" lab start "$lab" "$work/$lab" >/dev/null
        cp "$labs/solutions/$lab"/* "$work/$lab"
        make -s -C "$work/$lab" HV="$hv" >"$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }
    }
    (
        cd "$work/$lab"
        "$hv" run --engine soft --console null --limit exits=200000 --strategy "$strategy" --trace t.hvt \
            --append "$*" "$guest" >"$work/log" 2>&1 || [ $? = 1 ] || { cat "$work/log" >&2; exit 1; }
        # A ladder is of the beginning; the others are of all.
        range=''
        [ "$view" != ladder ] || range='--range 1:24'
        # shellcheck disable=SC2086 # $range is words
        "$hv" graph "$view" $range --no-times --title "$lab: $guest $* ($(basename "$strategy" .so))" t.hvt -o "$labs/$lab/$file"
    )
}

[ $# -gt 0 ] || set -- "$labs"/[0-9][0-9]-*
for folder in "$@"; do
    lab=$(basename "$folder")
    grep '^picture: ' "$labs/$lab/lab.txt" | while read -r _ words; do
        # shellcheck disable=SC2086 # a line of words
        draw "$lab" $words
    done
    if [ -f "$labs/$lab/pictures.sh" ]; then
        HV_LABS=$labs "$hv" lab start "$lab" "$work/starter" >/dev/null
        sh "$labs/$lab/pictures.sh" "$hv" "$work/starter" "$labs/$lab"
        rm -rf "$work/starter"
    fi
    mkdir -p "$out/$lab"
    for picture in "$labs/$lab"/*.svg; do
        [ ! -f "$picture" ] || cp "$picture" "$out/$lab"
    done
    pandoc -s --from gfm --to html5 --metadata title="$lab" --metadata title-prefix="" \
        --include-in-header="$labs/lib/handout.css" -o "$out/$lab/index.html" "$labs/$lab/README.md"
    echo "$out/$lab/index.html"
done
