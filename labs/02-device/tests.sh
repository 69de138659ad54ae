# shellcheck shell=sh disable=SC2154 # variables of grade.sh
# tests.sh - the tests of lab 2: the driver in driver.c by each road. labs/lib/grade.sh has the words.

# drive NAME WORDS: the driver with these words on its command line; $W/NAME.out is what it printed.
drive() {
    plugin fold.c
    [ -x "$W/driver" ] || guest driver
    to=$1
    shift
    hv_run "$to" --strategy "$W/fold.so" --trace "$W/$to.hvt" --append "$*" "$W/driver"
    [ "$to" = mmio ] || sed -i '/(hole 2)/d' "$W/$to.err" # it is said at each start
    yet=$(grep 'not written yet' "$W/$to.err" | tail -n 1 | cut -d' ' -f2-)
    [ -z "$yet" ] || line "$bad" BAD "$yet"
}
exits_at() { # NAME REASON ADDRESS-REGEX: how many exits
    "$HV" trace --format csv "$W/$1.hvt" | awk -F, -v k="$2" -v a="$3" '$5 == "exit" && $6 == k && $11 ~ a' | wc -l
}

part "A. By port"

t_port_id() {
    drive id id
    expect "$W/id.out" "Reading REG_ID gives FOLD_ID: fold_read() is asked with offset 0 and size 4." "id: 0x444c4f46"
}
check port-id 5 "the device says who it is"

t_port_sum() {
    drive port port again
    expect "$W/port.out" "fold_write() adds to the sum, fold_read() of REG_SUM returns it and begins a new one: the same eight numbers twice are 36 and 36." \
        "port sum: 36" "port sum: 36"
}
check port-sum 10 "eight numbers, twice"

t_port_size() {
    drive size size
    expect "$W/size.out" "The device has registers of 4 bytes. A write of 2 bytes is not answered, and adds nothing; a read of 2 bytes gives all ones, and SUM stays as it is. What no register answers, a read of DATA and a write of ID, is the same." \
        "half a sum: 0xffff" "data, read: 0xffffffff" "size sum: 5"
}
check port-size 5 "half a number"

part "B. By memory"

t_mmio_sum() {
    drive mmio mmio
    expect "$W/mmio.out" "The same device, at MMIO_BASE: fold_prepare() maps it on the bus a second time, as BUS_MMIO. The device is told the address minus the base that bus_map() was given: 0 to 11, as by port." "mmio sum: 36"
}
check mmio-sum 10 "eight numbers by memory"

part "C. By hypercall"

t_call_sum() {
    drive call call none many
    expect "$W/call.out" "fold_call() reads the numbers out of the guest's memory and returns their sum, which has 64 bits: the third call passes 4194304 numbers, two of them ffffffff, the others 0." \
        "call sum: 36" "call sum: 0" "call sum: 8589934590"
}
check call-sum 10 "eight numbers in one exit"

t_call_wild() {
    # shellcheck disable=SC2034 # read by run
    GUARD=10 HANG="One of the lies makes fold_call() loop as good as for ever: 4 * count has wrapped around, so the check let 4000000000000002h numbers pass."
    drive wild wild
    expect "$W/wild.out" "Numbers that are not all in the guest's RAM: -EFAULT, which is -14. The third call passes a count of 4000000000000002h: times 4 that is 8 in 64 bits." \
        "call sum: -14" "call sum: -14" "call sum: -14"
}
check call-wild 10 "a guest that lies"

part "D. Count"

t_exits() {
    drive all id port mmio call
    port=$(($(exits_at all io '0x2e[0-9a-b]') - 1))
    answer for-8-port "$port" "Count in 'hv trace' of a run with --append port: one exit for each access to the device."
    answer for-8-mmio "$(exits_at all mmio '0xfe00000')" "Count in 'hv trace' of a run with --append mmio."
    answer for-8-call "$(exits_at all hypercall .)" "Count in 'hv trace' of a run with --append call."
    answer for-1000-port $((port - 8 + 1000)) "What of the exits of 8 numbers is there once for each number, and what once for all?"
    answer for-1000-call 1 "Does the number of exits depend on the number of numbers?"
}
check exits 10 "how many exits each road takes"

t_why() {
    reason call-because 6 'read|cop(y|ies)|memory|ram|address|array|loop|fetch|itself' "Say who fetches the numbers, and from where."
    reason mmio-because 6 'instruction|decod|interpret|emulat|opcode|operand|register|disassembl' "Which register gets the value of 'mov (%rbx), %eax', and who knows that when only an address has left the guest?"
}
check why 5 "why"
