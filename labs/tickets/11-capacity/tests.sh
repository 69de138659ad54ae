# shellcheck shell=sh disable=SC2154 # variables of grade.sh
# tests.sh - ticket 11: the rules of hosts.txt, applied to the delivered demands and the student's plan. Whether
# any plan holds is found by trying them all.

begin() {
    for file in demands.csv hosts.txt; do
        cmp -s "$LAB/$file" "$DIR/$file" || flunk "$file was changed: a plan is for what was measured, and for the hosts that there are"
    done
}
rules='
    function setup(   n, key) {
        while ((getline n < hosts) > 0) { split(n, key, " "); rule[key[1]] = key[2] }
        while ((getline n < demands) > 0) {
            split(n, key, ",")
            if (key[1] == "guest") continue
            name[++guests] = key[1]; class[guests] = key[2]; memory[guests] = key[3]
            for (h = 0; h < 24; h++) cpu[guests, h] = key[4 + h]
        }
        room = rule["memory_gib"] - rule["own_gib"]
        cores = rule["cores"] * 100
    }'

# The first rule that plan.csv breaks; nothing: it holds.
judge() {
    awk -F, -v hosts="$LAB/hosts.txt" -v demands="$LAB/demands.csv" "$rules"'
    BEGIN { setup(); for (i = 1; i <= guests; i++) known[name[i]] = 1 }
    FNR == 1 && /^guest/ { next }
    { gsub(/[ \r]/, ""); if ($1 != "") { if (!($1 in known)) { print "there is no guest " $1; bad = 1; exit } at[$1] = $2 } }
    END {
        if (bad) exit
        for (i = 1; i <= guests; i++) {
            w = at[name[i]]
            if (w != "a" && w != "b") { print name[i] " is on no host: a or b, not \"" w "\". No machine may be left out."; exit }
            used[w] += memory[i] + rule["per_guest_gib"]
            for (h = 0; h < 24; h++) busy[w, h] += cpu[i, h]
            if (class[i] == "production") {
                all += memory[i] + rule["per_guest_gib"]
                for (h = 0; h < 24; h++) alone[h] += cpu[i, h]
            }
        }
        for (k = 1; k <= 2; k++) {
            w = substr("ab", k, 1)
            if (used[w] > room) { print "host " w ": " used[w] " GiB with what each guest costs besides, and " room " are there"; exit }
            for (h = 0; h < 24; h++)
                if (busy[w, h] > cores * rule["cpu_limit"] / 100) {
                    printf "host %s, hour %02d: %d%% of a core, and %d%% is the limit. An average does not show it: look at each hour.\n", w, h, busy[w, h], cores * rule["cpu_limit"] / 100
                    exit
                }
        }
        if (all > room) { print "if a host fails, the other has " room " GiB for " all " of production"; exit }
        for (h = 0; h < 24; h++) if (alone[h] > cores) { print "if a host fails, production needs " alone[h] "% in hour " h; exit }
    }' "$DIR/plan.csv"
}

# yes if any plan holds at so many percent of the demands.
possible() { # PERCENT
    awk -v hosts="$LAB/hosts.txt" -v demands="$LAB/demands.csv" -v percent="$1" "$rules"'
    function holds(plan,   w, i, h, used, sum, bit) {
        for (w = 0; w < 2; w++) {
            used = 0
            for (h = 0; h < 24; h++) sum[h] = 0
            for (i = 1; i <= guests; i++) {
                bit = int(plan / 2 ^ (i - 1)) % 2
                if (bit != w) continue
                used += memory[i] + rule["per_guest_gib"]
                for (h = 0; h < 24; h++) sum[h] += cpu[i, h]
            }
            if (used > room) return 0
            for (h = 0; h < 24; h++) if (sum[h] * percent / 100 > cores * rule["cpu_limit"] / 100) return 0
        }
        return 1
    }
    BEGIN {
        setup()
        for (plan = 0; plan < 2 ^ (guests - 1); plan++) if (holds(plan)) { print "yes"; exit }
        print "no"
    }'
}
peak() { # "hour demand"
    awk -v hosts="$LAB/hosts.txt" -v demands="$LAB/demands.csv" "$rules"'
    BEGIN {
        setup()
        for (h = 0; h < 24; h++) { sum = 0; for (i = 1; i <= guests; i++) sum += cpu[i, h]; if (sum > most) { most = sum; at = h } }
        printf "%02d %d\n", at, most
    }'
}

part "A. What is needed"

t_peak() {
    begin
    found=$(peak)
    answer peak-hour "h?${found% *}" "Add up all machines hour by hour: which hour has the largest sum?"
    answer peak "${found#* }%?" "That hour's sum, in percent of a core. Not the sum of each machine's own peak: these come at different hours."
}
check peak 20 "the worst hour of all together"

t_because() {
    begin
    reason because 6 'same (time|hour|moment)|different|not .*(together|at once)|other (hour|time)|night' \
        "When does each of them have its peak?"
}
check because 10 "why peaks are not added up"

part "B. The plan"

t_plan() {
    begin
    [ -f "$DIR/plan.csv" ] || flunk "there is no plan.csv in your folder, $DIR"
    why=$(judge)
    [ -z "$why" ] || flunk "plan.csv: $why"
    line "$good" GOOD "in each hour, in memory, and if a host fails"
}
check plan 40 "every machine has its place, by the rules"

t_today() {
    begin
    answer holds-today "$(possible 100)" "Is there a plan that keeps the rules? If yours does, there is."
}
check today 10 "does it hold now?"

t_next() {
    begin
    growth=$(sed -n 's/^growth *//p' "$LAB/hosts.txt")
    answer holds-next-year "$(possible $((100 + growth)))" "With $growth% more in each hour: what is the worst hour's sum then, and what may both hosts together give by the rule cpu_limit?"
}
check next 20 "does it hold next year?"
