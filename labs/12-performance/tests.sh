# shellcheck shell=sh disable=SC2154 # variables of grade.sh
# tests.sh - the tests of lab 12. What the driver as it was given prints, and how many exits it takes, is
# found out by running it; yours must print the same. labs/lib/grade.sh has the words.

# host_side NAME LINE.c: $W/NAME.so
host_side() {
    # shellcheck disable=SC2046 # flags are words
    run "$1.cc" "${CC:-cc}" -std=gnu11 -g -Wall -shared -fPIC $(hv_flags) -o "$W/$1.so" "$2" && built "$1.c"
}
# $W/slow.so: line.c with another number for its hypercall, which hv then refuses (-ENOSYS)
slow() {
    sed 's/^#define HC_WRITE .*/#define HC_WRITE 0x121/' "$LAB/line.c" >"$W/slow.c"
    host_side slow "$W/slow.c"
}

# drive NAME DRIVER.c STRATEGY WORDS: $W/NAME.out, .err, and .csv: a line for each event
drive() {
    [ -f "$W/line.so" ] || host_side line "$LAB/line.c"
    [ "$2" != "$DIR/driver.c" ] || have driver.c
    assemble "$1.elf" "$LAB/report.c" "$2"
    hv_run "$1" --strategy "$3" --trace "$W/$1.hvt" --append "$4" "$W/$1.elf"
    lost=$(grep 'is lost' "$W/$1.err" | head -n 1)
    if [ -n "$lost" ]; then
        line "$bad" BAD "$lost"
        flunk "Write to UART_THR only what it has room for: one byte after LSR_THRE was seen, FIFO bytes if the FIFOs are on (FCR)."
    fi
    ! grep -q 'triple fault' "$W/$1.err" || flunk "the guest ended in a triple fault: 'hv debug', continue, explain"
    run "$1.table" "$HV" trace --format csv -o "$W/$1.csv" "$W/$1.hvt"
}
exits() { awk -F, '$5 == "exit"' "$W/$1.csv" | wc -l; }
kind() { awk -F, -v k="$2" '$5 == "exit" && $6 == k' "$W/$1.csv" | wc -l; }
port() { awk -F, -v p="$2" '$5 == "exit" && $6 == "io" && $11 == p' "$W/$1.csv" | wc -l; }

# both STRATEGY WORDS: the given driver (was) and the student's (now) print the same
both() {
    drive was "$LAB/driver.c" "$1" "$2"
    drive now "$DIR/driver.c" "$1" "$2"
    cmp -s "$W/was.out" "$W/now.out" && return
    at=$(cmp "$W/was.out" "$W/now.out" 2>/dev/null | sed -n 's/.* line \([0-9]*\).*/\1/p')
    if [ -z "$at" ]; then # one is the beginning of the other
        flunk "The output must stay as it was: $(wc -c <"$W/was.out") bytes; of your driver came $(wc -c <"$W/now.out")."
    fi
    line "$bad" BAD "$(sed -n "${at}p" "$W/now.out" | cut -c1-70)"
    line "$bad" MISSING "$(sed -n "${at}p" "$W/was.out" | cut -c1-70)"
    flunk "The output must stay as it was, byte by byte: line $at differs."
}
at_most() { # WHAT MOST FOUND WHY
    if [ "$3" -le "$2" ]; then
        line "$good" GOOD "$1: $3 (at most $2)"
        return
    fi
    line "$bad" BAD "$1: $3 (at most $2)"
    flunk "$4"
}

part "A. Measure"

t_measure() {
    drive was "$LAB/driver.c" "$W/line.so" ""
    all=$(exits was) bytes=$(wc -c <"$W/was.out")
    near exits "$all" "The first line of 'hv trace --stats --no-times t.hvt', with the driver as it was given."
    near bytes "$bytes" "hv run --engine soft --strategy ./line.so report | wc -c"
    answer per-byte "$(((all + bytes / 2) / bytes))" "exits / bytes. Which instructions are they?"
    answer busiest 0x3fd "'What was touched most', the first line."
    near without-status "$((all - $(port was 0x3fd)))" "All exits less those at that port."
    near without-cpuid "$((all - $(kind was cpuid)))" "All exits less those of CPUID."
    reason first-because 8 'most|larg|status|first|big|great|0x3fd|lsr|poll' "Where can most be gained, and how much is gained elsewhere as long as that is as it is?"
}
check measure 10 "where the exits come from"

part "B. Mend"

t_fifo() {
    both "$W/line.so" ""
    bytes=$(wc -c <"$W/was.out")
    at_most "reads of LSR" "$((bytes / 4))" "$(port now 0x3fd)" \
        "Turn the FIFOs on (UART_FIFOS), and ask again only when FIFO bytes were written since LSR_THRE was seen."
}
check fifo 10 "ask for 16 bytes, not for each"

t_once() {
    both "$W/line.so" ""
    at_most "exits by CPUID" 8 "$(kind now cpuid)" "Ask once, in driver_begin(), and keep the answer in memory."
    [ "$(kind now cpuid)" -ge 2 ] || flunk "Nobody asks the processor: the stamp has to be right on every one, and who asks for leaves 0 and 1 needs two exits."
    at_most "writes to LCR" 4 "$(port now 0x3fb)" "The UART keeps its settings: set it up once, in driver_begin()."
}
check once 10 "ask once what does not change"

part "C. A tenth"

t_tenth() {
    both "$W/line.so" ""
    at_most "exits" "$(($(exits was) / 10))" "$(exits now)" \
        "Collect a line in memory and send it by one hypercall(HC_WRITE, address, bytes)."
    lines=$(wc -l <"$W/now.out")
    [ "$(exits now)" -ge "$lines" ] || flunk "$lines lines in $(exits now) exits: a line must be sent when it ends, as people wait for it."
}
check tenth 15 "a tenth of the exits"

t_edges() {
    both "$W/line.so" "panic"
    both "$W/line.so" "long panic"
    at_most "exits" "$(($(exits was) / 10))" "$(exits now)" "A line of 5,000 letters goes in some large pieces; HC_WRITE takes 4096 bytes at most, and refuses more."
}
check edges 5 "a line without an end, and one of 5,000 letters"

t_elsewhere() {
    both hardware "long panic"
    at_most "hypercalls" 3 "$(kind now hypercall)" \
        "Where HC_WRITE does not exist the answer is negative: write by uart_write(), and do not ask at each line again."
    [ "$(kind now hypercall)" -ge 1 ] || flunk "Nobody was asked for HC_WRITE: it is tried first."
    # A line that is slow, and does not know the hypercall: what uart_write() loses is seen here.
    slow
    both "$W/slow.so" "long panic"
}
check elsewhere 5 "a machine without the hypercall"
