/*
 * flat.c - the given half of lab 4: memory, and which routine carries out which instruction.
 *
 * Memory is as simple as it can be: the guest's RAM, one to one, all of it for everybody. So nothing
 * protects this guest's kernel from its programs; that takes shadow page tables, and is lab 6.
 *
 * PUSHF and POPF do not fault at CPL 3: PUSHF shows the real IF, POPF leaves it alone, and no VMM learns of
 * it (Robin & Irvine 2000). So before the guest starts, its code is read from the entry to the first
 * UD2, and INT3 is put in the place of each. INT3 does fault here. VMware's binary translator did this
 * while the guest ran; that it must be done at all is what lab 5 is about.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "emulate.h"
#include "strategy/deprivilege.h"

#define PTE_P  0x01u
#define PTE_W  0x02u
#define PTE_U  0x04u
#define PTE_PS 0x80u /* in a page directory: a page of 2 MiB */
#define LARGE  (UINT64_C(2) << 20)

#define OPCODE_PUSHF 0x9cu
#define OPCODE_POPF  0x9du
#define OPCODE_HLT   0xf4u
#define OPCODE_CLI   0xfau
#define OPCODE_STI   0xfbu
#define OPCODE_0F01  0x101u /* a group: ModRM.reg 2 is LGDT */
#define OPCODE_UD2   0x10bu

/* --- memory: page 0 of the pool is the root, 1 the PDPT, 2 to 5 the directories ------------------------- */

static void
put(struct vmm *vmm, unsigned page, unsigned index, uint64_t entry)
{
    memcpy(vmm->pool + page * PAGE_SIZE + 8 * index, &entry, sizeof(entry));
}

static void
build_tables(struct vmm *vmm)
{
    put(vmm, 0, 0, (vmm->pool_gpa + PAGE_SIZE) | PTE_U | PTE_W | PTE_P);
    put(vmm, 0, MONITOR_SLOT, deprivilege_root_entry());
    for (unsigned d = 0; d < 4; d++)
        put(vmm, 1, d, (vmm->pool_gpa + (2 + d) * PAGE_SIZE) | PTE_U | PTE_W | PTE_P);
    for (uint64_t at = 0; at + LARGE <= vmm->vcpu->vm->ram.size; at += LARGE)
        put(vmm, 2 + (unsigned)(at / LARGE / 512), at / LARGE % 512, at | PTE_PS | PTE_U | PTE_W | PTE_P);
}

static uint64_t
flat_root(struct vmm *vmm)
{
    return vmm->pool_gpa;
}

/* Not RAM: the guest's own tables say whether it is a device, or the guest's mistake. */
static bool
flat_page_fault(struct vmm *vmm, uint64_t linear, uint32_t error, struct run_result *result)
{
    struct x86_walk walk;

    int emu = x86_page_walk(&vmm->cpu, linear, error & PF_WRITE ? ACCESS_WRITE : 0, vmm->cpu.cpl, &walk);
    return emu ? vmm_reflect(vmm, result) : vmm_interpret(vmm, result);
}

/* --- the code, patched -------------------------------------------------------------------------------- */

#define PATCHES_MAX 64
static struct {
    uint64_t rip;
    struct x86_insn in; /* what was there */
} patch[PATCHES_MAX];
static unsigned patches;

static int
put_int3(struct vmm *vmm, const struct x86_insn *in, struct error *err)
{
    const uint8_t int3 = 0xcc;

    if (in->length != 1 || patches == PATCHES_MAX)
        return error_set(err, ENOTSUP, "this guest has too many PUSHF and POPF, or prefixes on one");
    patch[patches].rip = vmm->cpu.r.rip;
    patch[patches++].in = *in;
    return ram_write(&vmm->vcpu->vm->ram, vmm->cpu.r.rip, &int3, 1);
}

static int
flat_open(struct vmm *vmm, struct error *err)
{
    uint64_t entry = vmm->cpu.r.rip;
    struct x86_insn in;
    int rc = 0;

    build_tables(vmm);
    for (; !rc && x86_fetch_insn(&vmm->cpu, &in) == EMU_OK && in.opcode != OPCODE_UD2; vmm->cpu.r.rip += in.length)
        if (in.opcode == OPCODE_PUSHF || in.opcode == OPCODE_POPF)
            rc = put_int3(vmm, &in, err);
    vmm->cpu.r.rip = entry;
    x86_tlb_flush_all(&vmm->cpu); /* what was fetched is old */
    x86_update_mode(&vmm->cpu);
    return rc;
}

/* --- who carries out which instruction ------------------------------------------------------------------ */

static int
flat_emulate(struct vmm *vmm, const struct x86_insn *in)
{
    for (unsigned p = 0; p < patches; p++)
        if (patch[p].rip == vmm->cpu.r.rip)
            in = &patch[p].in;
    switch (in->opcode) {
    case OPCODE_PUSHF: return emulate_pushf(vmm, in);
    case OPCODE_POPF: return emulate_popf(vmm, in);
    case OPCODE_CLI: return emulate_cli(vmm, in);
    case OPCODE_STI: return emulate_sti(vmm, in);
    case OPCODE_HLT: return emulate_hlt(vmm, in);
    case OPCODE_0F01:
        if ((in->modrm >> 3 & 7) == 2 && in->modrm < 0xc0)
            return emulate_lgdt(vmm, in);
        break;
    }
    return x86_emulate_one(&vmm->cpu); /* all others: IN, OUT, LIDT, IRETQ, MOV to CR ... */
}

const struct vmm_parts vmm_parts = {
    .name = "lab4",
    .open = flat_open,
    .root = flat_root,
    .page_fault = flat_page_fault,
    .emulate = flat_emulate,
};
