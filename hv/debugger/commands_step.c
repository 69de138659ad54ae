/*
 * commands_step.c - steps by instruction and by exit, forwards and backwards.
 *
 * Steps by source line are in commands_source.c. Called through table.c. Next: go.c.
 */
#include "debugger/command.h"
#include "debugger/go.h"
#include "debugger/session.h"
#include "isa/x86/insn.h"

/* --- by instruction --------------------------------------------------------------------------- */

/* N steps; an engine that cannot count is asked for one at a time. */
static int
step_instructions(struct debugger *debugger, const char *arguments, bool back, struct error *err)
{
    const struct vm *vm = debugger->machine->vm;
    struct go go = {.back = back};
    struct stop stop = {.why = STOP_DONE};
    uint64_t count, times = 1;
    int rc = debug_count(debugger, arguments, &count, err);

    go.instructions = count;
    if (!rc && vm && !(vm->engine_ops->caps & CAP_ICOUNT)) {
        go.instructions = 1;
        times = count;
    }
    while (!rc && times-- && stop.why == STOP_DONE)
        rc = debugger_go(debugger, &go, &stop, err);
    if (!rc)
        debugger_stopped(debugger, &stop);
    return rc;
}

static int
run_stepi(struct debugger *debugger, const char *arguments, struct error *err)
{
    return step_instructions(debugger, arguments, false, err);
}

static int
run_reverse_stepi(struct debugger *debugger, const char *arguments, struct error *err)
{
    return step_instructions(debugger, arguments, true, err);
}

/* --- nexti ------------------------------------------------------------------------------------ */

/* What nexti runs to: the instruction behind a call, in the same stack frame. */
struct after_call {
    uint64_t rsp;
};

/* A call has returned when the stack is where it was, or above: RET n. Deeper is a recursion. */
static bool
has_returned(void *context, struct machine *machine)
{
    const struct after_call *after = context;
    struct x86_regs regs;

    return machine->ops->get_regs(machine, &regs, NULL) || regs.gpr[X86_RSP] >= after->rsp;
}

/* Calls, software interrupts, system calls and repeated string instructions: what goes on at the
 * next instruction. (SDM vol. 2: E8, 9A, FF /2, FF /3; CC, CD; 0F 05, 0F 34) */
static bool
comes_back(const struct x86_insn *in)
{
    unsigned reg = in->modrm >> 3 & 7;

    switch (in->opcode) {
    case 0xe8:
    case 0x9a:
    case 0xcc:
    case 0xcd:
    case 0x105:
    case 0x134: return true;
    case 0xff: return reg == 2 || reg == 3;
    default: return (in->op->flags & OP_REP) && (in->prefixes & (PREFIX_REP | PREFIX_REPNE));
    }
}

/* The instruction at rip, as far as its page can be read. False: it cannot. */
static bool
fetch(struct machine *machine, const struct x86_regs *regs, uint64_t linear, struct x86_insn *in)
{
    uint8_t bytes[X86_INSN_MAX];
    unsigned got = machine_fetch(machine, SPACE_LINEAR, linear, bytes, NULL);

    return got && x86_decode(bytes, got, x86_code_size(regs), in) > 0;
}

static int
nexti_once(struct debugger *debugger, struct stop *stop, struct error *err)
{
    struct machine *machine = debugger->machine;
    struct go go = {.instructions = 1};
    struct stop_point place = {.size = 1, .kind = STOP_EXECUTE};
    struct after_call after;
    struct x86_regs regs;
    struct x86_insn in;
    int rc = machine->ops->get_regs(machine, &regs, err);

    if (rc)
        return rc;
    place.address = x86_regs_linear(&regs, X86_CS, regs.rip);
    if (fetch(machine, &regs, place.address, &in) && comes_back(&in)) {
        place.address += in.length;
        after.rsp = regs.gpr[X86_RSP];
        go = (struct go){.place = &place, .here = has_returned, .context = &after};
    }
    return debugger_go(debugger, &go, stop, err);
}

static int
run_nexti(struct debugger *debugger, const char *arguments, struct error *err)
{
    struct stop stop = {.why = STOP_DONE};
    uint64_t count;
    int rc = debug_count(debugger, arguments, &count, err);

    while (!rc && count-- && stop.why == STOP_DONE)
        rc = nexti_once(debugger, &stop, err);
    if (!rc)
        debugger_stopped(debugger, &stop);
    return rc;
}

/* --- by exit ---------------------------------------------------------------------------------- */

static int
step_exits(struct debugger *debugger, const char *arguments, bool back, uint64_t skip,
           struct error *err)
{
    struct go go = {.back = back, .edges = debugger->settings.exit_edge, .skip_kinds = skip};
    struct stop stop = {.why = STOP_EDGE};
    uint64_t count;
    int rc = debug_count(debugger, arguments, &count, err);

    debugger->session->hit = 0;
    while (!rc && count-- && stop.why == STOP_EDGE && !debugger->session->hit)
        rc = debugger_go(debugger, &go, &stop, err);
    if (!rc)
        debugger_stopped(debugger, &stop);
    return rc;
}

static int
run_stepexit(struct debugger *debugger, const char *arguments, struct error *err)
{
    return step_exits(debugger, arguments, false, 0, err);
}

static int
run_nextexit(struct debugger *debugger, const char *arguments, struct error *err)
{
    return step_exits(debugger, arguments, false, debugger->settings.skip_kinds, err);
}

static int
run_reverse_stepexit(struct debugger *debugger, const char *arguments, struct error *err)
{
    return step_exits(debugger, arguments, true, 0, err);
}

/* clang-format off */
const struct debug_command commands_step[] = {
    {"stepi", "si", "instruction", "[N]", "Execute one instruction of the guest, or N",
     "An instruction that exits is dealt with by the VMM before the next stop.\n"
     "Stops earlier at a breakpoint, or when the machine ends.",
     "stepi 100", COMPLETE_EXPRESSION, COMMAND_REPEATS | COMMAND_LIVE, NULL, run_stepi},
    {"nexti", "ni", "instruction", "[N]", "The same, but go over calls",
     "Calls, INT, SYSCALL and repeated string instructions count as one.",
     "nexti", COMPLETE_EXPRESSION, COMMAND_REPEATS | COMMAND_LIVE, NULL, run_nexti},
    {"reverse-stepi", "rsi", "instruction", "[N]", "Go back by one instruction, or N",
     "Needs an engine that counts instructions (soft).",
     "reverse-stepi 3", COMPLETE_EXPRESSION, COMMAND_REPEATS | COMMAND_LIVE | COMMAND_BACK, NULL, run_reverse_stepi},
    {"stepexit", "sx", "VM exit", "[N]", "Go on to the next exit from the guest, or the N-th",
     "'set exit-edge' says where it stops: out, when the exit has happened and\n"
     "nobody has dealt with it; in, when it was dealt with and the guest is about\n"
     "to go on; or at both.",
     "stepexit 5", COMPLETE_EXPRESSION, COMMAND_REPEATS, NULL, run_stepexit},
    {"nextexit", "nx", "VM exit", "[N]", "The same, past the reasons that 'set skip-exits' names",
     "These are kick and intr-window unless you say otherwise.",
     "nextexit", COMPLETE_EXPRESSION, COMMAND_REPEATS, NULL, run_nextexit},
    {"reverse-stepexit", "rsx", "VM exit", "[N]", "Go back to the exit before, or by N",
     "On a machine that runs this needs the engine soft; a recording can always go\n"
     "back.",
     "reverse-stepexit", COMPLETE_EXPRESSION, COMMAND_REPEATS | COMMAND_BACK, NULL, run_reverse_stepexit},
    {0},
};
/* clang-format on */
