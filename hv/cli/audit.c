/*
 * audit.c - the table of probes, and what a result means.
 *
 * Called by cmd_audit.c. Next: audit_guest.c.
 */
#include <string.h>

#include "base/util.h"
#include "cli/audit.h"

#define MODE_KERNEL   false
#define MODE_USER     true
#define INTERRUPTS_0  false
#define INTERRUPTS_IF true

#define PROBE(id, name, form, sense, mode, flags)                                                  \
    extern const uint8_t audit_##id[], audit_##id##_at[], audit_##id##_end[];
#include "audit.def"
#undef PROBE

const struct audit_probe audit_probes[] = {
#define PROBE(id, name, form, sense, mode, flags)                                                  \
    {name,                                                                                         \
     form,                                                                                         \
     AUDIT_##sense,                                                                                \
     MODE_##mode,                                                                                  \
     INTERRUPTS_##flags,                                                                           \
     audit_##id,                                                                                   \
     audit_##id##_at,                                                                              \
     audit_##id##_end},
#include "audit.def"
#undef PROBE
};
const unsigned audit_probe_count = ARRAY_SIZE(audit_probes);

const char *const audit_verdict_names[AUDIT_VERDICTS] = {
    [AUDIT_SAME] = "same",
    [AUDIT_TRAPS] = "traps",
    [AUDIT_WRONG] = "silently wrong",
    [AUDIT_LEAKS] = "leaks state",
    [AUDIT_EMULATED] = "emulated by the host",
};

bool
audit_right(const struct audit_probe *probe, const struct audit_result *reference,
            const struct audit_result *result)
{
    if (result->end != reference->end)
        return false;
    if (result->end == AUDIT_FAULTED && result->vector != reference->vector)
        return false;
    if (probe->interrupts && (result->no_flag || result->interrupts != reference->interrupts))
        return false;
    return !memcmp(result->word, reference->word, sizeof(result->word));
}

enum audit_verdict
audit_judge(const struct audit_probe *probe, const struct audit_result *reference,
            const struct audit_result *result)
{
    if (result->end == AUDIT_TRAPPED)
        return AUDIT_TRAPS;
    if (result->skipped)
        return AUDIT_EMULATED;
    if (audit_right(probe, reference, result))
        return AUDIT_SAME;
    return probe->sense == AUDIT_SHOWS ? AUDIT_LEAKS : AUDIT_WRONG;
}
