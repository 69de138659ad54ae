# where.awk - in which line of hv is a function? Writes where.def for explain_where.c.
#
# awk -f where.awk where.list FILE...: the list first, then the sources that it names. A function is
# defined where its name is in column 0. Also read: the exit table of core/dispatch.c and the table of
# hypercalls, so that `explain` names the functions which those tables hold. A function that is not
# there ends the build.

FNR == 1 { list = FILENAME ~ /where\.list$/ }

list {
    if ($0 !~ /^#/ && NF == 3) {
        wanted++
        id[wanted] = $1
        file[wanted] = $2
        name[wanted] = $3
    }
    next
}

/^[a-z_0-9]+\(/ {
    function_name = $0
    sub(/\(.*/, "", function_name)
    if (!((FILENAME, function_name) in line))
        line[FILENAME, function_name] = FNR
}

/^ *\[TRACE_[A-Z_]+\] = handle_[a-z_]+,/ && FILENAME ~ /core\/dispatch\.c$/ {
    exits++
    split($0, part, /[][ ,]+/)
    exit_kind[exits] = part[2]
    exit_name[exits] = part[4]
    exit_file = FILENAME
}

/^ *\[HC_[A-Z_]+\] = \{/ && FILENAME ~ /hypercalls\.c$/ {
    calls++
    split($0, part, /[][]/)
    call_number[calls] = part[2]
    row = $0
    sub(/, *$/, "", row)
    sub(/.*, */, "", row)
    call_name[calls] = row
    call_file = FILENAME
}

function write(macro, key, where, what) {
    if (!((where, what) in line)) {
        print "where.awk: there is no function " what "() in " where > "/dev/stderr"
        failed = 1
        return
    }
    printf "%s(%s, \"%s\", \"%s\", %d)\n", macro, key, what, where, line[where, what]
}

END {
    for (i = 1; i <= wanted; i++)
        write("WHERE", id[i], file[i], name[i])
    for (i = 1; i <= exits; i++)
        write("WHERE_EXIT", exit_kind[i], exit_file, exit_name[i])
    for (i = 1; i <= calls; i++)
        write("WHERE_HYPERCALL", call_number[i], call_file, call_name[i])
    if (!exits || !calls || !wanted) {
        print "where.awk: a table is not as it was: " exits+0 " exits, " calls+0 " hypercalls" > "/dev/stderr"
        failed = 1
    }
    exit failed
}
