/*
 * encode.c - one instruction from a row of the opcode table: prefixes, ModRM, SIB, displacement,
 * immediate (SDM vol. 2, ch. 2), with operands that mostly make sense.
 *
 * This is an encoder of its own: of the interpreter it uses the rows' operand codes, nothing of
 * decode.c. Called by generate.c.
 */
#include "tests/diff/generate.h"

#include <string.h>

#include "isa/x86/exec.h"

#define SKIPPED 2 /* bytes of the instruction behind a short forward jump */

static void
put(struct plan *p, uint64_t value, unsigned size)
{
    for (unsigned i = 0; i < size; i++)
        p->bytes[p->n++] = (uint8_t)(value >> (8 * i));
}

/* --- sizes and prefixes -------------------------------------------------------------------------- */

static void
plan_sizes(struct gen *g, struct plan *p)
{
    const struct x86_opcode *op = p->row->op;
    bool branch = op_has(op, "J") || op->exec == exec_ret ||
                  ((op->exec == exec_jmp || op->exec == exec_call) && p->row->reg >= 0);
    bool odd = rng_one_in(g->rng, 20);

    p->operand66 = !p->row->plain && rng_one_in(g->rng, 4);
    /* In 64-bit mode Intel ignores 66 on near branches, AMD does not (APM vol. 3, JMP). Elsewhere it
     * cuts EIP to 16 bits, which lands in a flat segment outside our pages. */
    if (branch && p->operand66)
        p->operand66 = gen_is_long(g) ? g->host->intel : g->c->segmented || odd;
    p->address67 = rng_one_in(g->rng, 8);
    /* A 16-bit address reaches our pages only through a segment, a 32-bit one only below 4 GiB. */
    if (p->address67 && !odd)
        p->address67 = gen_is_long(g) ? !g->c->high : g->c->segmented;
    if (gen_is_long(g) && rng_one_in(g->rng, 2))
        p->rex = (uint8_t)(0x40 | rng_below(g->rng, 16));

    bool small = g->c->mode == DIFF_COMPAT16 ? !p->operand66 : p->operand66;
    p->opsize = small ? 2 : 4;
    if (gen_is_long(g)) {
        if (p->rex & 8 || op->flags & OP_FORCE64)
            p->opsize = 8;
        else if (op->flags & OP_DEF64)
            p->opsize = small ? 2 : 8;
        p->adsize = p->address67 ? 4 : 8;
    } else {
        p->adsize = (g->c->mode == DIFF_COMPAT16) == p->address67 ? 4 : 2;
    }
}

static void
plan_prefixes(struct gen *g, struct plan *p)
{
    static const uint8_t segments[] = {0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65};
    const struct x86_opcode *op = p->row->op;
    bool base_known = g->fs_gs_ok && g->host->fsgsbase;

    if (p->row->prefix)
        p->repeat = p->row->prefix == PREFIX_REP ? 0xf3 : 0xf2;
    else if (op->flags & OP_REP ? !rng_one_in(g->rng, 3) : rng_one_in(g->rng, 20))
        p->repeat = p->row->plain ? 0 : rng_one_in(g->rng, 3) ? 0xf2 : 0xf3;
    if (rng_one_in(g->rng, 8))
        p->segment = segments[rng_below(g->rng, gen_is_long(g) && !base_known ? 4 : 6)];
}

/* LOCK where it is allowed, and now and then where it is not (#UD). */
static void
plan_lock(struct gen *g, struct plan *p)
{
    bool allowed = p->row->op->flags & OP_LOCK && p->memory;

    p->lock = allowed ? rng_one_in(g->rng, 3) : rng_one_in(g->rng, 200);
    /* F2 and F3 before a locked instruction are hints (XACQUIRE, XRELEASE), no more. */
    if (p->lock && rng_one_in(g->rng, 2))
        p->repeat = p->row->prefix ? p->repeat : 0;
}

/* --- ModRM ------------------------------------------------------------------------------------- */

static unsigned
pick_register(struct gen *g, const struct plan *p, uint8_t rex_bit)
{
    unsigned reg = rng_below(g->rng, 8);

    if (reg == X86_RSP && !(p->rex & rex_bit) && !rng_one_in(g->rng, 4))
        reg = rng_below(g->rng, 4);
    return reg | (p->rex & rex_bit ? 8 : 0);
}

static void
plan_modrm(struct gen *g, struct plan *p)
{
    const struct diff_row *row = p->row;
    const struct x86_opcode *op = row->op;
    uint8_t mask = row->modrm_mask, key = row->modrm_key;

    p->has_modrm = row->reg >= 0 || mask || op->flags & OP_MODRM || op_has(op, "EGMRSCD");
    if (!p->has_modrm)
        return;
    p->reg = (uint8_t)pick_register(g, p, 4);
    p->rm = (uint8_t)pick_register(g, p, 1);
    if (op_has(op, "S") && rng_one_in(g->rng, 10))
        p->reg &= 7; /* 6 and 7 are no segment registers, 1 cannot be loaded */
    else if (op_has(op, "S"))
        p->reg = (uint8_t)(p->reg & 8) | (uint8_t[]){0, 3, 4, 5, 2, 0, 3, 1}[p->reg & 7];
    if (mask & 0x38)
        p->reg = (uint8_t)((p->reg & 8) | (key >> 3 & 7));
    if (mask & 7)
        p->rm = (uint8_t)((p->rm & 8) | (key & 7));
    if (mask & 0xc0)
        p->memory = false;
    else if (row->memory_only) /* a register form is another instruction */
        p->memory = true;
    else if (op->flags & (OP_MEM_ONLY | OP_REG_ONLY))
        p->memory = rng_one_in(g->rng, 100) ? op->flags & OP_REG_ONLY : op->flags & OP_MEM_ONLY;
    else
        p->memory = op_has(op, "EM") && !rng_one_in(g->rng, 3);
    if (op_has(op, "RCD"))
        p->memory = false;
    p->mod = 3;
}

/* The size that the memory operand's code says. */
static unsigned
access_size(const struct plan *p)
{
    for (unsigned n = 0; *op_code(p->row->op, n); n++) {
        const char *code = op_code(p->row->op, n);
        if (*code == 'E' || *code == 'M')
            return plan_size(p, code[1]);
    }
    return 0;
}

/* --- addressing ---------------------------------------------------------------------------------- */

/* What the segment adds: in 64-bit mode only FS and GS have a base; elsewhere all of ours begin at
 * the data pages, so that an address is the offset whatever segment is used. */
static uint64_t
segment_base(const struct gen *g, const struct plan *p)
{
    if (!gen_is_long(g))
        return 0;
    return p->segment == 0x64 ? g->c->in.fs_base : p->segment == 0x65 ? g->c->in.gs_base : 0;
}

static void
put_modrm(struct plan *p, unsigned mod, unsigned rm)
{
    put(p, mod << 6 | (p->reg & 7u) << 3 | (rm & 7), 1);
}

/* ModRM, SIB and displacement for base + index * scale + disp; X86_NO_REG for none. */
static void
put_sib_form(struct gen *g, struct plan *p, unsigned base, unsigned index, unsigned scale,
             uint32_t disp)
{
    bool small = (uint32_t)(int8_t)disp == disp && !rng_one_in(g->rng, 8);
    unsigned mod = small ? 1 : 2;

    p->rex &= (uint8_t)~3;
    if (base != X86_NO_REG && base & 8)
        p->rex |= 0x41;
    if (index != X86_NO_REG && index & 8)
        p->rex |= 0x42;
    if (base == X86_NO_REG && p->rex) /* REX.B does not turn "no base" into R13 */
        p->rex |= rng_below(g->rng, 2);
    if (base == X86_NO_REG)
        mod = 0;
    else if (!disp && (base & 7) != X86_RBP && small)
        mod = 0;
    bool sib = index != X86_NO_REG || base == X86_NO_REG || (base & 7) == X86_RSP ||
               rng_one_in(g->rng, 8);
    put_modrm(p, mod, sib ? 4 : base);
    if (sib)
        put(p,
            scale << 6 | (index == X86_NO_REG ? 4 : index & 7) << 3 |
                (base == X86_NO_REG ? 5 : base & 7),
            1);
    if (mod == 1)
        put(p, disp, 1);
    else if (mod == 2 || base == X86_NO_REG)
        put(p, disp, 4);
}

/* The REX prefix is written before ModRM: room for it is kept, see encode_row(). */
static void
put_memory32(struct gen *g, struct plan *p, uint64_t offset)
{
    for (unsigned tries = 0; tries < 8; tries++) {
        unsigned base = rng_below(g->rng, gen_is_long(g) ? 16 : 8);
        unsigned index = rng_below(g->rng, gen_is_long(g) ? 16 : 8), scale = rng_below(g->rng, 4);
        uint64_t sum;

        if (index == X86_RSP || !gen_knows(g, index) || rng_one_in(g->rng, 2))
            index = X86_NO_REG;
        if (index != X86_NO_REG && rng_one_in(g->rng, 6))
            base = X86_NO_REG;
        else if (!gen_knows(g, base))
            continue;
        sum = (base == X86_NO_REG ? 0 : g->value[base]) +
              (index == X86_NO_REG ? 0 : g->value[index] << scale);
        uint64_t disp = offset - sum;
        if (p->adsize == 8 && (uint64_t)(int32_t)disp != disp)
            continue;
        put_sib_form(g, p, base, index, scale, (uint32_t)disp);
        return;
    }
    if (gen_is_long(g) && ((offset >> 31 && p->adsize == 8) || !rng_one_in(g->rng, 4))) {
        put_modrm(p, 0, 5);
        p->rip_at = p->n;
        put(p, offset, 4); /* made relative when the length is known */
        p->target = offset;
        return;
    }
    if (gen_is_long(g)) {
        put_sib_form(g, p, X86_NO_REG, X86_NO_REG, 0, (uint32_t)offset);
        return;
    }
    put_modrm(p, 0, 5);
    put(p, offset, 4);
}

/* 16-bit addressing (SDM vol. 2, table 2-1): every sum reaches every offset, modulo 64 KiB. */
static void
put_memory16(struct gen *g, struct plan *p, uint64_t offset)
{
    static const uint8_t base[8] = {X86_RBX, X86_RBX, X86_RBP, X86_RBP,
                                    X86_RSI, X86_RDI, X86_RBP, X86_RBX};
    static const uint8_t index[8] = {X86_RSI,    X86_RDI,    X86_RSI,    X86_RDI,
                                     X86_NO_REG, X86_NO_REG, X86_NO_REG, X86_NO_REG};
    unsigned rm = rng_below(g->rng, 8);
    bool known = gen_knows(g, base[rm]) && (index[rm] == X86_NO_REG || gen_knows(g, index[rm]));

    if (!known || rng_one_in(g->rng, 8)) {
        put_modrm(p, 0, 6);
        put(p, offset, 2);
        return;
    }
    uint16_t disp = (uint16_t)(offset - g->value[base[rm]] -
                               (index[rm] == X86_NO_REG ? 0 : g->value[index[rm]]));
    if (!disp && rm != 6) {
        put_modrm(p, 0, rm);
    } else if ((uint16_t)(int8_t)disp == disp) {
        put_modrm(p, 1, rm);
        put(p, disp, 1);
    } else {
        put_modrm(p, 2, rm);
        put(p, disp, 2);
    }
}

static void
put_operand_modrm(struct gen *g, struct plan *p)
{
    if (!p->memory) {
        /* MOV CR and DR take any mod for "register" (SDM vol. 2, MOV). */
        bool any = op_has(p->row->op, "CD");
        put_modrm(p, any ? rng_below(g->rng, 4) : 3, p->rm);
        return;
    }
    uint64_t offset = p->target - segment_base(g, p);
    if (rng_one_in(g->rng, 60)) /* anywhere: non-canonical, wrapped, unmapped */
        offset = gen_value(g);
    if (p->adsize == 2)
        put_memory16(g, p, offset);
    else
        put_memory32(g, p, p->adsize == 4 ? (uint32_t)offset : offset);
}

/* --- immediates and targets ------------------------------------------------------------------------ */

static void
put_immediate(struct gen *g, struct plan *p, const char *code)
{
    const struct x86_opcode *op = p->row->op;
    bool extend = *code == 's';
    unsigned size = plan_size(p, code[extend ? 2 : 1]);
    uint64_t value = gen_value(g);

    if (op->exec == exec_enter)
        value = size == 2 ? rng_below(g->rng, 0x80)
                          : rng_below(g->rng, rng_one_in(g->rng, 8) ? 256 : 5);
    else if (op->exec == exec_ret)
        value = rng_below(g->rng, 0x40);
    else if (op->exec == exec_shld || op->exec == exec_shrd)
        value = p->opsize == 2 ? rng_below(g->rng, 17) | (value & 0xe0) : value;
    else if (op->exec == exec_int) /* a vector whose gate is closed to user programs */
        value = 0x20 + rng_below(g->rng, 0x60);
    put(p, value, size);
}

/* A relative branch goes over the next instruction, or to a place where only fill is. */
static void
put_relative(struct gen *g, struct plan *p, const char *code)
{
    unsigned size = code[1] == 'b' ? 1 : p->opsize == 2 && !gen_is_long(g) ? 2 : 4;
    uint64_t next = diff_code_base(g->c) + g->c->start + g->c->length + p->n + size;
    int64_t back = -(int64_t)(g->c->length + p->n + size + 1 + rng_below(g->rng, 24));

    if (size == 1 && (back < -128 || rng_one_in(g->rng, 2))) {
        put(p, SKIPPED, size);
        p->skips = true;
    } else {
        put(p, size == 1 ? (uint64_t)back : gen_fill(g) - next, size);
        g->end |= p->row->op->exec == exec_jmp || p->row->op->exec == exec_call;
    }
}

static void
put_operands(struct gen *g, struct plan *p)
{
    for (unsigned n = 0; *op_code(p->row->op, n); n++) {
        const char *code = op_code(p->row->op, n);
        if (op_is_fixed(code))
            continue;
        switch (*code) {
        case 'I':
        case 's': put_immediate(g, p, code); break;
        case 'J': put_relative(g, p, code); break;
        case 'O':
            put(p, gen_address(g, plan_size(p, code[1])) - segment_base(g, p), p->adsize);
            break;
        case 'A':
            put(p, gen_fill(g), p->opsize == 2 ? 2 : 4);
            put(p, gen_selector(g), 2);
            break;
        default: break;
        }
    }
}

/* --- assembling -------------------------------------------------------------------------------------- */

/* Prefixes in any order, some of them twice; REX last (SDM vol. 2, 2.1.1). */
static unsigned
assemble_prefixes(struct gen *g, const struct plan *p, uint8_t *out)
{
    uint8_t list[24];
    unsigned n = 0, copies = rng_one_in(g->rng, 400) ? 12 : rng_one_in(g->rng, 30) ? 2 : 1;

    for (unsigned i = 0; i < copies && n < 12; i++) {
        if (p->operand66)
            list[n++] = 0x66;
        if (p->address67)
            list[n++] = 0x67;
        if (p->segment)
            list[n++] = p->segment;
        if (p->lock)
            list[n++] = 0xf0;
        if (p->repeat)
            list[n++] = p->repeat;
    }
    for (unsigned i = n; i > 1; i--) {
        unsigned k = rng_below(g->rng, i);
        uint8_t t = list[i - 1];
        list[i - 1] = list[k];
        list[k] = t;
    }
    /* A REX that is not last is ignored. */
    if (gen_is_long(g) && n && rng_one_in(g->rng, 60))
        out[0] = 0x48;
    unsigned lost = gen_is_long(g) && n && out[0] == 0x48;
    memcpy(out + lost, list, n);
    n += lost;
    if (p->rex)
        out[n++] = p->rex;
    return n;
}

static unsigned
assemble_opcode(const struct plan *p, uint8_t *out)
{
    unsigned n = 0;

    if (p->row->opcode >> 8)
        out[n++] = 0x0f;
    if (p->row->opcode >> 8 == 2)
        out[n++] = 0x38;
    out[n++] = (uint8_t)p->row->opcode;
    return n;
}

/* Registers that the instruction may have changed, so that their values are not known any more. */
static uint16_t
clobbered(const struct plan *p)
{
    const struct x86_opcode *op = p->row->op;
    uint16_t mask = 1u << X86_RAX | 1u << X86_RDX;

    if (p->has_modrm)
        mask |= (uint16_t)(1u << p->reg | (p->memory ? 0 : 1u << p->rm));
    if (op_has(op, "Z"))
        mask |= (uint16_t)(1u << ((p->row->opcode & 7) | (p->rex & 1) << 3));
    /* AH CH DH BH */
    mask |= (uint16_t)(mask >> 4 & 0xf);
    if (op->flags & OP_REP || op->exec == exec_loop)
        mask |= 1u << X86_RCX | 1u << X86_RSI | 1u << X86_RDI;
    if (op_uses_stack(op) || op->exec == exec_leave)
        mask |= 1u << X86_RSP;
    if (op->exec == exec_enter || op->exec == exec_leave)
        mask |= 1u << X86_RBP;
    if (op->exec == exec_popa)
        mask = 0xffff;
    return mask;
}

static void
note_effects(struct gen *g, const struct plan *p)
{
    const struct x86_opcode *op = p->row->op;
    uint16_t lost = clobbered(p);
    bool counts = strstr(op->operands, "Ib") != NULL;

    g->known &= (uint16_t)~lost;
    if (lost >> X86_RSP & 1 && !op_uses_stack(op))
        g->stack_ok = op->exec == exec_leave;
    if (op->exec == exec_mov_sreg || op->exec == exec_pop_sreg || op->exec == exec_load_far ||
        op->exec == exec_fsgsbase)
        g->fs_gs_ok = false;
    g->undefined &= ~rule_defines(op);
    g->undefined |= rule_undefined(op, p->opsize, counts ? p->bytes[p->n - 1] : -1);
    if (op->exec == exec_ret ||
        (p->row->reg >= 0 && (op->exec == exec_jmp || op->exec == exec_call)))
        g->end = true;
}

/* What a branch may jump over: MOV AL, imm8, so that it shows whether it did. Where there is no room
 * for it the branch lands in the fill, which is as good. */
static void
append_skipped(struct gen *g)
{
    const uint8_t mov_al[SKIPPED] = {0xb0, (uint8_t)gen_value(g)};

    gen_append(g, gen_row(0xb0), mov_al, SKIPPED);
    g->known &= (uint16_t) ~(1u << X86_RAX);
}

bool
encode_row(struct gen *g, const struct diff_row *row)
{
    struct plan p = {.row = row};
    uint8_t head[32] = {0};

    plan_sizes(g, &p);
    plan_prefixes(g, &p);
    plan_modrm(g, &p);
    plan_lock(g, &p);
    if (p.memory) {
        p.access = access_size(&p);
        p.target = gen_address(g, p.access);
        if (p.access == 16 && !rng_one_in(g->rng, 10))
            p.target &= ~UINT64_C(15);
    }
    if (op_takes_ten(row)) /* in two parts, of which the first may stay when the second faults */
        p.target = diff_data_base(g->c) + 0x40 + rng_below(g->rng, DIFF_RW_SIZE - 0x80);
    if (!prepare_row(g, &p))
        return false;
    /* ModRM and SIB decide REX.X and REX.B, so what stands before them is put there afterwards. */
    struct plan tail = p;
    tail.n = 0;
    if (p.has_modrm)
        put_operand_modrm(g, &tail);
    p.rex = tail.rex;
    unsigned n = assemble_prefixes(g, &p, head);
    n += assemble_opcode(&p, head + n);
    if (n + tail.n + 10 > sizeof(p.bytes))
        return false;
    memcpy(p.bytes, head, n);
    memcpy(p.bytes + n, tail.bytes, tail.n);
    p.n = n + tail.n;
    if (tail.rip_at)
        p.rip_at = n + tail.rip_at;
    put_operands(g, &p);
    if (p.rip_at) {
        uint64_t end = diff_code_base(g->c) + g->c->start + g->c->length + p.n;
        uint32_t disp = (uint32_t)(tail.target - end);
        memcpy(p.bytes + p.rip_at, &disp, 4);
    }
    if (!gen_append(g, row, p.bytes, p.n))
        return false;
    note_effects(g, &p);
    if (p.skips)
        append_skipped(g);
    return true;
}
