/*
 * boot.c - what the loaders share: checked copies into guest memory, the map of it, and the
 * processor states in which guests start.
 *
 * Called by elf.c, multiboot.c, linux.c, bootsector.c and flat.c. Next: elf.c.
 */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "loader/boot.h"

unsigned
memory_map(uint64_t ram_size, struct memory_area map[MEMORY_AREAS])
{
    unsigned n = 0;

    map[n++] = (struct memory_area){0, MEMORY_LOW_END, MEMORY_USABLE};
    map[n++] = (struct memory_area){MEMORY_LOW_END, 0xa0000 - MEMORY_LOW_END, MEMORY_RESERVED};
    map[n++] = (struct memory_area){0xf0000, 0x10000, MEMORY_RESERVED};
    if (ram_size > MEMORY_HIGH)
        map[n++] = (struct memory_area){MEMORY_HIGH, ram_size - MEMORY_HIGH, MEMORY_USABLE};
    return n;
}

int
boot_place(struct ram *ram, uint64_t gpa, const void *data, uint64_t len, uint64_t total,
           const char *what, struct error *err)
{
    assert(len <= total);
    if (!boot_within(gpa, total, ram->size))
        return error_set(err, EFBIG,
                         "%s needs %" PRIu64 " bytes at %#" PRIx64 ", but the guest's memory ends "
                         "at %#" PRIx64 ": give it more with --mem",
                         what, total, gpa, ram->size);
    if (total && gpa < BOOT_RESERVED_END && gpa + total > BOOT_RESERVED)
        return error_set(err, EINVAL,
                         "%s would lie at %#" PRIx64 ", on the loader's own memory %#x-%#x: link "
                         "it elsewhere",
                         what, gpa, BOOT_RESERVED, BOOT_RESERVED_END - 1);
    uint8_t *to = ram_at(ram, gpa, total);
    if (!to)
        return error_set(err, EINVAL, "%s would lie at %#" PRIx64 ", where a ROM is", what, gpa);
    memcpy(to, data, len);
    memset(to + len, 0, total - len);
    ram_written(ram, gpa, total);
    return 0;
}

void
boot_put(struct ram *ram, uint64_t gpa, const void *data, uint64_t len)
{
    assert(gpa >= BOOT_RESERVED && gpa + len <= BOOT_RESERVED_END);
    int rc = ram_write(ram, gpa, data, len);
    assert(rc == 0); /* RAM_MIN is 1 MiB, and no ROM lies so low */
    (void)rc;
}

int
boot_put_command_line(struct ram *ram, const struct guest_image *image, uint64_t max,
                      struct error *err)
{
    size_t len = strlen(image->command_line);

    if (max > BOOT_CMDLINE_MAX)
        max = BOOT_CMDLINE_MAX;
    if (len > max)
        return error_set(err, E2BIG,
                         "the command line has %zu bytes, but this guest takes at most %" PRIu64
                         ": shorten it",
                         len, max);
    boot_put(ram, BOOT_CMDLINE, image->command_line, len + 1);
    return 0;
}

int
boot_put_initrd(struct ram *ram, const struct guest_image *image, uint64_t low, uint64_t high,
                uint64_t *start, struct error *err)
{
    *start = 0;
    if (!image->initrd)
        return 0;
    if (high > ram->size)
        high = ram->size;
    low = (low + PAGE_SIZE - 1) & ~(uint64_t)(PAGE_SIZE - 1);
    uint64_t at = image->initrd_size <= high ? high - image->initrd_size : 0;
    at &= ~(uint64_t)(PAGE_SIZE - 1);
    if (image->initrd_size > high || at < low)
        return error_set(err, EFBIG,
                         "no room for an initrd of %zu bytes between %#" PRIx64 " and %#" PRIx64
                         ": give the guest more memory with --mem",
                         image->initrd_size, low, high);
    *start = at;
    return boot_place(ram, at, image->initrd, image->initrd_size, image->initrd_size, "the initrd",
                      err);
}

/* --- processor states ----------------------------------------------------------------------- */

void
boot_state_real(struct x86_regs *regs, uint16_t cs, uint16_t ip)
{
    regs->cr0 = CR0_ET; /* caches on, unlike after RESET: firmware has been here */
    x86_regs_fninit(regs);
    regs->seg[X86_CS].selector = cs;
    regs->seg[X86_CS].base = (uint64_t)cs << 4;
    regs->rip = ip;
    regs->gpr[X86_RSP] = 0x7c00;
    regs->idtr.limit = 0x3ff; /* 256 vectors of 4 bytes */
}

/*
 * A code or data descriptor of 4 GiB from 0 (SDM vol. 3, 3.4.5), by its attributes:
 *   63-56 base  55-52 G D L AVL  51-48 limit  47-40 P DPL S type  39-16 base  15-0 limit
 */
static uint64_t
flat_descriptor(uint16_t attr)
{
    return UINT64_C(0x000f00000000ffff) | (uint64_t)(attr & 0xff) << 40 |
           (uint64_t)(attr >> 12) << 52;
}

/* What both protected-mode states have in common: the GDT, and flat segments loaded from it. */
static void
load_flat_segments(struct ram *ram, struct x86_regs *regs, uint16_t code_attr)
{
    const uint16_t data_attr = SEG_G | SEG_DB | SEG_P | SEG_S | SEG_WRITABLE | SEG_ACCESSED;
    const uint64_t gdt[] = {
        [BOOT_CS / 8] = flat_descriptor(code_attr),
        [BOOT_DS / 8] = flat_descriptor(data_attr),
    };

    boot_put(ram, BOOT_GDT, gdt, sizeof(gdt));
    regs->gdtr = (struct x86_table){.base = BOOT_GDT, .limit = sizeof(gdt) - 1};
    regs->idtr = (struct x86_table){0};
    for (unsigned i = 0; i < X86_NSEG; i++)
        regs->seg[i] = (struct x86_segment){
            .limit = 0xffffffff, .selector = BOOT_DS, .attr = data_attr};
    regs->seg[X86_CS].selector = BOOT_CS;
    regs->seg[X86_CS].attr = code_attr;
    regs->gpr[X86_RDX] = 0; /* the processor's family is for firmware only */
    regs->gpr[X86_RSP] = BOOT_STACK_TOP;
}

void
boot_state_flat32(struct ram *ram, struct x86_regs *regs, uint64_t entry)
{
    load_flat_segments(ram, regs,
                       SEG_G | SEG_DB | SEG_P | SEG_S | SEG_CODE | SEG_READABLE | SEG_ACCESSED);
    regs->cr0 = CR0_ET | CR0_PE;
    x86_regs_fninit(regs);
    regs->rip = entry;
}

/* Bits of a page-table entry (SDM vol. 3, 4.5.4). */
#define PTE_PRESENT 0x01u
#define PTE_WRITE   0x02u
#define PTE_LARGE   0x80u /* in a directory: maps 2 MiB itself */

/* One PML4, one PDPT, four directories of 512 entries of 2 MiB: 4 GiB at their own addresses. */
static void
put_identity_map(struct ram *ram)
{
    enum { PML4, PDPT, DIRECTORY, TABLES = DIRECTORY + 4 };
    uint64_t table[TABLES][512] = {{0}};

    table[PML4][0] = (BOOT_PAGES + PDPT * PAGE_SIZE) | PTE_PRESENT | PTE_WRITE;
    for (unsigned i = 0; i < 4; i++)
        table[PDPT][i] = (BOOT_PAGES + (DIRECTORY + i) * PAGE_SIZE) | PTE_PRESENT | PTE_WRITE;
    for (uint64_t i = 0; i < 4 * 512; i++)
        table[DIRECTORY + i / 512][i % 512] = i << 21 | PTE_PRESENT | PTE_WRITE | PTE_LARGE;
    _Static_assert(BOOT_PAGES + sizeof(table) == BOOT_RESERVED_END, "abi.h has the tables last");
    boot_put(ram, BOOT_PAGES, table, sizeof(table));
}

void
boot_state_long64(struct ram *ram, struct x86_regs *regs, uint64_t entry)
{
    load_flat_segments(ram, regs,
                       SEG_G | SEG_L | SEG_P | SEG_S | SEG_CODE | SEG_READABLE | SEG_ACCESSED);
    put_identity_map(ram);
    regs->cr3 = BOOT_PAGES;
    regs->cr4 = CR4_PAE;
    regs->efer = EFER_LME | EFER_LMA;
    regs->cr0 = CR0_ET | CR0_PE | CR0_PG;
    x86_regs_fninit(regs);
    regs->rip = entry;
}
