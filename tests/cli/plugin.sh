#!/bin/sh
# plugin.sh INSTALLED CC - strategies built elsewhere, from an installed tree alone: the template, a
# whole strategy of ours, and plug-ins that are wrong. Called by `make check-plugin`; ends with
# "N passed, N failed".
set -u
root=$(cd "$1" && pwd) cc=$2
hv=$root/bin/hv include=$root/include/hv share=$root/share/hv
here=$(dirname "$0")
top=$here/../..
# shellcheck source=tests/scripts/verdict.sh
. "$here/../scripts/verdict.sh"
about='plugin: ' shown=$work/err

build() { # OUT SOURCE...: as docs/PLUGINS.md says
    out=$1
    shift
    "$cc" -std=gnu11 -Wall -Wextra -Werror -shared -fPIC -I"$include" -o "$work/$out" "$@"
}

run() { # STRATEGY GUEST WORD...: hv run; its words in err, the console in out
    strategy=$1 guest=$2
    shift 2
    timeout 900 "$hv" run --engine soft --strategy "$strategy" "$@" "$guest" >"$work/out" 2>"$work/err" </dev/null
}

# --- headers and names ----------------------------------------------------------------------------

for header in strategy/strategy.h strategy/deprivilege.h core/vm.h engine/engine.h engine/monitor.h \
    isa/x86/cpu.h tracer/record.h; do
    printf '#include "%s"\n' "$header" >"$work/one.c"
    check "$header stands alone" "$cc" -std=gnu11 -fsyntax-only -I"$include" "$work/one.c"
done
sed '1,/^{/d; s|/\*.*\*/||' "$top/hv/strategy/plugin.list" | grep -oE '[a-z0-9_]+;' | tr -d ';' | sort >"$work/names"
check "plugin.list has names" [ "$(wc -l <"$work/names")" -ge 30 ]
nm -D --defined-only "$hv" | awk '$2 != "V" && $2 != "W" { print $3 }' | sort >"$work/exported"
comm -23 "$work/names" "$work/exported" >"$work/missing"
check "hv exports what plugin.list names: $(tr '\n' ' ' <"$work/missing")" [ ! -s "$work/missing" ]
while read -r name; do
    check "docs/PLUGINS.md tells of $name" grep -q "\`$name\`" "$top/docs/PLUGINS.md"
done <"$work/names"

# --- the template ---------------------------------------------------------------------------------

template=$share/strategy-template.c
check "the template is short" [ "$(wc -l <"$template")" -lt 80 ]
check "the template builds" build mine.so "$template"
run hardware hello64
mv "$work/out" "$work/want"
run "$work/mine.so" hello64 --trace "$work/mine.hvt"
status=$?
check "the template: the guest ends as ever" [ $status = 1 ]
check "the template: the console" cmp "$work/out" "$work/want"
cp "$work/err" "$work/said"
run hardware hello64 --stats
exits=$(sed -n 's/^ *\([0-9]*\) .*%  io .*/\1/p' "$work/err")
check "the template: as many exits as under hardware" grep -q "^count: io $exits\$" "$work/said"
check "the template: its name" grep -q "strategy count)" "$work/said"
"$hv" trace --stats "$work/mine.hvt" >"$work/out" 2>"$work/err"
check "the template: its name in a recording" grep -q "count" "$work/out"
printf 'stepexit\nexplain\n' >"$work/explain.hv"
timeout 300 "$hv" debug --nx --batch --engine soft --strategy "$work/mine.so" -x "$work/explain.hv" hello64 >"$work/out" 2>&1
check "hv debug does not claim to know what a plug-in does" grep -q "Strategy count, a plug-in, is asked first" "$work/out"
(cd "$work" && "$hv" run --engine soft --console null --strategy mine.so hello64) >"$work/out" 2>"$work/err"
check "a name without a slash is a file here" grep -q "strategy count)" "$work/err"

# --- a strategy of ours, built from outside ---------------------------------------------------------

ours="trap"
mkdir -p "$work/src/strategy" && cp -r "$top/hv/strategy/trap" "$top/hv/strategy/strategies.h" "$work/src/strategy"
check "trap builds from the installed headers" build trap.so -D_GNU_SOURCE -I"$work/src" \
    -Dstrategy_trap=hv_strategy "$work"/src/strategy/trap/*.c
run "$ours" minios --append tasks=serial
status=$?
mv "$work/out" "$work/want"
sed -n 's/.*(\([0-9]* exits*\), .*/\1/p' "$work/err" >"$work/exits"
run "$work/trap.so" minios --append tasks=serial
check "trap from outside: status" [ $? = $status ]
check "trap from outside: the console" cmp "$work/out" "$work/want"
check "trap from outside: the exits" grep -q "$(cat "$work/exits")" "$work/err"

# --- plug-ins that are wrong ------------------------------------------------------------------------

# wrong PATTERN FILE: refused with status 1 and one line that matches.
wrong() {
    run "$2" hello64
    status=$?
    if [ $status != 1 ]; then
        verdict "$2" "status $status, not 1"
    elif [ "$(wc -l <"$work/err")" != 1 ]; then
        verdict "$2" "not one line on stderr"
    elif ! grep -q -e "$1" "$work/err"; then
        verdict "$2" "stderr lacks '$1'"
    else
        verdict "$2"
    fi
}

# bad NAME PATTERN SED: the template changed by a sed script is refused so.
bad() {
    sed -e "$3" "$template" >"$work/$1.c"
    if ! cmp -s "$template" "$work/$1.c" && "$cc" -shared -fPIC -I"$include" -o "$work/$1.so" "$work/$1.c" 2>"$work/err"; then
        wrong "$2" "$work/$1.so"
    else
        verdict "$1" "could not be built"
    fi
}
bad nosymbol "does not define the symbol hv_strategy" 's/ hv_strategy = / other = /'
bad hidden "does not define the symbol hv_strategy" 's/^const struct strategy_ops/static &/'
bad newer "for version 99 .* this hv has version [0-9]*:" 's/STRATEGY_ABI/99/'
bad noabi "for version 0 of" '/STRATEGY_ABI/d'
bad noexit "no member 'on_exit'" '/\.on_exit/d'
bad noattach "no member 'attach'" '/\.attach/d'
bad noname "no member 'name'" '/\.name/d'
bad needs "capabilities 0x40000000 that no engine can have" 's/CAP_GUEST_KERNEL/0x40000000/'
bad inject "can_inject and inject belong together" 's/\.on_exit/.inject = (void *)count_detach, &/'
bad undefined "undefined symbol: hv_has_no_such_thing; docs/PLUGINS.md lists" \
    's/    return STRATEGY_PASS/    extern void hv_has_no_such_thing(void); hv_has_no_such_thing();&/'
printf 'void hv_strategy(void);\nvoid hv_strategy(void) {}\n' >"$work/function.c"
abi=$(sed -n "s|^#define STRATEGY_ABI \([0-9]*\)u|\1|p" "$include/strategy/strategy.h")
printf "const unsigned hv_strategy = %s;\n" "$abi" >"$work/short.c"
printf 'const unsigned char hv_strategy = 1;\n' >"$work/byte.c"
for name in function short byte; do
    check "$name builds" "$cc" -shared -fPIC -o "$work/$name.so" "$work/$name.c"
done
wrong "is not a struct strategy_ops" "$work/function.so"
wrong "shorter than this hv's" "$work/short.so"
wrong "is not a struct strategy_ops" "$work/byte.so"
: >"$work/empty.so"
head -c 300 "$work/mine.so" >"$work/cut.so"
wrong "'$work/empty.so' cannot be loaded: file too short" "$work/empty.so"
wrong "cannot be loaded: " "$work/cut.so"
wrong "cannot be loaded: invalid ELF header" "$template"
wrong "cannot be loaded: .*such file" nosuch.so
wrong "cannot be loaded: " "$work/"

verdicts plugin
