# shellcheck shell=sh disable=SC2154 # variables of grade.sh
# tests.sh - the tests of lab 6: the guest in pages.c, pagestress, and minios. labs/lib/grade.sh has the words.

# boot NAME GUEST WORDS: under the VMM
boot() {
    plugin shadow.c "$HV_LABS/lib/vmm.c" "$LAB/given.c"
    [ -x "$W/pages" ] || guest pages
    to=$1 kernel=$2
    shift 2
    hv_run "$to" --strategy "$W/shadow.so" --append "$*" "$kernel"
    said=$(sed -n 's/^hv: //; s/the engine could not go on: //; s/ ([0-9]* exits*, .*//p' "$W/$to.err" |
        grep -E 'not written yet|triple fault|again and again|come to an end' | head -n 1)
    [ -z "$said" ] || line "$bad" BAD "$said"
}

part "A. One space"

t_map() {
    boot map "$W/pages" map
    expect "$W/map.out" "shadow_map() enters the page at linear: four levels of nine bits." \
        "page 1 is frame 1: 1" "page 2 is frame 2: 2" "page 511 is frame 3: 3" "page 3 is not there: page fault, error 0x0"
    expect "$W/map.out" "What write and execute say is what the entry of level 1 allows, and no more." \
        "write to page 2, which is read-only: page fault, error 0x3" "accessed and dirty: 0x20" "write to page 1: 0" \
        "accessed and dirty: 0x60" "frame 1 now: 101" "run page 1, which is NX: page fault, error 0x11" "run page 511: 0"
}
check map 15 "pages appear where the guest's tables say"

t_invlpg() {
    boot invlpg "$W/pages" invlpg
    expect "$W/invlpg.out" "Behind INVLPG the guest's entry counts, and not what the shadow kept: shadow_forget_page() empties it, and the processor's TLB is stale." \
        "page 1 is frame 1: 1" "page 1, remapped to frame 5: 5" "write to page 2, made read-only: page fault, error 0x3" \
        "page 1, unmapped: page fault, error 0x0" "page 2, still there: 2" "nothing happens"
}
check invlpg 10 "pages change and go away"

part "B. Many spaces"

t_switch() {
    boot switch "$W/pages" switch
    expect "$W/switch.out" "Each space has its own pages." "spaces switched: 60" "wrong pages seen: 0"
    fills=$(sed -n 's/^shadow: \([0-9]*\) fills.*/\1/p' "$W/switch.err")
    if [ "${fills:-9999}" -gt 300 ]; then
        line "$bad" BAD "fills: ${fills:-none}"
        line "$bad" MISSING "fills: at most 300"
        flunk "Two spaces of 16 pages were loaded 60 times in turns. Kept shadows are filled once; dropped ones each time (hole 3)."
    fi
    line "$good" GOOD "fills: $fills"
}
check switch 15 "a switch back costs nothing"

t_stale() {
    boot stale "$W/pages" stale
    expect "$W/stale.out" "Tables of a space that is not loaded were changed. If its shadow is kept, somebody must have noticed: shadow_written()." \
        "space 0, changed meanwhile to frame 6: 6" "space 0, unmapped meanwhile: page fault, error 0x0" \
        "space 0 without its window: page fault, error 0x0"
    boot late "$W/pages" late
    expect "$W/late.out" "A page that is written as data first, and is a table later: entries that map it with W must lose it then." \
        "space 2: 7" "space 2, changed to frame 8: 8" "space 2, changed to frame 9: 9" \
        "the second table: 7" "the second table, changed to frame 8: 8"
}
check stale 10 "no space shows what is no longer true"

part "C. Kernels"

t_pagestress() {
    # shellcheck disable=SC2034 # read by hv_run
    LIMIT="--limit exits=3000000 --limit instructions=200000000"
    boot pagestress pagestress
    expect "$W/pagestress.out" "100,000 random changes of page tables against a model: its line says what differs first." "all as the model says"
}
check pagestress 10 "a hundred thousand changes"

t_minios() {
    boot minios minios init=hello
    expect "$W/minios.out" "minios starts a process of its own under your shadow." "hello, world" "all pages are free again" "minios: done"
}
check minios 10 "a kernel with processes"

part "D. Why"

t_why() {
    answer hidden no "Whose tables lack the entry: the guest's or the VMM's? Does a real processor's #PF handler hear of a TLB miss?"
    reason hidden-because 6 'shadow|vmm' "Which tables lack the entry, and who enters it?"
    reason dirty-because 6 'dirty' "Who sets the guest's dirty bit, and when does the VMM get the chance to?"
    reason protect-because 6 'fault|trap|notice|stale|true|exit|see' "How would the VMM learn of a change?"
}
check why 5 "why"
