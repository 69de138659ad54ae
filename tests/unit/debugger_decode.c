/*
 * debugger_decode.c - tests of hv/debugger/decode*.c: bits, descriptors, gates and walks in words, and
 * that the words agree with what the interpreter does.
 */
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "core/ram.h"
#include "debugger/decode.h"
#include "debugger/explain.h"
#include "guests/include/hypercall.h"
#include "isa/x86/system.h"
#include "tests/random.h"
#include "tests/unit/suites.h"
#include "tests/unit/unit.h"

/* --- bits ------------------------------------------------------------------------------------------- */

static void
test_bits(void)
{
    char text[DECODE_SIZE];

    /* SDM vol. 3, figure 2-7. */
    CU_ASSERT_STRING_EQUAL(decode_bits(decode_cr0, 0x80010011, text, sizeof(text)), "PE ET WP PG");
    CU_ASSERT_STRING_EQUAL(decode_bits(decode_cr4, 0x300020, text, sizeof(text)), "PAE SMEP SMAP");
    CU_ASSERT_STRING_EQUAL(decode_bits(decode_efer, 0xd01, text, sizeof(text)), "SCE LME LMA NXE");
    CU_ASSERT_STRING_EQUAL(decode_bits(decode_cr0, 0, text, sizeof(text)), "-");
    /* A bit without a name is not lost. */
    CU_ASSERT_STRING_EQUAL(decode_bits(decode_cr0, 0x41, text, sizeof(text)), "PE 0x40");
    CU_ASSERT_STRING_EQUAL(decode_bit_changes(decode_cr0, 0x19, 0x80000011, text, sizeof(text)),
                           "-TS +PG");
    CU_ASSERT_STRING_EQUAL(decode_bit_changes(decode_cr0, 1, 1, text, sizeof(text)), "");
    CU_ASSERT_STRING_EQUAL(decode_flags(0x3246, text, sizeof(text)), "PF ZF IF IOPL=3");
    /* What does not fit is cut, and stays a string. */
    CU_ASSERT_EQUAL(strlen(decode_bits(decode_cr0, 0x80010011, text, 6)), 5);
}

static void
test_error_codes(void)
{
    char text[DECODE_SIZE];

    /* SDM vol. 3, 4.7: P=0 W=1 U=1; then P=1, fetch. */
    CU_ASSERT_STRING_EQUAL(decode_error_code(VEC_PF, 0x6, text, sizeof(text)),
                           "not present, write, by user");
    CU_ASSERT_PTR_NOT_NULL(strstr(decode_error_code(VEC_PF, 0x11, text, sizeof(text)), "fetch"));
    CU_ASSERT_PTR_NOT_NULL(strstr(decode_error_code(VEC_PF, 0x9, text, sizeof(text)), "reserved"));
    /* 6.13: 82h * 8 + 2 is gate 130 of the IDT; TI; EXT. */
    CU_ASSERT_STRING_EQUAL(decode_error_code(VEC_GP, 0x412, text, sizeof(text)),
                           "gate 130 of the IDT");
    CU_ASSERT_STRING_EQUAL(decode_error_code(VEC_NP, 0x28, text, sizeof(text)),
                           "selector 0x28 of the GDT");
    CU_ASSERT_STRING_EQUAL(decode_error_code(VEC_TS, 0x2c, text, sizeof(text)),
                           "selector 0x2c of the LDT");
    CU_ASSERT_STRING_EQUAL(decode_error_code(VEC_GP, 0, text, sizeof(text)), "no selector");
    CU_ASSERT_PTR_NOT_NULL(strstr(decode_error_code(VEC_GP, 0x13, text, sizeof(text)), "another"));
    CU_ASSERT_STRING_EQUAL(decode_error_code(VEC_DF, 0, text, sizeof(text)), "");
}

/* Bytes by hand, SDM vol. 3, figure 3-8 and table 3-1. */
static void
test_descriptors(void)
{
    static const struct {
        uint64_t low;
        bool long_mode;
        const char *text;
    } cases[] = {
        {UINT64_C(0x00af9b000000ffff), true, "64-bit code, readable, accessed"},
        {UINT64_C(0x00cf9a000000ffff), true, "32-bit code, readable"},
        {UINT64_C(0x00af9b000000ffff), false, "16-bit code, readable, accessed"},
        {UINT64_C(0x00cf93000000ffff), true, "data, writable, accessed"},
        {UINT64_C(0x00cf13000000ffff), true, "data, writable, accessed, not present"},
        {UINT64_C(0x0000960000000fff), false, "data, writable, expand-down"},
        {UINT64_C(0x00ef9b000000ffff), true,
         "code with both L and D set (reserved), readable, accessed"},
        {UINT64_C(0x0000890000000067), true, "64-bit TSS, available"},
        {UINT64_C(0x00008b0000000067), false, "32-bit TSS, busy"},
        {UINT64_C(0x0000820000000067), true, "LDT"},
        {UINT64_C(0x0000850000000000), true, "no such type of system descriptor: 0x5"},
        {UINT64_C(0x0000850000000000), false, "task gate"},
    };

    for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
        struct x86_descriptor d;
        char text[DECODE_SIZE];
        x86_descriptor_unpack(cases[i].low, 0, &d);
        CU_ASSERT_STRING_EQUAL(decode_attr(d.attr, cases[i].long_mode, text, sizeof(text)),
                               cases[i].text);
    }
}

/* SDM vol. 3, figure 4-11: a 4 KiB page, a 2 MiB page, a table; 32-bit entries. */
static void
test_entries(void)
{
    char text[DECODE_SIZE];

    CU_ASSERT_STRING_EQUAL(decode_entry(UINT64_C(0x8000000000144163), 1, true, text, sizeof(text)),
                           "P W A D G NX -> 0x144000");
    CU_ASSERT_STRING_EQUAL(decode_entry(0x2000e3, 2, true, text, sizeof(text)),
                           "P W A D PS -> 0x200000");
    CU_ASSERT_STRING_EQUAL(decode_entry(0x5027, 4, true, text, sizeof(text)), "P W U A -> 0x5000");
    CU_ASSERT_STRING_EQUAL(decode_entry(0, 4, true, text, sizeof(text)), "not present (all zero)");
    CU_ASSERT_STRING_EQUAL(decode_entry(0x5026, 1, true, text, sizeof(text)),
                           "not present (P is clear)");
    /* Bit 7 of the last level is PAT, and bits 9-11 and 52-62 are the software's. */
    CU_ASSERT_STRING_EQUAL(decode_entry(UINT64_C(0x0010000000001e81), 1, true, text, sizeof(text)),
                           "P -> 0x1000");
    CU_ASSERT_STRING_EQUAL(decode_entry(0xffc00083, 2, false, text, sizeof(text)),
                           "P W PS -> 0xffc00000");
}

/* --- exits ------------------------------------------------------------------------------------------- */

/* Of a recording, which has neither devices nor registers unless the case says so. */
static void
check_exit(struct vm_exit exit, enum machine_edge edge, const char *words)
{
    struct machine machine = {.engine = "soft", .strategy = "hardware"};
    struct subject s = {.machine = &machine,
                        .exit = exit,
                        .edge = edge,
                        .has_regs = edge == EDGE_OUT,
                        .regs = {.cr0 = CR0_PE | CR0_ET}};
    char text[DECODE_SIZE];

    CU_ASSERT_STRING_EQUAL(decode_exit(&s, text, sizeof(text)), words);
}

static void
test_exits(void)
{
    struct vm_exit x = {.kind = TRACE_IO, .access = {.address = 0x3f8, .size = 1, .write = true}};

    x.access.value = 'H';
    check_exit(x, EDGE_OUT, "write byte 0x48 'H' to port 0x3f8");
    x.access.write = false;
    check_exit(x, EDGE_OUT, "read byte from port 0x3f8");
    check_exit(x, EDGE_IN, "read byte from port 0x3f8 -> 0x48");
    x = (struct vm_exit){.kind = TRACE_MSR, .msr = {.index = 0xc0000080, .write = true}};
    x.msr.value = 0xd01;
    check_exit(x, EDGE_OUT, "write msr 0xc0000080 IA32_EFER <- 0xd01 (SCE LME LMA NXE)");
    x = (struct vm_exit){.kind = TRACE_MSR, .msr = {.index = 0x123, .refused = true}};
    check_exit(x, EDGE_OUT, "read msr 0x123 (this processor has none of that number)");
    check_exit(x, EDGE_IN, "read msr 0x123 (this processor has none of that number): refused, #GP");
    /* What changes is known as long as the old value is. */
    x = (struct vm_exit){.kind = TRACE_CR, .reg = {.number = 0, .write = true}};
    x.reg.value = CR0_PE | CR0_PG;
    check_exit(x, EDGE_OUT, "write CR0 <- 0x80000001 (PE PG; changes -ET +PG)");
    check_exit(x, EDGE_IN, "write CR0 <- 0x80000001 (PE PG)");
    x = (struct vm_exit){.kind = TRACE_EXCEPTION, .exception = {.vector = VEC_PF, .error = 6}};
    x.exception.has_error = true;
    x.exception.address = 0x1234;
    check_exit(x, EDGE_OUT, "#PF page fault at 0x1234, error 0x6 (not present, write, by user)");
    check_exit((struct vm_exit){.kind = TRACE_HLT}, EDGE_OUT, "");
}

/* --- a machine of tables ----------------------------------------------------------------------------- */

#define PML4  0x1000u
#define PDPT  0x2000u
#define PD    0x3000u
#define GDT   0x5000u
#define IDT   0x6000u
#define TSS   0x7000u
#define STACK 0x9000u

static void
put(struct ram *ram, uint64_t at, uint64_t value)
{
    CU_ASSERT_EQUAL(ram_write(ram, at, &value, sizeof(value)), 0);
}

/* The first 2 MiB one to one, GDT: null, code 08, data 10, user code 18, user data 20, TSS 28; every
 * gate leads to 0x8000 + its number. */
static void
build(struct ram *ram, struct x86_regs *r)
{
    CU_ASSERT_EQUAL(ram_create(ram, RAM_MIN, NULL), 0);
    put(ram, PML4, PDPT | 7);
    put(ram, PDPT, PD | 7);
    put(ram, PD, 0x87);
    put(ram, GDT + 0x08, UINT64_C(0x00af9b000000ffff));
    put(ram, GDT + 0x10, UINT64_C(0x00cf93000000ffff));
    put(ram, GDT + 0x18, UINT64_C(0x00affb000000ffff));
    put(ram, GDT + 0x20, UINT64_C(0x00cff3000000ffff));
    put(ram, GDT + 0x28, UINT64_C(0x00008b0070000067));
    put(ram, TSS + 4, STACK);
    for (unsigned v = 0; v < 256; v++) {
        put(ram, IDT + 16 * v, 0x8000 + v + (UINT64_C(0x8e) << 40) + (UINT64_C(0x08) << 16));
        put(ram, IDT + 16 * v + 8, 0);
    }
    x86_regs_reset(r);
    r->cr0 = CR0_PE | CR0_ET | CR0_PG | CR0_WP;
    r->cr3 = PML4;
    r->cr4 = CR4_PAE;
    r->efer = EFER_LME | EFER_LMA;
    r->gdtr = (struct x86_table){GDT, 0x37};
    r->idtr = (struct x86_table){IDT, 0xfff};
    r->tr = (struct x86_segment){.base = TSS, .limit = 0x67, .selector = 0x28, .attr = 0x8b};
    r->seg[X86_CS] = (struct x86_segment){0, 0xffffffff, 0x08, 0xa09b};
    r->seg[X86_SS] = (struct x86_segment){0, 0xffffffff, 0x10, 0xc093};
    r->ldtr = (struct x86_segment){0};
    r->gpr[X86_RSP] = STACK;
    r->rip = 0x8800;
}

/* What is said of delivering vector 13 with this quadword at this place. */
static void
check(uint64_t at, uint64_t value, const char *words)
{
    struct x86_fault what = {.vector = VEC_GP, .has_error = true};
    char text[2 * DECODE_SIZE];
    struct x86_regs regs;
    struct ram ram;

    build(&ram, &regs);
    put(&ram, at, value);
    struct observer *o = observer_open(&ram, &regs, false);
    CU_ASSERT_PTR_NOT_NULL_FATAL(o);
    int emu = x86_deliver_event(&o->cpu, X86_EVENT_EXCEPTION, &what, regs.rip);
    if (!words) {
        CU_ASSERT_EQUAL(emu, EMU_OK);
    } else {
        CU_ASSERT_EQUAL(emu, EMU_FAULT);
        struct x86_fault fault = o->cpu.fault;
        decode_delivery_problem(o, VEC_GP, X86_EVENT_EXCEPTION, &fault, text, sizeof(text));
        if (!strstr(text, words))
            printf("\n    '%s' lacks '%s'\n", text, words);
        CU_ASSERT_PTR_NOT_NULL(strstr(text, words));
    }
    observer_close(o);
    ram_destroy(&ram);
}

/* Which bit keeps an exception from its handler (SDM vol. 3, 6.12 and 6.14). */
static void
test_bad_bits(void)
{
    const uint64_t gate = IDT + 16 * VEC_GP, good = UINT64_C(0x00008e000008800d);

    check(gate, good, NULL);
    check(gate, good & ~(UINT64_C(1) << 47), "P (bit 47) is clear");
    check(gate, UINT64_C(0x000085000008800d), "type (bits 44-40) is 0x5");
    check(gate, UINT64_C(0x00009e000008800d), "type (bits 44-40) is 0x1e");
    check(gate, UINT64_C(0x00008e000000800d), "selector (bits 31-16) is null");
    check(gate, UINT64_C(0x00008e000010800d), "names no code segment but: data");
    check(gate, UINT64_C(0x00008e000050800d), "lies behind the GDT's limit 0x37");
    check(gate, UINT64_C(0x00008e00000c800d), "is in no LDT");
    check(gate, UINT64_C(0x00008e000018800d), "DPL 3");
    check(gate + 8, 0x8000, "is not canonical");
    check(gate, UINT64_C(0x00008e010008800d), "IST1"); /* the TSS has 0 there */
    check(GDT + 8, UINT64_C(0x00cf9b000000ffff), "L (bit 53) is clear, D (bit 54) is set");
    check(GDT + 8, UINT64_C(0x00af1b000000ffff), "not present: P (bit 47)");
    check(PD, 0x85, "the present stack, RSP 0x9000"); /* read-only, CR0.WP */
}

/* The tables themselves: not mapped, or too short. */
static void
test_bad_tables(void)
{
    struct x86_fault what = {.vector = VEC_GP, .has_error = true};
    static const struct {
        uint64_t idt, gdt;
        uint16_t idt_limit, gdt_limit;
        const char *words;
    } cases[] = {
        {IDT, GDT, 0xdf, 0x37, NULL},
        {IDT, GDT, 0xde, 0x37, "lies behind the IDT's limit 0xde"},
        {IDT, GDT, 0, 0x37, "room for 0 gates"},
        {0x40000000, GDT, 0xfff, 0x37, "the IDT cannot be used at 0x400000d0"},
        {IDT, 0x40000000, 0xfff, 0x37, "the GDT cannot be used at 0x40000008"},
        {UINT64_C(0xffff900000000000), GDT, 0xfff, 0x37, "PML4 entry"},
    };

    for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
        char text[2 * DECODE_SIZE];
        struct x86_regs regs;
        struct ram ram;
        build(&ram, &regs);
        regs.idtr = (struct x86_table){cases[i].idt, cases[i].idt_limit};
        regs.gdtr = (struct x86_table){cases[i].gdt, cases[i].gdt_limit};
        struct observer *o = observer_open(&ram, &regs, false);
        CU_ASSERT_PTR_NOT_NULL_FATAL(o);
        int emu = x86_deliver_event(&o->cpu, X86_EVENT_EXCEPTION, &what, regs.rip);
        CU_ASSERT_EQUAL(emu, cases[i].words ? EMU_FAULT : EMU_OK);
        struct x86_fault fault = o->cpu.fault;
        if (cases[i].words) {
            decode_delivery_problem(o, VEC_GP, X86_EVENT_EXCEPTION, &fault, text, sizeof(text));
            if (!strstr(text, cases[i].words))
                printf("\n    '%s' lacks '%s'\n", text, cases[i].words);
            CU_ASSERT_PTR_NOT_NULL(strstr(text, cases[i].words));
        }
        observer_close(o);
        ram_destroy(&ram);
    }
}

/* --- looking has no consequences ---------------------------------------------------------------------- */

static void
test_observer_changes_nothing(void)
{
    struct x86_fault what = {.vector = VEC_GP, .has_error = true};
    struct x86_regs regs;
    struct ram ram;
    uint8_t *before = malloc(RAM_MIN);

    build(&ram, &regs);
    put(&ram, GDT + 8, UINT64_C(0x00af9a000000ffff)); /* not accessed: delivery would set the bit */
    memcpy(before, ram.host, RAM_MIN);
    struct observer *o = observer_open(&ram, &regs, false);
    CU_ASSERT_EQUAL(x86_deliver_event(&o->cpu, X86_EVENT_EXCEPTION, &what, regs.rip), EMU_OK);
    CU_ASSERT_EQUAL(o->cpu.r.rip, 0x800d);
    CU_ASSERT_EQUAL(memcmp(before, ram.host, RAM_MIN), 0);
    observer_close(o);
    free(before);
    ram_destroy(&ram);
}

static void
test_observer_read(void)
{
    uint8_t bytes[32];
    uint64_t bad = 0;
    struct x86_regs regs;
    struct ram ram;

    build(&ram, &regs);
    struct observer *o = observer_open(&ram, &regs, false);
    CU_ASSERT_EQUAL(observer_read(o, GDT, bytes, 16, NULL), 0);
    CU_ASSERT_EQUAL(bytes[8], 0xff);
    /* From the last byte of memory on; from a hole of the canonical addresses; around the end. */
    CU_ASSERT_NOT_EQUAL(observer_read(o, RAM_MIN - 4, bytes, 8, &bad), 0);
    CU_ASSERT_EQUAL(bad, RAM_MIN);
    CU_ASSERT_NOT_EQUAL(observer_read(o, UINT64_C(0x800000000000), bytes, 8, &bad), 0);
    CU_ASSERT_NOT_EQUAL(observer_read(o, UINT64_C(0xfffffffffffffffc), bytes, 8, &bad), 0);
    observer_close(o);
    ram_destroy(&ram);
}

/* --- words against the interpreter, at random ------------------------------------------------------------ */

/* Spoils a few bits of the tables; then gate and code are said to be bad if the interpreter raises #GP or
 * #NP, and only if it refuses them. */
static void
test_random_tables(void)
{
    uint64_t seed = 0x9e3779b97f4a7c15;
    unsigned bad = 0, good = 0;

    for (unsigned round = 0; round < 3000; round++) {
        struct x86_fault what = {.vector = (uint8_t)(random_next(&seed) % 20)};
        char text[2 * DECODE_SIZE];
        struct x86_regs regs;
        struct ram ram;
        build(&ram, &regs);
        for (unsigned n = random_next(&seed) % 3; n-- > 0;) {
            bool in_gdt = random_next(&seed) & 1;
            uint64_t at = in_gdt ? GDT + 8 : IDT + 16 * what.vector + (random_next(&seed) & 8);
            uint64_t value;
            ram_read(&ram, at, &value, sizeof(value));
            put(&ram, at, value ^ UINT64_C(1) << random_next(&seed) % 64);
        }
        struct observer *o = observer_open(&ram, &regs, false);
        bool problem = decode_gate_problem(o, what.vector, X86_EVENT_EXCEPTION, text, sizeof(text));
        int emu = x86_deliver_event(&o->cpu, X86_EVENT_EXCEPTION, &what, regs.rip);
        bool refused = emu == EMU_FAULT &&
                       (o->cpu.fault.vector == VEC_GP || o->cpu.fault.vector == VEC_NP);
        CU_ASSERT(!refused || problem);
        CU_ASSERT(!problem || emu == EMU_FAULT); /* a bad stack is met before a bad offset */
        bad += problem;
        good += emu == EMU_OK;
        observer_close(o);
        ram_destroy(&ram);
    }
    CU_ASSERT(bad > 100);
    CU_ASSERT(good > 100);
}

/* Registers and tables of noise: everything ends and stays within its buffers (asan looks). */
static void
test_noise(void)
{
    uint64_t seed = 88172645463325252;
    struct ram ram;

    CU_ASSERT_EQUAL(ram_create(&ram, RAM_MIN, NULL), 0);
    for (unsigned i = 0; i < RAM_MIN / 8; i++) {
        uint64_t value = random_next(&seed);
        memcpy(ram.host + 8 * i, &value, 8);
    }
    for (unsigned round = 0; round < 3000; round++) {
        struct x86_regs regs;
        char text[64];
        for (unsigned i = 0; i < sizeof(regs) / 8; i++) {
            uint64_t value = random_next(&seed);
            memcpy((char *)&regs + 8 * i, &value, 8);
        }
        if (round & 1) { /* half of them see their own noise as page tables */
            regs.cr3 = random_next(&seed) % RAM_MIN;
            regs.idtr.base &= RAM_MIN - 1;
            regs.gdtr.base &= RAM_MIN - 1;
        }
        struct observer *o = observer_open(&ram, &regs, round & 2);
        CU_ASSERT_PTR_NOT_NULL_FATAL(o);
        struct x86_fault what = {.vector = (uint8_t)random_next(&seed)}, fault;
        for (unsigned type = X86_EVENT_EXTERNAL; type <= X86_EVENT_NMI; type++)
            decode_gate_problem(o, what.vector, type, text, sizeof(text));
        decode_walk_end(o, random_next(&seed), text, sizeof(text));
        fault = (struct x86_fault){.vector = (uint8_t)(random_next(&seed) % 20),
                                   .address = regs.idtr.base + 8};
        decode_delivery_problem(o, what.vector, X86_EVENT_EXCEPTION, &fault, text, sizeof(text));
        if (x86_emulate_one(&o->cpu) == EMU_FAULT)
            x86_deliver_event(&o->cpu, X86_EVENT_EXCEPTION, &what, regs.rip);
        decode_attr((uint16_t)random_next(&seed), round & 1, text, sizeof(text));
        decode_entry(random_next(&seed), (unsigned)(random_next(&seed) % 6), round & 1, text,
                     sizeof(text));
        decode_flags(random_next(&seed), text, sizeof(text));
        CU_ASSERT(strlen(text) < sizeof(text));
        observer_close(o);
    }
    ram_destroy(&ram);
}

/* --- where in hv ------------------------------------------------------------------------------------------ */

/* Each kind of exit that the exit table handles and each hypercall has its function, and the line is
 * that of its definition. */
static void
test_where(void)
{
    unsigned found = 0;

    for (unsigned kind = 0; kind < TRACE_KIND_COUNT; kind++)
        CU_ASSERT_EQUAL(where_exit(kind) != NULL, trace_kinds[kind].class == TRACE_CLASS_EXIT);
    for (uint64_t number = 0; number < HC_COUNT; number++)
        CU_ASSERT_PTR_NOT_NULL(where_hypercall(number));
    CU_ASSERT_PTR_NULL(where_hypercall(HC_COUNT));
    for (unsigned id = 0; id < AT_COUNT; id++) {
        const struct where *w = where_is(id);
        FILE *source = fopen(w->file, "r"); /* the tests run where the sources are */
        char line[256] = "";
        if (!source)
            continue;
        for (int i = 0; i < w->line && fgets(line, sizeof(line), source); i++)
            ;
        fclose(source);
        found++;
        CU_ASSERT_EQUAL(strncmp(line, w->function, strlen(w->function)), 0);
        CU_ASSERT_EQUAL(line[strlen(w->function)], '(');
    }
    CU_ASSERT(found == 0 || found == AT_COUNT);
}

static const struct unit_test tests[] = {
    {"bits of registers by name", test_bits},
    {"error codes", test_error_codes},
    {"descriptors by hand", test_descriptors},
    {"page-table entries by hand", test_entries},
    {"exits in words", test_exits},
    {"which bit of a gate is bad", test_bad_bits},
    {"which table is bad", test_bad_tables},
    {"looking changes nothing", test_observer_changes_nothing},
    {"reading through the guest's tables", test_observer_read},
    {"what is called bad, the interpreter refuses", test_random_tables},
    {"noise", test_noise},
    {"the lines of hv's functions", test_where},
    {NULL, NULL},
};
const struct unit_suite suite_debugger_decode = {"debugger decode", tests};
