/* table.c - the engines there are, and the names of what an engine can do. Next: kvm.c, soft.c. */
#include <string.h>

#include "engine/engine.h"
#include "engine/engines.h"

const struct engine_ops *const engine_table[] = {
    &engine_kvm,
    &engine_soft,
    &engine_host,
    NULL,
};

/* clang-format off */
const struct cap_name engine_caps[] = {
    {CAP_GUEST_KERNEL,   "guest-kernel",   "runs a guest kernel: modes, paging, interrupts"},
    {CAP_INTERCEPT_INSN, "intercept-insn", "can turn single instructions into exits"},
    {CAP_INTERCEPT_EXC,  "intercept-exc",  "can turn guest exceptions into exits"},
    {CAP_HYPERCALL,      "hypercall",      "VMCALL and VMMCALL reach the VMM"},
    {CAP_ICOUNT,         "icount",         "counts instructions: runs can be repeated exactly"},
    {CAP_STEP,           "step",           "executes one instruction at a time"},
    {CAP_TRACE_GUEST,    "trace-guest",    "shows transfers inside the guest"},
    {CAP_MSR_EXIT,       "msr-exit",       "RDMSR and WRMSR reach the VMM"},
    {CAP_DEPRIVILEGE,    "deprivilege",    "shows every exception of a guest kernel at CPL 3"},
    {CAP_PROCESS,        "process",        "runs a process of the host, served by the host's kernel"},
};
/* clang-format on */
const unsigned engine_cap_count = sizeof(engine_caps) / sizeof(engine_caps[0]);

const struct engine_ops *
engine_find(const char *name)
{
    for (unsigned i = 0; engine_table[i]; i++)
        if (!strcmp(engine_table[i]->name, name))
            return engine_table[i];
    return NULL;
}
