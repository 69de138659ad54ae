# ctf.awk - babeltrace2's lines (--clock-cycles --no-delta) as the fields that export.sh takes from
# the CSV: time exit kind icount rip address value from,to vcpu size flags extra
#
# [00000000000004562418] io: { exit = 1, icount = 16, rip = 0x1, ..., from = ( "a" : container = 1 ), ... }
function field(name,    rest) {
    rest = $0
    if (!sub(".*[{,] " name " = ", "", rest))
        return "?"
    if (rest ~ /^\( "/) {
        sub(/^\( "/, "", rest)
        sub(/" : container.*/, "", rest)
        return rest
    }
    sub(/[, ].*/, "", rest)
    return tolower(rest)
}
{
    time = substr($1, 2, length($1) - 2)
    sub(/^0+/, "", time)
    kind = substr($2, 1, length($2) - 1)
    print time, field("exit"), kind, field("icount"), field("rip"), field("address"), field("value"), \
        field("from") "," field("to"), field("vcpu"), field("size"), \
        substr(field("flags"), 3) + 0, hex(field("extra"))
}
function hex(text,    i, n) {
    n = 0
    for (i = 3; i <= length(text); i++)
        n = 16 * n + index("0123456789abcdef", substr(text, i, 1)) - 1
    return n
}
