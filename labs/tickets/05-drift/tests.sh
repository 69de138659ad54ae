# shellcheck shell=sh disable=SC2154,SC2034,SC2086 # variables of grade.sh
# tests.sh - ticket 5: the clock beside the time server's, at loads that the student did not choose.
# shellcheck source=/dev/null
. "$HV_LABS/lib/ticket.sh"
LIMIT="--limit exits=1000000 --limit instructions=400000000"

last() { # NAME WHAT: a number of the last line
    sed -n "s/^clock: worst.*/&/p" "$W/$1.out" | sed -n "s/.*$2 \([0-9]*\) .*/\1/p"
}
right_at() { # LOAD
    vm_run at$1 accounts.vm "load=$1 run=200"
    worst=$(last at$1 worst) step=$(last at$1 step) worked=$(last at$1 worked)
    [ -n "$worst" ] || flunk "the machine does not come to its end: its last line is missing"
    same "load $1%: worked" "$(($1 * 2)) ms" "$worked ms" "A clock that is right because nothing is done is no help."
    [ "$step" -le 5000 ] || flunk "load $1%: the clock jumps by $step us: between two looks 1 ms apart. A clock that is set again and again is right on the average; a booking in between is not."
    [ "$worst" -le 5000 ] || flunk "load $1%: the clock is $worst us off. $2"
    vm_run alone$1 accounts.vm "load=$1 run=200 sync=0"
    alone=$(last alone$1 worst)
    [ "${alone:-9999999}" -le 5000 ] || flunk "load $1%: without the time server (sync=0) the clock is $alone us off: it is set so often that it looks right. The ticks are lost all the same, and the next look in between is wrong."
    line "$good" GOOD "load $1%: at worst $worst us off, greatest jump $step us"
}

part "A. As it is now"

t_now() {
    right_at 35 "Which ticks are missing: how long are interrupts off at a time, and how often does the timer tick?"
}
check now 50 "35 % load: right, and no jumps"

part "B. On other days"

t_month() {
    right_at 60 "Right at one load, wrong at another: what you set fits one day. Ticks that get lost have to arrive, or must not be needed."
}
check month 30 "60 % load, the month's end"

t_night() {
    right_at 5 "Right at one load, wrong at another: with little work it is fast, since next to no ticks are lost then."
}
check night 20 "5 % load"
