/*
 * isa_far.c - tests of far JMP and CALL without gates, and of RETF in real mode (isa/x86/far.c).
 * Sections are the SDM's; 'vol. 2, CALL' means the pseudo-code there.
 */
#include "tests/unit/isa_machine.h"
#include "tests/unit/suites.h"

#define OK  (-1)
#define TOP (M_STACK + 0x1000u) /* of ring 0's stack */

#define JMP_PTR  0xea
#define CALL_PTR 0x9a

/* jmp or call selector:offset, with a 32-bit offset */
static void
far_pointer(struct machine *m, uint8_t opcode, uint16_t selector, uint32_t offset)
{
    CODE(m, opcode, offset & 0xff, offset >> 8 & 0xff, offset >> 16 & 0xff, offset >> 24,
         selector & 0xff, selector >> 8);
}

/* --- real mode (vol. 2, JMP, CALL, RET, real-address mode) ------------------------------------ */

static void
test_real(void)
{
    struct machine *m = machine_open(M_REAL);

    CODE(m, 0xea, 0x34, 0x12, 0x00, 0x20); /* jmp 2000:1234 */
    EXPECT("JMP", machine_try(m), EMU_OK);
    EXPECT("JMP", m->cpu.r.seg[X86_CS].selector, 0x2000);
    EXPECT("JMP", m->cpu.r.seg[X86_CS].base, 0x20000);
    EXPECT("JMP", m->cpu.r.rip, 0x1234);
    test_cpu_close(m);

    m = machine_open(M_REAL);
    CODE(m, 0x9a, 0x34, 0x12, 0x00, 0x20); /* call 2000:1234 */
    machine_poke(m, 0x21234, 3, 0x0006ca); /* retf 6 */
    EXPECT("CALL", machine_try(m), EMU_OK);
    EXPECT("CALL", m->cpu.r.rip, 0x1234);
    EXPECT_STACK("CALL", m, TOP - 4, 2, 5, M_CODE >> 4);
    EXPECT("RETF 6", machine_try(m), EMU_OK);
    EXPECT("RETF 6", m->cpu.r.seg[X86_CS].base, M_CODE);
    EXPECT("RETF 6", m->cpu.r.rip, 5);
    EXPECT("RETF 6", m->cpu.r.gpr[X86_RSP], TOP + 6);
    test_cpu_close(m);

    /* A 32-bit operand: the offset must still lie within CS's limit. */
    m = machine_open(M_REAL);
    CODE(m, 0x66, 0xea, 0x00, 0x00, 0x01, 0x00, 0x00, 0x20); /* jmp 2000:00010000 */
    EXPECT_FAULT("JMP beyond the limit", m, VEC_GP, 0);
    CODE(m, 0x66, 0x9a, 0x00, 0x00, 0x01, 0x00, 0x00, 0x20);
    EXPECT_FAULT("CALL beyond the limit", m, VEC_GP, 0);
    m->cpu.r.gpr[X86_RSP] = 1; /* a push would end behind ffff */
    EXPECT_FAULT("CALL without a stack, which comes first", m, VEC_SS, 0);
    m->cpu.r.gpr[X86_RSP] = TOP - 8;
    machine_poke(m, TOP - 8, 8, 0x0000200000010000);
    CODE(m, 0x66, 0xcb); /* retf with a 32-bit operand */
    EXPECT_FAULT("RETF beyond the limit", m, VEC_GP, 0);
    m->cpu.r.seg[X86_CS].limit = 0xffffffff;
    EXPECT("RETF, big CS", machine_try(m), EMU_OK);
    EXPECT("RETF, big CS", m->cpu.r.rip, 0x10000);
    EXPECT("RETF, big CS", m->cpu.r.seg[X86_CS].limit, 0xffffffff);
    test_cpu_close(m);

    /* SP wraps within its 16 bits; the rest of ESP stays. */
    m = machine_open(M_REAL);
    m->cpu.r.gpr[X86_RSP] = 0x70002;
    CODE(m, 0x9a, 0x34, 0x12, 0x00, 0x20);
    EXPECT("CALL, SP wraps", machine_try(m), EMU_OK);
    EXPECT("CALL, SP wraps", m->cpu.r.gpr[X86_RSP], 0x7fffe);
    EXPECT("CALL, SP wraps", machine_peek(m, 0, 2), M_CODE >> 4);
    EXPECT("CALL, SP wraps", machine_peek(m, 0xfffe, 2), 5);
    test_cpu_close(m);
}

/* --- direct transfers in protected mode ------------------------------------------------------- */

#define CODE_N(n) (A_P(n) | SEG_S | SEG_CODE | SEG_DB)
#define CONF(n)   (CODE_N(n) | SEG_CONFORMING)

/* Vol. 3, 5.8.1: code at the same privilege, or conforming code at the same or a higher one. */
static void
test_direct(void)
{
    static const struct {
        const char *name;
        unsigned cpl, rpl;
        uint16_t attr;
        uint32_t offset;
        int vector;
    } rows[] = {
        {"same ring", 0, 0, CODE_N(0), 0x1000, OK},
        {"last byte", 0, 0, CODE_N(0), 0xffff, OK},
        {"same ring, RPL below CPL", 3, 0, CODE_N(3), 0x1000, OK},
        {"same ring, RPL over CPL", 0, 3, CODE_N(0), 0x1000, VEC_GP},
        {"inner ring", 3, 3, CODE_N(0), 0x1000, VEC_GP},
        {"outer ring", 0, 3, CODE_N(3), 0x1000, VEC_GP},
        {"conforming, same ring", 3, 3, CONF(3), 0x1000, OK},
        {"conforming, inner", 3, 3, CONF(0), 0x1000, OK},
        {"conforming, RPL does not matter", 0, 3, CONF(0), 0x1000, OK},
        {"conforming, outer", 0, 0, CONF(3), 0x1000, VEC_GP},
        {"not present", 0, 0, CODE_N(0) & ~SEG_P, 0x1000, VEC_NP},
        {"not present, privilege comes first", 3, 3, CODE_N(0) & ~SEG_P, 0x1000, VEC_GP},
        {"not present before the limit", 0, 0, CODE_N(0) & ~SEG_P, 0x10000, VEC_NP},
        {"data", 0, 0, A_DATA(0), 0x1000, VEC_GP},
        {"LDT", 0, 0, SEG_P | SYS_LDT, 0x1000, VEC_GP},
        {"busy TSS", 0, 0, SEG_P | SYS_TSS_BUSY, 0x1000, VEC_GP},
        {"interrupt gate", 0, 0, SEG_P | SYS_INT, 0x1000, VEC_GP},
    };

    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        for (unsigned call = 0; call < 2; call++) {
            struct machine *m = machine_open(M_PROT32);
            uint16_t selector = S_FREE(0) | rows[i].rpl;
            uint32_t top = M_STACK + (rows[i].cpl + 1) * 0x1000;
            machine_segment(m, S_FREE(0), 0x20000, 0xffff, rows[i].attr);
            machine_ring(m, rows[i].cpl);
            far_pointer(m, call ? CALL_PTR : JMP_PTR, selector, rows[i].offset);
            if (rows[i].vector != OK) {
                EXPECT_FAULT(rows[i].name, m, rows[i].vector, S_FREE(0));
                test_cpu_close(m);
                continue;
            }
            EXPECT(rows[i].name, machine_try(m), EMU_OK);
            EXPECT(rows[i].name, m->cpu.r.rip, rows[i].offset);
            EXPECT(rows[i].name, m->cpu.r.seg[X86_CS].selector, S_FREE(0) | rows[i].cpl);
            EXPECT(rows[i].name, m->cpu.r.seg[X86_CS].base, 0x20000);
            EXPECT(rows[i].name, m->cpu.r.seg[X86_CS].attr, rows[i].attr | SEG_ACCESSED);
            EXPECT(rows[i].name, m->cpu.cpl, rows[i].cpl);
            EXPECT(rows[i].name, m->cpu.r.gpr[X86_RSP], call ? top - 8 : top);
            if (call)
                EXPECT_STACK(rows[i].name, m, top - 8, 4, M_CODE + 7, S_CODE(rows[i].cpl));
            test_cpu_close(m);
        }
}

/* Null, outside the table, beyond the limit; #SS comes before the limit of CALL's target. */
static void
test_direct_errors(void)
{
    for (unsigned call = 0; call < 2; call++) {
        struct machine *m = machine_open(M_PROT32);
        uint8_t opcode = call ? CALL_PTR : JMP_PTR;
        machine_segment(m, S_FREE(0), 0, 0xffff, CODE_N(0));
        far_pointer(m, opcode, 0, 0);
        EXPECT_FAULT("null", m, VEC_GP, 0);
        far_pointer(m, opcode, 3, 0);
        EXPECT_FAULT("null, RPL 3", m, VEC_GP, 0);
        far_pointer(m, opcode, 0x1003, 0);
        EXPECT_FAULT("outside", m, VEC_GP, 0x1000);
        far_pointer(m, opcode, 0x1007, 0);
        EXPECT_FAULT("outside the LDT", m, VEC_GP, 0x1004);
        far_pointer(m, opcode, S_FREE(0), 0x10000);
        EXPECT_FAULT("beyond the limit", m, VEC_GP, 0);
        m->cpu.r.seg[X86_SS].limit = 0x7fff;
        machine_sync(m);
        if (call)
            EXPECT_FAULT("no stack", m, VEC_SS, 0);
        test_cpu_close(m);
    }
}

/* The accessed bit is set by a transfer, and a page that cannot be written is found before the
 * return address is pushed. */
static void
test_accessed_bit(void)
{
    struct machine *m = machine_open(M_PROT32);

    machine_segment(m, S_FREE(0), 0, 0xffff, CODE_N(0));
    far_pointer(m, CALL_PTR, S_FREE(0), 0x100);
    machine_try(m);
    EXPECT("accessed", machine_peek(m, M_GDT + S_FREE(0) + 5, 1),
           (CODE_N(0) | SEG_ACCESSED) & 0xff);
    machine_paging(m);
    machine_segment(m, S_FREE(0), 0, 0xffff, CODE_N(0));
    machine_page(m, M_GDT, 0x1);
    machine_ring(m, 0);
    far_pointer(m, CALL_PTR, S_FREE(0), 0x100);
    EXPECT_FAULT("accessed bit cannot be written", m, VEC_PF, PF_PRESENT | PF_WRITE);
    test_cpu_close(m);
}

/* A frame that crosses into a missing page: nothing is pushed, SP stays (checked by machine_try). */
static void
test_call_page_fault(void)
{
    struct machine *m = machine_open(M_PROT32);

    machine_paging(m);
    machine_page(m, M_STACK, 0);
    m->cpu.r.gpr[X86_RSP] = M_STACK + 0x1004;
    far_pointer(m, CALL_PTR, S_CODE(0), 0x100);
    EXPECT_FAULT("second push", m, VEC_PF, PF_WRITE);
    EXPECT("second push", m->cpu.fault.address, M_STACK + 0xffc);
    m->cpu.r.gpr[X86_RSP] = M_STACK + 0x1006;
    EXPECT_FAULT("straddling push", m, VEC_PF, PF_WRITE);
    test_cpu_close(m);
}

/* Pushes of ring 3 are aligned if AC says so (vol. 3, 6.15, #AC). */
static void
test_call_alignment(void)
{
    struct machine *m = machine_open(M_PROT32);

    machine_ring(m, 3);
    m->cpu.r.cr0 |= CR0_AM;
    m->cpu.r.rflags |= FLAG_AC;
    m->cpu.r.gpr[X86_RSP] -= 2;
    machine_sync(m);
    far_pointer(m, CALL_PTR, S_CODE(3), 0x100);
    EXPECT_FAULT("CALL", m, VEC_AC, 0);
    m->cpu.r.gpr[X86_RSP] -= 2;
    EXPECT("CALL, aligned", machine_try(m), EMU_OK);
    test_cpu_close(m);
}

/* 16-bit operands: four bytes of frame, EIP cut to 16 bits (vol. 2, CALL). */
static void
test_16bit(void)
{
    struct machine *m = machine_open(M_PROT16);

    machine_poke(m, 0x1234, 1, 0xcb); /* retf */
    machine_poke(m, 0x1235, 1, 0x90);
    CODE(m, 0x9a, 0x34, 0x12, S_CODE(0), 0x00);
    EXPECT("CALL", machine_try(m), EMU_OK);
    EXPECT("CALL", m->cpu.r.rip, 0x1234);
    EXPECT_STACK("CALL", m, TOP - 4, 2, (M_CODE + 5) & 0xffff, S_CODE(0));
    EXPECT("RETF", machine_try(m), EMU_OK);
    EXPECT("RETF", m->cpu.r.rip, (M_CODE + 5) & 0xffff);
    EXPECT("RETF", m->cpu.r.gpr[X86_RSP], TOP);
    machine_poke(m, M_DATA, 4, 0xffff1234);
    machine_poke(m, M_DATA + 4, 2, S_CODE(0));
    m->cpu.r.gpr[X86_RBX] = M_DATA;
    CODE(m, 0x67, 0x66, 0xff, 0x2b); /* jmp far dword [ebx], 32-bit operand */
    EXPECT("JMP m16:32", machine_try(m), EMU_OK);
    EXPECT("JMP m16:32", m->cpu.r.rip, 0xffff1234);
    test_cpu_close(m);
}

/* Vol. 3, 7.3: hardware task switches are left out, but checked first. */
static void
test_tasks(void)
{
    static const struct {
        const char *name;
        uint16_t attr;
        unsigned cpl, rpl;
        int vector; /* OK: EMU_UNIMPLEMENTED */
    } rows[] = {
        {"TSS", SEG_P | SYS_TSS, 0, 0, OK},
        {"TSS16", SEG_P | SYS_TSS16, 0, 0, OK},
        {"task gate", SEG_P | SYS_TASK_GATE, 0, 0, OK},
        {"TSS not present", SYS_TSS, 0, 0, VEC_NP},
        {"TSS, CPL", SEG_P | SYS_TSS, 3, 0, VEC_GP},
        {"TSS, RPL", SEG_P | SYS_TSS, 0, 3, VEC_GP},
    };

    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct machine *m = machine_open(M_PROT32);
        machine_segment(m, S_FREE(0), 0, 0x67, rows[i].attr);
        machine_ring(m, rows[i].cpl);
        far_pointer(m, JMP_PTR, S_FREE(0) | rows[i].rpl, 0);
        if (rows[i].vector == OK)
            EXPECT(rows[i].name, machine_try(m), EMU_UNIMPLEMENTED);
        else
            EXPECT_FAULT(rows[i].name, m, rows[i].vector, S_FREE(0));
        test_cpu_close(m);
    }
    struct machine *m = machine_open(M_COMPAT32);
    machine_segment(m, S_FREE(0), 0, 0x67, SEG_P | SYS_TSS);
    far_pointer(m, JMP_PTR, S_FREE(0), 0);
    EXPECT_FAULT("TSS in long mode", m, VEC_GP, S_FREE(0));
    test_cpu_close(m);
}

/* --- long mode -------------------------------------------------------------------------------- */

/* Vol. 2, JMP: L and D of the target decide the mode; both set is an error. */
static void
test_long(void)
{
    struct machine *m = machine_open(M_COMPAT32);

    machine_segment(m, S_FREE(0), 0, 0xffffffff, A_CODE64(0));
    machine_segment(m, S_FREE(1), 0, 0xffffffff, A_CODE64(0) | SEG_DB);
    far_pointer(m, JMP_PTR, S_FREE(1), 0x1000);
    EXPECT_FAULT("L and D", m, VEC_GP, S_FREE(1));
    far_pointer(m, JMP_PTR, S_FREE(0), 0x80001000);
    EXPECT("to 64-bit mode", machine_try(m), EMU_OK);
    EXPECT("to 64-bit mode", m->cpu.mode, MODE_LONG64);
    EXPECT("to 64-bit mode", m->cpu.r.rip, 0x80001000);

    CODE(m, 0xea, 0x00, 0x10, 0x00, 0x00, S_FREE(0), 0x00);
    EXPECT_FAULT("JMP ptr16:32 in 64-bit mode", m, VEC_UD, -1);

    /* m16:64 needs REX.W, and a canonical target */
    machine_poke(m, M_DATA, 8, 0x800000000000);
    machine_poke(m, M_DATA + 8, 2, S_FREE(0));
    m->cpu.r.gpr[X86_RBX] = M_DATA;
    CODE(m, 0x48, 0xff, 0x2b); /* jmp far [rbx] */
    EXPECT_FAULT("not canonical", m, VEC_GP, 0);
    CODE(m, 0x48, 0xff, 0x1b); /* call far [rbx] */
    EXPECT_FAULT("not canonical", m, VEC_GP, 0);
    machine_poke(m, M_DATA, 8, M_HIGH + 0x1000);
    EXPECT("CALL m16:64", machine_try(m), EMU_OK);
    EXPECT("CALL m16:64", m->cpu.r.rip, M_HIGH + 0x1000);
    EXPECT_STACK("CALL m16:64", m, TOP - 16, 8, M_CODE + 3, S_FREE(0));
    machine_poke(m, 0x1000, 2, 0xcb48); /* that page is the GDT's: retf with REX.W */
    EXPECT("RETF", machine_try(m), EMU_OK);
    EXPECT("RETF", m->cpu.r.seg[X86_CS].selector, S_FREE(0));
    EXPECT("RETF", m->cpu.r.rip, M_CODE + 3);
    EXPECT("RETF", m->cpu.r.gpr[X86_RSP], TOP);
    test_cpu_close(m);

    m = machine_open(M_LONG);
    machine_poke(m, M_DATA, 4, 0x1000);
    machine_poke(m, M_DATA + 4, 2, S_CODE(0));
    m->cpu.r.gpr[X86_RBX] = M_DATA;
    m->cpu.r.gpr[X86_RSP] = M_HIGH + 4; /* the first push is canonical, the second is not */
    CODE(m, 0xff, 0x1b);                /* call far [rbx], 32-bit operand */
    EXPECT_FAULT("stack not canonical", m, VEC_SS, 0);
    test_cpu_close(m);
}

static const struct unit_test tests[] = {
    {"real mode", test_real},
    {"JMP and CALL to code segments", test_direct},
    {"JMP and CALL that go nowhere", test_direct_errors},
    {"accessed bit", test_accessed_bit},
    {"CALL with a page fault in the frame", test_call_page_fault},
    {"CALL with #AC in the frame", test_call_alignment},
    {"16-bit operands", test_16bit},
    {"tasks", test_tasks},
    {"long mode", test_long},
    {NULL, NULL},
};
const struct unit_suite suite_isa_far = {"isa_far", tests};
