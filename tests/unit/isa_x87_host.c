/*
 * isa_x87_host.c - the interpreter's x87 against the host's: the same instruction, the same state
 * before, and then every register, FCW, FSW, the tags, the flags and memory must be the same.
 *
 * Each form of D8 to DF is executed from states of chance: rounding and precision modes, masks,
 * TOP and tags, and numbers of all kinds. The bytes run on the host between FXRSTOR and FXSAVE, which
 * wait for nothing, so that unmasked exceptions can be looked at too.
 */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "isa/x86/exec.h"
#include "isa/x86/x87_exec.h"
#include "tests/random.h"
#include "tests/unit/isa_machine.h"
#include "tests/unit/suites.h"

#define STATES 1000 /* for each form */
#define REPORT 10   /* mismatches, then no more */

/* --- the host --------------------------------------------------------------------------------- */

/* One case; the code below knows the offsets. */
struct run {
    uint8_t before[512] __attribute__((aligned(64)));
    uint8_t after[512];
    uint8_t memory[128];
    uint64_t rflags, rax;
};

/* push rbx; lea rbx, [rdi + 0x400]; push [rdi + 0x480]; fxrstor64 [rdi]; mov rax, [rdi + 0x488];
 * popf; then the instruction; fxsave64 [rdi + 0x200]; pushf; pop [rdi + 0x480];
 * mov [rdi + 0x488], rax; fninit; cld; pop rbx; ret */
/* clang-format off */
static const uint8_t head[] = {
    0x53, 0x48, 0x8d, 0x9f, 0x00, 0x04, 0x00, 0x00, 0xff, 0xb7, 0x80, 0x04, 0x00, 0x00,
    0x48, 0x0f, 0xae, 0x0f, 0x48, 0x8b, 0x87, 0x88, 0x04, 0x00, 0x00, 0x9d,
};
static const uint8_t tail[] = {
    0x48, 0x0f, 0xae, 0x87, 0x00, 0x02, 0x00, 0x00, 0x9c, 0x8f, 0x87, 0x80, 0x04, 0x00, 0x00,
    0x48, 0x89, 0x87, 0x88, 0x04, 0x00, 0x00, 0xdb, 0xe3, 0xfc, 0x5b, 0xc3,
};
/* clang-format on */
_Static_assert(offsetof(struct run, after) == 0x200 && offsetof(struct run, memory) == 0x400 &&
                   offsetof(struct run, rflags) == 0x480 && offsetof(struct run, rax) == 0x488,
               "the code above");

struct host {
    uint8_t *page;
};

static void
host_prepare(struct host *host, const uint8_t *insn, unsigned length)
{
    memcpy(host->page, head, sizeof(head));
    memcpy(host->page + sizeof(head), insn, length);
    memcpy(host->page + sizeof(head) + length, tail, sizeof(tail));
}

static void
host_execute(const struct host *host, struct run *run)
{
    void (*code)(struct run *);

    memcpy(&code, &host->page, sizeof(code));
    code(run);
}

/* --- states of chance ------------------------------------------------------------------------- */

static unsigned
below(uint64_t *seed, unsigned n)
{
    return (unsigned)(random_next(seed) >> 20) % n;
}

/* Every kind of number, those that only the 8087 made too (SDM vol. 1, 8.2.2). */
static const struct x87_reg kinds[] = {
    {0, 0x0000, {0}},                            /* zero */
    {UINT64_C(0x8000000000000000), 0x3fff, {0}}, /* 1 */
    {UINT64_C(0x8000000000000001), 0x3fff, {0}}, /* the next number */
    {UINT64_C(0xffffffffffffffff), 0x3ffe, {0}}, /* the one before */
    {UINT64_C(0x8000000000000000), 0x3ffe, {0}}, /* 1/2 */
    {UINT64_C(0xc000000000000000), 0x3fff, {0}}, /* 3/2: a tie for FRNDINT */
    {UINT64_C(0xa000000000000000), 0x4000, {0}}, /* 5/2 */
    {UINT64_C(0xc90fdaa22168c235), 0x4000, {0}}, /* pi */
    {UINT64_C(0x8000000000000000), 0x7fff, {0}}, /* infinity */
    {UINT64_C(0xc000000000000000), 0x7fff, {0}}, /* indefinite, if negative */
    {UINT64_C(0xc000000000000001), 0x7fff, {0}}, /* quiet NaN */
    {UINT64_C(0xffffffffffffffff), 0x7fff, {0}}, /* quiet NaN, the largest */
    {UINT64_C(0x8000000000000001), 0x7fff, {0}}, /* signalling NaN */
    {UINT64_C(0xbfffffffffffffff), 0x7fff, {0}}, /* signalling NaN */
    {UINT64_C(0x0000000000000001), 0x0000, {0}}, /* the least denormal */
    {UINT64_C(0x7fffffffffffffff), 0x0000, {0}}, /* the largest */
    {UINT64_C(0x8000000000000000), 0x0000, {0}}, /* pseudo-denormal */
    {UINT64_C(0x8000000000000000), 0x0001, {0}}, /* the least normal number */
    {UINT64_C(0xffffffffffffffff), 0x7ffe, {0}}, /* the largest */
    {UINT64_C(0x4000000000000000), 0x4000, {0}}, /* unnormal: unsupported */
    {UINT64_C(0x0000000000000000), 0x7fff, {0}}, /* pseudo-infinity: unsupported */
    {UINT64_C(0x4000000000000000), 0x7fff, {0}}, /* pseudo-NaN: unsupported */
    {UINT64_C(0x8000000000000000), 0x403e, {0}}, /* 2^63: does not fit in an int64 */
    {UINT64_C(0xfffffffffffffffe), 0x403d, {0}}, /* just below */
    {UINT64_C(0x8000000000000000), 0x401e, {0}}, /* 2^31 */
    {UINT64_C(0x8000000000000000), 0x400e, {0}}, /* 2^15 */
    {UINT64_C(0xde0b6b3a763ffff0), 0x403a, {0}}, /* 10^18 - 1: the largest BCD number */
    {UINT64_C(0xde0b6b3a76400000), 0x403a, {0}}, /* 10^18 */
    {UINT64_C(0xffffff7fffffffff), 0x407e, {0}}, /* overflows a float, by rounding */
    {UINT64_C(0x8000000000000000), 0x3f80, {0}}, /* underflows a float */
    {UINT64_C(0xfffffffffffffbff), 0x43fe, {0}}, /* the same of a double */
    {UINT64_C(0x8000000000000000), 0x3c00, {0}}, /* underflows a double */
    {UINT64_C(0x8000000000000000), 0x400c, {0}}, /* 2^13 and 2^14: exponents for FSCALE */
    {UINT64_C(0x8000000000000000), 0x400d, {0}},
};

static struct x87_reg
random_reg(uint64_t *seed)
{
    struct x87_reg r = {random_next(seed), (uint16_t)random_next(seed), {0}};
    unsigned how = below(seed, 8);

    if (how < 4) {
        r = kinds[below(seed, sizeof(kinds) / sizeof(kinds[0]))];
        r.sign_exponent |= (uint16_t)(below(seed, 2) << 15);
    } else if (how < 7) { /* an ordinary number, or a whole one */
        r.significand |= UINT64_C(1) << 63;
        r.sign_exponent = (uint16_t)(0x3ff0 + below(seed, 0x50)) | (uint16_t)(below(seed, 2) << 15);
        if (how == 6)
            r.significand &= ~UINT64_C(0) << below(seed, 63);
    }
    return r;
}

/* A float or double of chance, extremes of the exponent more often than not. */
static uint64_t
random_float(uint64_t *seed, unsigned exponent_at, unsigned exponent_bits)
{
    uint64_t value = random_next(seed);
    uint64_t exponent = ((UINT64_C(1) << exponent_bits) - 1) << exponent_at;

    switch (below(seed, 5)) {
    case 0: value &= ~exponent; break;
    case 1: value |= exponent; break;
    case 2: value &= exponent | UINT64_C(1) << (exponent_at + exponent_bits); break;
    case 3: value = (value & ~exponent) | (exponent / 2 & exponent); break;
    default: break;
    }
    if (!below(seed, 4)) /* a power of two, or infinity */
        value &= ~UINT64_C(0) << exponent_at;
    return value;
}

static uint64_t
random_integer(uint64_t *seed)
{
    static const uint64_t edges[] = {0, 1, 0x7fff, 0x8000, 0x80000000, 0x7fffffff};
    uint64_t value = below(seed, 3) ? random_next(seed) >> below(seed, 64) : edges[below(seed, 6)];

    return below(seed, 2) ? value : -value;
}

/* What the instruction reads; BCD digits above 9 are undefined (SDM vol. 2, FBLD). */
static void
random_memory(uint64_t *seed, const struct x87_form *form, uint8_t *memory)
{
    bool bcd = form->fn == x87_load && form->op == X87_LD_BCD;
    unsigned size = 8;
    uint64_t value = 0;

    for (unsigned i = 0; i < 128; i++)
        memory[i] = (uint8_t)random_next(seed);
    if (form->op >= X87_ADD_M32 && form->op <= X87_DIVR_M32)
        value = random_float(seed, 23, 8);
    else if (form->op >= X87_ADD_M64 && form->op <= X87_DIVR_M64)
        value = random_float(seed, 52, 11);
    else if (form->op == X87_LD_M32)
        value = random_float(seed, 23, 8);
    else if (form->op == X87_LD_M64)
        value = random_float(seed, 52, 11);
    else if (form->fn == x87_load && form->op != X87_LD_M80 && !bcd)
        value = random_integer(seed);
    else if (form->op >= X87_ADD_I32 && form->op <= X87_DIVR_I16)
        value = random_integer(seed);
    else
        size = 0;
    memcpy(memory, &value, size);
    if (form->op == X87_LD_M80) {
        struct x87_reg r = random_reg(seed);
        memcpy(memory, &r, 10);
    }
    for (unsigned i = 0; bcd && i < 10; i++)
        memory[i] = (uint8_t)(i == 9 ? below(seed, 2) << 7
                                     : below(seed, 10) << 4 | below(seed, 10));
}

/* If the instruction waits no exception is pending, for the host would raise it. */
static void
random_state(uint64_t *seed, bool waits, struct run *run)
{
    struct x87 f = {.mxcsr = 0x1f80};
    static const uint16_t precision[] = {0x000, 0x200, 0x300, 0x300};

    f.fcw = (uint16_t)(FCW_ONE | precision[below(seed, 4)] | below(seed, 4) << 10);
    f.fcw |= (uint16_t)(below(seed, 3) ? FSW_EXCEPTIONS : below(seed, 0x40));
    f.fsw = (uint16_t)random_next(seed) & (FSW_CONDITION | FSW_TOP);
    if (!below(seed, 4))
        f.fsw |= (uint16_t)(random_next(seed) & FSW_EXCEPTIONS & (waits ? f.fcw : ~0u));
    if (f.fsw & ~f.fcw & FSW_EXCEPTIONS)
        f.fsw |= FSW_ES | FSW_BUSY;
    f.tags = (uint8_t)random_next(seed);
    switch (below(seed, 4)) { /* most often what the instruction needs is there */
    case 0: break;
    case 1: f.tags = 0xff; break;
    default: f.tags = (uint8_t)(0x0f0f >> (8 - x87_top(&f)) | 0x0f << x87_top(&f)); break;
    }
    f.fip = random_next(seed) >> 32;
    f.fdp = random_next(seed) >> 32;
    f.fop = (uint16_t)(random_next(seed) & 0x7ff);
    for (unsigned i = 0; i < 8; i++)
        f.st[i] = random_reg(seed);
    memset(run, 0, sizeof(*run));
    memcpy(run->before, &f, sizeof(f));
    run->rflags = FLAG_ONE | FLAG_IF | (random_next(seed) & FLAGS_ARITH);
    run->rax = random_next(seed);
}

/* --- comparing -------------------------------------------------------------------------------- */

/* The condition codes that the manual defines for this instruction (SDM vol. 2). */
static uint16_t
defined_conditions(const struct x87_form *form)
{
    (void)form;
    return FSW_CONDITION;
}

/* What Intel's processors do and no manual says: nothing to hold another host's against. */
static bool
is_intels_own(const struct x87_form *form, const struct x87 *after)
{
    bool compares = form->fn == x87_compare || form->fn == x87_compare_memory;

    if (__builtin_cpu_is("intel"))
        return false;
    return (compares && after->fsw & FSW_ES) || !strcmp(form->row.name, "fstpnce");
}

struct test {
    struct machine *m;
    struct host host;
    uint64_t seed;
    unsigned reported;
};

static void
report(struct test *t, const struct x86_insn *in, const struct run *run, const char *what,
       const struct x87 *got, const struct x87 *want)
{
    struct x87 f;
    char text[400];

    if (t->reported++ >= REPORT)
        return;
    memcpy(&f, run->before, sizeof(f));
    snprintf(
        text, sizeof(text),
        "%s (%02x %02x): %s. FCW %04x FSW %04x tags %02x ST0 %04x:%016llx ST1 %04x:%016llx; "
        "got FSW %04x tags %02x ST0 %04x:%016llx, the host FSW %04x tags %02x ST0 %04x:%016llx",
        in->op->name, in->opcode, in->modrm, what, f.fcw, f.fsw, f.tags, f.st[0].sign_exponent,
        (unsigned long long)f.st[0].significand, f.st[1].sign_exponent,
        (unsigned long long)f.st[1].significand, got->fsw, got->tags, got->st[0].sign_exponent,
        (unsigned long long)got->st[0].significand, want->fsw, want->tags,
        want->st[0].sign_exponent, (unsigned long long)want->st[0].significand);
    CU_assertImplementation(CU_FALSE, __LINE__, text, __FILE__, "", CU_FALSE);
}

static const char *
compare(const struct machine *m, const struct x87_form *form, const struct run *run)
{
    struct x87 got, want;
    uint16_t ignored = (uint16_t)(FSW_CONDITION & ~defined_conditions(form));

    memcpy(&got, m->cpu.r.fx, sizeof(got));
    memcpy(&want, run->after, sizeof(want));
    if (is_intels_own(form, &want))
        return NULL;
    if (got.fcw != want.fcw)
        return "FCW";
    if ((got.fsw ^ want.fsw) & ~ignored)
        return "FSW";
    if (got.tags != want.tags)
        return "tags";
    if (memcmp(got.st, want.st, sizeof(got.st)))
        return "registers";
    /* Newer processors write the pointers for unmasked exceptions only, but load and store them. */
    if (form->flags & X87_CONTROL &&
        (got.fip != want.fip || got.fdp != want.fdp || got.fop != want.fop))
        return "FIP, FDP or FOP";
    if (memcmp(run->memory, m->ram + M_DATA, sizeof(run->memory)))
        return "memory";
    if (m->cpu.r.gpr[X86_RAX] != run->rax)
        return "rax";
    return (m->cpu.r.rflags ^ run->rflags) & FLAGS_ARITH ? "flags" : NULL;
}

/* One instruction, from many states. */
static void
run_form(struct test *t, const uint8_t *bytes, unsigned length)
{
    struct x86_insn in;
    struct run run;

    if (x86_decode(bytes, length, 8, &in) <= 0 || !in.op->exec)
        return;
    host_prepare(&t->host, bytes, length);
    for (unsigned i = 0; i < STATES; i++) {
        random_state(&t->seed, !(x87_form(&in)->flags & X87_NOWAIT), &run);
        random_memory(&t->seed, x87_form(&in), run.memory);
        memcpy(t->m->cpu.r.fx, run.before, sizeof(run.before));
        memcpy(t->m->ram + M_DATA, run.memory, sizeof(run.memory));
        t->m->cpu.r.rflags = run.rflags;
        t->m->cpu.r.gpr[X86_RAX] = run.rax;
        t->m->cpu.r.gpr[X86_RBX] = M_DATA;
        machine_code(t->m, bytes, length);
        host_execute(&t->host, &run);
        if (x86_emulate_one(&t->m->cpu) != EMU_OK)
            CU_FAIL("an instruction faults");
        const char *what = compare(t->m, x87_form(&in), &run);
        if (what)
            report(t, &in, &run, what, (const void *)t->m->cpu.r.fx, (const void *)run.after);
    }
}

static void
test_forms(void)
{
    struct test t = {.m = machine_open(M_LONG), .seed = 0x9e3779b97f4a7c15};

    t.host.page = mmap(NULL, 0x1000, PROT_READ | PROT_WRITE | PROT_EXEC,
                       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CU_ASSERT_PTR_NOT_EQUAL_FATAL(t.host.page, MAP_FAILED);
    t.m->cpu.r.cr0 |= CR0_NE;
    __builtin_cpu_init();
    for (unsigned opcode = 0xd8; opcode <= 0xdf; opcode++) {
        for (unsigned reg = 0; reg < 8; reg++) { /* [rbx]; then with 66, for 14 and 94 bytes */
            uint8_t bytes[] = {0x66, (uint8_t)opcode, (uint8_t)(reg << 3 | X86_RBX)};
            run_form(&t, bytes + 1, 2);
            run_form(&t, bytes, 3);
        }
        for (unsigned modrm = 0xc0; modrm < 0x100; modrm++)
            run_form(&t, (const uint8_t[]){(uint8_t)opcode, (uint8_t)modrm}, 2);
    }
    EXPECT("mismatches", t.reported, 0);
    munmap(t.host.page, 0x1000);
    test_cpu_close(t.m);
}

static const struct unit_test tests[] = {
    {"every form against the host", test_forms},
    {NULL, NULL},
};
const struct unit_suite suite_isa_x87_host = {"isa_x87_host", tests};
