#!/bin/sh
# cli.sh HV LABS - what `hv lab` says, and what the grader does with work that is odd: no folder, no file, a
# crash, an endless loop, a full score. Called by `make check-labs`, with an installed hv; ends with
# "lab command: N passed, N failed".
set -u
hv=$(realpath "$1") labs=$(realpath "$2")
# shellcheck source=tests/scripts/verdict.sh
. "$(dirname "$0")/../scripts/verdict.sh"
about="lab command: "

# says WHAT STATUS TEXT COMMAND...: its status is this and its output has this text
says() {
    what=$1 want=$2 text=$3
    shift 3
    timeout 300 "$@" >"$work/out" 2>&1
    status=$?
    if [ $status = "$want" ] && grep -qF -e "$text" "$work/out"; then
        verdict "$what"
    else
        verdict "$what" "status $status, not $want, or no '$text'"
    fi
}

says "list" 0 "  01-first-exit        The first exit" "$hv" lab list
says "no word is list" 0 "02-device" "$hv" lab
says "an unknown word" 1 "hv lab does not know 'grad'" "$hv" lab grad 1
says "no lab" 1 "which lab?" "$hv" lab grade
says "an unknown lab" 1 "there is no lab '77'" "$hv" lab start 77 "$work/x"
says "no lab 0" 1 "there is no lab '0'" "$hv" lab start 0 "$work/x"
says "no folder to start in" 1 "takes a lab and a folder" "$hv" lab start 1
says "the labs elsewhere" 0 "" env HV_LABS="$labs" "$hv" lab list
says "flags" 0 "-I" "$hv" lab flags
says "a lab by its name" 0 "lab grade 02" "$hv" lab start device "$work/two words"
says "never over a folder that is there" 1 "is there already" "$hv" lab start 2 "$work/two words"
says "grade what is no folder" 1 "is no folder with your work" "$hv" lab grade 2 /dev/null port-id
says "an unknown test" 1 "has no test 'nosuch'; it has: port-id port-sum" "$hv" lab grade 2 "$work/two words" nosuch
says "one test alone" 1 "Score: 0/5" "$hv" lab grade 02 "$work/two words" port-id
cd "$work/two words" || exit 2
says "here, one test" 1 "Score: 0/5" "$hv" lab grade 02-device port-id
says "a log for a failed test" 0 "hv run --engine soft" cat grade/port-id.log
says "JSON" 1 "Score: 0/5" "$hv" lab grade 2 . port-id --json "$work/json" --work "$work/elsewhere"
says "what JSON has" 0 "02-device 0 5 port-id false" \
    jq -r '"\(.lab) \(.score) \(.total) \(.tests[0].name) \(.tests[0].why == "")"' "$work/json"
says "the work's folder" 0 "[status" cat "$work/elsewhere/port-id.log"

# A program is another one than the starter.
become() { # SED-SCRIPT
    sed -e "$1" "$labs/02-device/fold.c" >fold.c
}
become 's/not_yet("fold_read (hole 1)")/*(volatile int *)8/'
says "a crash" 1 "hv crashed (signal 11)" "$hv" lab grade 2 . port-id
become 's/return not_yet("fold_read (hole 1)")/for (;;) {}/'
says "an endless loop" 1 "did not end within 2 seconds" env HV_LAB_GUARD=2 "$hv" lab grade 2 . port-id
become 's/return not_yet("fold_read (hole 1)")/return 1 +/'
says "what does not compile" 1 "why:    fold.c does not build" "$hv" lab grade 2 . port-id --json "$work/broken.json"
says "told from a starter" 1 "Your work does not compile: fold.c:" "$hv" lab grade 2 . port-id
says "in JSON, too" 0 "does not compile: fold.c:" jq -r '"\(.state): \(.because)"' "$work/broken.json"
says "a compiler's flags that nobody knows are not the student's fault" 1 "The grader could not find out what is right" \
    env HV=false HV_LAB_JSON="$work/broken.json" sh "$labs/lib/grade.sh" "$labs/02-device" . port-id
check "nor his verdict" jq -e '.state == "graded"' "$work/broken.json"
rm fold.c
says "a file that is gone" 1 "there is no fold.c in your folder" "$hv" lab grade 2 . port-id
cp "$labs/solutions/02-device"/* .
says "the reference" 0 "Score: 65/65" "$hv" lab grade 2
cp "$work/out" "$work/first"
says "the same score twice" 0 "Score: 65/65" "$hv" lab grade 2
cp "$work/out" "$work/second"
# shellcheck disable=SC2016 # the inner shell's
says "and the same words" 0 "the same" sh -c 'cmp "$0" "$1" && echo the same' "$work/second" "$work/first"

# The words give no points for what is not there: a truth that could not be found out, an answer left empty, a
# file that was not made, a test that stops. One test of all is passed.
mkdir -p "$work/fake/01-fake" "$work/mine" && cp -R "$labs/lib" "$work/fake"
printf 'empty:\nyes: Yes.\nbytes: \351"\n' >"$work/mine/answers.txt"
cat >"$work/fake/01-fake/tests.sh" <<'END'
t_unknown() { answer empty "$(false)" why; }
t_empty() { answer empty 'x?' why; }
t_missing() { answer nosuch '.*' why; }
t_because() { reason empty 0 '' why; }
t_same() { same it "$(false)" "" why; }
t_expect() { echo line >"$W/file" && expect "$W/file" why ""; }
t_order() { printf 'a\nb\n' >"$W/file" && expect "$W/file" why b a; }
t_twice() { echo a >"$W/file" && expect "$W/file" why a a; }
t_short() { reason yes 2 yes why; }
t_unmade() { expect "$W/none" why text; }
t_reject() { reject "$W/none" why text; }
t_nothing() { : >"$W/file" && reject "$W/file" why ""; }
t_unset() { echo "$not_set"; }
t_exit() { exit 3; }
t_killed() { run x sh -c 'kill -9 $$'; }
t_bytes() { flunk "$(wrote bytes)"; }
t_yes() { answer yes yes why; }
for t in unknown empty missing because same expect order twice short unmade reject nothing unset exit killed nofunction bytes yes; do
    check $t 1 "$t"
done
END
says "no points for nothing" 1 "Score: 1/18" env HV_LABS="$work/fake" "$hv" lab grade 1 "$work/mine" --json "$work/fake.json"
check "JSON: only this one, and what a student wrote is UTF-8" \
    jq -e '[.tests[] | select(.score == 1).name] == ["yes"] and (.tests[16].why == "?\"")' "$work/fake.json"

# What a class' submissions get that do not end as they should: one that adds points of its own, one that ends
# its grader, one that takes too long.
cat >"$work/fake/01-fake/tests.sh" <<'END'
t_mine() { sh "$DIR/run" "$W" $$; }
check mine 5 "what is in run"
END
for name in forges ends works; do mkdir -p "$work/odd/$name"; done
cat >"$work/odd/forges/run" <<'END'
printf "more\t\t95\t95\tmore\t\n" >>"$1/results"
END
# shellcheck disable=SC2016 # run's
echo 'kill -9 "$2"' >"$work/odd/ends/run"
mkdir -p "$work/slow/sleeps" && echo 'exec sleep 1000' >"$work/slow/sleeps/run"
: >"$work/odd/works/run"
says "a class: one of three has points" 0 "01-fake: 1 graded, 1 full, 2 without a score" \
    env HV_LABS="$work/fake" "$hv" lab grade-all 1 "$work/odd" --plain --jobs 3 --keep "$work/kept"
states() { # what the table says of each
    awk '$2 ~ "/" { sub("^ *", ""); gsub(" +", " "); print }' "$work/out" | diff - "$work/states"
}
printf '%s\n' "ends 0/5 the grader did not end" "forges 0/5 not believed: not this lab's points" \
    "works 5/5 graded" >"$work/states"
check "a class: why the others have none" states
# By themselves, or those above would have to be so fast.
says "a class: one takes too long" 0 "01-fake: 0 graded, 0 full, 1 without a score" \
    env HV_LABS="$work/fake" "$hv" lab grade-all 1 "$work/slow" --plain --seconds 3
echo "sleeps 0/5 stopped: it took too long" >"$work/states"
check "a class: it is stopped" states
check "a class: what the grader said is kept" grep -q 'Score: 5/5' "$work/kept/works.txt"
check "a class: and that alone, without the box' own lines" test "$(tail -n 1 "$work/kept/works.txt")" = 'Score: 5/5'

lacks() { ! grep -q "$1" "$work/out"; }
# Where the result cannot be written: said before the work is done, if it can be known, and no other file is lost by it.
says "grade: JSON cannot be written" 1 "hv: cannot write '/nosuch/x': No such" env HV_LABS="$work/fake" "$hv" lab grade 1 "$work/odd/works" --json /nosuch/x
check "and no test was run" lacks Score
says "grade: a full disk" 2 "hv: cannot write '/dev/full' to its end" env HV_LABS="$work/fake" "$hv" lab grade 1 "$work/odd/works" --json /dev/full
rm -rf "$work/odd/"[efs]* "$work/odd/works/grade"
: >"$work/odd/works.zip" && ln -s works "$work/odd/link"
says "a class: JSON cannot be written" 1 "hv: cannot write '/nosuch/x': No such" \
    env HV_LABS="$work/fake" "$hv" lab grade-all 1 "$work/odd" --plain --json /nosuch/x
check "and nothing was graded" lacks graded
says "a class: a full disk" 1 "hv: cannot write '/dev/full' to its end" \
    env HV_LABS="$work/fake" "$hv" lab grade-all 1 "$work/odd" --plain --json /dev/full --csv "$work/odd.csv"
check "and the other file is written" grep -q '^works,01-fake,5,5,graded' "$work/odd.csv"
check "what is no submission is named" grep -q "^not graded, .*: 'link' and 1 more" "$work/out"
# shellcheck disable=SC2016 # the inner shell's
says "a class: no room for the table" 1 "hv: cannot write the table" \
    env HV_LABS="$work/fake" sh -c '"$0" lab grade-all 1 "$1" --plain >/dev/full' "$hv" "$work/odd"
if [ "$(id -u)" = 0 ]; then
    mkdir "$work/odd/closed" && : >"$work/odd/closed/run"
    chmod 0 "$work/odd/closed/run" "$work/odd/closed"
    says "a class: modes do not matter to root" 0 "2 graded, 2 full" env HV_LABS="$work/fake" "$hv" lab grade-all 1 "$work/odd" --plain
    mkdir "$work/odd/device" && mknod "$work/odd/device/run" c 1 3
    says "a class: what cannot be unpacked" 0 "it could not be unpacked" \
        env HV_LABS="$work/fake" setpriv --bounding-set=-mknod "$hv" lab grade-all 1 "$work/odd" --plain
fi

# A class whose folders have names that are meant for a terminal, a spreadsheet or a reader of JSON. All are too
# large to be graded: their names are what matters.
cd "$work" || exit 2
mkdir class
for name in '=1+1' '+a' '-b' '@c' 'q"u,o' "$(printf 'esc\033[31m')" "$(printf 'line\nbreak')" "$(printf 'latin\351')" \
    "$(printf 'csi\302\2331m')" "$(printf '\303\244')"; do
    mkdir "class/$name"
    truncate -s 17M "class/$name/zeros"
done
says "odd names" 0 "0 graded, 0 full, 10 without a score" "$hv" lab grade-all 2 class --plain --csv c.csv --json c.json
cp "$work/out" said
check "a name of two bytes a letter stands in line" grep -q "^  $(printf '\303\244') \{26\}0/65" said
controls() { LC_ALL=C grep -P '[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]' "$1"; }
is_text() { ! controls said && iconv -f UTF-8 -t UTF-8 said c.csv c.json; }
check "no control character is printed, and UTF-8 alone is written" is_text
# shellcheck disable=SC2016 # awk's dollars
says "CSV: as RFC 4180, and no formula" 0 "10 as they should be, of 10" awk -v RS='\r\n' '
    BEGIN { split("\x27=1+1 \x27+a \x27-b \x27@c \"q\"\"u,o\" esc?[31m line?break latin? csi??1m \303\244", want, " ") }
    NR > 1 { for (i in want) n += index($0, want[i] ",02-device,0,65,too large or unreadable") == 1 }
    END { print n " as they should be, of " NR - 1 }' c.csv
says "JSON: UTF-8, names as they are" 0 "true" jq -r 'map(.name) | contains(["=1+1", "q\"u,o", "esc\u001b[31m",
    "line\nbreak", "latin\ufffd", "\u00e4"]) and length == 10' c.json

verdicts "lab command"
