/* code_kernel.c - see code.h: the pieces of random code that only a kernel would try. */
#include "base/util.h"
#include "isa/x86/regs.h"
#include "tests/fuzz/code.h"

static void
control_register(struct code *code)
{
    static const uint8_t numbers[] = {0xc0, 0xd0, 0xd8, 0xd8, 0xe0}; /* CR0, 2, 3, 3, 4; rax */
    static const uint32_t bits[] = {CR0_PE,  CR0_PG,  CR0_WP,    CR0_TS,   CR0_EM,   CR0_AM,
                                    CR4_PAE, CR4_PGE, CR4_PCIDE, CR4_SMEP, CR4_SMAP, CR4_UMIP};

    if (code_pick(code, 2)) { /* one bit of it becomes another */
        unsigned modrm = numbers[code_pick(code, ARRAY_SIZE(numbers))];
        code_put(code, 0x200f | modrm << 16, 3); /* mov rax, cr */
        code_put(code, 0x35, 1);                 /* xor eax, bit */
        code_put(code, bits[code_pick(code, ARRAY_SIZE(bits))], 4);
        code_put(code, 0x220f | modrm << 16, 3); /* mov cr, rax */
        return;
    }
    code_load(code, X86_RAX,
              code_pick(code, 2) ? code_address(code) & ~UINT64_C(0xfff) : code_number(code));
    code_put(code, 0x220f | (uint64_t)numbers[code_pick(code, 5)] << 16, 3);
}

static void
model_register(struct code *code)
{
    static const uint32_t known[] = {0x10,       0x1b,       0x174,      0x175,      0x176,
                                     0x277,      0xc0000080, 0xc0000081, 0xc0000082, 0xc0000083,
                                     0xc0000084, 0xc0000100, 0xc0000101, 0xc0000102, 0xc0000103};
    uint64_t value = code_pick(code, 2) ? code_address(code) : code_number(code);

    code_load(code, X86_RCX,
              code_pick(code, 8) ? known[code_pick(code, ARRAY_SIZE(known))] : code_random(code));
    code_load(code, X86_RAX, value & 0xffffffff);
    code_load(code, X86_RDX, value >> 32);
    code_put(code, code_pick(code, 3) ? 0x300f : 0x320f, 2); /* wrmsr, rdmsr */
}

/* A descriptor-table register, from a limit and a base on the stack. */
static void
load_table(struct code *code)
{
    code_push(code, code_address(code) >> 48);
    code_push(code, code_address(code) << 16 | code_pick(code, 0x10000));
    code_put(code, 0x010f, 2);
    code_put(code, code_pick(code, 2) ? 0x2414 : 0x241c, 2); /* lgdt [rsp], lidt [rsp] */
}

static void
port(struct code *code)
{
    static const uint16_t known[] = {0x20, 0x21, 0xa0, 0xa1, 0x40, 0x43,  0x60,  0x61,
                                     0x64, 0x70, 0x71, 0x92, 0xf4, 0x3f8, 0x3f9, 0x3fb};
    static const uint8_t opcodes[] = {0xec, 0xed, 0xee, 0xef, 0xee, 0x6c, 0x6e};

    code_load(code, X86_RDX,
              code_pick(code, 8) ? known[code_pick(code, ARRAY_SIZE(known))]
                                 : code_random(code) & 0xffff);
    code_load(code, X86_RAX, code_random(code) & 0xff);
    code_put(code, opcodes[code_pick(code, ARRAY_SIZE(opcodes))], 1);
}

/* Interrupts on, and wait. */
static void
wait_for_interrupt(struct code *code)
{
    code_put(code, 0xf4fb, 2); /* sti; hlt */
}

/* Stores into page tables (the loader's, or address[]): an entry with sensible bits. */
static void
change_table(struct code *code)
{
    uint64_t entry = code_random(code) % 0x400000 & ~UINT64_C(0xfff);

    code_load(code, X86_RDI,
              code->addresses
                  ? code->address[code_pick(code, code->addresses)] + 8 * code_pick(code, 512)
                  : 0x4000 + 8 * code_pick(code, 6 * 512));
    code_load(code, X86_RAX,
              entry | (code_random(code) & 0x1e7) | 3 |
                  (code_pick(code, 8) ? 0 : UINT64_C(1) << code_pick(code, 64)));
    code_put(code, 0x078948, 3); /* mov [rdi], rax */
    if (code_pick(code, 2))
        code_put(code, 0x3f010f, 3); /* invlpg [rdi] */
}

/* One in eight of what changes all that follows. */
static void
rare(struct code *code)
{
    static const code_piece pieces[] = {control_register, load_table, model_register};

    if (code_pick(code, 8))
        change_table(code);
    else
        pieces[code_pick(code, ARRAY_SIZE(pieces))](code);
}

const code_piece code_kernel[] = {
    rare, rare, rare, port, wait_for_interrupt, model_register, change_table, NULL,
};
