#!/bin/sh
# lint.sh HV OBJECTS [CHECK...] - checks the rules of CONTRIBUTING.md that a program can check.
#
# HV is the built program (for the generated documents), OBJECTS the folder of its object files
# (for mutable globals). Without a CHECK all are made. Prints one line a finding, "file:line:
# what"; the last line counts. Status 0: nothing found. lint-selftest.sh breaks every rule once and
# sees this script object.
set -u
export LC_ALL=C
hv=$1 objects=$2
shift 2
scripts=$(dirname "$0")
found=$(mktemp) || exit 2
work=$(mktemp -d) || exit 2
trap 'rm -rf "$found" "$work"' EXIT

# Ours: what git has or would take, and what is on disk.
git ls-files --cached --others --exclude-standard | sort -u | while read -r f; do
    [ -f "$f" ] && echo "$f"
done >"$work/files"
files() { grep -E "$1" "$work/files"; }
c_files() { files '^(hv|tracer|guests|tests)/.*\.[ch]$'; }
# each COMMAND...: runs it on the files named on standard input, if there are any.
each() { xargs -r "$@"; }

clang_format=$(command -v clang-format-14 || command -v clang-format)

check_format() {
    if [ -z "$clang_format" ]; then
        echo "there is no clang-format: make deps installs it"
        return
    fi
    c_files | each "$clang_format" --dry-run 2>&1 |
        sed -n 's/: warning: code should be clang-formatted.*/: not as .clang-format lays it out (make format)/p' |
        sort -u -t: -k1,1
}

check_includes() { files '^(hv|tracer|guests)/.*\.[chS]$' | each awk -f "$scripts/lint-includes.awk"; }

# Over 500 lines; a function over 60: said to be so above, with the reason.
check_sizes() {
    files '\.([chS]|sh|awk|py|def)$|(^|/)Makefile$' | each awk -f "$scripts/lint-sizes.awk"
}

# Line 1 or 2 says the file's own name: what it does, who calls it, what to read next.
check_heads() {
    files '^(hv|tracer|guests|tests)/.*\.([chS]|sh|awk|def)$' | while read -r f; do
        head -n 3 "$f" | grep -qF "$(basename "$f") " ||
            echo "$f:1: does not open with its name and what it does"
    done
}

# The preprocessor decides nothing but in hv/base/config.h; the guard of a header is no decision.
check_conditionals() {
    files '^(hv|tracer)/.*\.[ch]$' | grep -v '^hv/base/config.h$' | each awk '
        FNR == 1 { guard = FILENAME ~ /\.h$/ }
        /^# *ifndef/ && guard { guard = 0; next }
        /^# *(if|ifdef|ifndef|elif)/ { print FILENAME ":" FNR ": #if belongs in hv/base/config.h" }'
}

# Variables of static storage that can change. Allowed: what a signal handler needs.
check_globals() {
    find "$objects/hv" "$objects/tracer" -name '*.o' 2>/dev/null | while read -r o; do
        [ -f "$(echo "${o%.o}.c" | sed "s|^$objects/||")" ] || continue
        objdump -t "$o" | awk -v o="${o#"$objects"/}" '
            NF > 4 && $(NF-2) ~ /^\.(bss|data|data\.rel|data\.rel\.local)$/ && / O / && $NF !~ /^signal_/ {
                sub(/\.o$/, ".c", o); print o ": mutable global \"" $NF "\"" }'
    done
}

check_spaces() {
    files '\.([chS]|sh|awk|py|def|md|ld|mk|yml|txt)$|(^|/)Makefile$' | grep -v '^tests/guest/' |
        each grep -nE '[[:blank:]]+$' /dev/null | sed 's/:\([0-9]*\):.*/:\1: blanks at the end of the line/'
}

# Notes to ourselves, and paths of somebody's machine.
check_words() {
    files '\.([chS]|sh|awk|py|def|md|ld|mk|yml)$|(^|/)Makefile$|^\.ci/' |
        each grep -nE "\\b(TO""DO|FIX""ME|X""XX)\\b|(^|[][:space:]\"'=(:])/(ho""me|ro""ot|wo""rk|tmp/w""t)/" /dev/null |
        sed 's/^\([^:]*:[0-9]*\):\(.*\)/\1: a note to ourselves or a path of one machine:\2/'
}

check_shell() {
    command -v shellcheck >/dev/null || return 0
    files '\.sh$|^\.ci/run$' | each shellcheck -x -f gcc
}

# What the program says of itself now, against what is committed.
check_generated() {
    if ! "$hv" help --gen "$work/docs" >"$work/gen.log" 2>&1; then
        sed 's/^/docs: /' "$work/gen.log"
        return
    fi
    for folder in gen man; do
        diff -rq "docs/$folder" "$work/docs/$folder" 2>&1 |
            sed "s|.*|docs/$folder: stale, run 'make docs' (&)|"
    done
}

# Every file of the program has its place in the reading order, once.
check_reading() {
    tick='`'
    grep -oE "$tick(hv|tracer)/[^$tick ]*\.[a-zA-Z]+$tick" docs/READING.md 2>/dev/null | tr -d "$tick" |
        sort >"$work/named"
    files '^(hv|tracer)/' | sort >"$work/there"
    uniq -d "$work/named" | sed 's|.*|docs/READING.md: names & more than once|'
    uniq "$work/named" | comm -23 - "$work/there" |
        sed 's|.*|docs/READING.md: names &, which is not there|'
    uniq "$work/named" | comm -13 - "$work/there" | sed 's|.*|docs/READING.md: does not name &|'
}

[ $# -gt 0 ] || set -- format includes sizes heads conditionals globals spaces words shell generated \
    reading
checks=0 failed=0
for check in "$@"; do
    checks=$((checks + 1))
    "check_$check" >"$found"
    if [ -s "$found" ]; then
        failed=$((failed + 1))
        sed "s/^/$check: /" "$found"
    fi
done
echo "lint: $((checks - failed)) passed, $failed failed"
[ $failed = 0 ]
