# shellcheck shell=sh disable=SC2016,SC2154 # variables of grade.sh
# tests.sh - the tests of lab 10. What is true they find out with the debugger, in the kernel as it was
# given: reading on tells where to look. labs/lib/grade.sh has the words.

head='*(uint32_t *)&log_head'

# debug NAME GUEST WORD...: a session in batch; it is over when its commands are
debug() {
    to=$1 of=$2
    shift 2
    # shellcheck disable=SC2086 # $LIMIT is words
    run "$to" "$HV" debug --engine soft $LIMIT --nx --batch "$@" "$of"
}
given() { # the kernel as it was given, in $W/given
    [ -x "$W/given" ] && return
    guest kernel
    mv "$W/kernel" "$W/given"
}

part "A. The end"

t_died() {
    given
    debug died "$W/given" --ex continue --ex explain
    first=$(sed -n 's/^ *First *#//p' "$W/died.out" | head -n 1)
    gate=$(sed -n 's/^ *Bad *gate \([0-9]*\).*/\1/p' "$W/died.out" | head -n 1)
    where=$(printf '%s\n' "$first" | grep -o '0x[0-9a-f]*' | head -n 1)
    answer first-exception "#?$(printf '%s' "${first%% *}" | tr '[:upper:]' '[:lower:]')" "'explain' at the end: the line 'First'."
    answer first-address "$where" "'explain' at the end: the line 'First'. (CR2 has it, too.)"
    answer bad-gate "$gate" "'explain' at the end: the first line 'Bad'."
    reason gate-because 6 'type|no gate|not? .*gate' "What does the line 'Bad' say of the gate's bits?"
}
check died 10 "the exception that was first"

part "B. Backwards"

t_writer() {
    given
    debug writer "$W/given" --ex continue --ex 'watch *(uint64_t *)(&idt + 224)' --ex reverse-continue --ex 'p *(uint32_t *)&log_head - 1'
    writer=$(sed -n '/^hw watchpoint 1, /,$ s/^ *0x[0-9a-f]* \([a-z_]*\)+.*/\1/p' "$W/writer.out" | head -n 1)
    index=$(sed -n 's/^\$1 = //p' "$W/writer.out")
    answer gate-writer "$writer(\(\))?" "At the end: watch *(uint64_t *)(&idt + 16 * N), then reverse-continue. Who writes?"
    answer gate-index "$((index))" "Where does the write go? (address - &log_ring) / 8; the instruction's registers have both."
    answer ring-entries 32 "LOG_ENTRIES in kernel.c."
    reason writer-because 6 'head|index' "What does this function rely on, and is that true here? Who else has to keep it true?"
}
check writer 10 "who destroyed the gate"

t_find() {
    given
    have find.hv
    debug find "$W/given" -x "$DIR/find.hv" --ex 'echo \n' --ex "p/d $head" --ex stepi --ex "p/d $head" --ex 'info symbol $rip'
    yet=$(grep 'not written yet' "$W/find.out" | tail -n 1)
    [ -z "$yet" ] || line "$bad" BAD "$yet"
    wrong=$(grep '/find.hv: line\|^hv: --ex' "$W/find.err" | head -n 1)
    [ -z "$wrong" ] || { line "$bad" BAD "${wrong##*/}"; flunk "A command of find.hv failed. Where the guest has ended, nothing can step forwards."; }
    before=$(sed -n 's/^\$[0-9]* = //p' "$W/find.out" | tail -n 2 | head -n 1)
    after=$(sed -n 's/^\$[0-9]* = //p' "$W/find.out" | tail -n 1)
    line '' '' "log_head before the step: ${before:-?}, behind it: ${after:-?}"
    [ "${before:-32}" -lt 32 ] || flunk "When find.hv is done log_head is wrong already (${before:-no machine to look at}): go on backwards."
    [ "${after:-0}" -ge 32 ] || flunk "When find.hv is done one stepi has to make log_head wrong; it becomes $after: you are too far back, or at another write."
}
check find 15 "a script that goes back to the mistake"

part "C. The mend"

# mended NAME JOBS CUT-JOBS: the student's kernel with JOBS prints what the given one does with names
# that are short enough for it
mended() {
    given
    [ -x "$W/kernel" ] || mine kernel.c
    hv_run "$1.given" --append "$3" "$W/given"
    hv_run "$1" --append "$2" "$W/kernel"
    ! grep -q 'triple fault' "$W/$1.err" || flunk "Your kernel.c still ends in a triple fault: it is to be mended where the mistake is."
    while IFS= read -r wanted; do
        expect "$W/$1.out" "$4" "$wanted"
    done <"$W/$1.given.out"
}

t_mend() {
    mended seven "idle clock checksum1 report sweep idle report" "idle clock checksu report sweep idle report" \
        "Each function has to do what its comment promises, for every name. All 28 entries come into the log, and nothing else is written."
}
check mend 10 "the kernel comes to its end"

t_others() {
    mended first "checksum1 a b c d e" "checksu a b c d e" "First the test 'mend'."
    mended eight "a eight888 b seven77 c d e f" "a eight88 b seven77 c d e f" \
        "How many characters does the comment promise to keep, and where does the zero byte go?"
    mended long "averyveryverylongnameofajobthatdoesnotendsoon b c d e f g h i j" "averyve b c d e f g h i j" \
        "However long a name is, so many characters of it are kept as the comment says, and the rest is skipped."
}
check others 5 "other names"

t_why() {
    reason name-because 8 'head|index' "Who stands there when find.hv is done, and what is written to where? Then four entries were logged."
}
check why 5 "the job that was not there"
