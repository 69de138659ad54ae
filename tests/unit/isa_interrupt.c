/*
 * isa_interrupt.c - tests of the delivery of interrupts and exceptions (isa/x86/interrupt.c).
 * Long mode is in isa_interrupt64.c, faults on the way in isa_double.c, IRET in isa_iret.c.
 * Sections are the SDM's.
 */
#include "tests/unit/isa_machine.h"
#include "tests/unit/suites.h"

#define TOP(n)   (M_STACK + ((n) + 1) * 0x1000u)
#define INT32(n) (A_P(n) | SYS_INT)
#define TRAP32   (A_P(0) | SYS_TRAP)
#define INT16    (A_P(0) | SYS_INT16)
#define TRAP16   (A_P(0) | SYS_TRAP16)

static int
deliver(struct machine *m, enum x86_event type, unsigned vector, int64_t error)
{
    struct x86_fault what = {
        .vector = (uint8_t)vector, .has_error = error >= 0, .error = (uint32_t)error};

    return x86_deliver_event(&m->cpu, type, &what, m->cpu.r.rip);
}

/* --- real mode: vol. 3, 20.1.4; vol. 2, INT n, REAL-ADDRESS-MODE ------------------------------- */

static void
test_real(void)
{
    struct machine *m = machine_open(M_REAL);
    uint32_t flags = FLAG_IF | FLAG_TF | FLAG_AC | FLAG_CF | FLAG_ONE | FLAG_NT;

    machine_poke(m, 0x21 * 4, 4, 0x20001234);
    m->cpu.r.rflags = flags & ~FLAG_TF;
    CODE(m, 0xcd, 0x21);
    EXPECT("INT 21h", machine_try(m), EMU_OK);
    EXPECT("INT 21h", m->cpu.r.seg[X86_CS].selector, 0x2000);
    EXPECT("INT 21h", m->cpu.r.seg[X86_CS].base, 0x20000);
    EXPECT("INT 21h", m->cpu.r.rip, 0x1234);
    EXPECT("INT 21h", m->cpu.r.rflags, FLAG_CF | FLAG_ONE | FLAG_NT);
    EXPECT_STACK("INT 21h", m, TOP(0) - 6, 2, 2, M_CODE >> 4, flags & ~FLAG_TF & 0xffff);
    EXPECT("INT 21h", m->cpu.r.gpr[X86_RSP], TOP(0) - 6);

    /* No error code, whatever the exception. */
    m->cpu.r.rflags = flags;
    machine_poke(m, 13 * 4, 4, 0x30005678);
    EXPECT("#GP", deliver(m, X86_EVENT_EXCEPTION, VEC_GP, 0), EMU_OK);
    EXPECT("#GP", m->cpu.r.gpr[X86_RSP], TOP(0) - 12);
    EXPECT("#GP", m->cpu.r.rflags, FLAG_CF | FLAG_ONE | FLAG_NT);
    EXPECT_STACK("#GP", m, TOP(0) - 12, 2, 0x1234, 0x2000, flags & 0xffff);

    /* The IVT is where IDTR says, and ends where it says. */
    m->cpu.r.idtr = (struct x86_table){0x500, 0x21 * 4 + 2};
    EXPECT("IVT limit", deliver(m, X86_EVENT_SOFTWARE, 0x21, -1), EMU_FAULT);
    EXPECT("IVT limit", m->cpu.fault.vector, VEC_GP);
    m->cpu.r.idtr.limit++;
    machine_poke(m, 0x500 + 0x21 * 4, 4, 0x40009abc);
    EXPECT("IVT elsewhere", deliver(m, X86_EVENT_SOFTWARE, 0x21, -1), EMU_OK);
    EXPECT("IVT elsewhere", m->cpu.r.seg[X86_CS].base, 0x40000);
    m->cpu.r.gpr[X86_RSP] = 5; /* flags at 3, CS at 1, IP at ffff: outside */
    EXPECT("no room", deliver(m, X86_EVENT_SOFTWARE, 0x21, -1), EMU_FAULT);
    EXPECT("no room", m->cpu.fault.vector, VEC_SS);
    test_cpu_close(m);
}

/* --- protected mode: the frame and the flags --------------------------------------------------- */

#define FLAGS_BEFORE (FLAG_IF | FLAG_TF | FLAG_NT | FLAG_RF | FLAG_AC | FLAG_OF | FLAG_ONE)

/* Vol. 3, 6.12.1.3: interrupt gates clear IF, trap gates do not; both clear TF, NT, RF. Vol. 3,
 * 6.12.1 and figure 6-4: frames. */
static void
test_gates(void)
{
    static const struct {
        const char *name;
        uint16_t gate;
        unsigned cpl;
        int64_t error;
        unsigned size, slots;
        bool if_after;
    } rows[] = {
        {"interrupt gate, same ring", INT32(0), 0, -1, 4, 3, false},
        {"trap gate, same ring", TRAP32, 0, -1, 4, 3, true},
        {"interrupt gate from ring 3", INT32(0), 3, -1, 4, 5, false},
        {"trap gate from ring 1", TRAP32, 1, -1, 4, 5, true},
        {"error code, same ring", INT32(0), 0, 0x1234, 4, 4, false},
        {"error code from ring 3", TRAP32, 3, 0x1234, 4, 6, true},
        {"16-bit interrupt gate", INT16, 0, -1, 2, 3, false},
        {"16-bit trap gate from ring 3", TRAP16, 3, -1, 2, 5, true},
        {"16-bit gate, error code from ring 3", INT16, 3, 0x1234, 2, 6, false},
    };

    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct machine *m = machine_open(M_PROT32);
        unsigned size = rows[i].size, mask = size == 2 ? 0xffff : 0xffffffff;
        uint64_t slot[6], *s = slot;
        machine_int_gate(m, 13, rows[i].gate, S_CODE(0) | 3, M_HANDLER, 0);
        machine_ring(m, rows[i].cpl);
        m->cpu.r.rflags = FLAGS_BEFORE;
        m->cpu.r.halted = 1;
        m->cpu.r.shadow = X86_SHADOW_STI;
        if (rows[i].error >= 0)
            *s++ = (uint64_t)rows[i].error;
        *s++ = M_CODE & mask;
        *s++ = S_CODE(rows[i].cpl);
        *s++ = (FLAGS_BEFORE | FLAG_RF) & mask;
        *s++ = TOP(rows[i].cpl) & mask;
        *s++ = S_DATA(rows[i].cpl);
        EXPECT(rows[i].name,
               deliver(m, rows[i].error < 0 ? X86_EVENT_EXTERNAL : X86_EVENT_EXCEPTION, 13,
                       rows[i].error),
               EMU_OK);
        EXPECT(rows[i].name, m->cpu.r.rip, M_HANDLER & mask);
        EXPECT(rows[i].name, m->cpu.r.seg[X86_CS].selector, S_CODE(0));
        EXPECT(rows[i].name, m->cpu.r.seg[X86_SS].selector, S_DATA(0));
        EXPECT(rows[i].name, m->cpu.cpl, 0);
        EXPECT(rows[i].name, m->cpu.r.gpr[X86_RSP], TOP(0) - rows[i].slots * size);
        EXPECT(rows[i].name, m->cpu.r.rflags,
               FLAG_AC | FLAG_OF | FLAG_ONE | (rows[i].if_after ? FLAG_IF : 0));
        EXPECT(rows[i].name, m->cpu.r.halted, 0);
        EXPECT(rows[i].name, m->cpu.r.shadow, 0);
        machine_expect_stack(__FILE__, __LINE__, rows[i].name, m, (uint32_t)m->cpu.r.gpr[X86_RSP],
                             size, slot, rows[i].slots);
        test_cpu_close(m);
    }
}

/* A conforming handler runs in the ring that was interrupted, on its stack; a ring-1 handler gets
 * ring 1's stack (vol. 3, 6.12.1.1). */
static void
test_handler_rings(void)
{
    struct machine *m = machine_open(M_PROT32);

    machine_segment(m, S_FREE(0), 0, 0xffffffff, A_CODE(0) | SEG_CONFORMING);
    machine_int_gate(m, 32, INT32(0), S_FREE(0), M_HANDLER, 0);
    machine_int_gate(m, 33, INT32(0), S_CODE(1), M_HANDLER, 0);
    machine_ring(m, 3);
    EXPECT("conforming", deliver(m, X86_EVENT_EXTERNAL, 32, -1), EMU_OK);
    EXPECT("conforming", m->cpu.cpl, 3);
    EXPECT("conforming", m->cpu.r.seg[X86_CS].selector, S_FREE(0) | 3);
    EXPECT("conforming", m->cpu.r.gpr[X86_RSP], TOP(3) - 12);
    m->cpu.r.gpr[X86_RSP] = TOP(3) - 1; /* #AC would be delivered here again, for ever */
    m->cpu.r.cr0 |= CR0_AM;
    m->cpu.r.rflags |= FLAG_AC;
    machine_sync(m);
    EXPECT("no #AC in a delivery", deliver(m, X86_EVENT_EXTERNAL, 32, -1), EMU_OK);
    machine_ring(m, 3);
    EXPECT("ring 1", deliver(m, X86_EVENT_EXTERNAL, 33, -1), EMU_OK);
    EXPECT("ring 1", m->cpu.cpl, 1);
    EXPECT("ring 1", m->cpu.r.gpr[X86_RSP], TOP(1) - 20);
    test_cpu_close(m);
}

/* Vol. 3, 17.3.1.1: RF in the image is set for faults, clear for INT n, else as it is. */
static void
test_resume_flag(void)
{
    static const struct {
        const char *name;
        enum x86_event type;
        unsigned vector;
        uint32_t dr6, flags, want;
    } rows[] = {
        {"#DE", X86_EVENT_EXCEPTION, VEC_DE, 0, 0, FLAG_RF},
        {"#UD", X86_EVENT_EXCEPTION, VEC_UD, 0, 0, FLAG_RF},
        {"#NM", X86_EVENT_EXCEPTION, VEC_NM, 0, 0, FLAG_RF},
        {"#PF", X86_EVENT_EXCEPTION, VEC_PF, 0, 0, FLAG_RF},
        {"#BP is a trap", X86_EVENT_EXCEPTION, VEC_BP, 0, 0, 0},
        {"#DF is an abort", X86_EVENT_EXCEPTION, VEC_DF, 0, 0, 0},
        {"#DB, single step", X86_EVENT_EXCEPTION, VEC_DB, DR6_BS, 0, 0},
        {"#DB, instruction breakpoint", X86_EVENT_EXCEPTION, VEC_DB, 1, 0, 0},
        {"#DB, general detect", X86_EVENT_EXCEPTION, VEC_DB, DR6_BD, 0, FLAG_RF},
        {"interrupt", X86_EVENT_EXTERNAL, 32, 0, 0, 0},
        {"interrupt within REP", X86_EVENT_EXTERNAL, 32, 0, FLAG_RF, FLAG_RF},
        {"NMI", X86_EVENT_NMI, VEC_NMI, 0, FLAG_RF, FLAG_RF},
        {"INT n", X86_EVENT_SOFTWARE, 32, 0, FLAG_RF, 0},
    };

    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct machine *m = machine_open(M_PROT32);
        struct x86_fault what = {.vector = (uint8_t)rows[i].vector, .dr6 = rows[i].dr6};
        machine_int_gate(m, rows[i].vector, INT32(0), S_CODE(0), M_HANDLER, 0);
        m->cpu.r.rflags |= rows[i].flags;
        EXPECT(rows[i].name, x86_deliver_event(&m->cpu, rows[i].type, &what, 0x1234), EMU_OK);
        EXPECT(rows[i].name, machine_peek(m, TOP(0) - 4, 4) & FLAG_RF, rows[i].want);
        EXPECT(rows[i].name, machine_peek(m, TOP(0) - 12, 4), 0x1234);
        test_cpu_close(m);
    }
}

/* CR2 for #PF (vol. 3, 4.7), DR6 for #DB (17.2.3: bits 3-0 are new, the others pile up), DR7.GD
 * (17.2.4), NMI blocking (6.7.1). */
static void
test_side_effects(void)
{
    struct machine *m = machine_open(M_PROT32);
    struct x86_fault pf = {.vector = VEC_PF, .has_error = true, .error = 6, .address = 0xdead1000};
    struct x86_fault db = {.vector = VEC_DB, .dr6 = DR6_BS | 0x2};

    for (unsigned i = 0; i < 15; i++)
        machine_int_gate(m, i, INT32(0), S_CODE(0), M_HANDLER, 0);
    m->cpu.fault = pf;
    EXPECT("#PF", x86_deliver_fault(&m->cpu), EMU_OK);
    EXPECT("#PF", m->cpu.r.cr2, 0xdead1000);
    EXPECT("#PF", machine_peek(m, TOP(0) - 16, 4), 6);
    m->cpu.r.dr[6] = DR6_INIT | DR6_BD | 0x1;
    m->cpu.r.dr[7] = DR7_INIT | DR7_GD;
    m->cpu.fault = db;
    EXPECT("#DB", x86_deliver_fault(&m->cpu), EMU_OK);
    EXPECT("#DB", m->cpu.r.dr[6], DR6_INIT | DR6_BD | DR6_BS | 0x2);
    EXPECT("#DB", m->cpu.r.dr[7], DR7_INIT);
    EXPECT("NMI", deliver(m, X86_EVENT_NMI, VEC_NMI, -1), EMU_OK);
    EXPECT("NMI", m->cpu.r.nmi_blocked, 1);
    EXPECT("interrupt", x86_deliver_interrupt(&m->cpu, 10), EMU_OK);
    EXPECT("hook", m->transfers, 4);
    EXPECT("hook", m->transfer[0].what, X86_T_EXCEPTION);
    EXPECT("hook", m->transfer[0].vector, VEC_PF);
    EXPECT("hook", m->transfer[2].what, X86_T_INTERRUPT);
    EXPECT("hook", m->transfer[3].vector, 10);
    test_cpu_close(m);
}

/* --- what can be wrong: vol. 2, INT n; error codes vol. 3, 6.13 --------------------------------- */

#define EXT  1u
#define IDT  2u
#define SLOT S_FREE(4)

enum damage { NOTHING, IDT_LIMIT, TSS_LIMIT, TSS_NULL, TSS_STACK, SMALL_STACK };

static const struct error_row {
    const char *name;
    uint16_t gate;   /* attributes of vector 0x30's gate */
    uint16_t target; /* its selector; SLOT has the attributes below */
    uint16_t attr;
    unsigned cpl;
    enum damage damage;
    unsigned vector, error; /* of INT 0x30; an interrupt has EXT besides */
} error_rows[] = {
    {"outside the IDT", INT32(3), S_CODE(0), 0, 0, IDT_LIMIT, VEC_GP, 0x30 * 8 | IDT},
    {"no gate", A_P(3), S_CODE(0), 0, 0, NOTHING, VEC_GP, 0x30 * 8 | IDT},
    {"a call gate", A_P(3) | SYS_CALL, S_CODE(0), 0, 0, NOTHING, VEC_GP, 0x30 * 8 | IDT},
    {"a TSS", A_P(3) | SYS_TSS, S_CODE(0), 0, 0, NOTHING, VEC_GP, 0x30 * 8 | IDT},
    {"a segment", A_CODE(3), S_CODE(0), 0, 0, NOTHING, VEC_GP, 0x30 * 8 | IDT},
    {"gate not present", INT32(3) & ~SEG_P, S_CODE(0), 0, 0, NOTHING, VEC_NP, 0x30 * 8 | IDT},
    {"null code", INT32(3), 3, 0, 0, NOTHING, VEC_GP, 0},
    {"code outside the GDT", INT32(3), 0x1003, 0, 0, NOTHING, VEC_GP, 0x1000},
    {"code outside the LDT", INT32(3), 0x1007, 0, 0, NOTHING, VEC_GP, 0x1004},
    {"leads to data", INT32(3), SLOT, A_DATA(0), 0, NOTHING, VEC_GP, SLOT},
    {"leads to a TSS", INT32(3), SLOT, SEG_P | SYS_TSS, 0, NOTHING, VEC_GP, SLOT},
    {"outer code", INT32(3), S_CODE(3), 0, 0, NOTHING, VEC_GP, S_CODE(3) & ~3u},
    {"outer conforming code", INT32(3), SLOT, A_CODE(3) | SEG_CONFORMING, 0, NOTHING, VEC_GP, SLOT},
    {"code not present", INT32(3), SLOT, A_CODE(0) & ~SEG_P, 0, NOTHING, VEC_NP, SLOT},
    {"offset beyond the limit", INT32(3), SLOT, SEG_P | SEG_S | SEG_CODE, 0, NOTHING, VEC_GP, 0},
    {"same, to ring 0", INT32(3), SLOT, SEG_P | SEG_S | SEG_CODE, 3, NOTHING, VEC_GP, 0},
    {"TSS too short", INT32(3), S_CODE(0), 0, 3, TSS_LIMIT, VEC_TS, S_TSS},
    {"null stack", INT32(3), S_CODE(0), 0, 3, TSS_NULL, VEC_TS, 0},
    {"stack of the wrong ring", INT32(3), S_CODE(0), A_DATA(3), 3, TSS_STACK, VEC_TS, SLOT},
    {"stack not writable", INT32(3), S_CODE(0), A_P(0) | SEG_S, 3, TSS_STACK, VEC_TS, SLOT},
    {"stack not present", INT32(3), S_CODE(0), A_DATA(0) & ~SEG_P, 3, TSS_STACK, VEC_SS, SLOT},
    {"inner stack too small", INT32(3), S_CODE(0), SEG_P | SEG_S | SEG_WRITABLE, 3, TSS_STACK,
     VEC_SS, SLOT},
    {"present stack too small", INT32(3), S_CODE(0), 0, 0, SMALL_STACK, VEC_SS, 0},
};

static void
damage(struct machine *m, enum damage what)
{
    switch (what) {
    case IDT_LIMIT: m->cpu.r.idtr.limit = 0x30 * 8 + 6; break;
    case TSS_LIMIT: m->cpu.r.tr.limit = 8; break;
    case TSS_NULL: machine_poke(m, M_TSS + 8, 2, 3); break;
    case TSS_STACK: machine_poke(m, M_TSS + 8, 2, SLOT); break;
    case SMALL_STACK:
        m->cpu.r.seg[X86_SS].limit = 0x100;
        machine_sync(m);
        break;
    default: break;
    }
}

static void
test_errors(void)
{
    for (unsigned i = 0; i < sizeof(error_rows) / sizeof(error_rows[0]); i++)
        for (unsigned external = 0; external < 2; external++) {
            const struct error_row *row = &error_rows[i];
            struct machine *m = machine_open(M_PROT32);
            machine_int_gate(m, 0x30, row->gate, row->target, M_HANDLER, 0);
            machine_segment(m, SLOT, 0, row->attr & SEG_G ? 0xffffffff : 0xfff, row->attr);
            machine_ring(m, row->cpl);
            damage(m, row->damage);
            CODE(m, 0xcd, 0x30);
            if (external) {
                EXPECT(row->name, deliver(m, X86_EVENT_EXTERNAL, 0x30, -1), EMU_FAULT);
                EXPECT(row->name, m->cpu.fault.vector, row->vector);
                EXPECT(row->name, m->cpu.fault.error, row->error | EXT);
            } else {
                EXPECT_FAULT(row->name, m, row->vector, row->error);
            }
            test_cpu_close(m);
        }
}

/* The DPL of the gate is for software only: INT n, INT3, INTO, not INT1 (vol. 3, 6.12.1.2). */
static void
test_software_dpl(void)
{
    struct machine *m = machine_open(M_PROT32);

    for (unsigned i = 0; i < 0x40; i++)
        machine_int_gate(m, i, INT32(2), S_CODE(0), M_HANDLER, 0);
    machine_int_gate(m, 0x31, INT32(2) & ~SEG_P, S_CODE(0), M_HANDLER, 0);
    machine_ring(m, 3);
    CODE(m, 0xcd, 0x30);
    EXPECT_FAULT("INT 30h", m, VEC_GP, 0x30 * 8 | IDT);
    CODE(m, 0xcd, 0x31);
    EXPECT_FAULT("DPL before presence", m, VEC_GP, 0x31 * 8 | IDT);
    CODE(m, 0xcc);
    EXPECT_FAULT("INT3", m, VEC_GP, 3 * 8 | IDT);
    m->cpu.r.rflags |= FLAG_OF;
    CODE(m, 0xce);
    EXPECT_FAULT("INTO", m, VEC_GP, 4 * 8 | IDT);
    CODE(m, 0xf1);
    EXPECT("INT1", machine_try(m), EMU_OK);
    machine_ring(m, 3);
    EXPECT("interrupt", deliver(m, X86_EVENT_EXTERNAL, 0x30, -1), EMU_OK);
    machine_ring(m, 3);
    EXPECT("NMI", deliver(m, X86_EVENT_NMI, 2, -1), EMU_OK);
    machine_ring(m, 2);
    CODE(m, 0xcd, 0x30);
    EXPECT("ring 2", machine_try(m), EMU_OK);
    machine_int_gate(m, 0x32, A_P(3) | SYS_TASK_GATE, S_FREE(0), 0, 0);
    machine_ring(m, 3);
    CODE(m, 0xcd, 0x32);
    EXPECT("task gate", machine_try(m), EMU_UNIMPLEMENTED);
    test_cpu_close(m);
}

/* The IDT is read at supervisor privilege; a stack page that is missing is a #PF without EXT. */
static void
test_pages(void)
{
    struct machine *m = machine_open(M_PROT32);

    machine_paging(m);
    machine_int_gate(m, 0x30, INT32(3), S_CODE(0), M_HANDLER, 0);
    machine_page(m, M_IDT, 0x1);
    machine_page(m, M_STACK, 0x3);
    machine_ring(m, 3);
    EXPECT("supervisor's pages", deliver(m, X86_EVENT_EXTERNAL, 0x30, -1), EMU_OK);
    machine_page(m, M_STACK, 0x1);
    machine_ring(m, 3);
    EXPECT("read-only stack", deliver(m, X86_EVENT_EXTERNAL, 0x30, -1), EMU_FAULT);
    EXPECT("read-only stack", m->cpu.fault.vector, VEC_PF);
    EXPECT("read-only stack", m->cpu.fault.error, PF_PRESENT | PF_WRITE);
    machine_page(m, M_IDT, 0);
    EXPECT("IDT not mapped", deliver(m, X86_EVENT_EXTERNAL, 0x30, -1), EMU_FAULT);
    EXPECT("IDT not mapped", m->cpu.fault.address, M_IDT + 0x30 * 8);
    EXPECT("IDT not mapped", m->cpu.fault.error, 0);
    test_cpu_close(m);
}

/* --- stacks and tables in a device's memory --------------------------------------------------------------- */

/* The pushes are held back until the delivery has committed, and then leave one by one; a table
 * in a device is asked once per read (struct x86_replay in cpu.h). */
static void
test_devices(void)
{
    struct machine *m = machine_open(M_PROT32);

    machine_int_gate(m, 0x30, INT32(0), S_CODE(0), M_HANDLER, 0);
    m->cpu.r.gpr[X86_RSP] = M_DEVICE + 0x100;
    EXPECT("stack", x86_deliver_interrupt(&m->cpu, 0x30), EMU_OK);
    EXPECT("stack", m->cpu.r.rip, M_HANDLER);
    for (unsigned i = 0; i < 3; i++) {
        static const uint32_t want[3] = {FLAG_ONE, S_CODE(0), M_CODE};
        EXPECT("push", x86_emulate_one(&m->cpu), EMU_MMIO);
        EXPECT("push", m->cpu.access.address, M_DEVICE + 0x100 - 4 * (i + 1));
        EXPECT("push", m->cpu.access.value, want[i]);
    }
    machine_poke(m, M_HANDLER, 1, 0x90);
    EXPECT("then the handler", x86_emulate_one(&m->cpu), EMU_OK);
    test_cpu_close(m);

    /* The delivery goes on with x86_deliver_fault(), whatever it was that began. */
    m = machine_open(M_PROT32);
    m->cpu.r.idtr.base = M_DEVICE;
    EXPECT("IDT", x86_deliver_interrupt(&m->cpu, 0x30), EMU_MMIO);
    EXPECT("IDT", m->cpu.access.address, M_DEVICE + 0x30 * 8);
    EXPECT("IDT", m->cpu.access.write, false);
    x86_complete_read(&m->cpu, 0x00018e0000088000); /* an interrupt gate to 8:18000 */
    EXPECT("IDT", x86_deliver_fault(&m->cpu), EMU_OK);
    EXPECT("IDT", m->cpu.r.rip, 0x18000);
    EXPECT("IDT", m->cpu.replay.filled, 0);
    EXPECT("IDT", m->cpu.delivering, 0);
    EXPECT("IDT", m->transfer[0].what, X86_T_INTERRUPT);
    EXPECT("IDT", m->transfer[0].vector, 0x30);

    /* An interrupt whose gate is not present: #NP, whose gate has to be read too. */
    machine_ring(m, 0);
    EXPECT("chain", x86_deliver_interrupt(&m->cpu, 0x31), EMU_MMIO);
    x86_complete_read(&m->cpu, 0x00010e0000088000);
    EXPECT("chain", x86_deliver_fault(&m->cpu), EMU_MMIO);
    EXPECT("chain", m->cpu.access.address, M_DEVICE + VEC_NP * 8);
    x86_complete_read(&m->cpu, 0x00028e0000088000);
    EXPECT("chain", x86_deliver_fault(&m->cpu), EMU_OK);
    EXPECT("chain", m->cpu.r.rip, 0x28000);
    EXPECT_STACK("chain", m, TOP(0) - 16, 4, 0x31 * 8 | IDT | EXT, M_CODE, S_CODE(0));
    test_cpu_close(m);
}

static const struct unit_test tests[] = {
    {"real mode", test_real},
    {"interrupt and trap gates, 16 and 32 bits", test_gates},
    {"rings of handlers", test_handler_rings},
    {"RF in the image of the flags", test_resume_flag},
    {"CR2, DR6, DR7.GD, NMI, hooks", test_side_effects},
    {"faults on the way, with and without EXT", test_errors},
    {"DPL for software interrupts", test_software_dpl},
    {"page privilege", test_pages},
    {"stacks and tables in devices", test_devices},
    {NULL, NULL},
};
const struct unit_suite suite_isa_interrupt = {"isa_interrupt", tests};
