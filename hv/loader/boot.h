/*
 * boot.h - what the loaders share: checked copies into guest memory, and the processor states in
 * which guests start. Private to hv/loader. Addresses of the loader's own low memory are BOOT_* of
 * guests/include/abi.h; ELF, Multiboot and Linux guests all find the same layout there.
 */
#ifndef HV_LOADER_BOOT_H
#define HV_LOADER_BOOT_H

#include "guests/include/abi.h"
#include "loader/loader.h"

/* Is [at, at + len) within [0, size)? Free of overflow for every argument. */
static inline bool
boot_within(uint64_t at, uint64_t len, uint64_t size)
{
    return at <= size && len <= size - at;
}

/* Copies len bytes to RAM at gpa and sets the `total - len` bytes behind them to zero. `what` names
 * them: "segment 2". 0; -EFBIG if they do not fit into RAM; -EINVAL if they would lie on the
 * loader's own memory BOOT_RESERVED to BOOT_RESERVED_END. total >= len. */
int boot_place(struct ram *ram, uint64_t gpa, const void *data, uint64_t len, uint64_t total,
               const char *what, struct error *err);

/* Copies into the loader's own memory, which every machine has: cannot fail. */
void boot_put(struct ram *ram, uint64_t gpa, const void *data, uint64_t len);

/* Copies the command line to BOOT_CMDLINE. -E2BIG if it is longer than BOOT_CMDLINE_MAX or max. */
int boot_put_command_line(struct ram *ram, const struct guest_image *image, uint64_t max,
                          struct error *err);

/* Puts the initrd as high as it goes, page-aligned, in [low, high) and within RAM; *start is 0 if
 * there is none. -EFBIG if it does not fit. */
int boot_put_initrd(struct ram *ram, const struct guest_image *image, uint64_t low, uint64_t high,
                    uint64_t *start, struct error *err);

/* Real mode at cs:ip, the other segments 0, stack growing down from 0000:7c00. */
void boot_state_real(struct x86_regs *regs, uint16_t cs, uint16_t ip);
/* 32-bit protected mode, flat segments, paging off (SDM vol. 3, 9.9.1). Writes the GDT. */
void boot_state_flat32(struct ram *ram, struct x86_regs *regs, uint64_t entry);
/* 64-bit mode, the first 4 GiB mapped one to one (SDM vol. 3, 9.8.5). Writes GDT and page tables. */
void boot_state_long64(struct ram *ram, struct x86_regs *regs, uint64_t entry);

#endif
