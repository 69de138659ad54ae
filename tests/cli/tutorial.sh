#!/bin/sh
# tutorial.sh HV GUESTS [--write] - the transcripts in docs/DEBUGGER.md and README.md are what hv prints.
#
# docs/tutorial/NAME.hv is a session of hv debug, NAME.gdb one of gdb at `hv run --gdb`. Line 1 has hv's
# arguments, lines with # are what the reader is told, the others are executed. What comes of it stands
# there between the lines "tutorial NAME" and "tutorial end"; --write puts it there (make
# docs-tutorial), without it they are compared (make check-cli). The last line counts.
#
# Not compared are the line numbers of hv's own sources. Addresses in minios and the compiler's
# choice of registers depend on the compiler, so its name is noted with each transcript; where another
# built the guests, the session must go through, and no more. The same holds for gdb's version.
set -u
hv=$(realpath "$1") guests=$(realpath "$2") write=${3-}
# shellcheck source=tests/scripts/verdict.sh
. "$(dirname "$0")/../scripts/verdict.sh"
shown=''
cd "$(dirname "$0")/../.." || exit 2
mkdir -p build

# made_by SCRIPT: what its transcript depends on. A guest in assembly is the same with every compiler.
made_by() {
    guest=$(sed -n '1s/.* //p' "$1")
    case $1 in
    *.gdb) gdb --version | head -n 1 ;;
    *) readelf --string-dump=.debug_str "$guests/$guest" | grep -o 'GNU C[0-9]* [0-9.]*' | head -n 1 | grep . || echo assembler ;;
    esac
}

# told NEWLINE < script: each line that is executed is printed before, as "#C line", the comments as "#T
# line". NEWLINE is what makes echo end its line, if it does not by itself.
told() {
    awk -v end="$1" '
        function say(kind, text) { gsub(/\\/, "\\\\", text); print "echo #" kind " " text end }
        NR == 1 { next }
        /^#/ { say("T", substr($0, 3)); next }
        { say("C", $0); print }'
}

# markdown < what was printed: the text outside of a fence, the rest within.
markdown() {
    awk -v prompt="$1" '
        function fence(on) { if (on != open) { if (on) print ""; print "```"; if (!on) print ""; open = on } }
        /^#T/ { fence(0); sub(/^#T ?/, ""); print; next }
        /^#C/ { sub(/^#C/, prompt) }
        { fence(1); sub(/[ \t]+$/, ""); print }
        END { fence(0) }'
}

# hv_session FILE: into $work/out.
hv_session() {
    told '' <"$1" >"$work/script"
    # shellcheck disable=SC2046 # line 1 is words
    timeout 300 "$hv" $(sed -n '1s/^#! //p' "$1" | sed "s|[^ ]*\$|$guests/&|; s|^debug|debug --nx --batch -x $work/script|") \
        >"$work/printed" 2>&1 </dev/null || return 1
    markdown '(hv)' <"$work/printed" >"$work/out"
}

gdb_session() {
    told '\\n' <"$1" >"$work/script"
    guest=$(sed -n '1s/.* //p' "$1")
    # shellcheck disable=SC2046
    timeout 300 "$hv" $(sed -n '1s/^#! //p' "$1" | sed "s|[^ ]*\$|$guests/&|") --gdb "unix:$work/sock" >"$work/hv" 2>&1 </dev/null &
    pid=$!
    wait_until listens "$work/sock"
    # Without a HOME gdb would warn that it cannot cache.
    HOME=$work timeout 300 gdb -nx -q -batch -ex 'set confirm off' -ex 'set pagination off' -ex 'set width 80' \
        -ex 'set style enabled off' -ex "file $guests/$guest" -ex "target remote $work/sock" -x "$work/script" \
        >"$work/printed" 2>&1 </dev/null
    status=$?
    wait $pid
    [ $status = 0 ] || return 1
    markdown '(gdb)' <"$work/printed" >"$work/out"
}

# old NAME: what the page has now.
old() { sed -n "/^<!-- tutorial $1\$/,/^<!-- tutorial end/p" "$page" | sed '1,/-->$/d; /^<!-- tutorial end/d'; }
# What is compared: without the lines of hv's own sources.
plain() { sed 's/\(hv\/[a-z0-9_\/]*\.c\):[0-9]*/\1/g' | tr -s ' \t\n' ' '; }

# put NAME MADE-BY: $work/out into the page.
put() {
    awk -v name="$1" -v by="$2" -v file="$work/out" '
        $0 == "<!-- tutorial " name { print; print "made by " by " -->"; skip = 1
            while ((getline line < file) > 0) print line }
        /^<!-- tutorial end/ { skip = 0 }
        !skip { print }' "$page" >"$work/page" && cp "$work/page" "$page"
}

for script in docs/tutorial/*.hv docs/tutorial/*.gdb; do
    name=${script##*/}
    name=${name%.*}
    page=$(grep -lx "<!-- tutorial $name" README.md docs/*.md) || {
        verdict "$script" "no page has a line '<!-- tutorial $name'"
        continue
    }
    by=$(made_by "$script")
    case $script in
    *.hv) hv_session "$script" ;;
    *) gdb_session "$script" ;;
    esac || {
        verdict "$script" "did not go through:"
        tail -n 5 "$work/printed"
        continue
    }
    noted=$(sed -n "/^<!-- tutorial $name\$/{n;s/^made by //;s/ -->\$//;p}" "$page")
    if [ "$write" = --write ]; then
        put "$name" "$by"
    elif [ "$noted" != "$by" ]; then
        skipped=$((skipped + 1))
        echo "not compared: $name, made by $noted, here is $by"
        continue
    else
        old "$name" | plain >"$work/old"
        plain <"$work/out" >"$work/new"
        if ! cmp -s "$work/old" "$work/new"; then
            verdict "$page" "$name is not what hv prints now (make docs-tutorial):"
            old "$name" >"$work/old"
            diff "$work/old" "$work/out" | head -n 10
            continue
        fi
    fi
    verdict "$script"
done
verdicts tutorial
