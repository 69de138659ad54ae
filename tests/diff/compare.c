/*
 * compare.c - do the processor and the interpreter agree on how a case ended? And the report if not.
 *
 * What may differ and why:
 *   - flags that the manual leaves undefined (rules.c)
 *   - outside 64-bit mode the upper halves of registers, and R8 to R15 (SDM vol. 1, 3.4.1.1)
 *   - #PF above the user's half: Linux reports the page as present, to hide whether it is
 *   - an access across the end of a flat segment, 32-bit: it may or may not fault (SDM vol. 3, 5.3)
 *   - registers that a POPA has loaded before it faults
 *   - which slot of its frame an IRET reads first, if all are on a page that is not there: processors
 *     take CS or the flags, and no manual says
 *   - memory, where CALL, ENTER or PUSHA faults: the processor may have stored below the stack already
 */
#include "tests/diff/diff.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "isa/x86/exec.h"

#define USER_END UINT64_C(0x7ffffffff000) /* Linux's TASK_SIZE_MAX */
#define FLAGS_COMPARED                                                                             \
    (FLAGS_ARITH | FLAG_DF | FLAG_TF | FLAG_AC | FLAG_NT | FLAG_ID | FLAG_IOPL | FLAG_IF | FLAG_RF)

static const char *const gpr_names[16] = {"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
                                          "r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15"};
static const char *const seg_names[X86_NSEG] = {"es", "cs", "ss", "ds", "fs", "gs"};
static const char *const mode_names[DIFF_MODES] = {"64-bit", "32-bit", "16-bit"};

static bool
pushes_error(uint32_t vector)
{
    return (vector >= VEC_TS && vector <= VEC_PF) || vector == VEC_AC;
}

/* Did it end by a fault of this instruction? */
static bool
faulted_at(const struct diff_case *c, const struct diff_end *host, x86_exec_fn exec)
{
    uint64_t at = host->regs.rip - diff_code_base(c) - c->start;

    for (unsigned i = 0; i < c->ninsns; i++)
        if (c->insn[i].at == at)
            return c->insn[i].row->op->exec == exec && host->stop != VEC_BP;
    return false;
}

/* Are both addresses on one page, and no further apart than the slots of a frame? */
static bool
same_frame(const struct diff_end *host, const struct diff_end *soft)
{
    uint64_t apart = host->address > soft->address ? host->address - soft->address
                                                   : soft->address - host->address;

    return host->address >> 12 == soft->address >> 12 && apart < 40;
}

static const char *
compare_stop(const struct diff_case *c, const struct diff_end *host, const struct diff_end *soft)
{
    if (host->stop != soft->stop)
        return "how it ended";
    if (host->stop == VEC_PF) {
        bool kernel = host->address >= USER_END;
        uint32_t ignored = kernel ? PF_PRESENT : 0;
        if (host->address != soft->address &&
            !(faulted_at(c, host, exec_iret) && same_frame(host, soft)))
            return "fault address";
        if ((host->error ^ soft->error) & ~ignored)
            return "error code";
    } else if (pushes_error(host->stop) && host->error != soft->error) {
        return "error code";
    }
    return NULL;
}

static const char *
compare_segments(const struct diff_regs *host, const struct diff_regs *soft, bool bases)
{
    for (unsigned i = 0; i < X86_NSEG; i++)
        /* IRET to the child's handler makes any null selector 0 (SDM vol. 2, IRET). */
        if ((host->seg[i] > 3 || soft->seg[i] > 3) && host->seg[i] != soft->seg[i] &&
            (bases || i < X86_FS))
            return seg_names[i];
    if (bases && host->fs_base != soft->fs_base)
        return "fs base";
    if (bases && host->gs_base != soft->gs_base)
        return "gs base";
    return NULL;
}

/* Both ways of an access to offset ffffffff that is longer than a byte. */
static bool
wraps(const struct diff_case *c, const struct diff_end *host, const struct diff_end *soft)
{
    if (c->mode == DIFF_LONG64 || (soft->stop != VEC_GP && soft->stop != VEC_SS) || soft->error)
        return false;
    return (host->stop == VEC_PF && host->address > 0xfffffff0) ||
           (host->stop == VEC_AC && !c->segmented);
}

static const char *
compare_fpu(const struct x87 *host, const struct x87 *soft)
{
    if (host->fcw != soft->fcw)
        return "x87 control word";
    if (host->fsw != soft->fsw)
        return "x87 status word";
    if (host->tags != soft->tags)
        return "x87 tags";
    if (host->mxcsr != soft->mxcsr)
        return "mxcsr";
    for (unsigned i = 0; i < 8; i++)
        if (host->st[i].significand != soft->st[i].significand ||
            host->st[i].sign_exponent != soft->st[i].sign_exponent)
            return "x87 register";
    return NULL;
}

bool
compare_memory_may_differ(const struct diff_end *host, const struct x86_opcode *last)
{
    return host->stop != VEC_BP && (last->exec == exec_call || last->exec == exec_call_far ||
                                    last->exec == exec_enter || last->exec == exec_pusha);
}

const char *
compare_ends(const struct diff_host *h, const struct diff_case *c, const struct diff_end *host,
             const struct diff_end *soft, uint32_t undefined)
{
    /* Where it started or where it ended. */
    bool narrow = c->mode != DIFF_LONG64 || host->regs.seg[X86_CS] != SEL_CODE64;
    uint64_t mask = narrow ? 0xffffffff : ~UINT64_C(0);
    const struct diff_regs *a = &host->regs, *b = &soft->regs;
    const char *what;

    if (wraps(c, host, soft))
        return NULL;
    what = compare_stop(c, host, soft);
    if (what)
        return what;
    if (host->stop == STOP_TIMEOUT)
        return NULL;
    for (unsigned i = 0; i < (narrow ? 8u : 16u); i++)
        if ((a->gpr[i] ^ b->gpr[i]) & mask && (i == X86_RSP || !faulted_at(c, host, exec_popa)))
            return gpr_names[i];
    if ((a->rip ^ b->rip) & mask)
        return "rip";
    if ((a->rflags ^ b->rflags) & FLAGS_COMPARED & ~(uint64_t)undefined)
        return "rflags";
    what = compare_segments(a, b, h->fsgsbase);
    if (what)
        return what;
    what = compare_fpu(&a->fpu, &b->fpu);
    if (what)
        return what;
    return host->memory != soft->memory ? "memory" : NULL;
}

/* --- report ---------------------------------------------------------------------------------------- */

static void
report_stop(const char *who, const struct diff_end *end)
{
    printf("  %s ends with ", who);
    if (end->stop == STOP_TIMEOUT)
        printf("no end\n");
    else if (end->stop == STOP_UNIMPLEMENTED)
        printf("EMU_UNIMPLEMENTED\n");
    else if (end->stop == STOP_OTHER)
        printf("no comparable end (%u)\n", end->error);
    else if (end->stop == VEC_PF)
        printf("#14 error %x address %" PRIx64 "\n", end->error, end->address);
    else if (pushes_error(end->stop))
        printf("#%u error %x\n", end->stop, end->error);
    else
        printf("#%u%s\n", end->stop, end->stop == VEC_BP ? " (the fill)" : "");
}

static void
report_value(const char *name, uint64_t in, uint64_t host, uint64_t soft, uint64_t mask)
{
    if (in == host && host == soft)
        return;
    printf("  %-7s %16" PRIx64 "  %16" PRIx64 "  %16" PRIx64 "%s\n", name, in, host, soft,
           (host ^ soft) & mask ? "  <-- differs" : "");
}

static void
report_fpu(const struct x87 *in, const struct x87 *host, const struct x87 *soft)
{
    const uint64_t mask = ~UINT64_C(0);

    report_value("mxcsr", in->mxcsr, host->mxcsr, soft->mxcsr, mask);
    if (!compare_fpu(host, soft))
        return;
    report_value("fcw", in->fcw, host->fcw, soft->fcw, mask);
    report_value("fsw", in->fsw, host->fsw, soft->fsw, mask);
    report_value("tags", in->tags, host->tags, soft->tags, mask);
    for (unsigned i = 0; i < 8; i++)
        printf("  st%u     %04x%016" PRIx64 "  %04x%016" PRIx64 "  %04x%016" PRIx64 "\n", i,
               in->st[i].sign_exponent, in->st[i].significand, host->st[i].sign_exponent,
               host->st[i].significand, soft->st[i].sign_exponent, soft->st[i].significand);
}

void
report_case(const struct diff_case *c, const struct diff_end *host, const struct diff_end *soft,
            uint32_t undefined)
{
    static const unsigned code_size[DIFF_MODES] = {8, 4, 2};
    uint64_t mask = c->mode == DIFF_LONG64 ? ~UINT64_C(0) : 0xffffffff;
    uint64_t start = diff_code_base(c) + c->start;

    printf("  mode: %s\n", mode_names[c->mode]);
    for (unsigned i = 0; i < c->ninsns; i++) {
        const struct diff_insn *insn = &c->insn[i];
        char text[120];
        x86_disassemble(c->code + insn->at, insn->length, code_size[c->mode], start + insn->at,
                        text, sizeof(text));
        printf("  %8" PRIx64 ": ", start + insn->at);
        for (unsigned k = 0; k < insn->length; k++)
            printf("%02x ", c->code[insn->at + k]);
        printf("%*s %s\n", insn->length < 12 ? (12 - insn->length) * 3 : 1, "", text);
    }
    report_stop("processor  ", host);
    report_stop("interpreter", soft);
    printf("  %-7s %16s  %16s  %16s\n", "", "start", "processor", "interpreter");
    for (unsigned i = 0; i < 16; i++)
        printf("  %-7s %16" PRIx64 "  %16" PRIx64 "  %16" PRIx64 "%s\n", gpr_names[i], c->in.gpr[i],
               host->regs.gpr[i], soft->regs.gpr[i],
               (host->regs.gpr[i] ^ soft->regs.gpr[i]) & mask ? "  <-- differs" : "");
    report_value("rip", c->in.rip, host->regs.rip, soft->regs.rip, mask);
    report_value("rflags", c->in.rflags, host->regs.rflags, soft->regs.rflags,
                 FLAGS_COMPARED & ~(uint64_t)undefined);
    for (unsigned i = 0; i < X86_NSEG; i++)
        report_value(seg_names[i], c->in.seg[i], host->regs.seg[i], soft->regs.seg[i], mask);
    report_value("fs base", c->in.fs_base, host->regs.fs_base, soft->regs.fs_base, mask);
    report_value("gs base", c->in.gs_base, host->regs.gs_base, soft->regs.gs_base, mask);
    report_fpu(&c->in.fpu, &host->regs.fpu, &soft->regs.fpu);
    report_value("memory", 0, host->memory, soft->memory, mask);
    if (undefined)
        printf("  undefined flags, not compared: %x\n", undefined);
}
