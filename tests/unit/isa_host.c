/*
 * isa_host.c - what tests/diff and tests/decode found the interpreter to do otherwise than the processor. One test
 * each, so that it is also checked on a machine whose processor says nothing about it.
 */
#include "isa/x86/insn.h"
#include "tests/unit/isa_machine.h"
#include "tests/unit/suites.h"

/* 82 is 80 again, but not in 64-bit mode (SDM vol. 2, A.2): the flag of the group's row counts. */
static void
test_group_flags(void)
{
    struct machine *m = machine_open(M_LONG);

    CODE(m, 0x82, 0xc0, 0x01);
    EXPECT_FAULT("82 in 64-bit mode", m, VEC_UD, -1);
    test_cpu_close(m);
    m = machine_open(M_PROT32);
    m->cpu.r.gpr[X86_RAX] = 1;
    CODE(m, 0x82, 0xc0, 0x01);
    EXPECT("82 in protected mode", machine_try(m), EMU_OK);
    EXPECT("82 in protected mode", m->cpu.r.gpr[X86_RAX], 2);
    test_cpu_close(m);
}

/* #UD and not #GP at CPL 3: registers that do not exist (vol. 2, MOV), CLAC and STAC (vol. 2, CLAC). */
static void
test_ud_before_gp(void)
{
    static const uint8_t rows[][3] = {{0x0f, 0x20, 0xc8},
                                      {0x0f, 0x22, 0xe8},
                                      {0x0f, 0x20, 0xf8},
                                      {0x0f, 0x01, 0xca},
                                      {0x0f, 0x01, 0xcb}};

    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct machine *m = machine_open(M_LONG);
        machine_ring(m, 3);
        machine_code(m, rows[i], 3);
        EXPECT_FAULT("undefined at CPL 3", m, VEC_UD, -1);
        test_cpu_close(m);
    }
    struct machine *m = machine_open(M_LONG);
    machine_ring(m, 3);
    CODE(m, 0x0f, 0x20, 0xc0);
    EXPECT_FAULT("mov rax, cr0 at CPL 3", m, VEC_GP, 0);
    CODE(m, 0x44, 0x0f, 0x21, 0xd0);
    EXPECT_FAULT("mov rax, dr10 at CPL 3", m, VEC_UD, -1);
    test_cpu_close(m);
}

/* F3 90 is PAUSE whatever REX says; 41 90 is XCHG R8, RAX (vol. 2, XCHG and PAUSE). */
static void
test_pause(void)
{
    struct machine *m = machine_open(M_LONG);

    m->cpu.r.gpr[X86_RAX] = 1;
    m->cpu.r.gpr[X86_R8] = 8;
    CODE(m, 0xf3, 0x49, 0x90);
    EXPECT("f3 49 90", machine_try(m), EMU_OK);
    EXPECT("f3 49 90", m->cpu.r.gpr[X86_RAX], 1);
    CODE(m, 0x49, 0x90);
    EXPECT("49 90", machine_try(m), EMU_OK);
    EXPECT("49 90", m->cpu.r.gpr[X86_RAX], 8);
    test_cpu_close(m);
}

/* A selector is pushed into a 32-bit slot by a 16-bit store (vol. 2, PUSH). */
static void
test_push_selector(void)
{
    struct machine *m = machine_open(M_PROT32);
    uint32_t sp = (uint32_t)m->cpu.r.gpr[X86_RSP];

    machine_poke(m, sp - 4, 4, 0xdeadbeef);
    CODE(m, 0x1e);
    EXPECT("push ds", machine_try(m), EMU_OK);
    EXPECT("push ds", m->cpu.r.gpr[X86_RSP], sp - 4);
    EXPECT("push ds", machine_peek(m, sp - 4, 4), 0xdead0000u | m->cpu.r.seg[X86_DS].selector);
    test_cpu_close(m);
}

/* INS asks for permission even when it has nothing to do. */
static void
test_ins_nothing(void)
{
    struct machine *m = machine_open(M_LONG);

    machine_ring(m, 3);
    m->cpu.r.gpr[X86_RCX] = 0;
    machine_poke(m, M_TSS + 0x66, 2, 0xffff); /* no I/O permission bitmap */
    CODE(m, 0xf3, 0x6c);
    EXPECT_FAULT("rep insb, rcx = 0", m, VEC_GP, 0);
    test_cpu_close(m);
}

/* CLFLUSH faults as a load (vol. 2, CLFLUSH); ARPL that changes nothing is only a load. */
static void
test_loads(void)
{
    struct machine *m = machine_open(M_PROT32);

    machine_paging(m);
    machine_page(m, M_DATA, 0);
    CODE(m, 0x0f, 0xae, 0x3d, M_DATA & 0xff, M_DATA >> 8 & 0xff, M_DATA >> 16, 0);
    EXPECT_FAULT("clflush", m, VEC_PF, 0);
    CODE(m, 0x63, 0x05, M_DATA & 0xff, M_DATA >> 8 & 0xff, M_DATA >> 16, 0);
    EXPECT_FAULT("arpl", m, VEC_PF, 0);
    test_cpu_close(m);
}

/* MOVSXD with a 16-bit operand loads 16 bits (vol. 2, MOVSXD). */
static void
test_movsxd16(void)
{
    struct machine *m = machine_open(M_LONG);

    machine_poke(m, M_DATA, 4, 0x12348000);
    m->cpu.r.gpr[X86_RBX] = M_DATA;
    m->cpu.r.gpr[X86_RAX] = 0;
    CODE(m, 0x66, 0x63, 0x03);
    EXPECT("movsxd ax, [rbx]", machine_try(m), EMU_OK);
    EXPECT("movsxd ax, [rbx]", m->cpu.r.gpr[X86_RAX], 0x8000);
    struct x86_insn in;
    x86_decode((const uint8_t[]){0x66, 0x63, 0x03}, 3, 8, &in);
    EXPECT("movsxd ax, [rbx]", in.operand[1].size, 2);
    test_cpu_close(m);
}

/* ENTER on a 16-bit stack keeps the upper half of ESP in the frame pointer (vol. 2, ENTER). */
static void
test_enter16(void)
{
    struct machine *m = machine_open(M_PROT32);

    machine_segment(m, S_FREE(0), 0, 0xffff, SEG_S | SEG_WRITABLE | SEG_P);
    m->cpu.r.seg[X86_SS] = (struct x86_segment){.limit = 0xffff,
                                                .selector = S_FREE(0),
                                                .attr = SEG_S | SEG_WRITABLE | SEG_P |
                                                        SEG_ACCESSED};
    m->cpu.r.gpr[X86_RSP] = 0x55558000;
    machine_sync(m);
    CODE(m, 0xc8, 0x10, 0x00, 0x01);
    EXPECT("enter", machine_try(m), EMU_OK);
    EXPECT("enter", m->cpu.r.gpr[X86_RBP], 0x55557ffc);
    EXPECT("enter", m->cpu.r.gpr[X86_RSP], 0x55557fe8);
    EXPECT("enter", machine_peek(m, 0x7ff8, 4), 0x55557ffc);
    test_cpu_close(m);
}

/* The stack faults before the target of a CALL is looked at; BOUND stops at the lower bound. */
static void
test_order(void)
{
    struct machine *m = machine_open(M_LONG);

    machine_page(m, M_STACK, 0);
    m->cpu.r.gpr[X86_RSP] = M_STACK + 0x100;
    m->cpu.r.gpr[X86_RAX] = UINT64_C(1) << 63;
    CODE(m, 0xff, 0xd0);
    EXPECT_FAULT("call to a non-canonical address", m, VEC_PF, PF_WRITE);
    test_cpu_close(m);

    m = machine_open(M_PROT32);
    machine_paging(m);
    machine_page(m, M_DATA + 0x1000, 0);
    machine_poke(m, M_DATA + 0xffc, 4, 5);
    m->cpu.r.gpr[X86_RBX] = M_DATA + 0xffc;
    m->cpu.r.gpr[X86_RAX] = 4;
    CODE(m, 0x62, 0x03);
    EXPECT_FAULT("bound below", m, VEC_BR, -1);
    m->cpu.r.gpr[X86_RAX] = 5;
    CODE(m, 0x62, 0x03);
    EXPECT_FAULT("bound, upper bound not there", m, VEC_PF, 0);
    test_cpu_close(m);
}

/* A far CALL from 32-bit to 64-bit code pushes as 64-bit code does: without the base of SS. RETF and
 * IRET read CS before RIP, which shows when neither is there. */
static void
test_far(void)
{
    static const uint8_t returns[] = {0xcb, 0xcf};
    struct machine *m = machine_open(M_COMPAT32);
    uint32_t sp = M_STACK + 0x800;

    machine_segment(m, S_FREE(0), 0, 0xffffffff, A_CODE64(0));
    m->cpu.r.seg[X86_SS].base = 0x1000;
    m->cpu.r.gpr[X86_RSP] = sp;
    machine_sync(m);
    machine_poke(m, sp - 8, 8, 0);
    CODE(m, 0x9a, 0x00, 0x80, 0x01, 0x00, S_FREE(0) & 0xff, S_FREE(0) >> 8);
    EXPECT("call to 64-bit code", machine_try(m), EMU_OK);
    EXPECT("call to 64-bit code", machine_peek(m, sp - 8, 4), M_CODE + 7);
    test_cpu_close(m);

    for (unsigned i = 0; i < sizeof(returns); i++) {
        m = machine_open(M_PROT32);
        machine_paging(m);
        machine_page(m, M_STACK, 0);
        m->cpu.r.gpr[X86_RSP] = M_STACK + 0x100;
        machine_code(m, &returns[i], 1);
        EXPECT_FAULT("retf, iret", m, VEC_PF, 0);
        EXPECT("retf, iret", m->cpu.fault.address, M_STACK + 0x104);
        test_cpu_close(m);
    }
}

/* With alignment checks CMPXCHG8B is one access of eight bytes; CMPXCHG16B is #GP before #AC. */
static void
test_alignment(void)
{
    struct machine *m = machine_open(M_LONG);

    machine_ring(m, 3);
    m->cpu.r.cr0 |= CR0_AM;
    m->cpu.r.rflags |= FLAG_AC;
    m->cpu.r.gpr[X86_RBX] = M_DATA + 4;
    machine_sync(m);
    CODE(m, 0x0f, 0xc7, 0x0b);
    EXPECT_FAULT("cmpxchg8b", m, VEC_AC, 0);
    CODE(m, 0x48, 0x0f, 0xc7, 0x0b);
    EXPECT_FAULT("cmpxchg16b", m, VEC_GP, 0);
    m->cpu.r.gpr[X86_RBX] = UINT64_C(0x7fffffffffff);
    CODE(m, 0x8b, 0x03);
    EXPECT_FAULT("out of the canonical half, misaligned", m, VEC_AC, 0);
    m->cpu.r.rflags &= ~(uint64_t)FLAG_AC;
    machine_sync(m);
    EXPECT_FAULT("out of the canonical half", m, VEC_GP, 0);
    test_cpu_close(m);
}

/* "NP" in the SDM's opcode column: 66, F2 and F3 make something else of it, which is not there. */
static void
test_no_prefix(void)
{
    static const uint8_t rows[][4] = {
        {0xf3, 0x0f, 0xae, 0xe8}, {0x66, 0x0f, 0xae, 0xf8}, {0xf2, 0x0f, 0xae, 0xf0},
        {0xf3, 0x0f, 0xae, 0x03}, {0x66, 0x0f, 0xae, 0x3b}, {0x66, 0x0f, 0xc3, 0x03},
        {0xf3, 0x0f, 0x77, 0x90},
    };

    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct machine *m = machine_open(M_LONG);
        m->cpu.r.cr4 |= CR4_OSFXSR;
        m->cpu.r.gpr[X86_RBX] = M_DATA;
        machine_code(m, rows[i], 4);
        EXPECT_FAULT("with a prefix", m, VEC_UD, -1);
        machine_code(m, rows[i] + 1, 3);
        EXPECT("without it", machine_try(m), EMU_OK);
        test_cpu_close(m);
    }
}

/* More than 15 bytes is #GP, also where the opcode is undefined: its ModRM and displacement count. */
static void
test_too_long(void)
{
    struct machine *m = machine_open(M_LONG);

    CODE(m, 0x67, 0x67, 0x67, 0x67, 0x67, 0x67, 0x67, 0x67, 0x67, 0xff, 0xbb, 1, 2, 3, 4);
    EXPECT_FAULT("15 bytes", m, VEC_UD, -1);
    CODE(m, 0x67, 0x67, 0x67, 0x67, 0x67, 0x67, 0x67, 0x67, 0x67, 0x67, 0xff, 0xbb, 1, 2, 3, 4);
    EXPECT_FAULT("16 bytes", m, VEC_GP, 0);
    test_cpu_close(m);
}

/* SALC, opcode D6. */
static void
test_salc(void)
{
    struct machine *m = machine_open(M_PROT32);

    m->cpu.r.gpr[X86_RAX] = 0x12345678;
    m->cpu.r.rflags |= FLAG_CF;
    CODE(m, 0xd6);
    EXPECT("salc", machine_try(m), EMU_OK);
    EXPECT("salc", m->cpu.r.gpr[X86_RAX], 0x123456ff);
    m->cpu.r.rflags &= ~(uint64_t)FLAG_CF;
    CODE(m, 0xd6);
    EXPECT("salc", machine_try(m), EMU_OK);
    EXPECT("salc", m->cpu.r.gpr[X86_RAX], 0x12345600);
    test_cpu_close(m);
}

/* F3 takes MOVBE away (the host's processor and Zydis agree; vol. 2, MOVBE gives no meaning to it). */
static void
test_movbe_prefix(void)
{
    struct machine *m = machine_open(M_LONG);

    m->cpu.r.gpr[X86_RBX] = M_DATA;
    CODE(m, 0xf3, 0x0f, 0x38, 0xf0, 0x03);
    EXPECT_FAULT("F3 MOVBE", m, VEC_UD, -1);
    CODE(m, 0x0f, 0x38, 0xf0, 0x03);
    EXPECT("MOVBE", machine_try(m), EMU_OK);
    test_cpu_close(m);
}

static const struct unit_test tests[] = {
    {"82 is undefined in 64-bit mode", test_group_flags},
    {"what does not exist is #UD at CPL 3 too", test_ud_before_gp},
    {"PAUSE with REX.B", test_pause},
    {"a selector in a 32-bit slot", test_push_selector},
    {"INS with nothing to do", test_ins_nothing},
    {"CLFLUSH and ARPL load", test_loads},
    {"MOVSXD of 16 bits", test_movsxd16},
    {"ENTER on a 16-bit stack", test_enter16},
    {"which fault comes first", test_order},
    {"far transfers", test_far},
    {"alignment of CMPXCHG8B and 16B", test_alignment},
    {"instructions that take no prefix", test_no_prefix},
    {"the limit of 15 bytes", test_too_long},
    {"SALC", test_salc},
    {"F3 before MOVBE", test_movbe_prefix},
    {NULL, NULL},
};
const struct unit_suite suite_isa_host = {"isa_host", tests};
