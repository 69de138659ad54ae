/*
 * stack.c - see stack.h.
 *
 * The chain of frame pointers (System V psABI, 3.2.2): a function that keeps one begins with
 * `push %rbp; mov %rsp, %rbp`, so that at rbp lie the caller's rbp and, above it, the return address.
 * In a prologue or behind it that leaves out a caller; call frame information does not.
 *
 * Next: source_step.c.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "debugger/stack.h"

static int
read_memory(void *context, uint64_t address, void *to, size_t size)
{
    struct machine *m = context;

    return m->ops->read(m, SPACE_LINEAR, address, to, size, NULL);
}

int
stack_first(struct debugger *debugger, struct symbols_frame *frame, struct error *err)
{
    struct machine *m = debugger->machine;
    struct x86_regs regs;
    int rc = m->ops->get_regs(m, &regs, err);

    if (rc)
        return rc;
    *frame = (struct symbols_frame){.rip = x86_regs_linear(&regs, X86_CS, regs.rip),
                                    .known = 0xffff};
    memcpy(frame->gpr, regs.gpr, sizeof(frame->gpr));
    return 0;
}

/* Bytes of an address on the stack; 0: 16-bit code, whose calls may be near or far. */
static unsigned
word_size(struct debugger *debugger)
{
    struct machine *m = debugger->machine;
    struct x86_regs regs;

    if (m->ops->get_regs(m, &regs, NULL))
        return 0;
    return x86_code_size(&regs) == 2 ? 0 : x86_code_size(&regs);
}

static bool
by_frame_pointer(struct debugger *debugger, const struct symbols_frame *frame,
                 struct symbols_frame *caller)
{
    struct machine *m = debugger->machine;
    unsigned size = word_size(debugger);
    uint64_t bp = frame->gpr[X86_RBP], pair[2] = {0};
    uint32_t narrow[2];

    if (!size || !bp || !(frame->known >> X86_RBP & 1))
        return false;
    if (size == 8) {
        if (read_memory(m, bp, pair, sizeof(pair)))
            return false;
    } else {
        if (read_memory(m, (uint32_t)bp, narrow, sizeof(narrow)))
            return false;
        pair[0] = narrow[0];
        pair[1] = narrow[1];
    }
    *caller = (struct symbols_frame){
        .rip = pair[1],
        .known = 1u << X86_RBP | 1u << X86_RSP,
        .called = true,
        .cfa = bp + 2 * size,
    };
    caller->gpr[X86_RBP] = pair[0];
    caller->gpr[X86_RSP] = caller->cfa;
    return true;
}

bool
stack_caller(struct debugger *debugger, const struct symbols_frame *frame,
             struct symbols_frame *caller)
{
    struct machine *m = debugger->machine;

    if (!symbols_unwind(m->symbols, frame, read_memory, m, caller) &&
        !by_frame_pointer(debugger, frame, caller))
        return false;
    /* The outermost function runs with rbp 0 (System V psABI, 3.4.1), and what lies above its frame
     * is no return address. */
    bool outermost = (caller->known >> X86_RBP & 1) && !caller->gpr[X86_RBP] && caller->called &&
                     !symbols_name(m->symbols, caller->rip - 1, NULL);
    if (!caller->rip || outermost)
        return false;
    /* A stack grows down: a caller below is garbage. An interrupt may have changed the stack. */
    return caller->interrupted || !(frame->known >> X86_RSP & 1) ||
           caller->cfa > frame->gpr[X86_RSP];
}

char *
stack_format(struct debugger *debugger, const struct symbols_frame *frame, char *text, size_t size)
{
    struct symbols *symbols = debugger->machine->symbols;
    uint64_t offset, at = frame->rip - frame->called; /* the call, not what follows it */
    const char *name = symbols_name(symbols, at, &offset), *file;
    int line;

    if (!name)
        snprintf(text, size, "%#" PRIx64 " in ?? ()", frame->rip);
    else if (symbols_line(symbols, at, &file, &line))
        snprintf(text, size, "%#" PRIx64 " in %s () at %s:%d", frame->rip, name, file, line);
    else
        snprintf(text, size, "%#" PRIx64 " in %s+%#" PRIx64 " ()", frame->rip, name,
                 offset + frame->called);
    return text;
}

int
stack_print(struct debugger *debugger, uint64_t count, struct error *err)
{
    struct symbols_frame frame, caller;
    char text[512];
    int rc = stack_first(debugger, &frame, err);

    for (uint64_t i = 0; !rc && i < count; i++) {
        fprintf(debugger->out, "#%-2" PRIu64 " %s\n", i,
                stack_format(debugger, &frame, text, sizeof(text)));
        if (!stack_caller(debugger, &frame, &caller))
            return 0;
        if (caller.interrupted)
            fprintf(debugger->out, "    <interrupt, exception or system call>\n");
        frame = caller;
    }
    if (!rc)
        fprintf(debugger->out, "(more: backtrace N)\n");
    return rc;
}
