# shellcheck shell=sh disable=SC2154 # variables of grade.sh
# tests.sh - the tests of lab 4: the kernel in kernel.c, a word at a time. labs/lib/grade.sh has the words.

# boot NAME WORDS: the kernel under the VMM
boot() {
    plugin emulate.c "$HV_LABS/lib/vmm.c" "$LAB/flat.c"
    [ -x "$W/kernel" ] || guest kernel
    to=$1
    shift
    hv_run "$to" --strategy "$W/emulate.so" --append "$*" "$W/kernel"
    said=$(sed -n 's/^hv: //; s/the engine could not go on: //; s/ ([0-9]* exits*, .*//p' "$W/$to.err" | grep -E 'not written yet|triple fault|come to an end' | head -n 1)
    [ -z "$said" ] || line "$bad" BAD "$said"
}

part "A. The interrupt flag"

t_cli() {
    boot cli cli
    expect "$W/cli.out" "CLI clears the virtual IF, in cpu->r.rflags, and moves rip behind it." \
        "before cli: ticks come" "after cli: ticks: 0" "after cli: IF: 0x0"
}
check cli 10 "no interrupts after CLI"

t_sti() {
    boot sti sti
    expect "$W/sti.out" "STI sets the virtual IF." "before sti: IF: 0x0" "after sti: ticks come" "after sti: IF: 0x200"
    expect "$W/sti.out" "Behind STI one more instruction is done before an interrupt comes: r.shadow. If that is CLI, none comes; if it is NOP, one does." \
        "between sti and cli: ticks: 0" "between sti, nop and cli: ticks: 1"
}
check sti 10 "interrupts after STI, and not too early"

t_hlt() {
    boot hlt hlt
    expect "$W/hlt.out" "HLT returns EMU_HALT with rip behind it; the next tick wakes the guest there." \
        "hlt: it sleeps until the next tick" "hlt: ticks: 5"
}
check hlt 10 "asleep until the timer"

part "B. A table"

t_lgdt() {
    boot lgdt lgdt
    expect "$W/lgdt.out" "LGDT takes limit and base from its operand; then the guest's selectors mean something." \
        "lgdt: its segments can be loaded" "lgdt: sgdt shows: ours"
    expect "$W/lgdt.out" "A base that is not canonical is #GP (13). An operand that cannot be read to its end is what x86_read_linear() says (14), and GDTR stays: read all, then assign." \
        "lgdt: a base that is not canonical: exception: 13" "lgdt: an operand that ends in no page: exception: 14" \
        "lgdt: after both, sgdt shows: ours"
}
check lgdt 15 "a descriptor table"

t_user() {
    boot user lgdt user
    expect "$W/user.out" "These four are not a program's business: #GP (13) at virtual CPL 3. 64 means that the program went on." \
        "user cli: exception: 13" "user sti: exception: 13" "user hlt: exception: 13" "user lgdt: exception: 13"
    expect "$W/user.out" "A kernel may allow its programs CLI and STI: IOPL 3. HLT it cannot allow: #GP at each CPL but 0, whatever IOPL is." \
        "user, IOPL 3: cli: exception: 64" "user, IOPL 3: hlt: exception: 13"
}
check user 15 "programs may not"

part "C. What does not trap"

t_popf() {
    boot popf popf
    expect "$W/popf.out" "POPF takes IF from the stack, on and off, and RSP moves by 8." \
        "popf: bytes taken off the stack: 8" "popf with IF: ticks come" "popf without IF: ticks: 0" "popf: IF was: 0x200"
    expect "$W/popf.out" "It takes what is in POPF_FLAGS, and so not VM, RF, VIF and VIP." "popf: DF, and of VM, RF, VIF and VIP: 0x400"
}
check popf 15 "flags from the stack"

t_silent() {
    boot silent user popf
    expect "$W/silent.out" "For a program POPF does not fault (64: it went on), and IF and IOPL stay as they were: IF set, IOPL 0." \
        "user popf: goes on to int: 64" "user popf: IF and IOPL: 0x200"
}
check silent 15 "a program is not told"
