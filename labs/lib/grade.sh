#!/bin/sh
# grade.sh LAB-FOLDER DIR [TEST] - grades the work in DIR by the lab's tests.sh. Called by `hv lab grade`,
# which sets HV (the program), HV_LABS, HV_LAB_JSON (a file; or empty), HV_LAB_WORK (or empty).
#
# tests.sh is a list of calls, and a function for each:
#
#   part "A. By port"                               a heading
#   t_port_id() { plugin fold.c; hv_run ...; expect ...; }
#   check port-id 5 "the device says who it is"     runs t_port_id, in a process of its own
#
# In a function, the first of the words below that is not content ends the test. The reason is a
# part of the words: each has a WHY, in a sentence that the student can act on. An empty TEXT, WANTED or
# REGEX is a truth that could not be found out: no points.
#
#   plugin FILE.c [GIVEN.c...]     builds $W/FILE.so from DIR/FILE.c and files of the lab's
#   guest NAME                     builds $W/NAME, an ELF64 guest, from NAME.S or .c of the lab's (mine
#                                  NAME.S: of the student's)
#   run NAME COMMAND...            its output in $W/NAME.out, .err; its status in $status
#   hv_run NAME WORD...            the same, of `hv run --engine soft`, bounded by $LIMIT
#   expect FILE WHY LINE...        these texts are in lines of FILE, in this order
#   reject FILE WHY TEXT           no line has it
#   same WHAT WANTED FOUND WHY     two values are one
#   answer KEY REGEX WHY           answers.txt has "KEY: " and a value like this
#   reason KEY WORDS REGEX WHY     the same, of a sentence of so many words that says this
#   have FILE                      DIR has this file, and it can be read
#   flunk WHY                      not content
#
# Work that cannot be tried has a verdict of its own beside its score, or it would look like a starter: "does not
# compile", with the compiler's first error; "lacks a file"; "has a file that cannot be read".
#
# Work is bounded by the guest's instructions and exits (LIMIT). There is one clock, GUARD seconds a
# command, for what would never end; a test may set them, and HANG, the reason to give then.
set -u
export LC_ALL=C
LAB=$1 DIR=$(cd "$2" && pwd) || exit 2
only=${3-}
HV=${HV:-hv} HV_LABS=${HV_LABS:-$(dirname "$LAB")}
W=${HV_LAB_WORK:-$DIR/grade}
GUARD=${HV_LAB_GUARD:-120} HANG='' endless=''
LIMIT="--limit exits=200000 --limit instructions=50000000"
name=$(basename "$LAB")
tab=$(printf '\t')

rm -rf "$W" && mkdir -p "$W" && W=$(cd "$W" && pwd) || exit 2
: >"$W/results"
good='' bad='' dim='' plain=''
if [ -t 1 ] && [ -z "${NO_COLOR-}" ]; then
    good=$(printf '\033[32m') bad=$(printf '\033[31m') dim=$(printf '\033[2m') plain=$(printf '\033[0m')
fi

# --- inside a test ----------------------------------------------------------------------------------

log() { printf '%s\n' "$*" >>"$W/$test.log"; }
line() { # COLOUR WORD TEXT
    printf '        %s%-7s%s %s\n' "$1" "$2" "$plain" "$3" >>"$W/$test.says"
}

flunk() {
    line "$dim" why: "$1"
    printf '%s' "$1" >"$W/$test.why"
    exit 1
}

# The work as a whole cannot be tried: the first that is said of it stands before the score, and in JSON.
unusable() { # STATE BECAUSE
    [ -s "$W/state" ] || printf '%s\t%s\n' "$1" "$(printf '%s' "$2" | tr '\n\t' '  ' | cut -c 1-200)" >"$W/state"
}

have() { # FILE
    if [ ! -f "$DIR/$1" ]; then
        unusable "lacks a file" "there is no $1"
        flunk "there is no $1 in your folder"
    fi
    [ -r "$DIR/$1" ] && return
    unusable "has a file that cannot be read" "$1"
    flunk "$1 in your folder cannot be read"
}

# What is right has to be known: a truth that could not be found out would be met by an empty answer, or by any.
known() { # TRUTH
    [ -n "$1" ] || flunk "The grader could not find out what is right, so it gives no points: the log says what it tried. This is not your fault: tell who teaches."
}

# HV_LAB_AS: words that become another user, who may not touch what the grader writes. hv runs as that one, for what the
# student wrote is in it: but for the files that it is told to write nothing is its own, and nothing of it stays.
may_write() { # COMMAND...: the words behind --trace and -o
    while [ $# -gt 1 ]; do
        case $1 in --trace | -o) rm -rf "$2" && : >"$2" && chmod 666 "$2" ;; esac
        shift
    done
}

run() { # NAME COMMAND...
    out=$W/$1
    shift
    log "\$ $*"
    as=''
    if [ -n "${HV_LAB_AS-}" ] && [ "$1" = "$HV" ]; then
        as=$HV_LAB_AS
        may_write "$@"
    fi
    # shellcheck disable=SC2086 # $as is words
    timeout -s KILL "$GUARD" $as "$@" >"$out.out" 2>"$out.err" </dev/null
    status=$?
    # shellcheck disable=SC2086
    [ -z "$as" ] || $as sh -c 'kill -KILL -1' 2>/dev/null
    { head -c 100000 "$out.out"; head -c 100000 "$out.err"; echo "[status $status]"; } >>"$W/$test.log"
    [ $status != 137 ] ||
        flunk "${HANG:-It did not end within $GUARD seconds: something loops for ever, and not in the guest.}"
}

hv_run() { # NAME WORD...
    to=$1
    shift
    # shellcheck disable=SC2086 # $LIMIT is words
    run "$to" "$HV" run --engine soft $LIMIT "$@"
    case $status in
    124)
        endless="The guest did not come to its end: it was stopped by $LIMIT."
        line "$bad" BAD "$endless"
        ;;
    13[4-9]) flunk "hv crashed (signal $((status - 128))), so it is the plug-in: the log has the command; put 'gdb --args' before it" ;;
    esac
}

hv_flags() { "$HV" lab flags; }

built() { # WHAT
    [ "$status" = 0 ] && return
    grep -E "error|undefined" "$out.err" | head -n 4 | while IFS= read -r text; do line "$bad" BAD "$text"; done
    text=$(grep -m 1 -E "[Ee]rror: |undefined reference|multiple definition" "$out.err" || tail -n 1 "$out.err")
    # As a linker says it, there are names before that of the file, and one made up by the compiler.
    unusable "does not compile" "$(printf '%s' "${text#*"$DIR/"}" | sed 's|/[^ :]*/cc[A-Za-z0-9]*\.o|the program|')"
    flunk "$1 does not build"
}

plugin() { # FILE.c [GIVEN.c...]
    file=$1 stem=${1%.c}
    shift
    have "$file"
    set -- "$DIR/$file" "$@"
    flags=$(hv_flags 2>>"$W/$test.log")
    known "$flags"
    # shellcheck disable=SC2086 # $flags is words
    run "$stem.cc" "${CC:-cc}" -std=gnu11 -g -O1 -Wall -shared -fPIC -I"$DIR" -I"$LAB" \
        $flags -o "$W/$stem.so" "$@"
    built "$file"
}

assemble() { # NAME FILE.S...
    to=$1
    shift
    flags=$(hv_flags 2>>"$W/$test.log")
    known "$flags"
    # shellcheck disable=SC2086
    run "$to.cc" "${CC:-cc}" -g -ffreestanding -nostdlib -static -no-pie -mno-red-zone \
        -fno-stack-protector -mgeneral-regs-only -O1 -I"$LAB" $flags \
        -Wl,-Ttext=0x100000,--build-id=none,-z,noexecstack,-z,noseparate-code -o "$W/$to" "$@"
    built "$to"
}
guest() { if [ -f "$LAB/$1.c" ]; then assemble "$1" "$LAB/$1.c"; else assemble "$1" "$LAB/$1.S"; fi; }
mine() { # NAME.S or NAME.c
    have "$1"
    assemble "${1%.*}" "$DIR/$1"
}

expect() { # FILE WHY LINE...
    file=$1 why=$2 from=1
    shift 2
    for text in "$@"; do
        known "$text"
        at=$(tail -n "+$from" "$file" | grep -nF -e "$text" | head -n 1 | cut -d: -f1)
        if [ -n "$at" ]; then
            from=$((from + at - 1))
            line "$good" GOOD "$(sed -n "${from}p" "$file")"
            from=$((from + 1))
            continue
        fi
        # What came instead: the line with the same "name: "; of a text without a name, the line that
        # begins alike for the most words; else how far it came.
        instead='' prefix=$text
        case $text in
        *': '*) instead=$(tail -n "+$from" "$file" | grep -F -e "${text%: *}: " | head -n 1) prefix='' ;;
        esac
        while [ -z "$instead" ] && [ "$prefix" != "${prefix% *}" ]; do
            prefix=${prefix% *}
            instead=$(tail -n "+$from" "$file" | grep -F -e "$prefix " | head -n 1)
        done
        if [ -n "$instead" ]; then
            line "$bad" BAD "$instead"
        else
            instead=$(tail -n "+$from" "$file" | grep . | tail -n 1)
            [ -z "$instead" ] || line "$dim" LAST "$instead"
        fi
        line "$bad" MISSING "$text"
        flunk "$why"
    done
}

reject() { # FILE WHY TEXT
    known "$3"
    [ -f "$1" ] || flunk "$2 (There is no ${1##*/}.)"
    hit=$(grep -F -e "$3" "$1" | head -n 1)
    [ -z "$hit" ] && return
    line "$bad" BAD "$hit"
    flunk "$2"
}

same() { # WHAT WANTED FOUND WHY
    known "$2"
    if [ "$2" = "$3" ]; then
        line "$good" GOOD "$1: $2"
        return
    fi
    line "$bad" BAD "$1: $3"
    line "$bad" MISSING "$1: $2"
    flunk "$4"
}

wrote() { # KEY: what answers.txt has for it, with single blanks
    have answers.txt
    sed -n "s/^$1:[[:blank:]]*//p" "$DIR/answers.txt" | tail -n 1 | tr '\t' ' ' | tr -s ' ' | sed 's/[ .]*$//'
}
small() { tr '[:upper:]' '[:lower:]'; }
value() { wrote "$1" | small; } # what is compared

answer() { # KEY REGEX WHY
    known "$2"
    v=$(wrote "$1") || exit 1
    if [ -n "$v" ] && printf '%s\n' "$v" | small | grep -qxE -e "$2"; then
        line "$good" GOOD "$1: $v"
        return
    fi
    line "$bad" BAD "$1: $v"
    case $v in '' | '?') flunk "answers.txt: '$1' has no answer yet. $3" ;; esac
    flunk "$3"
}

# near KEY NUMBER WHY: give or take a twentieth (who builds the guests with another compiler counts a few
# more or less); 1,234 is 1234
near() {
    v=$(value "$1" | tr -d ', ')
    case $v in
    '' | *[!0-9]*) answer "$1" "$2" "$3" ;;
    esac
    if [ "${#v}" -lt 16 ] && [ "$((v * 20))" -ge "$(($2 * 19))" ] && [ "$((v * 20))" -le "$(($2 * 21))" ]; then
        line "$good" GOOD "$1: $v"
        return
    fi
    line "$bad" BAD "$1: $v"
    flunk "$3"
}

reason() { # KEY WORDS REGEX WHY
    known "$3"
    v=$(wrote "$1") || exit 1
    words=$(printf '%s\n' "$v" | wc -w)
    if [ "$words" -ge "$2" ] && printf '%s\n' "$v" | small | grep -qE -e "$3"; then
        line "$good" GOOD "$1: $v"
        return
    fi
    line "$bad" BAD "$1: $v"
    case $v in '' | '?') flunk "answers.txt: '$1' has no reason yet. $4" ;; esac
    [ "$words" -lt "$2" ] && flunk "a reason is a sentence: at least $2 words. $4"
    flunk "$4 (If that is what you say, say it in other words: the grader can only look for words.)"
}

# --- the list -----------------------------------------------------------------------------------------

heading=''
part() {
    heading=$1
    [ -n "$only" ] || printf '%s\n' "$1"
}

check() { # NAME POINTS TITLE
    test=$1
    [ -z "$only" ] || [ "$only" = "$test" ] || return 0
    : >"$W/$test.says" && : >"$W/$test.why" && : >"$W/$test.log"
    if (
        ulimit -f 400000 -c 0 2>/dev/null
        body=t_$(echo "$test" | tr - _)
        command -v "$body" >/dev/null || exit 1
        "$body"
        [ -z "$endless" ] || flunk "$endless"
    ) 2>>"$W/$test.log"; then
        points=$2
        printf '  %sok%s      %s: %s (%d/%d)\n' "$good" "$plain" "$test" "$3" "$2" "$2"
        rm -f "$W/$test.log"
    else
        points=0
        printf '  %sFAIL%s    %s: %s (0/%d)\n' "$bad" "$plain" "$test" "$3" "$2"
        cat "$W/$test.says"
        [ -s "$W/$test.why" ] || echo "        why:    the test itself stopped: see the log"
        cat "$W/$test.says" >>"$W/$test.log"
        printf '        %slog:    %s%s\n' "$dim" "${W#"$DIR/"}/$test.log" "$plain"
    fi
    printf '%s\t%s\t%d\t%d\t%s\t%s\n' "$test" "$heading" "$points" "$2" "$3" \
        "$(tr '\n\t' '  ' <"$W/$test.why")" >>"$W/results"
    rm -f "$W/$test.says" "$W/$test.why"
}

json() {
    STATE=${state:-graded} BECAUSE=$because awk -F "$tab" -v lab="$name" '
        function text(s) { gsub(/\\/, "\\\\", s); gsub(/"/, "\\\"", s); gsub(/[\001-\037]/, " ", s); gsub(/[\200-\377]/, "?", s); return "\"" s "\"" }
        { score += $3; total += $4
          all = all (NR > 1 ? "," : "") "\n    {\"name\": " text($1) ", \"part\": " text($2) ", \"title\": " text($5) \
              ", \"score\": " $3 ", \"total\": " $4 ", \"why\": " text($6) "}" }
        END { printf "{\"lab\": %s, \"score\": %d, \"total\": %d, \"state\": %s, \"because\": %s, \"tests\": [%s\n]}\n",
              text(lab), score, total, text(ENVIRON["STATE"]), text(ENVIRON["BECAUSE"]), all }' "$W/results"
}

# shellcheck source=/dev/null
. "$LAB/tests.sh"

if [ ! -s "$W/results" ]; then
    echo "hv: $name has no test '$only'; it has: $(sed -n 's/^check \([^ ]*\).*/\1/p' "$LAB/tests.sh" | tr '\n' ' ')" >&2
    exit 1
fi
state='' because=''
[ ! -s "$W/state" ] || IFS=$tab read -r state because <"$W/state"
if [ -n "${HV_LAB_JSON-}" ] && ! json >"$HV_LAB_JSON" 2>/dev/null; then
    echo "hv: cannot write '$HV_LAB_JSON' to its end" >&2
    exit 2
fi
[ -z "$state" ] || printf 'Your work %s: %s\n' "$state" "$because"
awk -F "$tab" '{ score += $3; total += $4 } END { print "Score: " score "/" total; exit score < total }' "$W/results"
