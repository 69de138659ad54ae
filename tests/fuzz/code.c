/*
 * code.c - see code.h: the pieces of random code. code_kernel.c has those of kernels alone.
 *
 * Instructions are bytes here, as in the manual's tables (SDM vol. 2), with REX.W (48h) before
 * them where they shall be 64 bits wide; the comment beside each says which it is.
 */
#include <string.h>

#include "base/util.h"
#include "engine/monitor.h"
#include "guests/include/hypercall.h"
#include "isa/x86/regs.h"
#include "tests/fuzz/code.h"
#include "tests/random.h"

#define KERNEL_BASE UINT64_C(0xffffffff80000000) /* of minios, and of HC_BOOT_BASE */

uint64_t
code_random(struct code *code)
{
    return random_next(&code->state);
}

uint64_t
code_pick(struct code *code, unsigned n)
{
    return random_below(&code->state, n);
}

void
code_begin(struct code *code, uint64_t seed, void *to, size_t size, uint64_t base)
{
    *code = (struct code){.state = (seed + 1) * UINT64_C(0x9e3779b97f4a7c15),
                          .start = to,
                          .at = to,
                          .size = size,
                          .base = base};
}

void
code_put(struct code *code, uint64_t value, unsigned size)
{
    memcpy(code->at, &value, size);
    code->at += size;
}

/* --- operands ----------------------------------------------------------------------------------- */

uint64_t
code_address(struct code *code)
{
    static const uint64_t edges[] = {
        0,
        0x1000,
        0x400000,           /* a program, and minios' loader */
        0x7ffffffde000,     /* minios' stack, its end, the last page */
        0x7fffffffe000,     /* ... */
        0x7ffffffffff8,     /* an access that crosses into what is not canonical */
        0x800000000000,     /* not canonical */
        0xffff7ffffffffff8, /* ... */
        0xffff800000000000, /* the upper half's first */
        MONITOR_LINEAR,
        MONITOR_LINEAR + MONITOR_TSS,
        MONITOR_LINEAR + MONITOR_STUB,
        0xffffffc000000000,
        KERNEL_BASE,
        KERNEL_BASE + 0x100000,
        0xfffffffffffffff8,
        0xffffffffffffffff,
    };

    switch (code_pick(code, 8)) {
    case 0: return edges[code_pick(code, ARRAY_SIZE(edges))] + code_pick(code, 4) * 4;
    case 1: return KERNEL_BASE + code_random(code) % 0x800000;
    case 2: /* where a kernel's image lies; minios' data are the last part */
    case 3: return KERNEL_BASE + 0x100000 + code_pick(code, 0x50000);
    case 4: return code_random(code) >> code_pick(code, 64);
    case 5: return MONITOR_LINEAR + code_pick(code, MONITOR_END);
    case 6:
        if (code->addresses)
            return code->address[code_pick(code, code->addresses)] + code_pick(code, 0x1000);
        /* fall through */
    default: return code->base + code_pick(code, (unsigned)code->size + 0x1000);
    }
}

uint64_t
code_number(struct code *code)
{
    switch (code_pick(code, 4)) {
    case 0: return code_pick(code, 16);
    case 1: return code_random(code);
    case 2: return (uint64_t)-1 - code_pick(code, 64);
    default: return UINT64_C(1) << code_pick(code, 64);
    }
}

uint64_t
code_selector(struct code *code)
{
    static const uint16_t known[] = {0,    3,          8,          0x10,         0x1b,
                                     0x23, 0x28,       0x2b,       0x33,         4,
                                     7,    MONITOR_CS, MONITOR_SS, MONITOR_CS64, MONITOR_DS};

    return code_pick(code, 3) ? known[code_pick(code, ARRAY_SIZE(known))]
                              : code_random(code) & 0xffff;
}

static uint64_t
flags(struct code *code)
{
    static const uint32_t bits[] = {FLAG_TF, FLAG_IF, FLAG_DF, FLAG_IOPL, FLAG_NT,  FLAG_RF,
                                    FLAG_VM, FLAG_AC, FLAG_ID, FLAG_VIF,  FLAG_ONE, FLAG_CF};

    return code_pick(code, 8) ? FLAG_ONE | FLAG_IF | bits[code_pick(code, ARRAY_SIZE(bits))]
                              : code_random(code);
}

void
code_load(struct code *code, unsigned reg, uint64_t value)
{
    code_put(code, reg < 8 ? 0x48 : 0x49, 1);
    code_put(code, 0xb8 | (reg & 7), 1);
    code_put(code, value, 8);
}

void
code_push(struct code *code, uint64_t value)
{
    code_load(code, X86_RAX, value);
    code_put(code, 0x50, 1); /* push rax */
}

/* Any of `count` instructions, each a string of bytes. */
static void
one_of(struct code *code, const char *const list[], unsigned count)
{
    const char *bytes = list[code_pick(code, count)];

    /* The first byte is their number: there are zeroes in them. */
    memcpy(code->at, bytes + 1, (uint8_t)bytes[0]);
    code->at += (uint8_t)bytes[0];
}

/* --- pieces for programs ------------------------------------------------------------------------- */

static void
random_bytes(struct code *code)
{
    for (unsigned n = 1 + (unsigned)code_pick(code, 12); n; n--)
        code_put(code, code_random(code), 1);
}

/* Privileged, sensitive, or not there at all: number of bytes, bytes. */
/* clang-format off */
static const char *const sensitive_ones[] = {
    "\1\xf4",                 /* hlt */
    "\1\xfa",                 /* cli */
    "\1\xfb",                 /* sti */
    "\2\x0f\x06",             /* clts */
    "\2\x0f\x08",             /* invd */
    "\2\x0f\x09",             /* wbinvd */
    "\2\x0f\x30",             /* wrmsr */
    "\2\x0f\x32",             /* rdmsr */
    "\2\x0f\x33",             /* rdpmc */
    "\2\x0f\x31",             /* rdtsc */
    "\2\x0f\xa2",             /* cpuid */
    "\3\x0f\x01\xf8",         /* swapgs */
    "\3\x0f\x01\xf9",         /* rdtscp */
    "\3\x0f\x01\xc1",         /* vmcall */
    "\3\x0f\x01\xd9",         /* vmmcall */
    "\3\x0f\x01\xd0",         /* xgetbv */
    "\3\x0f\x01\xd1",         /* xsetbv */
    "\3\x0f\x01\xca",         /* clac */
    "\3\x0f\x01\xcb",         /* stac */
    "\3\x0f\x22\xc0",         /* mov cr0, rax */
    "\3\x0f\x22\xd8",         /* mov cr3, rax */
    "\3\x0f\x22\xe0",         /* mov cr4, rax */
    "\4\x44\x0f\x22\xc0",     /* mov cr8, rax */
    "\3\x0f\x20\xc0",         /* mov rax, cr0 */
    "\3\x0f\x20\xd0",         /* mov rax, cr2 */
    "\3\x0f\x20\xd8",         /* mov rax, cr3 */
    "\3\x0f\x23\xf8",         /* mov dr7, rax */
    "\3\x0f\x21\xf0",         /* mov rax, dr6 */
    "\2\xe4\x60",             /* in al, 60 */
    "\2\xe6\xf4",             /* out f4, al: the debug-exit port */
    "\1\xec",                 /* in al, dx */
    "\1\xef",                 /* out dx, eax */
    "\1\x6c",                 /* insb */
    "\1\x6f",                 /* outsd */
    "\3\x0f\x01\x17",         /* lgdt [rdi] */
    "\3\x0f\x01\x1f",         /* lidt [rdi] */
    "\3\x0f\x01\x07",         /* sgdt [rdi] */
    "\3\x0f\x01\x0f",         /* sidt [rdi] */
    "\3\x0f\x01\x3f",         /* invlpg [rdi] */
    "\3\x0f\x01\xf0",         /* lmsw ax */
    "\3\x0f\x01\xe0",         /* smsw eax */
    "\3\x0f\x00\xd0",         /* lldt ax */
    "\3\x0f\x00\xd8",         /* ltr ax */
    "\3\x0f\x00\xc0",         /* sldt eax */
    "\3\x0f\x00\xc8",         /* str eax */
    "\3\x0f\x00\xe0",         /* verr ax */
    "\3\x0f\x00\xe8",         /* verw ax */
    "\3\x0f\x02\xc0",         /* lar eax, eax */
    "\3\x0f\x03\xc0",         /* lsl eax, eax */
    "\5\xf3\x48\x0f\xae\xd0", /* wrfsbase rax */
    "\5\xf3\x48\x0f\xae\xc8", /* rdgsbase rax */
    "\2\x0f\x0b",             /* ud2 */
    "\2\x0f\xaa",             /* rsm */
    "\2\x0f\x77",             /* emms */
    "\3\x0f\xae\x07",         /* fxsave [rdi] */
    "\3\x0f\xae\x0f",         /* fxrstor [rdi] */
    "\2\xdb\xe3",             /* fninit */
    "\2\x48\xcf",             /* iretq, whatever is on the stack */
    "\1\xcb",                 /* retf */
    "\2\x48\xcb",             /* retfq */
};
/* clang-format on */

static void
sensitive(struct code *code)
{
    if (code_pick(code, 2))
        code_load(code, X86_RDI, code_address(code));
    if (code_pick(code, 2))
        code_load(code, X86_RAX, code_pick(code, 2) ? code_number(code) : code_selector(code));
    one_of(code, sensitive_ones, ARRAY_SIZE(sensitive_ones));
}

static void
system_call(struct code *code)
{
    static const uint8_t known[] = {0,  1,  3,  12, 22, 24, 33,  35, 39,
                                    57, 59, 60, 61, 62, 63, 110, 228};

    code_load(code, X86_RAX,
              code_pick(code, 8) ? known[code_pick(code, ARRAY_SIZE(known))] : code_number(code));
    for (unsigned reg = X86_RSP; reg <= X86_R10; reg++) {
        if (reg != X86_RDI && reg != X86_RSI && reg != X86_R10)
            continue;
        code_load(code, reg, code_pick(code, 2) ? code_address(code) : code_number(code));
    }
    code_load(code, X86_RDX, code_number(code));
    code_put(code, 0x050f, 2); /* syscall */
}

static void
software_interrupt(struct code *code)
{
    switch (code_pick(code, 6)) {
    case 0: code_put(code, 0xcc, 1); break; /* int3 */
    case 1: code_put(code, 0xf1, 1); break; /* int1 */
    case 2:                                 /* a hypercall, which a program cannot make */
        code_load(code, X86_RAX, code_pick(code, HC_COUNT));
        code_load(code, X86_RDI, code_address(code));
        code_put(code, 0x82cd, 2);
        break;
    default:
        code_put(code, 0xcd, 1); /* int n */
        code_put(code, code_pick(code, 2) ? code_random(code) : code_pick(code, 48), 1);
    }
}

/* SYSENTER, SYSEXIT, SYSRET: RCX and R11 are where they go. */
static void
fast_call(struct code *code)
{
    static const char *const list[] = {"\2\x0f\x34", "\2\x0f\x35", "\3\x48\x0f\x35", "\2\x0f\x07",
                                       "\3\x48\x0f\x07"};

    code_load(code, X86_RCX, code_address(code));
    code_load(code, X86_R11, flags(code));
    one_of(code, list, ARRAY_SIZE(list));
}

/* IRET or a far return with a frame of our own; half of them back to the next instruction. */
static void
far_return(struct code *code)
{
    bool iret = code_pick(code, 3);
    uint64_t rip = code_pick(code, 2) ? code->base + (uint64_t)(code->at - code->start) + 64
                                      : code_address(code);

    if (iret) {
        code_push(code, code_selector(code));
        code_push(code, code_address(code));
        code_push(code, flags(code));
    }
    code_push(code, code_selector(code));
    code_push(code, rip);
    if (code_pick(code, 8))
        code_put(code, 0x48, 1);
    code_put(code, iret ? 0xcf : 0xcb, 1);
}

/* jmp or call far, through a pointer that we have written to the stack. */
static void
far_branch(struct code *code)
{
    code_push(code, code_selector(code));
    code_push(code, code_address(code));
    if (code_pick(code, 2))
        code_put(code, 0x48, 1);
    code_put(code, code_pick(code, 2) ? 0x242cff : 0x241cff, 3); /* jmp far [rsp], call far [rsp] */
}

static void
wild_access(struct code *code)
{
    static const char *const list[] = {
        "\3\x48\x8b\x07",         /* mov rax, [rdi] */
        "\3\x48\x89\x07",         /* mov [rdi], rax */
        "\2\x88\x07",             /* mov [rdi], al */
        "\2\xff\xe7",             /* jmp rdi */
        "\2\xff\xd7",             /* call rdi */
        "\2\xff\x37",             /* push [rdi] */
        "\2\x8f\x07",             /* pop [rdi] */
        "\3\x48\x87\x07",         /* xchg [rdi], rax */
        "\5\xf0\x48\x0f\xb1\x07", /* lock cmpxchg [rdi], rax */
        "\4\x48\x0f\xc7\x0f",     /* cmpxchg16b [rdi] */
        "\4\x48\x0f\xab\x07",     /* bts [rdi], rax: far from rdi */
        "\3\x48\x89\xfc",         /* mov rsp, rdi: what comes next uses the stack */
        "\1\xd7",                 /* xlatb */
        "\3\x0f\x18\x07",         /* prefetch [rdi] */
        "\3\x0f\xae\x3f",         /* clflush [rdi] */
        "\3\x0f\x10\x07",         /* movups xmm0, [rdi] */
        "\3\x0f\x11\x07",         /* movups [rdi], xmm0 */
        "\2\xdd\x37",             /* fnsave [rdi] */
        "\4\x65\x48\x8b\x07",     /* mov rax, gs:[rdi] */
        "\4\x64\x48\x89\x07",     /* mov fs:[rdi], rax */
    };

    code_load(code, X86_RDI, code_address(code));
    one_of(code, list, ARRAY_SIZE(list));
}

/* Over code: what has been, what comes next, or the very instruction that writes. */
static void
modify_code(struct code *code)
{
    uint64_t here = code->base + (uint64_t)(code->at - code->start);

    code_load(code, X86_RDI, here + code_pick(code, 80) - 16);
    code_put(code, 0x07c7, 2); /* mov dword [rdi], random */
    code_put(code, code_random(code), 4);
}

/* A segment register. After MOV SS and POP SS the next instruction is in their shadow. */
static void
load_segment(struct code *code)
{
    static const char *const list[] = {
        "\2\x8e\xd0",     "\2\x8e\xd8", "\2\x8e\xc0",     /* mov ss, ds, es; ax */
        "\2\x8e\xe0",     "\2\x8e\xe8", "\2\x8e\xc8",     /* mov fs, gs, cs; ax */
        "\2\x0f\xa1",     "\2\x0f\xa9", "\3\x0f\xb2\x07", /* pop fs; pop gs; lss eax, [rdi] */
        "\3\x48\x8e\xd0", "\2\x8c\xc8", "\2\x8c\xd0",     /* mov ss, rax; mov eax, cs and ss */
    };

    code_push(code, code_selector(code));
    one_of(code, list, ARRAY_SIZE(list));
}

/* A string instruction with REP; its ranges often end or begin near the end of a page. */
static void
string(struct code *code)
{
    static const char *const list[] = {
        "\2\xf3\xa4", "\3\xf3\x48\xa5", "\2\xf3\xaa", "\3\xf3\x48\xab",
        "\2\xf3\xac", "\2\xf3\xa6",     "\2\xf2\xae", "\2\xf3\xab",
        "\2\xf3\x6c", "\2\xf3\x6e",     "\2\x67\xa4", "\3\x67\xf3\xaa",
    };

    for (unsigned reg = X86_RSI; reg <= X86_RDI; reg++)
        code_load(code, reg,
                  code_pick(code, 2)
                      ? code_address(code)
                      : (code->base & ~UINT64_C(0xfff)) + 0xff0 + code_pick(code, 32));
    code_load(code, X86_RCX, code_pick(code, 3) ? code_pick(code, 9000) : code_number(code));
    if (code_pick(code, 4) == 0)
        code_put(code, 0xfd, 1); /* std */
    one_of(code, list, ARRAY_SIZE(list));
}

/* The flags: single step, alignment check, nested task, IOPL. */
static void
load_flags(struct code *code)
{
    code_push(code, flags(code));
    code_put(code, 0x9d, 1); /* popfq */
    if (code_pick(code, 2))
        code_put(code, 0x9c, 1); /* pushfq */
}

/* A jump back: a loop, perhaps for ever. */
static void
jump_back(struct code *code)
{
    static const uint8_t opcodes[] = {0xeb, 0x75, 0x74, 0xe2, 0x72, 0x7f};

    code_put(code, opcodes[code_pick(code, ARRAY_SIZE(opcodes))], 1);
    code_put(code, 0x80 + code_pick(code, 0x7e), 1);
}

/* fork(): the child, or the parent, or both go on with a few random pieces. */
static void
make_process(struct code *code)
{
    static const uint8_t skip[] = {0x85, 0xc0, 0x75, 0x20}; /* test eax, eax; jnz or jz +32 */

    code_load(code, X86_RAX, 57);
    code_put(code, 0x050f, 2);
    if (code_pick(code, 3)) {
        memcpy(code->at, skip, sizeof(skip));
        code->at[2] = (uint8_t)(0x74 + code_pick(code, 2));
        code->at += sizeof(skip);
    }
}

const code_piece code_plain[] = {
    random_bytes, system_call, software_interrupt, wild_access, modify_code,
    load_segment, string,      load_flags,         jump_back,   NULL,
};

static void
any(struct code *code)
{
    static const code_piece pieces[] = {
        random_bytes, random_bytes, sensitive,    sensitive,    system_call, software_interrupt,
        fast_call,    far_return,   far_branch,   load_segment, load_flags,  load_flags,
        wild_access,  wild_access,  wild_access,  string,       string,      string,
        modify_code,  jump_back,    make_process,
    };

    pieces[code_pick(code, ARRAY_SIZE(pieces))](code);
}

/* A piece or two in a child that ends behind them: so the program itself goes on. */
static void
in_child(struct code *code)
{
    static const uint8_t test[] = {0x85, 0xc0, 0x75, 0}; /* test eax, eax; jnz over */

    code_load(code, X86_RAX, 57); /* fork */
    code_put(code, 0x050f, 2);
    memcpy(code->at, test, sizeof(test));
    code->at += sizeof(test);
    uint8_t *from = code->at;
    any(code);
    if (code->at - from < 40)
        any(code);
    code_load(code, X86_RAX, 60); /* exit */
    code_put(code, 0x050f, 2);
    from[-1] = (uint8_t)(code->at - from);
}

const code_piece code_program[] = {
    any, in_child, in_child, in_child, in_child, in_child, in_child, in_child, NULL,
};
const code_piece code_any[] = {any, NULL};

/* --- all of it --------------------------------------------------------------------------------------- */

void
code_fill(struct code *code, const code_piece *list, const code_piece *other)
{
    const uint8_t *end = code->start + code->size;

    while (end - code->at >= CODE_PIECE) {
        const code_piece *from = other && code_pick(code, 2) ? other : list;
        unsigned count = 0;
        while (from[count])
            count++;
        from[code_pick(code, count)](code);
    }
    while (code->at < end)
        code_put(code, code_random(code), 1);
}
