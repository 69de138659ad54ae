# shellcheck shell=sh disable=SC2154 # variables of grade.sh
# tests.sh - ticket 8: report.ski as it is written, and where this host can do it, as it works.

value_of() { sed -n "s/^[[:blank:]]*$1[[:blank:]=][[:blank:]]*//p" "$DIR/report.ski" | tail -n 1; }
begin() {
    [ -f "$DIR/report.ski" ] || flunk "there is no report.ski in your folder, $DIR"
    other=$(sed 's/[[:blank:]=].*//' "$DIR/report.ski" | grep -vxE '(#.*|strategy|mem|pids|cpu|hostname|net|without|i-know|)' | head -n 1)
    [ -z "$other" ] || flunk "report.ski: '$other' does not belong to the container: strategy, mem, pids, cpu, net, hostname and without do"
    [ "$(value_of strategy)" = ski ] || flunk "report.ski: strategy has to be ski: the service is to run in a container"
}
# Can this host do it? Else $why_not.
able() {
    timeout 30 "$HV" run --strategy ski -- true >"$W/able" 2>&1 && return
    why_not=$(grep . "$W/able" | tail -n 1)
    line "$dim" "" "not tried here, where containers do not start: $why_not"
    return 1
}
ski() { # NAME PROGRAM WORD...: in the student's container, with the delivered programs
    to=$1
    shift
    cp "$HV_GUESTS/tickets/08-container/report" "$HV_GUESTS/tickets/08-container/look" "$W"
    cd "$W" || exit 2
    run "$to" ./look with "hv-ticket-$$" "$HV" run "@$DIR/report.ski" -- "./$1" "hv-ticket-$$"
}
# Tried where it can be; else by whether the layers that stop it are there.
stopped() { # WHAT LAYERS WHY
    begin
    why="$3 'hv run --strategy ski --explain' says which layer stops it; is that one left out in report.ski?"
    if ! able; then
        ! grep -qE "^[[:blank:]]*without[[:blank:]=]+($2)[[:blank:]]*\$" "$DIR/report.ski" || flunk "$why"
        return 0
    fi
    ski seen look
    grep -F "$1" "$W/seen.out" >"$W/line"
    reject "$W/line" "$why" "REACHED"
    expect "$W/line" "$why" "look: $1"
}

part "A. The service"

t_service() {
    begin
    pids=$(value_of pids)
    [ "${pids:-32}" -ge 42 ] || grep -qE '^[[:blank:]]*without' "$DIR/report.ski" ||
        flunk "report.ski: pids ${pids:-32, which it is where no line says more,} is too few for forty workers, the service itself and the container's first process"
    if ! able; then
        case $(value_of mem) in [0-9]M) flunk "The service does not come to its end: mem is too little for it" ;; esac
        return 0
    fi
    ski service report
    expect "$W/service.out" "The service does not come to its end. Which limit does it meet, and is the mend to take the limit away, or to set it to what is needed?" "report: 40 of 40 workers, sum 1960"
}
check service 30 "all forty workers"

part "B. What is kept apart"

t_payroll() { stopped "the host's payroll service" net "From in there one can talk to services of the host."; }
check payroll 15 "the host's services are out of reach"

t_kernel() { stopped "a user namespace of its own" seccomp "From in there parts of the kernel can be called that a report never needs."; }
check kernel 15 "rarely used parts of the kernel, too"

t_processes() { stopped "processes without end" 'cgroup|rlimits' "From in there the host can be filled with processes."; }
check processes 10 "processes end somewhere"

t_memory() { stopped "192 MiB of memory" 'cgroup|rlimits' "From in there the host's memory can be used up."; }
check memory 10 "memory ends somewhere"

t_layers() {
    begin
    left=$(grep -E '^[[:blank:]]*without' "$DIR/report.ski" | tr -s '[:space:]' ' ')
    [ -z "$left" ] || flunk "report.ski still leaves something out: $left- no layer is in the way of a report; each is the second lock of another"
    ! grep -q '^[[:blank:]]*i-know' "$DIR/report.ski" || flunk "i-know allows root to leave layers out: without it the next one who does has to say it aloud"
    pids=$(value_of pids) mem=$(value_of mem)
    [ "${pids:-32}" -le 128 ] 2>/dev/null || flunk "pids $pids is no limit any more: forty-odd are needed"
    case ${mem:-64M} in
    [0-9]M | [0-9][0-9]M | 1[01][0-9]M | 12[0-8]M) ;;
    *) flunk "mem $mem: more than 128M are far above what a report needs" ;;
    esac
    [ "$(value_of net)" != veth ] || flunk "net veth is a cable to the host; a report needs none"
    line "$good" GOOD "all layers; pids ${pids:-32}, mem ${mem:-64M}"
}
check layers 20 "all layers are there, with limits that are limits"
