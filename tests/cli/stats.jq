# stats.jq - `hv trace --stats --json`: do the numbers add up?
def need(what; is): if is then . else error(what + ": " + (tojson | .[:300])) end;

need("exits are those of the reasons"; .exits == ([.reasons[].count] | add))
| need("events are exits and others"; .events == .exits + ([.others[].count] | add))
| need("the VMM's time"; .vmm_ns + .waiting_ns + .host_kernel_ns == ([.reasons[].vmm_ns.total] | add))
| need("the guest's time"; .guest_ns == ([.reasons[].guest_before_ns.total] | add))
| need("shares of the whole"; .guest_ns + .vmm_ns + .waiting_ns + .host_kernel_ns <= .total_ns)
| need("places"; (.addresses.top | length > 0) and (.instructions.top | length > 0))
| need("a sentence about the kernel"; .note | test("host's kernel"))
| (.reasons[]
    | need("texts"; [.reason, .text, .handled_by] | all(type == "string" and . != ""))
    | need("three parts"; .vmm_ns.total == .vmm_handling_ns.total + .vmm_reentry_ns.total + .host_kernel_ns.total)
    | (.vmm_ns, .vmm_handling_ns, .vmm_reentry_ns, .host_kernel_ns, .guest_before_ns
        | need("an order"; .min <= .p50 and .p50 <= .p99 and .p99 <= .max and .min <= .mean and .mean <= .max))
    | select(false)), true
