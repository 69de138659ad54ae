# shellcheck shell=sh
# right.sh - the right answers, and how a plan is written. Read by each mend and mask.
place() { # the machines of host a; the others go to b
    for guest in $(tail -n +2 demands.csv | cut -d, -f1); do
        case " $1 " in *" $guest "*) echo "$guest,a" ;; *) echo "$guest,b" ;; esac
    done >plan.csv
}
tell() { # KEY VALUE
    sed -i "s/^$1: .*/$1: $2/" answers.txt
}
tell peak-hour h02
tell peak 973
tell holds-today yes
tell holds-next-year no
tell because "the machines do not have their peaks at the same time of the day"
