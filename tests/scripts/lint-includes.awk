# lint-includes.awk - which room may include which: called by lint.sh with files of hv/, tracer/
# and guests/.
#
#   tracer/event.h <- base <- isa <- core <- {engine, strategy, device, loader} <- debugger <- cli
#
# A room may include itself and what is left of it. Siblings never include each other, except the
# four interface headers, which core may include too. Recording (tracer/record.h) and the names of
# system calls (tracer/syscall.h) are for core and what is right of it; the rest of tracer/ for debugger and cli. tracer/ includes itself only.

BEGIN {
    rank["base"] = 1
    rank["isa"] = 2
    rank["core"] = 3
    rank["engine"] = rank["strategy"] = rank["device"] = rank["loader"] = 4
    rank["debugger"] = 5
    rank["cli"] = 6
    n = split("engine/engine.h engine/monitor.h strategy/strategy.h device/device.h loader/loader.h loader/symbols.h", list, " ")
    for (i = 1; i <= n; i++)
        interface[list[i]] = 1
    # Libraries and system interfaces that one room owns.
    owner["Zydis/"] = "^hv/isa/x86/disasm"
    owner["elfutils/"] = owner["libelf.h"] = owner["gelf.h"] = owner["dwarf.h"] = "^hv/loader/"
    owner["readline/"] = "^hv/cli/prompt"
    owner["linux/kvm.h"] = "^hv/engine/kvm"
}

function bad(why) {
    print FILENAME ":" FNR ": includes \"" header "\": " why
}

# The library's header in <>: does it belong to this room?
/^[ \t]*#[ \t]*include[ \t]*</ {
    header = $0
    sub(/^[^<]*</, "", header)
    sub(/>.*/, "", header)
    for (prefix in owner)
        if (index(header, prefix) == 1 && FILENAME !~ owner[prefix])
            bad("only " substr(owner[prefix], 2) " does that")
}

/^[ \t]*#[ \t]*include[ \t]*"/ {
    header = $0
    sub(/^[^"]*"/, "", header)
    sub(/".*/, "", header)
    split(FILENAME, path, "/")
    where = path[1]

    if (where == "tracer") {
        if (header !~ /^tracer\//)
            bad("tracer/ includes libc and itself only")
        next
    }
    if (where == "guests") {
        if (header ~ /^(hv|base|isa|core|engine|strategy|device|loader|debugger|cli|tracer)\//)
            bad("guests and host share guests/include alone")
        next
    }
    # The host's side.
    room = path[2]
    if (header ~ /^guests\/include\/(abi|hypercall)\.h$/ || header == "tracer/event.h" || header == "tracer/events.def")
        next
    if (header ~ /^tracer\//) {
        if (rank[room] < 3)
            bad("below core only tracer/event.h")
        else if (rank[room] < 5 && header != "tracer/record.h" && header != "tracer/syscall.h")
            bad("only tracer/event.h, record.h and syscall.h; reading is for debugger and cli")
        next
    }
    split(header, to, "/")
    target = to[1]
    if (header ~ /\.def$/ && header !~ /\//)
        next # a list of its own folder
    if (!(target in rank))
        bad("a header is named by its room, as \"core/vm.h\"")
    else if (target == room || rank[target] < rank[room])
        next
    else if (header in interface && rank[room] >= 3)
        next
    else if (rank[target] == rank[room])
        bad(room " and " target " are siblings: only the interface headers are shared")
    else
        bad(room " is left of " target)
}
