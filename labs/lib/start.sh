#!/bin/sh
# start.sh LAB-FOLDER DIR - copies a lab's starter into DIR, which must not be there yet. Called by
# `hv lab start`. The tests are copied to be read: `hv lab grade` uses its own.
set -eu
lab=$1 dir=$2
name=$(basename "$lab")
if [ -e "$dir" ]; then
    echo "hv: '$dir' is there already: take a new folder, so that nothing of yours is lost" >&2
    exit 1
fi
mkdir -p "$dir"
cp -R "$lab"/. "$dir"
rm -rf "$dir/grade"
# What several labs share: "also: FILE..." of lab.txt, from labs/lib.
sed -n 's/^also: *//p' "$lab/lab.txt" | tr -s ' ' '\n' | while read -r file; do
    cp "$lab/../lib/$file" "$dir"
done
# What it takes from elsewhere: the sources of minios, for one.
[ ! -f "$lab/setup.sh" ] || sh "$lab/setup.sh" "$lab" "$dir"
hv=${HV:-hv}
[ "$(readlink -f "$(command -v hv || echo none)")" != "$hv" ] || hv=hv
# Its Makefile calls hv: this one, where no hv is to be found by its name.
[ "$hv" = hv ] || [ ! -f "$dir/Makefile" ] || sed -i "s|^HV ?=.*|HV ?= $hv|" "$dir/Makefile"
echo "$name is in $dir. Read $dir/README.md; then:"
echo "    cd $dir"
echo "    $hv lab grade ${name%%-*}"
