# shellcheck shell=sh disable=SC2154,SC2094 # variables of grade.sh
# tests.sh - ticket 10: counts as the vendors do, with the delivered lists and the student's stop.txt.

stopped() { # the names in stop.txt, in $W/stop
    [ -f "$DIR/stop.txt" ] || flunk "there is no stop.txt in your folder, $DIR"
    sed 's/#.*//' "$DIR/stop.txt" | tr -d '\r' | awk 'NF { print $1 }' | sort -u >"$W/stop"
    unknown=$(cut -d, -f1 "$LAB/guests.csv" | sort | comm -13 - "$W/stop" | head -n 1)
    [ -z "$unknown" ] || flunk "stop.txt: there is no guest '$unknown' in guests.csv"
    for file in guests.csv hosts.csv licences.txt; do
        cmp -s "$LAB/$file" "$DIR/$file" || flunk "$file was changed: the auditor counts what runs, not what a list says"
    done
}

# use FILE PRODUCT: licences that are used when the guests in FILE are stopped.
use() {
    awk -F, -v product="$2" -v stop="$1" '
        BEGIN { while ((getline name < stop) > 0) gone[name] = 1 }
        FILENAME ~ /hosts/ { sockets[$1] = $2; cores[$1] = $3; next }
        $3 == "running" && !($1 in gone) && index("+" $5 "+", "+" product "+") { guests++; on[$2] = 1 }
        END {
            for (h in on) {
                s += sockets[h]
                c = sockets[h] * (cores[h] < 8 ? 8 : cores[h])
                k += c < 16 ? 16 : c
            }
            print product == "monagent" ? guests + 0 : product == "oradat" ? s + 0 : k + 0
        }' "$LAB/hosts.csv" "$LAB/guests.csv"
}
within() { # FILE: all three?
    [ "$(use "$1" monagent)" -le 7 ] && [ "$(use "$1" oradat)" -le 4 ] && [ "$(use "$1" winsrv)" -le 48 ]
}
licence() { # PRODUCT BOUGHT WHY
    stopped
    n=$(use "$W/stop" "$1")
    [ "$n" -le "$2" ] || flunk "$1: $n are used, $2 were bought. $3"
    line "$good" GOOD "$1: $n of $2"
}

part "A. Within what was bought"

t_monagent() { licence monagent 7 "One for each running guest that has it; a stopped one and a template do not count."; }
check monagent 20 "monagent, counted per guest"

t_oradat() { licence oradat 4 "All sockets of each host on which it runs: as long as one guest with it is left on a host, stopping the others there frees nothing."; }
check oradat 20 "oradat, counted per socket"

t_winsrv() { licence winsrv 48 "All cores of each host on which it runs, at the least 8 a socket and 16 a host: a host with few cores counts for more than it has, and a host is free of it only when the last guest with it is stopped."; }
check winsrv 20 "winsrv, counted per core"

part "B. And no more harm than needed"

t_production() {
    stopped
    [ -s "$W/stop" ] || flunk "stop.txt names nobody yet"
    hit=$(awk -F, '$6 == "production" { print $1 }' "$LAB/guests.csv" | sort | comm -12 - "$W/stop" | head -n 1)
    [ -z "$hit" ] || flunk "$hit is production: it has to run on"
    line "$good" GOOD "production runs on"
}
check production 15 "production runs on"

t_ci() {
    stopped
    [ -s "$W/stop" ] || flunk "stop.txt names nobody yet"
    awk -F, '$3 == "running" && $1 ~ /^ci-/ { print $1 }' "$LAB/guests.csv" | sort | comm -23 - "$W/stop" | grep -q . ||
        flunk "no ci machine is left running: the test people need one"
    line "$good" GOOD "a ci machine is left"
}
check ci 5 "one ci machine is left"

t_needed() {
    stopped
    within "$W/stop" || flunk "not within all three licences yet"
    while read -r guest; do
        grep -vx "$guest" "$W/stop" >"$W/fewer"
        within "$W/fewer" && flunk "$guest need not be stopped: without it all three licences suffice as well"
    done <"$W/stop"
    line "$good" GOOD "$(wc -l <"$W/stop") stopped, each of them needed"
}
check needed 20 "none is stopped without need"
