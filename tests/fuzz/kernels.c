/*
 * kernels.c - see kernels.h. Used by guests.c.
 *
 *   0000  the ELF header's        4000  IDT, or the trap table    8000  root, levels 3 and 2 of the
 *   1000  the kernel's code       5000  GDT and TSS, or the             lower half; of the upper
 *   3000  a user's code                 shared page               d000  level 1, two tables
 *                                 6000  stacks: kernel, user      f000  mapped read-only, as tables
 *                                 7000  calls for a multicall           are: can become one
 *
 * 4 MiB of RAM are mapped one to one, and at HC_BOOT_BASE the same, open to the user.
 */
#include <string.h>

#include "base/util.h"
#include "guests/include/hypercall.h"
#include "isa/x86/regs.h"
#include "tests/fuzz/code.h"
#include "tests/fuzz/kernels.h"

#define CODE        0x1000u
#define USER        0x3000u
#define TRAPS       0x4000u
#define TABLE       0x5000u /* GDT */
#define TSS         0x5100u
#define POINTERS    0x5200u /* what LGDT and LIDT read */
#define SHARED      0x5000u
#define STACK       0x6800u /* the kernel's top */
#define USER_STACK  0x7000u
#define CALLS       0x7000u
#define ROOT        0x8000u
#define LEVEL_1     0xd000u
#define SPARE       0xf000u
#define MEMORY      0x400000u
#define CODE_SIZE   (USER - CODE)
#define CALLS_COUNT (0x1000u / sizeof(struct hc_call))

/* Selectors of our GDT: two of kernel code, as the loader's CS is 10. */
#define SEL_KERNEL 0x08u
#define SEL_DATA   0x18u
#define SEL_USER_D 0x23u
#define SEL_USER_C 0x2bu
#define SEL_TSS    0x30u

#define ENTRY_ALL 0x7u /* P, W, U */
#define ENTRY_W   0x2u

struct kernel {
    struct code code;
    uint8_t *file;
    uint64_t high; /* what to add to an offset in the file for its linear address */
};

static void
put(struct kernel *k, uint64_t offset, uint64_t value)
{
    memcpy(k->file + offset, &value, sizeof(value));
}

/* --- tables ------------------------------------------------------------------------------------- */

static void
make_page_tables(struct kernel *k, bool paravirt)
{
    const uint64_t base = KERNEL_BASE;

    put(k, ROOT, (base + 0x9000) | ENTRY_ALL);
    put(k, 0x9000, (base + 0xa000) | ENTRY_ALL);
    put(k, ROOT + 8 * 511, (base + 0xb000) | ENTRY_ALL);
    put(k, 0xb000 + 8 * 510, (base + 0xc000) | ENTRY_ALL);
    for (unsigned i = 0; i < 2; i++) {
        put(k, 0xa000 + 8 * i, (base + LEVEL_1 + 0x1000 * i) | ENTRY_ALL);
        put(k, 0xc000 + 8 * i, (base + LEVEL_1 + 0x1000 * i) | ENTRY_ALL);
    }
    for (uint64_t page = 0; page < MEMORY; page += 0x1000) {
        bool table = page >= base + ROOT && page < base + KERNEL_SIZE;
        put(k, LEVEL_1 + page / 0x1000 * 8,
            page | (paravirt && table ? ENTRY_ALL & ~ENTRY_W : ENTRY_ALL));
    }
}

static uint64_t
somewhere_in_code(struct kernel *k)
{
    return k->high + CODE + code_pick(&k->code, CODE_SIZE);
}

/* 64-bit gates (SDM vol. 3, 6.14.1): mostly interrupt gates of the kernel. */
static void
make_idt(struct kernel *k)
{
    for (unsigned i = 0; i < 256; i++) {
        /* Three of four have a stack of their own (IST1): a wild RSP does not end it all. */
        uint64_t to = somewhere_in_code(k), type = 0x8e | code_pick(&k->code, 2);
        if (code_pick(&k->code, 3) == 0)
            type |= 0x60; /* DPL 3 */
        if (code_pick(&k->code, 32) == 0)
            type = code_pick(&k->code, 256);
        put(k, TRAPS + 16 * i,
            (to & 0xffff) | SEL_KERNEL << 16 | (uint64_t) !!code_pick(&k->code, 4) << 32 |
                type << 40 | (to >> 16 & 0xffff) << 48);
        put(k, TRAPS + 16 * i + 8, to >> 32);
    }
    put(k, POINTERS, 0xff | (uint64_t)(KERNEL_BASE + TABLE) << 16);
    put(k, POINTERS + 16, 0xfff | (uint64_t)(KERNEL_BASE + TRAPS) << 16);
}

/* Descriptors (SDM vol. 3, 3.4.5, 7.2.3); after ours some that are random. */
static void
make_gdt(struct kernel *k)
{
    static const uint64_t descriptors[] = {0,
                                           0x00af9b000000ffff, /* code, DPL 0 */
                                           0x00af9b000000ffff,
                                           0x00cf93000000ffff, /* data */
                                           0x00cff3000000ffff, /* data, DPL 3 */
                                           0x00affb000000ffff /* code, DPL 3 */};
    uint64_t tss = KERNEL_BASE + TSS;

    for (unsigned i = 0; i < 32; i++)
        put(k, TABLE + 8 * i, i < ARRAY_SIZE(descriptors) ? descriptors[i] : code_random(&k->code));
    put(k, TABLE + SEL_TSS, 0x67 | (tss & 0xffffff) << 16 | UINT64_C(0x89) << 40);
    put(k, TABLE + SEL_TSS + 8, 0);
    memset(k->file + TSS, 0, 0x68);
    put(k, TSS + 4, KERNEL_BASE + STACK);    /* RSP0 */
    put(k, TSS + 0x24, KERNEL_BASE + STACK); /* IST1 */
}

static void
make_traps(struct kernel *k)
{
    for (unsigned i = 0; i < HC_TRAPS; i++) {
        struct hc_trap trap = {somewhere_in_code(k), (uint32_t)code_pick(&k->code, 4), 0};
        memcpy(k->file + TRAPS + i * sizeof(trap), &trap, sizeof(trap));
    }
}

/* --- pieces of a paravirtual kernel ----------------------------------------------------------------- */

static void
call(struct code *code, uint64_t number, uint64_t a, uint64_t b)
{
    code_load(code, X86_RAX, number);
    code_load(code, X86_RDI, a);
    code_load(code, X86_RSI, b);
    code_put(code, 0x82cd, 2);
}

static uint64_t
some_frame(struct code *code)
{
    switch (code_pick(code, 4)) {
    case 0: return code_pick(code, MEMORY / 0x1000 + 2) * 0x1000;
    case 1: return KERNEL_BASE + SPARE;
    default: return KERNEL_BASE + ROOT + code_pick(code, 8) * 0x1000;
    }
}

/* Arguments that suit the call, or nearly. */
static void
sensible(struct code *code, uint64_t number, uint64_t *a, uint64_t *b)
{
    uint64_t entry = some_frame(code) | (code_random(code) & 0x67) | 5;

    *a = HC_BOOT_BASE + some_frame(code);
    *b = code_pick(code, 9);
    switch (number) {
    case HC_SHUTDOWN: *a = code_pick(code, 256); break;
    case HC_CONSOLE_WRITE:
    case HC_CONSOLE_READ: *a = code_address(code), *b = code_pick(code, 5000); break;
    case HC_SET_TRAPS: *a = HC_BOOT_BASE + KERNEL_BASE + TRAPS, *b = code_pick(code, 257); break;
    case HC_SET_STACK:
    case HC_SET_SYSCALL: *a = code_address(code); break;
    case HC_SET_BASE: *a = code_pick(code, 4), *b = code_address(code); break;
    case HC_SET_TIMER: *a = code_pick(code, 5000), *b = code_pick(code, 3000); break;
    case HC_SET_ROOT: *a = code_pick(code, 4) ? KERNEL_BASE + ROOT : some_frame(code); break;
    case HC_SET_SHARED:
    case HC_UNPIN: *a = some_frame(code); break;
    case HC_PIN: *a = some_frame(code), *b = 1 + code_pick(code, 4); break;
    case HC_UPDATE: *a = some_frame(code) + 8 * code_pick(code, 512), *b = entry; break;
    case HC_UPDATE_LINEAR: *b = entry; break;
    case HC_MULTICALL:
        *a = HC_BOOT_BASE + KERNEL_BASE + CALLS + sizeof(struct hc_call) * code_pick(code, 50);
        *b = code_pick(code, CALLS_COUNT - 50);
        break;
    }
}

static void
hypercall(struct code *code)
{
    uint64_t number = code_pick(code, HC_COUNT + 1), a, b;

    if (number == HC_SHUTDOWN && code_pick(code, 8))
        number = HC_UPDATE;
    sensible(code, number, &a, &b);
    call(code, number, a, b);
}

static void
wild_hypercall(struct code *code)
{
    call(code, code_pick(code, 4) ? code_pick(code, HC_COUNT) : code_number(code),
         code_address(code), code_pick(code, 2) ? code_number(code) : code_address(code));
}

/* To the user, or to where it likes. */
static void
return_by_call(struct code *code)
{
    bool user = code_pick(code, 3);

    code_push(code, user ? HC_USER_SS : code_selector(code));
    code_push(code, user ? KERNEL_BASE + USER_STACK : code_address(code));
    code_push(code, 0x202 | (code_pick(code, 4) ? 0 : code_random(code)));
    code_push(code, user ? HC_USER_CS : code_selector(code));
    code_push(code, user ? KERNEL_BASE + USER + code_pick(code, 0x1000) : code_address(code));
    code_push(code, code_random(code));
    code_load(code, X86_RAX, HC_IRET);
    code_put(code, 0x82cd, 2);
}

/* The interrupt flag, where paravirt has it; or a store through a mapped page. */
static void
store(struct code *code)
{
    uint64_t at = HC_BOOT_BASE + KERNEL_BASE +
                  (code_pick(code, 2) ? SHARED + code_pick(code, 2) : code_pick(code, KERNEL_SIZE));

    code_load(code, X86_RDI, at);
    code_put(code, 0x07c6, 2); /* mov byte [rdi], 0 or 1 */
    code_put(code, code_pick(code, 2), 1);
}

static const code_piece pieces[] = {
    hypercall,      hypercall,      hypercall,      hypercall, hypercall,
    wild_hypercall, wild_hypercall, return_by_call, store,     NULL,
};

static void
make_calls(struct kernel *k)
{
    for (unsigned i = 0; i < CALLS_COUNT; i++) {
        struct hc_call c = {.number = code_pick(&k->code, HC_COUNT + 1)};
        if (c.number == HC_SHUTDOWN)
            c.number = HC_GET_INFO;
        sensible(&k->code, c.number, &c.argument[0], &c.argument[1]);
        memcpy(k->file + CALLS + i * sizeof(c), &c, sizeof(c));
    }
}

/* --- the beginning of the code ---------------------------------------------------------------------- */

/* Not all is set up in every kernel: each step is left out now and then. */
static bool
wanted(struct kernel *k)
{
    return code_pick(&k->code, 12);
}

static void
begin_paravirt(struct kernel *k)
{
    struct code *code = &k->code;
    const uint64_t linear = HC_BOOT_BASE + KERNEL_BASE;

    code_load(code, X86_RSP, linear + STACK);
    code_load(code, X86_RAX, linear + CODE + (uint64_t)(code->at - (k->file + CODE)) + 12);
    code_put(code, 0xe0ff, 2); /* jmp rax: on at the high address */
    if (wanted(k))
        call(code, HC_SET_TRAPS, linear + TRAPS, HC_TRAPS);
    if (wanted(k))
        call(code, HC_SET_STACK, linear + STACK, 0);
    if (wanted(k))
        call(code, HC_SET_SYSCALL, somewhere_in_code(k), 0);
    if (wanted(k))
        call(code, HC_SET_SHARED, KERNEL_BASE + SHARED, 0);
    if (wanted(k))
        call(code, HC_SET_ROOT, KERNEL_BASE + ROOT, 0);
    if (wanted(k))
        call(code, HC_SET_TIMER, 2000, 3000);
}

static void
write_msr(struct code *code, uint32_t msr, uint64_t value)
{
    code_load(code, X86_RCX, msr);
    code_load(code, X86_RAX, value & 0xffffffff);
    code_load(code, X86_RDX, value >> 32);
    code_put(code, 0x300f, 2);
}

static void
begin_privileged(struct kernel *k)
{
    struct code *code = &k->code;

    code_load(code, X86_RSP, KERNEL_BASE + STACK);
    code_put(code, 0x2514010f, 4); /* lgdt [POINTERS] */
    code_put(code, KERNEL_BASE + POINTERS, 4);
    code_put(code, 0x251c010f, 4); /* lidt [POINTERS + 16] */
    code_put(code, KERNEL_BASE + POINTERS + 16, 4);
    if (wanted(k)) {
        code_load(code, X86_RAX, SEL_TSS);
        code_put(code, 0xd8000f, 3); /* ltr ax */
    }
    if (wanted(k)) {
        code_load(code, X86_RAX, KERNEL_BASE + ROOT);
        code_put(code, 0xd8220f, 3); /* mov cr3, rax */
    }
    if (wanted(k)) {
        write_msr(code, 0xc0000080, EFER_LME | EFER_LMA | EFER_SCE | EFER_NXE);
        write_msr(code, 0xc0000081, (uint64_t)(SEL_DATA | 3) << 48 | (uint64_t)SEL_KERNEL << 32);
        write_msr(code, 0xc0000082, somewhere_in_code(k));
    }
    if (code_pick(code, 2)) { /* iretq to the user */
        const uint64_t frame[] = {SEL_USER_D, KERNEL_BASE + USER_STACK, 0x202, SEL_USER_C,
                                  KERNEL_BASE + USER};
        for (unsigned i = 0; i < ARRAY_SIZE(frame); i++)
            code_push(code, frame[i]);
        code_put(code, 0xcf48, 2);
    }
}

void
kernel_make(uint8_t file[KERNEL_SIZE], uint64_t seed, bool paravirt)
{
    static const uint64_t addresses[] = {
        KERNEL_BASE + ROOT,   KERNEL_BASE + TRAPS, KERNEL_BASE + TABLE,
        KERNEL_BASE + 0xa000, KERNEL_BASE + STACK, KERNEL_BASE + LEVEL_1,
    };
    struct kernel k = {.file = file, .high = KERNEL_BASE + (paravirt ? HC_BOOT_BASE : 0)};

    /* First a user's program; then the kernel, whose generator goes on with another state. */
    code_begin(&k.code, seed ^ UINT64_C(0x5555555500000000), file + USER, 0x1000,
               KERNEL_BASE + USER);
    code_fill(&k.code, code_any, NULL);
    code_begin(&k.code, seed, file + CODE, CODE_SIZE, k.high + CODE);
    k.code.address = addresses;
    k.code.addresses = ARRAY_SIZE(addresses);
    make_page_tables(&k, paravirt);
    if (paravirt) {
        make_traps(&k);
        make_calls(&k);
        begin_paravirt(&k);
        code_fill(&k.code, pieces, seed % 8 ? code_plain : code_any);
    } else {
        make_idt(&k);
        make_gdt(&k);
        begin_privileged(&k);
        code_fill(&k.code, code_kernel, code_any);
    }
}
