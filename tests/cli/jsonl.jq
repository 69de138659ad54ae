# jsonl.jq - all lines of `hv trace --format jsonl` in an array: is each what it should be?
def need(what; is): if is then . else error(what + ": " + (tojson | .[:300])) end;
def hex: type == "string" and test("^0x[0-9a-f]{1,16}$");

.[0] as $about | .[1:] as $events
| ($about | need("the recording"; .recording == "hv" and .engine == "soft" and .closed and .lost == 0)
    | need("as many events as it says"; .events == ($events | length))
    | need("as many exits"; .exits == ([$events[] | select(.class == "exit")] | length))
    | select(false)),
($events[]
    | need("texts"; [.class, .kind, .from, .to] | all(type == "string" and . != ""))
    | need("a class"; .class | IN("exit", "entry", "call", "guest", "note"))
    | need("numbers"; [.event, .exit, .time_ns, .vcpu] | all(type == "number"))
    | need("addresses"; (.address | hex) and (.value | hex) and ((has("rip") | not) or (.rip | hex)))
    | select(false)),
($events | map(.event) == [range(1; 1 + length)]),
($events | map(.time_ns) | . == sort)
