# chrome.jq - is this what the Trace Event Format asks for? true, or an error that says what is not.
def need(what; is): if is then . else error(what + ": " + (tojson | .[:300])) end;
def time: type == "number" and . >= 0;

need("an object with events"; type == "object" and (.traceEvents | type) == "array")
| need("unit of time"; .displayTimeUnit == "ns")
| .traceEvents as $events
| ($events | map(select(.ph == "M" and .name == "thread_name") | {key: (.tid | tostring), value: .pid})
    | from_entries) as $threads
| ($events | map(select(.ph == "M" and .name == "process_name") | {key: (.pid | tostring), value: true})
    | from_entries) as $processes
| ($events[]
    | need("phase"; .ph | IN("X", "i", "s", "t", "f", "M"))
    | need("a process and a thread"; (.pid | type) == "number" and (.tid | type) == "number")
    | need("a thread with a name"; $threads[.tid | tostring] == .pid)
    | need("a process with a name"; $processes[.pid | tostring])
    | need("a name"; (.name | type) == "string" and .name != "")
    | need("a time"; .ph == "M" or (.ts | time))
    | need("a category"; .ph == "M" or (.cat | type) == "string")
    | need("a duration, for slices alone"; if .ph == "X" then .dur | time else has("dur") | not end)
    | need("an id, for arrows alone"; if .ph | IN("s", "t", "f") then (.id | type) == "number" else has("id") | not end)
    | need("an instant of a thread"; .ph != "i" or .s == "t")
    | need("the end of an arrow is at the slice around it"; .ph != "f" or .bp == "e")
    | need("arguments"; (.ph | IN("X", "i", "M") | not) or (.args | type) == "object")
    | select(false)),
# Each arrow begins once, is seen once by the VMM and ends at most once, not before it began.
($events | map(select(.ph | IN("s", "t", "f"))) | group_by(.id)[]
    | (map(select(.ph == "s")) | length) as $s | (map(select(.ph == "t")) | length) as $t
    | (map(select(.ph == "f")) | length) as $f
    | need("arrows from the guest to the VMM and back"; $s <= 1 and $t == 1 and $f <= 1)
    | need("in the order of time"; ([.[] | select(.ph == "s").ts] + [.[] | select(.ph == "t").ts]
        + [.[] | select(.ph == "f").ts]) as $ts | $ts == ($ts | sort))
    | select(false)),
# Slices of a thread follow each other or lie within each other. Nanoseconds, to compare exactly.
($events | map(select(.ph == "X") | {tid, from: (.ts * 1000 | round), to: ((.ts * 1000 | round) + (.dur * 1000 | round))})
    | group_by(.tid)[] | sort_by(.from, -.to)
    | reduce .[] as $e ([]; map(select(. > $e.from)) as $open
        | if $open | all(. >= $e.to) then $open + [$e.to] else error("slices overlap: " + ($e | tojson)) end)
    | select(false)),
(($events | map(select(.ph == "X" and .cat == "exit")) | length > 100))
