#!/bin/sh
# demos.sh HV DEMOS PTY [DEMO] - every demo plays to its end in batch, with its own assertions; the page it
# makes is well-formed and has every step and picture; a lesson note is beside it. And assertions do
# fail. Called by `make check-demos`; ends with "demos: N passed, N failed[, N skipped]".
set -u
hv=$(realpath "$1") demos=$(realpath "$2") pty=$(realpath "$3") only=${4-}
# shellcheck source=tests/scripts/verdict.sh
. "$(dirname "$0")/../scripts/verdict.sh"
about='demos: ' shown=''
cd "$work" || exit 2

# A step that must not go through: TEXT of the message.
must_fail() { # WHAT DEMO-TEXT MESSAGE
    printf 'title: t\n%b' "$2" >"$work/bad.demo"
    if timeout 300 "$hv" demo play "$work/bad.demo" >out 2>&1 </dev/null; then
        verdict "$1" "it was shown"
    elif grep -qF -e "$3" out; then
        verdict "$1"
    else
        verdict "$1" "says '$(head -n 2 out)', not '$3'"
    fi
}

[ -z "$only" ] || [ -f "$demos/$only.demo" ] || verdict "$only" "there is no such demo in $demos"
for demo in "$demos"/*.demo; do
    name=$(basename "$demo" .demo)
    [ -z "$only" ] || [ "$only" = "$name" ] || continue
    case $(sed -n 's/^needs: *//p' "$demo") in
    *ski*)
        if ! timeout 20 "$hv" run --strategy ski -- /bin/true >out 2>&1; then
            skipped=$((skipped + 1))
            echo "skipped: $name: this host does not let hv make namespaces: $(tail -n 1 out)"
            continue
        fi ;;
    esac
    if ! timeout 900 "$hv" demo play "$demo" >out 2>&1 </dev/null; then
        verdict "$name" "$(tail -n 6 out)"
        continue
    fi
    steps=$(grep -cE '^[^#:]' "$demo")
    shown=$(grep -cE '^(\$|\(hv\)) ' out)
    [ "$shown" -ge "$((steps - 4))" ] || verdict "$name" "$shown of $((steps - 4)) commands are shown"
    grep -q '^:expect' "$demo" || verdict "$name" "claims nothing"
    if ! timeout 900 "$hv" demo play "$demo" --html page.html >out 2>&1 </dev/null; then
        verdict "$name" "--html: $(tail -n 3 out)"
    elif ! xmllint --noout page.html 2>out; then
        verdict "$name" "the page is not well-formed: $(head -n 2 out)"
    elif [ "$(grep -c '<figure>' page.html)" != "$(grep -c '^:picture' "$demo")" ]; then
        verdict "$name" "the page lacks pictures"
    elif grep -qE '(src|href)="[^d#]' page.html; then
        verdict "$name" "the page loads something from elsewhere"
    elif [ ! -s "${demo%.demo}.md" ]; then
        verdict "$name" "there is no lesson note ${demo%.demo}.md"
    else
        verdict "$name"
    fi
done

must_fail "a claim that is false" '$ echo yes\n:expect no\n' "line 2: what 'echo yes' printed has no 'no'"
must_fail "a text that must not be there" '$ echo yes\n:reject yes\n' "has 'yes'"
must_fail "a status" '$ exit 3\n' "ended with status 3, not 0"
must_fail "a command of the debugger" ':debug --engine soft hello64\nnonsense\n' "line 3: 'nonsense' did not go through"
must_fail "a command without a session" 'continue\n' "no ':debug WORDS' before"
must_fail "a picture that was not made" '$ true\n:picture none.svg x\n' "line 2"
must_fail "a claim of nothing" '$ echo yes\n:expect \n' ":3: ':expect' needs a text"
must_fail "a text of blanks that must not be there" '$ true\n:reject   \n' "':reject' needs a text"
must_fail "a status that is no number" '$ true\n:status none\n' "':status' takes a number, not 'none'"
must_fail "a word that is none" '$ true\n:expects x\n' "is none of :debug"

# Text in UTF-8 stays what it is; a guest's byte that is none becomes a character of its own.
printf 'title: G\303\244ste\n# \342\206\222\n$ printf "\\\\351<"\n' >words.demo
has_words() {
    timeout 300 "$hv" demo play ./words.demo --html page.html </dev/null && xmllint --noout page.html &&
        grep "<title>$(printf 'G\303\244ste')</title>" page.html && grep "$(printf '\342\206\222')" page.html &&
        grep '<pre>&#233;&lt;</pre>' page.html
}
check "text in UTF-8" has_words

# On a terminal: the keyboard cannot be taken at a shell's step; on, on, back (typed ahead); taken at step 4, whose
# stop is there, and given back.
cat >keys <<'END'
q: end|i
is not the debugger's|\n\nb
1 of |\n\n
status|\n\n\e[C
3 of |\n
4 of|i
(hv)|info breakpoints\r
exception GP|quit\r
4 of|q
END
if timeout 300 "$pty" keys "$hv" demo play full-virtualization >out 2>err; then
    verdict "on a terminal"
else
    verdict "on a terminal" "$(cat err)"
fi

verdicts demos
