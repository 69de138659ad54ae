/*
 * deprivilege.c - see deprivilege.h: real descriptor tables for a guest kernel at CPL 3.
 *
 * Why the GDT is empty but for its end: IRETQ, MOV to a segment register and far branches do not
 * fault at CPL 3 for privilege, only for a bad selector (Robin & Irvine 2000). With no descriptor
 * behind any selector that CPL 3 may use, each of them is #GP and reaches the VMM. (The registers
 * CS and SS of the guest are set without one. On engine kvm the stub goes to the guest by IRETQ and
 * needs two, MONITOR_CS64 and MONITOR_DS: there a guest that uses these two selectors stays unseen,
 * and stays at CPL 3. docs/STRATEGIES.md lists it.)
 */
#include <string.h>

#include "core/vm.h"
#include "engine/engine.h"
#include "isa/x86/cpu.h"
#include "strategy/deprivilege.h"

#define PTE_P  UINT64_C(1)
#define PTE_W  UINT64_C(2)
#define PTE_NX (UINT64_C(1) << 63)

/* Descriptors in the format of SDM vol. 3, figure 3-8. */
#define DESCRIPTOR_CODE64_0 UINT64_C(0x00af9b000000ffff)
#define DESCRIPTOR_DATA_0   UINT64_C(0x00cf93000000ffff)

/* Flags that a program at CPL 3 with IOPL 0 can change by itself. */
#define FLAGS_USER (FLAGS_ARITH | FLAG_TF | FLAG_DF | FLAG_NT | FLAG_RF | FLAG_AC | FLAG_ID)

int
deprivilege_prepare(struct vm *vm, uint64_t pool, struct error *err)
{
    return ram_add_private(&vm->ram, MONITOR_END + pool, err);
}

static void
put64(uint8_t *window, uint64_t at, uint64_t value)
{
    memcpy(window + at, &value, sizeof(value));
}

static void
build_gdt(uint8_t *window)
{
    uint64_t tss = MONITOR_LINEAR + MONITOR_TSS;

    put64(window, MONITOR_GDT + MONITOR_CS, DESCRIPTOR_CODE64_0);
    put64(window, MONITOR_GDT + MONITOR_SS, DESCRIPTOR_DATA_0);
    /* An available 64-bit TSS (type 9) of 104 bytes: SDM vol. 3, figure 7-4. */
    put64(window, MONITOR_GDT + MONITOR_TR,
          0x67 | (tss & 0xffffff) << 16 | UINT64_C(0x8b) << 40 | (tss >> 24 & 0xff) << 56);
    put64(window, MONITOR_GDT + MONITOR_TR + 8, tss >> 32);
}

/* One PDPT, one PD, one PT: the window's pages below MONITOR_TABLES, for CPL 0. */
static void
build_tables(uint8_t *window)
{
    uint64_t tables = RAM_PRIVATE + MONITOR_TABLES;

    put64(window, MONITOR_TABLES, (tables + PAGE_SIZE) | PTE_W | PTE_P);
    put64(window, MONITOR_TABLES + PAGE_SIZE, (tables + 2 * PAGE_SIZE) | PTE_W | PTE_P);
    for (uint64_t page = 0; page < MONITOR_TABLES / PAGE_SIZE; page++) {
        bool code = page == MONITOR_STUB / PAGE_SIZE;
        put64(window, MONITOR_TABLES + 2 * PAGE_SIZE + 8 * page,
              (RAM_PRIVATE + page * PAGE_SIZE) | PTE_P | (code ? 0 : PTE_W | PTE_NX));
    }
}

int
deprivilege_attach(struct vcpu *vcpu, struct error *err)
{
    struct vm *vm = vcpu->vm;
    uint8_t *window = vm->ram.private_host;

    build_gdt(window);
    build_tables(window);
    put64(window, MONITOR_TSS + 4, MONITOR_LINEAR + MONITOR_STACK + PAGE_SIZE); /* RSP0 */
    /* The I/O map's base lies behind the limit: no port is allowed at CPL 3 (SDM vol. 1, 19.5.2). */
    put64(window, MONITOR_TSS + 0x60, UINT64_C(0x68) << 48);
    if (vm->engine_ops->open_monitor) {
        int rc = vm->engine_ops->open_monitor(vcpu, err);
        if (rc)
            return rc;
    }
    /* At CPL 3 no privileged instruction can get as far as being executed. An engine that can tell
     * is asked to: such an exit would be a bug of ours. */
    uint32_t privileged = vm->engine_ops->caps & CAP_INTERCEPT_INSN ? INTERCEPT_PRIVILEGED : 0;
    return vm->engine_ops->intercept(vcpu, privileged, ~UINT32_C(0), err);
}

uint64_t
deprivilege_root_entry(void)
{
    return (RAM_PRIVATE + MONITOR_TABLES) | PTE_W | PTE_P;
}

static struct x86_segment
flat_segment(uint16_t selector, uint16_t attr)
{
    return (struct x86_segment){.limit = 0xffffffff, .selector = selector, .attr = attr};
}

void
deprivilege_regs(struct x86_regs *real, const struct x86_regs *guest, uint64_t cr3)
{
    const uint16_t user = SEG_P | SEG_S | SEG_DPL | SEG_G | SEG_ACCESSED;

    *real = *guest;
    real->rflags = (guest->rflags & FLAGS_USER) | FLAG_IF | FLAG_ONE;
    for (unsigned i = 0; i < X86_NSEG; i++) {
        real->seg[i] = (struct x86_segment){0};
        if (i == X86_FS || i == X86_GS)
            real->seg[i].base = guest->seg[i].base;
    }
    real->seg[X86_CS] = flat_segment(MONITOR_CS64, user | SEG_CODE | SEG_READABLE | SEG_L);
    real->seg[X86_SS] = flat_segment(MONITOR_DS, user | SEG_WRITABLE | SEG_DB);
    real->ldtr = (struct x86_segment){0};
    real->tr = (struct x86_segment){.base = MONITOR_LINEAR + MONITOR_TSS,
                                    .limit = 0x67,
                                    .selector = MONITOR_TR,
                                    .attr = SEG_P | SYS_TSS_BUSY};
    real->gdtr = (struct x86_table){MONITOR_LINEAR + MONITOR_GDT, 0xffff};
    real->idtr = (struct x86_table){MONITOR_LINEAR + MONITOR_IDT, PAGE_SIZE - 1};
    real->cr0 = (guest->cr0 & (CR0_MP | CR0_EM | CR0_TS)) | CR0_PG | CR0_WP | CR0_NE | CR0_ET |
                CR0_PE;
    if (x86_cpl(guest) == 3) /* alignment is checked for programs alone (SDM vol. 3, 2.5) */
        real->cr0 |= guest->cr0 & CR0_AM;
    real->cr3 = cr3;
    real->cr4 = (guest->cr4 & (CR4_OSFXSR | CR4_OSXMMEXCPT | CR4_TSD | CR4_UMIP)) | CR4_PAE;
    real->efer = EFER_LME | EFER_LMA | EFER_NXE;
    /* SYSENTER asks for neither a descriptor nor EFER.SCE: without a CS it is #GP (SDM vol. 2). */
    real->sysenter_cs = 0;
    real->dr[7] = DR7_INIT;
    real->shadow = 0;
    real->halted = 0;
}

void
deprivilege_readback(struct x86_regs *guest, const struct x86_regs *real)
{
    memcpy(guest->gpr, real->gpr, sizeof(guest->gpr));
    memcpy(guest->fx, real->fx, sizeof(guest->fx));
    guest->rip = real->rip;
    /* A null selector is the one that can be loaded without a fault, and it takes the base away. */
    for (unsigned i = X86_FS; i <= X86_GS; i++)
        if (guest->seg[i].base != real->seg[i].base)
            guest->seg[i] = (struct x86_segment){.base = real->seg[i].base,
                                                 .selector = real->seg[i].selector};
    guest->rflags = (guest->rflags & ~(uint64_t)FLAGS_USER) | (real->rflags & FLAGS_USER);
}
