# stage.awk - awk -v done=K -f stage.awk SOLUTION STARTER: the starter with its holes 1 to K filled in from
# the solution. A hole is what lies between a line with "HOLE n" and one with "END n". Called by
# tests/labs/check.sh, which tries what a student has after each step.
FNR == 1 { file++; hole = 0 }
match($0, /HOLE [0-9]+/) { hole = substr($0, RSTART + 5, RLENGTH - 5) + 0; if (file == 1) filled[hole] = "" }
file == 1 {
    if (hole) filled[hole] = filled[hole] $0 "\n"
}
file == 2 {
    if (!hole || hole > done || !(hole in filled)) print
    else if (/HOLE/) printf "%s", filled[hole]
}
/END [0-9]+/ { hole = 0 }
