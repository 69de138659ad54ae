#!/bin/sh
# docs.sh HV ATTACKS HOST FILE - writes the ablation matrix, as root and as a user, into FILE (docs/SKI.md).
#
# Replaces what stands between the lines "<!-- matrix: root -->" and "<!-- end -->", and the same for
# user. Run by root. Called by `make docs-ski`.
set -eu
hv=$1 attacks=$2 host=$3 file=$4
[ "$(id -u)" = 0 ] || { echo "docs.sh: both tables need root" >&2 && exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$(dirname "$0")/run.sh" "$hv" "$attacks" "$host" matrix >"$work/all"
tail -n 1 "$work/all"
for who in root user; do
    sed -n "/^--- matrix, as $who/,/^ski as/p" "$work/all" | grep '^|' >"$work/table"
    [ -s "$work/table" ]
    awk -v table="$work/table" -v begin="<!-- matrix: $who -->" '
        $0 == begin { print; while ((getline line < table) > 0) print line; inside = 1; next }
        $0 == "<!-- end -->" { inside = 0 }
        !inside' "$file" >"$work/new"
    cat "$work/new" >"$file"
done
