# shellcheck shell=sh disable=SC2154 # variables of grade.sh
# tests.sh - the tests of lab 3: the guest in guest.c, a word at a time. labs/lib/grade.sh has the words.

# go NAME WORDS: the guest under the dispatcher; what the dispatcher said is shown if the test fails
go() {
    plugin dispatcher.c
    [ -x "$W/guest" ] || guest guest
    to=$1
    shift
    hv_run "$to" --strategy "$W/dispatcher.so" --append "$*" "$W/guest"
    yet=$(grep 'not written yet' "$W/$to.err" | tail -n 1 | sed 's/^lab: //; s/^hv: .*: //')
    [ -z "$yet" ] || line "$bad" BAD "$yet"
}

part "A. The table"

t_count() {
    go count count hello
    expect "$W/count.out" "An exit with no handler, or that a handler passes on, goes to hv's exit table: then the guest's output comes." "hello"
    expect "$W/count.err" "Each exit is counted under its own kind, before its handler is asked: 5 reads of a port, 6 letters, 1 power-off make 12; a read of memory that is none is 1, though it has no handler." "lab: io 12" "lab: mmio 1"
}
check count 10 "every exit is counted and passed on"

part "B. Instructions"

t_cpuid() {
    go cpuid cpuid
    expect "$W/cpuid.out" "Leaf 40000000h: the highest leaf in EAX, the name in EBX, ECX, EDX. Other leaves are the processor's." \
        "highest leaf of the hypervisor: 0x40000000" "hypervisor: LabVMM-lab03" "processor: as ever"
}
check cpuid 10 "the hypervisor says its name"

t_msr() {
    go msr msr
    expect "$W/msr.out" "From the first read to the second: an RDMSR of another register, a read of a port, and the second read itself, 3 exits. Behind the write comes one: the read. The upper halves of RAX and RDX become 0." \
        "exits between two reads: 3" "after a write: 0x100000001"
    expect "$W/msr.out" "Other MSRs are the processor's: pass them on." "EFER: 0x500"
}
check msr 10 "a register that does not exist"

part "C. Calls"

t_calls() {
    # shellcheck disable=SC2046 # flags are words
    kinds=$(printf '#include "tracer/event.h"\nint kind[] = {TRACE_CPUID, TRACE_MSR};\n' | "${CC:-cc}" $(hv_flags) -S -o - -xc - | sed -n 's/.*\.long[[:blank:]]*//p' | head -n 2 | paste -sd, -)
    go calls "calls kind=$kinds"
    expect "$W/calls.out" "The count of that kind; -EINVAL (-22) for a kind that is none, also for one that would lie before your array; other numbers are hv's: -ENOSYS (-38)." \
        "exits by CPUID: 3" "exits by RDMSR: 1" "exits of kind 10000: -22" "exits of kind -1: -22" "no such call: -38"
}
check calls 10 "how many exits of one kind"

part "D. Control"

t_patient() {
    go patient patient
    expect "$W/patient.out" "Four times 99 reads; between them a write to another port, a write to the same port, a read of another port: nobody reads 100 times in a row here." "polled: 396"
    reject "$W/patient.err" "This guest is to come to its own end." "in a row"
    go storm poll
    expect "$W/storm.err" "The 100th read in a row ends the machine, RUN_REFUSED, with a sentence." "port 0x5f0 was read 100 times in a row"
}
check patient 10 "a guest that polls for ever"
