/*
 * isa_debug.c - tests of what happens around an instruction (isa/x86/emulate.c): single step,
 * breakpoints in DR0-DR3, RF, the interrupt shadow, held-back device accesses. Sections are the
 * SDM's, volume 3, unless said otherwise.
 */
#include "isa/x86/exec.h"
#include "tests/unit/isa_machine.h"
#include "tests/unit/suites.h"

/* One step: it must end with a #DB whose DR6 bits are these. */
static void
expect_debug(const char *row, struct machine *m, uint32_t dr6, bool trap)
{
    EXPECT(row, x86_emulate_one(&m->cpu), EMU_FAULT);
    EXPECT(row, m->cpu.fault.vector, VEC_DB);
    EXPECT(row, m->cpu.fault.dr6, dr6);
    EXPECT(row, m->cpu.fault.trap, trap);
}

/* --- 17.3.1.4: TF ------------------------------------------------------------------------------------ */

static void
test_single_step(void)
{
    struct machine *m = machine_open(M_LONG);

    m->cpu.r.rflags |= FLAG_TF;
    CODE(m, 0x90, 0x90, 0x0f, 0x0b);
    machine_sync(m);
    expect_debug("TF: after the instruction", m, DR6_BS, true);
    EXPECT("TF", m->cpu.r.rip, M_CODE + 1);
    expect_debug("TF: and the next", m, DR6_BS, true);
    EXPECT("a fault comes before the trap", x86_emulate_one(&m->cpu), EMU_FAULT);
    EXPECT("a fault comes before the trap", m->cpu.fault.vector, VEC_UD);
    test_cpu_close(m);

    /* POPF that sets TF: the trap comes after the next instruction. */
    m = machine_open(M_LONG);
    STACK(m, 8, FLAG_TF | FLAG_ONE);
    CODE(m, 0x9d, 0x90);
    EXPECT("POPF", x86_emulate_one(&m->cpu), EMU_OK);
    expect_debug("POPF", m, DR6_BS, true);
    EXPECT("POPF", m->cpu.r.rip, M_CODE + 2);
    test_cpu_close(m);

    /* One iteration of REP is one step (17.3.1.4). */
    m = machine_open(M_LONG);
    m->cpu.r.rflags |= FLAG_TF;
    m->cpu.r.gpr[X86_RCX] = 3;
    m->cpu.r.gpr[X86_RDI] = M_DATA;
    CODE(m, 0xf3, 0xaa);
    machine_sync(m);
    expect_debug("REP", m, DR6_BS, true);
    EXPECT("REP", m->cpu.r.gpr[X86_RCX], 2);
    EXPECT("REP", m->cpu.r.rip, M_CODE);
    test_cpu_close(m);
}

/* --- 17.2.4: DR7 and the breakpoints -------------------------------------------------------------------- */

static void
test_code_breakpoint(void)
{
    struct machine *m = machine_open(M_LONG);

    CODE(m, 0x90, 0x90, 0x90);
    m->cpu.r.dr[1] = M_CODE + 1;
    m->cpu.r.dr[7] = DR7_INIT | 1u << 2; /* L1, execute */
    machine_sync(m);
    EXPECT("before it", x86_emulate_one(&m->cpu), EMU_OK);
    expect_debug("a fault: before the instruction", m, 2, false);
    EXPECT("a fault", m->cpu.r.rip, M_CODE + 1);
    m->cpu.r.rflags |= FLAG_RF; /* as IRET gives it back (17.3.1.1) */
    machine_sync(m);
    EXPECT("RF: once past it", x86_emulate_one(&m->cpu), EMU_OK);
    EXPECT("RF is used up", m->cpu.r.rflags & FLAG_RF, 0);
    m->cpu.r.rip = M_CODE + 1;
    expect_debug("the next time it stops again", m, 2, false);
    test_cpu_close(m);
}

/* 17.3.1.1: between two iterations RF is pushed set, for a trap as for an interrupt, and a breakpoint
 * on the instruction stops before the first iteration only. */
static void
test_between_iterations(void)
{
    struct machine *m = machine_open(M_LONG);

    CODE(m, 0xf3, 0xaa, 0x90); /* rep stosb; nop */
    machine_int_gate(m, 32, A_P(0) | SYS_INT, S_CODE(0), M_HANDLER, 0);
    m->cpu.r.gpr[X86_RCX] = 3;
    m->cpu.r.gpr[X86_RDI] = M_DATA;
    m->cpu.r.dr[0] = M_CODE;
    m->cpu.r.dr[7] = DR7_INIT | 1;
    machine_sync(m);
    expect_debug("before the first", m, 1, false);
    m->cpu.r.rflags |= FLAG_RF;
    machine_sync(m);
    for (unsigned left = 2; left; left--) {
        EXPECT("iteration", x86_emulate_one(&m->cpu), EMU_OK);
        EXPECT("iteration", m->cpu.r.gpr[X86_RCX], left);
        EXPECT("iteration", x86_between_iterations(&m->cpu), true);
    }
    struct x86_cpu within = m->cpu;
    EXPECT("interrupt", x86_deliver_interrupt(&m->cpu, 32), EMU_OK);
    EXPECT("RF is pushed", machine_peek(m, m->cpu.r.gpr[X86_RSP] + 16, 8) & FLAG_RF, FLAG_RF);
    EXPECT("the handler has it clear", m->cpu.r.rflags & FLAG_RF, 0);
    m->cpu = within;
    EXPECT("the last", x86_emulate_one(&m->cpu), EMU_OK);
    EXPECT("behind it", m->cpu.r.rip, M_CODE + 2);
    EXPECT("behind it", x86_between_iterations(&m->cpu), false);
    EXPECT("interrupt", x86_deliver_interrupt(&m->cpu, 32), EMU_OK);
    EXPECT("RF is not pushed", machine_peek(m, m->cpu.r.gpr[X86_RSP] + 16, 8) & FLAG_RF, 0);
    test_cpu_close(m);
}

static void
test_data_breakpoint(void)
{
    static const struct {
        const char *row;
        uint32_t rw_len; /* R/W0 and LEN0 */
        unsigned at;     /* DR0 - M_DATA */
        uint32_t hit_read, hit_write;
    } rows[] = {
        {"write, 4 bytes", 0xd, 0, 0, 1},        {"read or write, 4 bytes", 0xf, 0, 1, 1},
        {"1 byte, at the end", 0x3, 3, 1, 1},    {"1 byte, just behind", 0x3, 4, 0, 0},
        {"2 bytes, aligned down", 0x7, 5, 0, 0}, {"8 bytes", 0xb, 4, 1, 1},
    };
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        for (unsigned write = 0; write < 2; write++) {
            struct machine *m = machine_open(M_LONG);
            uint32_t hit = write ? rows[i].hit_write : rows[i].hit_read;
            m->cpu.r.gpr[X86_RBX] = M_DATA;
            m->cpu.r.dr[0] = M_DATA + rows[i].at;
            m->cpu.r.dr[7] = DR7_INIT | 1 | rows[i].rw_len << 16;
            CODE(m, write ? 0x89 : 0x8b, 0x03); /* mov [rbx], eax; mov eax, [rbx] */
            machine_sync(m);
            x86_tlb_flush_all(&m->cpu);
            if (hit)
                expect_debug(rows[i].row, m, 1, true);
            else
                EXPECT(rows[i].row, x86_emulate_one(&m->cpu), EMU_OK);
            EXPECT(rows[i].row, m->cpu.r.rip, M_CODE + 2); /* a trap: it has been done */
            test_cpu_close(m);
        }
}

/* MOV DR (vol. 3, 17.2.4 and 17.2.6): DR4 and DR5 are other names, GD guards, the upper half. */
static void
test_debug_registers(void)
{
    struct machine *m = machine_open(M_LONG);

    m->cpu.r.gpr[X86_RAX] = 0xffffffff;
    CODE(m, 0x0f, 0x23, 0xf0); /* mov dr6, rax */
    EXPECT("DR6: fixed bits", machine_try(m), EMU_OK);
    EXPECT("DR6: fixed bits", m->cpu.r.dr[6], 0xffffefff);
    CODE(m, 0x0f, 0x21, 0xe3); /* mov rbx, dr4 */
    EXPECT("DR4 is DR6", machine_try(m), EMU_OK);
    EXPECT("DR4 is DR6", m->cpu.r.gpr[X86_RBX], 0xffffefff);
    m->cpu.r.cr4 |= CR4_DE;
    CODE(m, 0x0f, 0x21, 0xe3);
    EXPECT_FAULT("CR4.DE", m, VEC_UD, -1);
    m->cpu.r.gpr[X86_RAX] = UINT64_C(1) << 32;
    CODE(m, 0x0f, 0x23, 0xf8);
    EXPECT_FAULT("DR7, upper half", m, VEC_GP, 0);
    m->cpu.r.dr[7] |= DR7_GD;
    CODE(m, 0x0f, 0x21, 0xc0);
    EXPECT("GD", x86_emulate_one(&m->cpu), EMU_FAULT);
    EXPECT("GD", m->cpu.fault.dr6, DR6_BD);
    test_cpu_close(m);
}

/* --- 6.8.3: interrupts are held off for one instruction --------------------------------------------------- */

static void
test_shadow(void)
{
    struct machine *m = machine_open(M_LONG);

    CODE(m, 0xfb, 0xfb, 0x90); /* sti; sti; nop */
    EXPECT("STI", x86_emulate_one(&m->cpu), EMU_OK);
    EXPECT("STI", m->cpu.r.shadow, X86_SHADOW_STI);
    EXPECT("a second STI does not renew it", x86_emulate_one(&m->cpu), EMU_OK);
    EXPECT("a second STI does not renew it", m->cpu.r.shadow, 0);
    test_cpu_close(m);

    m = machine_open(M_PROT32);
    m->cpu.r.gpr[X86_RAX] = S_DATA(0);
    m->cpu.r.rflags |= FLAG_TF;
    CODE(m, 0x8e, 0xd0, 0x90); /* mov ss, ax; nop */
    machine_sync(m);
    EXPECT("MOV SS holds off the trap too", x86_emulate_one(&m->cpu), EMU_OK);
    EXPECT("MOV SS", m->cpu.r.shadow, X86_SHADOW_MOVSS);
    expect_debug("until after the next instruction", m, DR6_BS, true);
    EXPECT("MOV SS", m->cpu.r.shadow, 0);
    test_cpu_close(m);

    m = machine_open(M_LONG);
    CODE(m, 0xfb, 0x0f, 0x0b); /* sti; ud2 */
    x86_emulate_one(&m->cpu);
    EXPECT("a faulting instruction keeps it", x86_emulate_one(&m->cpu), EMU_FAULT);
    EXPECT("a faulting instruction keeps it", m->cpu.r.shadow, X86_SHADOW_STI);
    test_cpu_close(m);
}

/* --- device accesses within an instruction (cpu.h, struct x86_replay) --------------------------------------- */

static void
test_replay(void)
{
    struct machine *m = machine_open(M_LONG);
    struct x86_cpu *cpu = &m->cpu;

    /* movsd from one device register to another: a read, then a write that leaves at the end */
    cpu->r.gpr[X86_RSI] = M_DEVICE;
    cpu->r.gpr[X86_RDI] = M_DEVICE + 0x100;
    CODE(m, 0xa5, 0xf4);
    EXPECT("MOVS", x86_emulate_one(cpu), EMU_MMIO);
    EXPECT("the read is asked for", cpu->access.address, M_DEVICE);
    EXPECT("the read is asked for", cpu->access.write, false);
    EXPECT("nothing has changed", cpu->r.rip, M_CODE);
    EXPECT("nothing has changed", cpu->r.gpr[X86_RSI], M_DEVICE);
    x86_complete_read(cpu, 0x11223344);
    EXPECT("MOVS", x86_emulate_one(cpu), EMU_MMIO);
    EXPECT("the write leaves", cpu->access.write, true);
    EXPECT("the write leaves", cpu->access.address, M_DEVICE + 0x100);
    EXPECT("the write leaves", cpu->access.value, 0x11223344);
    EXPECT("it has committed", cpu->r.rip, M_CODE + 1);
    EXPECT("it has committed", cpu->r.gpr[X86_RSI], M_DEVICE + 4);
    EXPECT("and the next one is the next one", x86_emulate_one(cpu), EMU_HALT);
    test_cpu_close(m);

    /* IN with TF set: the answer is taken once, then the trap */
    m = machine_open(M_LONG);
    cpu = &m->cpu;
    cpu->r.rflags |= FLAG_TF;
    CODE(m, 0xe4, 0x60);
    machine_sync(m);
    EXPECT("IN", x86_emulate_one(cpu), EMU_IO);
    EXPECT("IN", cpu->access.address, 0x60);
    x86_complete_read(cpu, 0x5a);
    expect_debug("IN, then the trap", m, DR6_BS, true);
    EXPECT("IN", cpu->r.gpr[X86_RAX] & 0xff, 0x5a);
    test_cpu_close(m);

    /* OUT with TF set: the access leaves first, the trap is not lost */
    m = machine_open(M_LONG);
    cpu = &m->cpu;
    cpu->r.rflags |= FLAG_TF;
    CODE(m, 0xe6, 0x60);
    machine_sync(m);
    EXPECT("OUT", x86_emulate_one(cpu), EMU_IO);
    EXPECT("OUT", cpu->r.rip, M_CODE + 2);
    expect_debug("OUT, then the trap", m, DR6_BS, true);
    test_cpu_close(m);
}

/* --- intercepts (APM vol. 2, 15.9) ------------------------------------------------------------------------ */

static void
test_intercepts(void)
{
    struct machine *m = machine_open(M_LONG);

    CODE(m, 0x0f, 0xa2);
    m->cpu.intercepts = INTERCEPT_CPUID;
    EXPECT("CPUID", x86_emulate_one(&m->cpu), EMU_INTERCEPT);
    EXPECT("CPUID", m->cpu.intercepted, INTERCEPT_CPUID);
    EXPECT("nothing was executed", m->cpu.r.rip, M_CODE);
    m->cpu.intercepts = 0;
    EXPECT("without", x86_emulate_one(&m->cpu), EMU_OK);

    CODE(m, 0xf4);
    m->cpu.intercepts = INTERCEPT_PRIVILEGED;
    EXPECT("a privileged instruction", x86_emulate_one(&m->cpu), EMU_INTERCEPT);
    machine_ring(m, 3);
    CODE(m, 0xf4);
    EXPECT_FAULT("the guest's own #GP comes first", m, VEC_GP, 0);
    CODE(m, 0x0f, 0x01, 0xd9);
    EXPECT_FAULT("VMMCALL that nobody wants", m, VEC_UD, -1);
    m->cpu.intercepts = INTERCEPT_HYPERCALL;
    EXPECT("VMMCALL", x86_emulate_one(&m->cpu), EMU_HYPERCALL);
    EXPECT("VMMCALL", m->cpu.r.rip, M_CODE);
    test_cpu_close(m);
}

static const struct unit_test tests[] = {
    {"single step", test_single_step},
    {"instruction breakpoints and RF", test_code_breakpoint},
    {"between two iterations of REP", test_between_iterations},
    {"data breakpoints", test_data_breakpoint},
    {"MOV to and from debug registers", test_debug_registers},
    {"the interrupt shadow", test_shadow},
    {"device accesses within an instruction", test_replay},
    {"intercepts", test_intercepts},
    {NULL, NULL},
};
const struct unit_suite suite_isa_debug = {"isa_debug", tests};
