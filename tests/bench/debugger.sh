#!/usr/bin/env bash
# debugger.sh HV GUESTS FOLDER - how fast does hv debug step, next to gdb at QEMU's TCG?
#
# Both run minios from the same breakpoint, kmain, and both know its symbols and lines. Counted is the
# CPU time of all processes, user and system, less that of a session that only goes to the breakpoint:
# a busy machine disturbs little. (The time in which gdb and QEMU wait for each other is not counted;
# they take longer than that.) The two take turns, and the median of the rounds counts. Two ways to step: N commands of one step, each of which shows where
# the guest is; and one command of N steps. hv executes more of them, so that each takes a while.
# Called by `make bench`. Status 1: hv is less than 50 times as fast, 2: something did not go through.
set -u
hv=$1 guests=$2 folder=$3
rounds=5 target=50
# Two exits for each letter that minios prints, and it prints its command line, too.
append="init=echo $(printf 'x%.0s' $(seq 1800))"
mkdir -p "$folder"

# script NAME COMMAND COUNT: that many lines of it.
script() { awk -v line="$2" -v n="$3" 'BEGIN { print "hbreak kmain\ncontinue"; while (n-- > 0) print line }' >"$folder/$1"; }
script hv-none stepi 0
script hv-stepi stepi 20000
script hv-stepi-n 'stepi 200000' 1
script hv-stepexit stepexit 4500
script hv-stepexit-n 'stepexit 4500' 1
script gdb-none stepi 0
script gdb-stepi stepi 1000
script gdb-stepi-n 'stepi 1000' 1

hv_session() {
    timeout 300 "$hv" debug --nx --batch --engine soft --console null -a "$append" -x "$1" "$guests/minios" \
        >"$folder/out" 2>&1 </dev/null
}

# QEMU waits with its guest for gdb. It is ended by its process number.
gdb_session() {
    rm -f "$folder/sock"
    timeout 300 qemu-system-x86_64 -accel tcg -display none -serial null -monitor none -m 128 \
        -kernel "$guests/minios" -append "$append" -S -gdb "unix:$folder/sock,server=on,wait=off" \
        >"$folder/qemu" 2>&1 </dev/null &
    qemu=$!
    tries=0
    while [ ! -S "$folder/sock" ] && [ $tries -lt 100 ]; do
        sleep 0.02
        tries=$((tries + 1))
    done
    timeout 300 gdb -nx -q -batch -ex 'set confirm off' -ex 'set pagination off' -ex "file $guests/minios" \
        -ex "target remote $folder/sock" -x "$1" -ex disconnect >"$folder/out" 2>&1 </dev/null
    status=$?
    kill $qemu
    wait $qemu
    return $status
}

# measure NAME: adds the milliseconds of one session to $folder/NAME.ms.
TIMEFORMAT='%U %S'
measure() {
    { time "${1%%-*}_session" "$folder/$1" 2>"$folder/err" || {
        echo "debugger.sh: $1 did not go through:"
        tail -n 3 "$folder/out"
    } >"$folder/failed"; } 2>"$folder/time"
    if [ -s "$folder/failed" ]; then
        cat "$folder/failed" >&2
        exit 2
    fi
    awk '{ print ($1 + $2) * 1000 }' "$folder/time" >>"$folder/$1.ms"
}

rm -f "$folder"/*.ms "$folder/failed"
for _ in $(seq $rounds); do
    for name in hv-none hv-stepi hv-stepi-n hv-stepexit hv-stepexit-n gdb-none gdb-stepi gdb-stepi-n; do
        measure $name
    done
done

median() { sort -n "$folder/$1.ms" | sed -n "$(((rounds + 1) / 2))p"; }
# rate NAME STEPS: a second.
rate() { echo "$(median "$1") $(median "${1%%-*}-none") $2" | awk '{ t = $1 - $2; printf "%.0f\n", $3 * 1e3 / (t > 0 ? t : 1) }'; }

stepi=$(rate hv-stepi 20000) stepi_n=$(rate hv-stepi-n 200000)
stepexit=$(rate hv-stepexit 4500) stepexit_n=$(rate hv-stepexit-n 4500)
gdb=$(rate gdb-stepi 1000) gdb_n=$(rate gdb-stepi-n 1000)
ratio() { echo $(($1 / ($2 > 0 ? $2 : 1))); }
echo "Steps a second of CPU time in a script, minios from kmain on, the median of $rounds rounds:"
printf '  %-32s %12s %14s\n' '' 'one a command' 'N in a command'
printf '  %-32s %12s %14s\n' 'gdb and QEMU, TCG: stepi' "$gdb" "$gdb_n" 'hv debug, engine soft: stepi' "$stepi" "$stepi_n" \
    'hv debug, engine soft: stepexit' "$stepexit" "$stepexit_n"
printf '  %-32s %11sx %13sx\n' 'stepi is' "$(ratio "$stepi" "$gdb")" "$(ratio "$stepi_n" "$gdb_n")" \
    "stepexit is" "$(ratio "$stepexit" "$gdb")" "$(ratio "$stepexit_n" "$gdb_n")"
worst=$(for r in "$(ratio "$stepi" "$gdb")" "$(ratio "$stepi_n" "$gdb_n")" "$(ratio "$stepexit" "$gdb")"; do echo "$r"; done | sort -n | head -n 1)
verdict=met
[ "$worst" -ge $target ] || verdict=MISSED
echo "  the least is ${worst}x   target: at least ${target}x   $verdict"
[ $verdict = met ]
