/*
 * rows.c - the rows of the interpreter's opcode table, as the generator sees them.
 *
 * Every row that has semantics is here. A row that a user program cannot compare with its host says
 * why; all others must be covered, or the program fails.
 */
#include "tests/diff/diff.h"

#include <stdio.h>
#include <string.h>

#include "isa/x86/exec.h"

#define MODE_BIT(m) (1u << (m))
#define IN_64       MODE_BIT(DIFF_LONG64)
#define IN_LEGACY   (MODE_BIT(DIFF_COMPAT32) | MODE_BIT(DIFF_COMPAT16))

struct diff_row diff_rows[1024];
unsigned diff_row_count;

static const struct {
    x86_exec_fn exec;
    const char *why;
} left_out[] = {
    {exec_cpuid, "the processors differ by design"},
    {exec_rdtsc, "time"},
    {exec_rdtscp, "time"},
    {exec_rdpid, "the number of the host's processor"},
    {exec_syscall, "a system call of the host"},
    {exec_sysenter, "a system call of the host"},
    {exec_hypercall, "the host may be a guest itself"},
    {exec_int3, "ends every case"},
    {exec_int1, "Linux reports it as a breakpoint"},
    {exec_fxsave, "XMM registers hold what C left there"},
    {exec_fxrstor, "XMM registers hold what C left there"},
    {exec_x87, "one row for all of them; see below"},
    {exec_emms, "MMX is not there"},
    {exec_rdpmc, "depends on what the host's kernel allows"},
};

/* Instructions that Linux emulates when UMIP makes them fault (arch/x86/kernel/umip.c). */
static bool
is_umip(const struct x86_opcode *op)
{
    return op->exec == exec_sgdt || op->exec == exec_smsw || op->exec == exec_sldt ||
           op->exec == exec_str;
}

static const char *
reason(const struct diff_host *h, const struct x86_opcode *op)
{
    for (size_t i = 0; i < sizeof(left_out) / sizeof(left_out[0]); i++)
        if (op->exec == left_out[i].exec)
            return left_out[i].why;
    if (is_umip(op))
        return "Linux emulates it where UMIP is on, and its answer is made up where not";
    if (op->exec == exec_fsgsbase && !h->fsgsbase)
        return "this host's kernel does not allow it";
    if (op->exec == exec_tzcnt && !__builtin_cpu_supports("bmi"))
        return "this host has no tzcnt";
    if (op->exec == exec_lzcnt && !__builtin_cpu_supports("lzcnt"))
        return "this host has no lzcnt";
    if (op->exec == exec_popcnt && !__builtin_cpu_supports("popcnt"))
        return "this host has no popcnt";
    if (op->exec == exec_movbe && !__builtin_cpu_supports("movbe"))
        return "this host has no movbe";
    return NULL;
}

/* Two-byte opcodes that F2, F3 or 66 turn into something else, here or on a newer processor. */
static bool
prefix_matters(uint16_t opcode)
{
    static const uint8_t second[] = {0x00, 0x01, 0x09, 0x0d, 0x18, 0x19, 0x1a, 0x1b,
                                     0x1c, 0x1d, 0x1e, 0x1f, 0x30, 0x31, 0x32, 0x33,
                                     0x77, 0xae, 0xb8, 0xbc, 0xbd, 0xc3, 0xc7};

    return opcode == 0x90 || opcode >> 8 == 2 ||
           (opcode >> 8 == 1 && memchr(second, opcode & 0xff, sizeof(second)));
}

/* VEX and EVEX: in 64-bit mode always, elsewhere if what follows would be a register form. */
static bool
is_long_prefix(uint16_t opcode)
{
    return opcode == 0xc4 || opcode == 0xc5 || opcode == 0x62;
}

/* far.c makes these, and no random operands. */
static bool
is_far(const struct x86_opcode *op)
{
    return op->exec == exec_iret || op->exec == exec_jmp_far || op->exec == exec_call_far ||
           op->exec == exec_ret_far;
}

static uint8_t
row_modes(const struct diff_host *h, uint16_t opcode, const struct x86_opcode *op)
{
    uint8_t modes = is_far(op) ? 0 : IN_64 | IN_LEGACY;

    if (op->flags & OP_ONLY64)
        modes = IN_64;
    /* In 64-bit mode most are #UD, which is worth a test, but these are prefixes (REX, VEX, EVEX) or
     * something else (63: MOVSXD). */
    if (op->flags & OP_NO64 &&
        ((opcode & 0xf0) == 0x40 || is_long_prefix(opcode) || opcode == 0x63))
        modes = IN_LEGACY;
    if (!h->ldt)
        modes &= (uint8_t)~MODE_BIT(DIFF_COMPAT16);
    return modes;
}

static void
add_row(const struct diff_host *h, struct diff_row row)
{
    if (!row.op->exec || diff_row_count >= sizeof(diff_rows) / sizeof(diff_rows[0]))
        return;
    row.why = reason(h, row.op);
    row.modes = row.why ? 0 : row_modes(h, row.opcode, row.op);
    row.plain = prefix_matters(row.opcode);
    row.memory_only = row.op->flags & OP_MEM_ONLY && (row.plain || is_long_prefix(row.opcode));
    diff_rows[diff_row_count++] = row;
}

static void
add_map(const struct diff_host *h, unsigned map, const struct x86_opcode *table)
{
    for (unsigned i = 0; i < 256; i++) {
        uint16_t opcode = (uint16_t)(map << 8 | i);
        if (!(table[i].flags & OP_GROUP)) {
            add_row(h, (struct diff_row){.op = &table[i], .opcode = opcode, .reg = -1});
            continue;
        }
        for (int8_t reg = 0; reg < 8; reg++)
            add_row(h, (struct diff_row){.op = &table[i].group[reg],
                                         .opcode = opcode,
                                         .reg = reg,
                                         .modrm_mask = 0x38,
                                         .modrm_key = (uint8_t)(reg << 3)});
    }
}

/* Those of D8-DF whose memory image has the address of the last instruction and its opcode: FLDENV
 * FNSTENV FRSTOR FNSAVE. Processors differ in what they keep of it (SDM vol. 1, 8.1.8). */
static bool
has_environment(unsigned opcode, unsigned reg)
{
    return (opcode == 0xd9 || opcode == 0xdd) && (reg == 4 || reg == 6);
}

/* Are all forms of an x87 row #UD? Only then it is enough that they fault. */
static bool
is_undefined(const struct diff_row *row)
{
    for (unsigned rm = 0; rm < 8; rm++) {
        uint8_t bytes[15] = {(uint8_t)row->opcode, (uint8_t)(row->modrm_key | rm)};
        struct x86_insn in;
        if (x86_decode(bytes, sizeof(bytes), 4, &in) > 0 && in.exec != exec_undefined)
            return false;
    }
    return true;
}

/* D8-DF: eight memory forms each, and eight groups of register forms (SDM vol. 2, A.5). */
static void
add_x87(const struct diff_host *h)
{
    for (unsigned i = 0; i < 8 * 16; i++) {
        unsigned opcode = 0xd8 + i / 16, reg = i % 8;
        bool memory = i & 8;
        struct diff_row row = {.op = &x86_opcodes_1byte[opcode],
                               .opcode = (uint16_t)opcode,
                               .reg = (int8_t)reg,
                               .modrm_mask = memory ? 0x38 : 0xf8,
                               .modrm_key = (uint8_t)(reg << 3 | (memory ? 0 : 0xc0)),
                               .memory_only = memory};
        if (memory && has_environment(opcode, reg))
            row.why = "stores or loads pointers that processors do not all keep";
        else if (memory && reg == 1 && (opcode == 0xdb || opcode == 0xdd || opcode == 0xdf))
            row.why = "FISTTP belongs to SSE3, which is not there";
        else if (!memory && opcode == 0xd9 && reg == 3)
            row.why = "FSTPNCE, an undocumented FSTP that checks the stack otherwise";
        else
            row.modes = row_modes(h, row.opcode, row.op);
        row.closed = is_undefined(&row);
        diff_rows[diff_row_count++] = row;
    }
}

void
rows_init(const struct diff_host *h)
{
    __builtin_cpu_init();
    diff_row_count = 0;
    add_map(h, 0, x86_opcodes_1byte);
    add_map(h, 1, x86_opcodes_0f);
    add_map(h, 2, x86_opcodes_0f38);
    add_x87(h);
    for (unsigned i = 0; i < x86_variant_count; i++) {
        const struct x86_variant *v = &x86_variants[i];
        /* For 63 and 90 the key is not of the ModRM byte. */
        bool modrm = v->opcode != 0x63 && v->opcode != 0x90;
        add_row(h, (struct diff_row){.op = &v->row,
                                     .opcode = v->opcode,
                                     .prefix = v->prefix,
                                     .reg = -1,
                                     .modrm_mask = modrm ? v->key_mask : 0,
                                     .modrm_key = modrm ? v->key : 0});
    }
}
