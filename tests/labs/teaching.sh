#!/bin/sh
# teaching.sh HV LABS [--write] - the tables of docs/TEACHING.md are what hv lists: labs, demos, tickets. Without
# --write they are compared (make check-demos); with it they are put there (make docs-teaching).
# shellcheck disable=SC2016 # backquotes are Markdown's
set -u
hv=$(realpath "$1") labs=$(realpath "$2")
cd "$(dirname "$0")/../.." || exit 2
page=docs/TEACHING.md
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
export HV_LABS="$labs"

{
    echo "| lab | | hours |"
    echo "| --- | --- | --- |"
    "$hv" lab list | sed 's/^ *\([^ ]*\) *\(.*\) (\([0-9.]*\) h)$/| `\1` | \2 | \3 |/'
    echo
    echo "| demo | | minutes |"
    echo "| --- | --- | --- |"
    "$hv" demo list | sed 's/^ *\([^ ]*\) *\(.*\) (\([0-9]*\) min)$/| `\1` | \2 | \3 |/'
    echo
    echo "| ticket | what the user says |"
    echo "| --- | --- |"
    "$hv" ticket list | sed 's/^ *\([0-9]*\) *\([^ ]*\) *\(.*\)$/| `\1-\2` | \3 |/'
} >"$work/new"
if [ "${3-}" = --write ]; then
    awk -v file="$work/new" '
        /^<!-- lists -->$/ { print; skip = 1; while ((getline line < file) > 0) print line }
        /^<!-- end of lists -->$/ { skip = 0 }
        !skip || /^<!-- lists -->$/ && 0 { print }' "$page" >"$work/page" && cp "$work/page" "$page"
    exit
fi
sed -n '/^<!-- lists -->$/,/^<!-- end of lists -->$/p' "$page" | sed '1d;$d' >"$work/old"
# A line too many is an error; one that is new, a note for whoever keeps the page.
grep -vxFf "$work/new" "$work/old" >"$work/gone" && {
    echo "FAILED: $page lists what is not there, or no longer so (make docs-teaching):"
    head -n 10 "$work/gone"
    exit 1
}
grep -vxFf "$work/old" "$work/new" | sed 's/^/not in docs\/TEACHING.md yet (make docs-teaching): /'
# What the plans name must be there.
bad=$(sed 's/<!-- lists -->.*//' "$page" | grep -oE '\b(lab|demo|ticket) [0-9]+' | sort -u | while read -r kind n; do
    grep -qE "^\| .$(printf %02d "${n#0}")-" "$work/new" || echo "$kind $n"
done)
[ -z "$bad" ] || { echo "FAILED: $page names what is not there: $bad"; exit 1; }
echo "teaching: the lists are right"
