/*
 * isa_segment.c - tests of segment registers (isa/x86/segment.c, sysseg.c). LDTR, TR, LAR and
 * the like are in isa_inspect.c. Sections are the SDM's.
 */
#include "tests/unit/isa_machine.h"
#include "tests/unit/suites.h"

#define OK (-1)

/* --- loading data segments: vol. 3, 5.6; vol. 2, MOV ------------------------------------------ */

struct load_row {
    const char *name;
    uint16_t attr;
    unsigned cpl, rpl;
    int vector; /* OK, or what is raised with the selector as error code */
};

/* Data descriptors are put at S_FREE(0), whose error code is S_FREE(0) as well. */
static void
run_load_rows(const struct load_row *row, unsigned rows, uint8_t modrm, unsigned sreg)
{
    for (; rows--; row++) {
        struct machine *m = machine_open(M_PROT32);
        uint16_t selector = S_FREE(0) | row->rpl;

        machine_segment(m, S_FREE(0), 0x12345000, 0xfff, row->attr);
        machine_ring(m, row->cpl);
        m->cpu.r.gpr[X86_RAX] = selector;
        CODE(m, 0x8e, modrm); /* mov sreg, ax */
        if (row->vector != OK) {
            EXPECT_FAULT(row->name, m, row->vector, S_FREE(0));
            EXPECT(row->name, machine_peek(m, M_GDT + S_FREE(0) + 5, 1), row->attr & 0xffu);
        } else {
            const struct x86_segment *seg = &m->cpu.r.seg[sreg];
            EXPECT(row->name, machine_try(m), EMU_OK);
            EXPECT(row->name, seg->selector, selector);
            EXPECT(row->name, seg->base, 0x12345000);
            EXPECT(row->name, seg->limit, 0xfff);
            EXPECT(row->name, seg->attr, row->attr | SEG_ACCESSED);
            EXPECT(row->name, machine_peek(m, M_GDT + S_FREE(0) + 5, 1),
                   (row->attr & 0xffu) | SEG_ACCESSED);
        }
        test_cpu_close(m);
    }
}

#define DATA      (SEG_S | SEG_WRITABLE)
#define READ_ONLY SEG_S
#define CODE_X    (SEG_S | SEG_CODE)
#define CODE_XR   (SEG_S | SEG_CODE | SEG_READABLE)
#define CODE_CXR  (SEG_S | SEG_CODE | SEG_READABLE | SEG_CONFORMING)
#define DPL(n)    ((n) << SEG_DPL_SHIFT)

static void
test_load_data(void)
{
    static const struct load_row rows[] = {
        {"data, ring 0", SEG_P | DATA, 0, 0, OK},
        {"read-only data", SEG_P | READ_ONLY, 0, 0, OK},
        {"expand-down data", SEG_P | DATA | SEG_EXPAND, 0, 0, OK},
        {"data of ring 3 by ring 0", SEG_P | DATA | DPL(3), 0, 0, OK},
        {"data of ring 3 by ring 0, RPL 3", SEG_P | DATA | DPL(3), 0, 3, OK},
        {"RPL asks for less than DPL", SEG_P | DATA, 0, 3, VEC_GP},
        {"RPL 2 over DPL 1", SEG_P | DATA | DPL(1), 0, 2, VEC_GP},
        {"CPL over DPL", SEG_P | DATA, 3, 0, VEC_GP},
        {"CPL 3 over DPL 2", SEG_P | DATA | DPL(2), 3, 0, VEC_GP},
        {"ring 3 by ring 3", SEG_P | DATA | DPL(3), 3, 3, OK},
        {"code that cannot be read", SEG_P | CODE_X, 0, 0, VEC_GP},
        {"conforming code that cannot be read", SEG_P | CODE_X | SEG_CONFORMING, 0, 0, VEC_GP},
        {"readable code", SEG_P | CODE_XR | DPL(3), 3, 3, OK},
        {"readable code of an inner ring", SEG_P | CODE_XR, 3, 3, VEC_GP},
        {"conforming code of an inner ring", SEG_P | CODE_CXR, 3, 3, OK},
        {"system descriptor", SEG_P | SYS_LDT, 0, 0, VEC_GP},
        {"not present", DATA, 0, 0, VEC_NP},
        {"not present, and privilege comes first", DATA, 3, 3, VEC_GP},
    };

    run_load_rows(rows, sizeof(rows) / sizeof(rows[0]), 0xd8, X86_DS);
    run_load_rows(rows, sizeof(rows) / sizeof(rows[0]), 0xe8, X86_GS);
}

static void
test_load_ss(void)
{
    static const struct load_row rows[] = {
        {"stack, ring 0", SEG_P | DATA, 0, 0, OK},
        {"stack, ring 3", SEG_P | DATA | DPL(3), 3, 3, OK},
        {"RPL is not CPL", SEG_P | DATA, 0, 1, VEC_GP},
        {"DPL is not CPL", SEG_P | DATA | DPL(3), 0, 0, VEC_GP},
        {"inner ring's stack", SEG_P | DATA, 3, 3, VEC_GP},
        {"read-only", SEG_P | READ_ONLY, 0, 0, VEC_GP},
        {"code", SEG_P | CODE_XR, 0, 0, VEC_GP},
        {"system descriptor", SEG_P | SYS_TSS, 0, 0, VEC_GP},
        {"not present", DATA, 0, 0, VEC_SS},
        {"not present, and RPL comes first", DATA, 0, 1, VEC_GP},
    };

    run_load_rows(rows, sizeof(rows) / sizeof(rows[0]), 0xd0, X86_SS);
}

/* Vol. 3, 5.4.1: null may be loaded into data segments, and is of no use there. */
static void
test_null_selectors(void)
{
    struct machine *m = machine_open(M_PROT32);

    m->cpu.r.gpr[X86_RAX] = 3;
    CODE(m, 0x8e, 0xd8, 0x8a, 0x00); /* mov ds, ax; mov al, [eax] */
    EXPECT("DS = 3", machine_try(m), EMU_OK);
    EXPECT("DS = 3", m->cpu.r.seg[X86_DS].selector, 3);
    EXPECT("DS = 3", m->cpu.r.seg[X86_DS].attr & SEG_P, 0);
    EXPECT_FAULT("read through null DS", m, VEC_GP, 0);
    CODE(m, 0x8e, 0xd0); /* mov ss, ax */
    EXPECT_FAULT("null SS", m, VEC_GP, 0);
    test_cpu_close(m);

    /* 64-bit mode: null SS below ring 3, with RPL = CPL (vol. 2, MOV, 64-bit mode exceptions). */
    static const struct {
        const char *name;
        unsigned cpl, selector;
        bool ok;
    } rows[] = {
        {"null SS in ring 0", 0, 0, true},
        {"null SS in ring 1", 1, 1, true},
        {"null SS with another RPL", 0, 1, false},
        {"null SS in ring 3", 3, 3, false},
    };
    for (unsigned i = 0; i < 4; i++) {
        m = machine_open(M_LONG);
        machine_ring(m, rows[i].cpl);
        m->cpu.r.gpr[X86_RAX] = rows[i].selector;
        CODE(m, 0x8e, 0xd0);
        if (rows[i].ok) {
            EXPECT(rows[i].name, machine_try(m), EMU_OK);
            EXPECT(rows[i].name, m->cpu.cpl, rows[i].cpl);
            EXPECT(rows[i].name, m->cpu.r.seg[X86_SS].attr & SEG_P, 0);
        } else {
            EXPECT_FAULT(rows[i].name, m, VEC_GP, 0);
        }
        test_cpu_close(m);
    }

    /* FS loses its base with a null selector, on Intel's processors. */
    m = machine_open(M_LONG);
    m->cpu.r.seg[X86_FS].base = M_HIGH;
    m->cpu.r.gpr[X86_RAX] = 0;
    CODE(m, 0x8e, 0xe0); /* mov fs, ax */
    EXPECT("null FS", machine_try(m), EMU_OK);
    EXPECT("null FS", m->cpu.r.seg[X86_FS].base, 0);
    test_cpu_close(m);
}

/* Vol. 3, 3.5.1: a selector beyond the table's limit; bit TI of the error code (6.13). */
static void
test_table_limits(void)
{
    static const struct {
        const char *name;
        unsigned gdt_limit, ldt_limit, selector;
        bool ldt_present;
        int error; /* OK or #GP's error code */
    } rows[] = {
        {"last byte inside", S_FREE(0) + 7, 0xfff, S_FREE(0), true, OK},
        {"last byte outside", S_FREE(0) + 6, 0xfff, S_FREE(0), true, S_FREE(0)},
        {"far outside", 7, 0xfff, S_FREE(0) | 3, true, S_FREE(0)},
        {"LDT, inside", M_GDT_LIMIT, 0x27, 0x24, true, OK},
        {"LDT, outside", M_GDT_LIMIT, 0x26, 0x27, true, 0x24},
        {"LDT, selector 4 is not null", M_GDT_LIMIT, 0xfff, 4, true, OK},
        {"no LDT", M_GDT_LIMIT, 0xfff, 0x27, false, 0x24},
    };

    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct machine *m = machine_open(M_PROT32);
        machine_segment(m, S_FREE(0), 0, 0xfff, A_DATA(3));
        machine_segment(m, 0x24, 0, 0xfff, A_DATA(3));
        machine_segment(m, 0x04, 0, 0xfff, A_DATA(3));
        m->cpu.r.gdtr.limit = (uint16_t)rows[i].gdt_limit;
        m->cpu.r.ldtr.limit = rows[i].ldt_limit;
        if (!rows[i].ldt_present)
            m->cpu.r.ldtr.attr = 0;
        m->cpu.r.gpr[X86_RAX] = rows[i].selector;
        CODE(m, 0x8e, 0xd8);
        if (rows[i].error == OK)
            EXPECT(rows[i].name, machine_try(m), EMU_OK);
        else
            EXPECT_FAULT(rows[i].name, m, VEC_GP, rows[i].error);
        test_cpu_close(m);
    }
}

/* Vol. 3, 4.6.1: descriptor tables are read at supervisor privilege, whatever the CPL; the
 * accessed bit is not written if it is set already. */
static void
test_table_privilege(void)
{
    struct machine *m = machine_open(M_PROT32);

    machine_paging(m);
    machine_segment(m, S_FREE(0), 0, 0xfff, A_DATA(3) | SEG_ACCESSED);
    machine_segment(m, S_FREE(1), 0, 0xfff, A_DATA(3));
    machine_ring(m, 3);
    machine_page(m, M_GDT, 0x1); /* supervisor, read-only */
    m->cpu.r.gpr[X86_RAX] = S_FREE(0) | 3;
    CODE(m, 0x8e, 0xd8);
    EXPECT("GDT of the supervisor", machine_try(m), EMU_OK);
    m->cpu.r.gpr[X86_RAX] = S_FREE(1) | 3;
    CODE(m, 0x8e, 0xd8);
    EXPECT_FAULT("accessed bit in a read-only page", m, VEC_PF, PF_PRESENT | PF_WRITE);
    EXPECT("accessed bit in a read-only page", m->cpu.fault.address, M_GDT + S_FREE(1) + 5);
    machine_page(m, M_GDT, 0);
    CODE(m, 0x8e, 0xd8);
    EXPECT_FAULT("GDT not mapped", m, VEC_PF, 0);
    EXPECT("GDT not mapped", m->cpu.fault.address, M_GDT + S_FREE(1));
    test_cpu_close(m);
}

/* Vol. 3, 9.9.2 and 20.1.1: base = selector * 16, limit and attributes stay. */
static void
test_load_real(void)
{
    struct machine *m = machine_open(M_REAL);

    m->cpu.r.seg[X86_DS].limit = 0xffffffff;
    m->cpu.r.seg[X86_ES].attr = 0; /* null was loaded in protected mode */
    m->cpu.r.seg[X86_ES].limit = 0;
    m->cpu.r.gpr[X86_RAX] = 0xfedc;
    CODE(m, 0x8e, 0xd8, 0x8e, 0xc0, 0x8e, 0xc8); /* mov ds, ax; mov es, ax; mov cs, ax */
    EXPECT("real DS", machine_try(m), EMU_OK);
    EXPECT("real DS", m->cpu.r.seg[X86_DS].base, 0xfedc0);
    EXPECT("real DS", m->cpu.r.seg[X86_DS].limit, 0xffffffff);
    EXPECT("real ES", machine_try(m), EMU_OK);
    EXPECT("real ES", m->cpu.r.seg[X86_ES].limit, 0xffff);
    EXPECT("real ES", m->cpu.r.seg[X86_ES].attr & SEG_P, SEG_P);
    EXPECT_FAULT("mov cs", m, VEC_UD, -1);
    CODE(m, 0x8e, 0xf0); /* mov seg6, ax */
    EXPECT_FAULT("mov to register 6", m, VEC_UD, -1);
    CODE(m, 0x8c, 0xf8); /* mov ax, seg7 */
    EXPECT_FAULT("mov from register 7", m, VEC_UD, -1);
    CODE(m, 0x0f, 0x02, 0xc0); /* lar ax, ax */
    EXPECT_FAULT("LAR in real mode", m, VEC_UD, -1);
    CODE(m, 0x0f, 0x00, 0xd8); /* ltr ax */
    EXPECT_FAULT("LTR in real mode", m, VEC_UD, -1);
    test_cpu_close(m);
}

/* Vol. 3, 5.3: an expand-down segment begins behind its limit and ends at 64 KiB or 4 GiB. */
static void
test_expand_down(void)
{
    static const struct {
        const char *name;
        uint16_t big;
        uint32_t offset;
        bool ok;
    } rows[] = {
        {"below", 0, 0xffe, false},
        {"last of the limit", 0, 0xfff, false},
        {"first behind it", 0, 0x1000, true},
        {"last byte of 64 KiB", 0, 0xfffe, true},
        {"over 64 KiB", 0, 0xffff, false},
        {"over 64 KiB, B set", SEG_DB, 0xffff, true},
        {"last of 4 GiB", SEG_DB, 0xfffffffe, true},
    };

    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct machine *m = machine_open(M_PROT32);
        machine_segment(m, S_FREE(0), M_DATA - 0x1000, 0xfff,
                        A_P(0) | DATA | SEG_EXPAND | rows[i].big);
        m->cpu.r.gpr[X86_RAX] = S_FREE(0);
        m->cpu.r.gpr[X86_RBX] = rows[i].offset;
        CODE(m, 0x8e, 0xd8, 0x66, 0x8b, 0x0b); /* mov ds, ax; mov cx, [ebx] */
        EXPECT(rows[i].name, machine_try(m), EMU_OK);
        if (rows[i].ok)
            EXPECT(rows[i].name, machine_try(m) == EMU_FAULT, false);
        else
            EXPECT_FAULT(rows[i].name, m, VEC_GP, 0);
        test_cpu_close(m);
    }
}

/* Vol. 3, 6.8.3: MOV SS and POP SS hold off interrupts for one instruction; LSS does not, and of
 * two loads in a row only the first does. */
static void
test_shadow(void)
{
    struct machine *m = machine_open(M_PROT32);

    m->cpu.r.gpr[X86_RAX] = S_DATA(0);
    CODE(m, 0x8e, 0xd0, 0x8e, 0xd0, 0x90, 0x16, 0x17, 0x90); /* mov ss x2; nop; push, pop ss; nop */
    machine_try(m);
    EXPECT("MOV SS", m->cpu.r.shadow, X86_SHADOW_MOVSS);
    machine_try(m);
    EXPECT("second MOV SS", m->cpu.r.shadow, 0);
    machine_try(m);
    EXPECT("NOP", m->cpu.r.shadow, 0);
    machine_try(m);
    machine_try(m);
    EXPECT("POP SS", m->cpu.r.shadow, X86_SHADOW_MOVSS);
    machine_try(m);
    EXPECT("NOP after POP SS", m->cpu.r.shadow, 0);

    machine_poke(m, M_DATA, 4, 0x7000);
    machine_poke(m, M_DATA + 4, 2, S_DATA(0));
    m->cpu.r.gpr[X86_RBX] = M_DATA;
    CODE(m, 0x0f, 0xb2, 0x23); /* lss esp, [ebx] */
    EXPECT("LSS", machine_try(m), EMU_OK);
    EXPECT("LSS", m->cpu.r.gpr[X86_RSP], 0x7000);
    EXPECT("LSS", m->cpu.r.shadow, 0);
    test_cpu_close(m);
}

/* Vol. 2, PUSH and POP: a segment register takes a slot of the operand's size. */
static void
test_push_pop(void)
{
    struct machine *m = machine_open(M_PROT32);
    uint32_t top = M_STACK + 0x1000;

    machine_poke(m, top - 8, 8, ~UINT64_C(0));
    CODE(m, 0x1e, 0x66, 0x06, 0x66, 0x07, 0x1f); /* push ds; push16 es; pop16 es; pop ds */
    machine_try(m);
    /* A 16-bit store: the upper half of the slot stays as it was (SDM vol. 2, PUSH). */
    EXPECT("push ds", machine_peek(m, top - 4, 4), 0xffff0000u | S_DATA(0));
    machine_try(m);
    EXPECT("push16 es", machine_peek(m, top - 8, 4), 0xffffu | S_DATA(0) << 16);
    EXPECT("push16 es", m->cpu.r.gpr[X86_RSP], top - 6);
    machine_try(m);
    EXPECT("pop16 es", m->cpu.r.gpr[X86_RSP], top - 4);
    EXPECT("pop ds", machine_try(m), EMU_OK);
    EXPECT("pop ds", m->cpu.r.gpr[X86_RSP], top);

    machine_poke(m, top - 4, 4, S_CODE(0));
    m->cpu.r.gpr[X86_RSP] = top - 4;
    CODE(m, 0x17); /* pop ss */
    EXPECT_FAULT("pop ss of a code segment", m, VEC_GP, S_CODE(0));

    /* Only 16 bits of the 32-bit slot are read: they may be the last of the segment. */
    machine_poke(m, top - 2, 2, S_DATA(0));
    m->cpu.r.gpr[X86_RSP] = top - 2;
    m->cpu.r.seg[X86_SS].limit = top - 1;
    machine_sync(m);
    CODE(m, 0x0f, 0xa1); /* pop fs */
    EXPECT("pop fs at the limit", machine_try(m), EMU_OK);
    EXPECT("pop fs at the limit", m->cpu.r.gpr[X86_RSP], top + 2);
    test_cpu_close(m);

    m = machine_open(M_PROT16); /* SP wraps, the rest of ESP stays */
    m->cpu.r.gpr[X86_RSP] = 0x7fffe;
    machine_poke(m, 0xfffe, 2, S_DATA(0));
    CODE(m, 0x17); /* pop ss */
    EXPECT("pop ss, SP wraps", machine_try(m), EMU_OK);
    EXPECT("pop ss, SP wraps", m->cpu.r.gpr[X86_RSP], 0x70000);
    test_cpu_close(m);

    m = machine_open(M_LONG);
    machine_poke(m, top - 8, 8, ~UINT64_C(0));
    m->cpu.r.seg[X86_GS].selector = 0x1234;
    CODE(m, 0x0f, 0xa8, 0x06); /* push gs; push es is not there */
    EXPECT("push gs", machine_try(m), EMU_OK);
    EXPECT("push gs", machine_peek(m, top - 8, 8), 0x1234);
    EXPECT_FAULT("push es in 64-bit mode", m, VEC_UD, -1);
    test_cpu_close(m);
}

/* Vol. 2, LDS/LES/LFS/LGS/LSS: offset, then selector; a fault leaves both registers. */
static void
test_load_far(void)
{
    struct machine *m = machine_open(M_PROT32);

    machine_segment(m, S_FREE(0), 0x1000, 0xfff, A_DATA(0));
    machine_poke(m, M_DATA, 4, 0xaabbccdd);
    machine_poke(m, M_DATA + 4, 2, S_FREE(0));
    machine_poke(m, M_DATA + 6, 2, S_FREE(1));
    m->cpu.r.gpr[X86_RBX] = M_DATA;
    CODE(m, 0xc4, 0x0b, 0x66, 0x0f, 0xb5, 0x53, 0x02); /* les ecx, [ebx]; lgs dx, [ebx + 2] */
    EXPECT("LES", machine_try(m), EMU_OK);
    EXPECT("LES", m->cpu.r.gpr[X86_RCX], 0xaabbccdd);
    EXPECT("LES", m->cpu.r.seg[X86_ES].selector, S_FREE(0));
    m->cpu.r.gpr[X86_RDX] = 0x11112222;
    EXPECT("LGS, 16 bits", machine_try(m), EMU_OK);
    EXPECT("LGS, 16 bits", m->cpu.r.gpr[X86_RDX], 0x1111aabb);
    EXPECT("LGS, 16 bits", m->cpu.r.seg[X86_GS].selector, S_FREE(0));
    machine_poke(m, M_DATA + 4, 2, S_FREE(1)); /* type 0 */
    CODE(m, 0xc5, 0x0b);                       /* lds ecx, [ebx] */
    EXPECT_FAULT("LDS", m, VEC_GP, S_FREE(1));
    m->cpu.r.seg[X86_DS].limit = M_DATA + 4;
    machine_sync(m);
    EXPECT_FAULT("LDS, selector beyond the limit", m, VEC_GP, 0);
    CODE(m, 0xc5, 0xc8); /* lds ecx, eax */
    EXPECT_FAULT("LDS of a register", m, VEC_UD, -1);
    test_cpu_close(m);

    m = machine_open(M_LONG);
    machine_segment(m, S_FREE(0), 0, 0xfff, A_DATA(0));
    machine_poke(m, M_DATA, 8, M_HIGH);
    machine_poke(m, M_DATA + 8, 2, S_FREE(0));
    m->cpu.r.gpr[X86_RBX] = M_DATA;
    CODE(m, 0x48, 0x0f, 0xb4, 0x0b); /* lfs rcx, [rbx] */
    EXPECT("LFS m16:64", machine_try(m), EMU_OK);
    EXPECT("LFS m16:64", m->cpu.r.gpr[X86_RCX], M_HIGH);
    test_cpu_close(m);
}

static const struct unit_test tests[] = {
    {"data segments: types and privilege", test_load_data},
    {"stack segments", test_load_ss},
    {"null selectors", test_null_selectors},
    {"limits of GDT and LDT", test_table_limits},
    {"tables are read by the supervisor", test_table_privilege},
    {"real mode", test_load_real},
    {"expand-down limits", test_expand_down},
    {"interrupt shadow of SS", test_shadow},
    {"PUSH and POP of segment registers", test_push_pop},
    {"LDS LES LFS LGS LSS", test_load_far},
    {NULL, NULL},
};
const struct unit_suite suite_isa_segment = {"isa_segment", tests};
