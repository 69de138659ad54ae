/*
 * elf.c - a static ELF executable, started as guests/include/abi.h says.
 *
 * A 32-bit file starts in flat 32-bit protected mode, a 64-bit file directly in long mode with the
 * first 4 GiB mapped one to one: a guest that wants to show something else than mode switches
 * need not do them. What it needs to know of the machine is in struct boot_info.
 */
#include "loader/boot.h"
#include "loader/elf_file.h"
#include "loader/formats.h"

static int
put_boot_info(const struct guest_image *image, struct ram *ram, uint64_t low, struct error *err)
{
    struct boot_info info = {
        .magic = BOOT_INFO_MAGIC,
        .size = sizeof(info),
        .memory_size = ram->size,
        .command_line = BOOT_CMDLINE,
        .initrd_size = image->initrd ? image->initrd_size : 0,
    };
    int rc = boot_put_command_line(ram, image, BOOT_CMDLINE_MAX, err);

    if (!rc)
        rc = boot_put_initrd(ram, image, low, ram->size, &info.initrd_start, err);
    if (!rc)
        boot_put(ram, BOOT_INFO, &info, sizeof(info));
    return rc;
}

static int
load(const struct guest_image *image, struct ram *ram, struct x86_regs *regs, bool *bios,
     struct error *err)
{
    struct elf_file elf;
    struct elf_layout layout;
    int rc = elf_open(&elf, image, err);

    *bios = false;
    if (!rc)
        rc = elf_load(&elf, ram, &layout, err);
    if (!rc)
        rc = put_boot_info(image, ram, layout.end > MEMORY_HIGH ? layout.end : MEMORY_HIGH, err);
    if (rc)
        return rc;
    if (elf.is64) {
        boot_state_long64(ram, regs, layout.entry);
        regs->gpr[X86_RDI] = BOOT_INFO;
    } else {
        boot_state_flat32(ram, regs, layout.entry);
        regs->gpr[X86_RSI] = BOOT_INFO;
    }
    regs->gpr[X86_RAX] = BOOT_INFO_MAGIC;
    return 0;
}

const struct loader_ops loader_elf = {
    .name = "elf",
    .summary = "a static ELF executable: 32-bit protected mode, or 64-bit long mode",
    .probe = elf_is,
    .load = load,
};
