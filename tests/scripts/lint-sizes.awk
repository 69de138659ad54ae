# lint-sizes.awk - files over 500 lines and functions over 60 must say why: called by lint.sh.
#
# A long file says "Long because: ..." within its first 30 lines, a long function in the comment
# above it. A function begins with its name in column 0 and a '{' in column 0, and ends with '}'.

function file_done() {
    if (lines > 500 && !file_reason)
        print name ": " lines " lines; split it, or say 'Long because: ...' at its head"
}

FNR == 1 {
    if (NR > 1)
        file_done()
    name = FILENAME
    file_reason = reason = start = 0
    is_c = FILENAME ~ /\.[ch]$/
}
{ lines = FNR }
/Long because: *[A-Za-z]/ {
    if (FNR <= 30)
        file_reason = 1
    reason = 1
}
is_c && /^[a-z_][A-Za-z0-9_]*\(/ {
    candidate = FNR
    title = $0
    sub(/\(.*/, "", title)
}
is_c && /^\{/ && candidate { start = candidate }
is_c && /^}/ {
    if (start && FNR - start + 1 > 60 && !reason)
        print name ":" start ": " title "() has " (FNR - start + 1) " lines; split it, or say 'Long because: ...' above it"
    start = candidate = reason = 0
}
END { file_done() }
