# shellcheck shell=sh disable=SC2154 # variables of grade.sh
# tests.sh - the tests of lab 7: minios with the student's priv.h and start.c, under paravirt.
# labs/lib/grade.sh has the words.

# $W/mine: the kernel, as the Makefile builds it; once for all tests
kernel() {
    [ ! -x "$W/mine" ] || return 0
    for file in priv.h start.c; do
        have "$file"
    done
    run setup sh "$LAB/setup.sh" "$LAB" "$W"
    [ "$status" = 0 ] || flunk "the sources of minios could not be copied: the log says why"
    run mine.cc "${CC:-cc}" -std=gnu11 -g -Og -Wall -ffreestanding -fno-pic -fno-pie -mgeneral-regs-only \
        -fno-stack-protector -fcf-protection=none -fno-asynchronous-unwind-tables -fno-omit-frame-pointer \
        -mcmodel=kernel -mno-red-zone -I"$DIR" -I"$W/kernel" -DPROGRAMS=hello,forkwait,cow,family \
        -Wa,-I"$W/kernel" -nostdlib -static -no-pie -Wl,--build-id,-z,noexecstack,-z,max-page-size=4096 \
        -Wl,-T,"$W/kernel/minios.ld" -o "$W/mine" "$DIR/start.c" "$W"/kernel/*.c "$W"/kernel/*.S
    built "the kernel"
}
# go NAME WORDS: a program under it. What hv says of the end is shown if the test fails
go() {
    kernel
    hv_run "$1" --strategy paravirt --append "$2" "$W/mine"
    what=$(sed -n "s/.*executed the privileged instruction \('[a-z]*'\) at rip \(0x[0-9a-f]*\).*/\1 \2/p" "$W/$1.err")
    if [ -n "$what" ]; then
        line "$bad" BAD "${what%% *} was executed in $(addr2line -f -e "$W/mine" "${what#* }" | head -n 1)"
    elif ! grep -q 'powered off with status 1 ' "$W/$1.err"; then
        line "$bad" BAD "$(sed -n 's/^hv: //p' "$W/$1.err" | cut -c1-150 | head -n 1)"
    fi
}
# calls NAME: what the operations of priv.h ask for, without a VMM, in $W/NAME.calls.out
calls() {
    # A copy: beside the lab's own calls.c stands the starter's priv.h, which it would take.
    cp "$LAB/calls.c" "$W"
    run calls.cc "${CC:-cc}" -std=gnu11 -g -O1 -Wall -I"$DIR" -I"$W/kernel" -o "$W/calls" "$W/calls.c"
    [ "$status" = 0 ] || flunk "calls.c cannot be built with your priv.h (the log says why): the operations have to stay in it."
    run "$1.calls" "$W/calls" "$1"
}
exits() { sed -n 's/.*(\([0-9]*\) exits.*/\1/p' "$W/$1.err"; }
at_most() { # NAME MOST WHY
    if [ "$(exits "$1")" -le "$2" ]; then
        line "$good" GOOD "exits: $(exits "$1") (at most $2)"
        return
    fi
    line "$bad" BAD "exits: $(exits "$1") (at most $2)"
    flunk "$3"
}

part "A. Without privilege"

t_console() {
    go console init=hello
    expect "$W/console.out" "priv_console_write() prints by HC_CONSOLE_WRITE." \
        "minios: 64-bit kernel" "minios: traps:"
    calls console
    expect "$W/console.calls.out" "priv_console_read() gives the byte if HC_CONSOLE_READ says that there was one, else -1." \
        "read, nothing was typed: -1" "read, an A was typed: 65" "read, byte 255 was typed: 255"
}
check console 10 "the console"

t_tables() {
    go tables init=hello
    expect "$W/tables.out" "The kernel's own page tables come into use by HC_SET_ROOT, and change by HC_UPDATE." \
        "minios: traps:" "minios: paging:"
}
check tables 10 "page tables"

t_flag() {
    go flag init=hello
    expect "$W/flag.out" "The timer's events come only if it was set (HC_SET_TIMER), events are unmasked, and the kernel sleeps by HC_BLOCK." \
        "minios: paging:" "minios: timer:"
    calls flag
    expect "$W/flag.calls.out" "Masking is a plain write; unmasking too, and HC_EVENTS behind it if priv_shared.pending is set: else the event waits for an exit that nobody makes. HC_BLOCK unmasks and sleeps in one step, and priv_idle() ends masked." \
        "masking: 0 calls, masked 1" "unmasking, nothing is pending: 0 calls, masked 0" \
        "unmasking, an event is pending: HC_EVENTS, masked then 0" "sleeping: HC_BLOCK, masked then 1, masked afterwards 1"
}
check flag 10 "the interrupt flag and the timer"

t_ways() {
    go ways init=hello
    expect "$W/ways.out" "A program runs: the VMM must know where SYSCALL enters and which stack is the kernel's." \
        "minios: timer:" "hello, world" "minios: process 1 exited with 0" "minios: done"
    go status "quiet init=forkwait 20"
    expect "$W/status.out" "20 processes, each with page tables of its own." "forkwait: 20 processes"
    go pages "quiet init=cow 1"
    expect "$W/pages.out" "Page faults: priv_read_cr2() says which page." "all pages were right"
    grep -q 'powered off with status 1 ' "$W/pages.err" || flunk "priv_power_off() ends the machine with status (value << 1) | 1."
}
check ways 10 "the ways into the kernel"

t_none() {
    kernel
    objdump -d --no-show-raw-insn "$W/mine" | awk '
        /^[0-9a-f]+ <.*>:$/ { where = $2; next }
        $2 ~ /^(cli|sti|hlt|in[bwl]?|out[bwl]?|ins[bwl]?|outs[bwl]?|lgdt|lidt|lldt|ltr|lmsw|clts|invlpg|rdmsr|wrmsr|iretq?|sysret[ql]?|sysexit|swapgs|wbinvd|invd|xsetbv)$/ ||
        ($2 ~ /^mov/ && /%(cr|db|dr)[0-9]/) { print $2, where }' >"$W/privileged"
    head -n 5 "$W/privileged" | while read -r what where; do line "$bad" BAD "$what in $where"; done
    same "privileged instructions" 0 "$(($(wc -l <"$W/privileged")))" \
        "In all of the kernel's text there must be none (objdump -d mine): the last ones are in the functions named above."
}
check none 10 "not one privileged instruction"

t_cheap() {
    go cheap "quiet init=hello"
    expect "$W/cheap.out" "First the test 'ways'." "hello, world"
    at_most cheap 60 "Masking and unmasking are plain writes: call HC_EVENTS only if priv_shared.pending is set."
}
check cheap 5 "what is only memory costs no exit"

part "B. Many at once"

t_batch() {
    go batch "quiet init=family"
    expect "$W/batch.out" "First the test 'ways'." "family: 5 children, and all pages as they were"
    at_most batch 2000 "2,000 of these exits are one entry of a page table each: give them to the VMM by HC_MULTICALL, as many as there are."
}
check batch 15 "a fork in a few exits"
