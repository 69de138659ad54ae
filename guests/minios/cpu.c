/*
 * cpu.c - the processor's own tables and switches: GDT, TSS, CR0, CR4, EFER.
 *
 * Long mode has no use for segments but two: the privilege level is CS's, and the TSS tells where
 * the kernel's stack is. Called by kmain() once, and by proc.c at every switch.
 */
#include "kernel.h"

struct cpu cpu;

/* Task state segment (SDM vol. 3, 7.7). */
struct tss {
    uint32_t reserved0;
    uint64_t rsp[3]; /* the stack for an entry into ring 0, 1, 2 */
    uint64_t reserved1;
    uint64_t ist[7]; /* stacks that an IDT entry can ask for by number */
    uint64_t reserved2;
    uint16_t reserved3;
    uint16_t iomap; /* beyond the limit: no port is open to ring 3 */
} __attribute__((packed));

static struct tss tss;
static char emergency_stack[PAGE] __attribute__((aligned(16)));

/*
 * Code and data descriptors in long mode (SDM vol. 3, 3.4.5); base and limit do not count.
 *  55 54 53    47 46-45 44 43-40
 *  G  D  L     P  DPL   S  type
 */
#define DESC_CODE 0x00209a0000000000 /* L, P, S, execute and read */
#define DESC_DATA 0x0000920000000000 /* P, S, read and write */
#define DESC_DPL3 0x0000600000000000
#define DESC_TSS  0x0000890000000000 /* P, type 9: available TSS */

static uint64_t gdt[7] = {
    [KERNEL_CS / 8] = DESC_CODE,
    [KERNEL_DS / 8] = DESC_DATA,
    [USER_DS / 8] = DESC_DATA | DESC_DPL3,
    [USER_CS / 8] = DESC_CODE | DESC_DPL3,
    /* TSS_SEL: two entries, filled in cpu_init() */
};

static void
read_features(void)
{
    uint32_t r[4], last_leaf;
    priv_cpuid(0, r);
    last_leaf = r[0];
    priv_cpuid(1, r);
    cpu.pge = r[3] >> 13 & 1;
    if (last_leaf >= 7) {
        priv_cpuid(7, r);
        cpu.smep = r[1] >> 7 & 1;
        cpu.smap = r[1] >> 20 & 1;
        cpu.umip = r[2] >> 2 & 1;
    }
    priv_cpuid(0x80000001, r); /* any processor with long mode has it */
    cpu.nx = r[3] >> 20 & 1;
}

void
cpu_init(void)
{
    uint64_t base = (uint64_t)&tss;
    uint64_t cr4 = priv_read_cr4();

    /* A TSS descriptor's base is spread over bits 16-39, 56-63 and the second word. */
    gdt[TSS_SEL / 8] = DESC_TSS | (sizeof(tss) - 1) | (base & 0xffffff) << 16 |
                       (base >> 24 & 0xff) << 56;
    gdt[TSS_SEL / 8 + 1] = base >> 32;
    tss.iomap = sizeof(tss);
    tss.ist[0] = (uint64_t)emergency_stack + sizeof(emergency_stack);
    priv_lgdt(gdt, sizeof(gdt) - 1);
    priv_load_segments(KERNEL_CS, KERNEL_DS);
    priv_ltr(TSS_SEL);

    priv_write_cr0(CR0_VALUE);
    read_features();
    if (cpu.pge)
        cr4 |= CR4_PGE;
    if (cpu.smep)
        cr4 |= CR4_SMEP; /* the kernel cannot execute the user's pages */
    if (cpu.smap)
        cr4 |= CR4_SMAP; /* nor read or write them at their user address */
    if (cpu.umip)
        cr4 |= CR4_UMIP; /* the user cannot read the tables' addresses (SGDT, SIDT, STR ...) */
    priv_write_cr4(cr4);
    priv_wrmsr(MSR_EFER, priv_rdmsr(MSR_EFER) | EFER_SCE | (cpu.nx ? EFER_NXE : 0));
}

struct priv_table
cpu_gdt(void)
{
    return (struct priv_table){sizeof(gdt) - 1, (uint64_t)gdt};
}

void
cpu_set_kernel_stack(uint64_t rsp)
{
    priv_set_kernel_stack((volatile uint64_t *)((char *)&tss + offsetof(struct tss, rsp)), rsp);
    syscall_kernel_rsp = rsp;
}
