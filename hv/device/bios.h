/*
 * bios.h - the BIOS services that a boot sector calls: console, disk, memory size, A20, time.
 *
 * The guest's half is bios_rom.S, real-mode stubs in ROM; this device is the other half. A call of
 * INT 10h and its like is one OUT to BIOS_PORT, so one exit, and one line in the recording.
 * It sees a window of guest memory, the disk image and the console, never the vm.
 *
 * Sources: IBM PC/AT Technical Reference, section 5 (BIOS); Ralf Brown's Interrupt List; Enhanced
 * Disk Drive Specification 3.0 for int 13h, AH=41h, 42h and 48h; ACPI 6.4, 15.1 for E820.
 */
#ifndef HV_DEVICE_BIOS_H
#define HV_DEVICE_BIOS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/console.h"
#include "core/line.h"
#include "core/ram.h"
#include "device/bios_layout.h"
#include "device/device.h"

/* The guest's registers during a call, as they lie in the EBDA. */
struct bios_block {
    uint32_t eax, ebx, ecx, edx, esi, edi, ebp;
    uint16_t ds, es, flags, vector, ip, cs, result, pad;
};
_Static_assert(sizeof(struct bios_block) == BLOCK_END - BLOCK, "bios_layout.h has the same block");

struct bios_state {
    uint64_t calls, unknown;      /* services asked for, and of these not known here */
    uint16_t last[2], strange[2]; /* vector and AX of the last call, of the last unknown one */
    uint8_t has_key, key;         /* a byte of input that int 16h, AH=01 has looked at */
    uint8_t disk_status;          /* of the last int 13h */
    uint8_t a20_open;             /* as int 15h, AH=24h left it; open at the start */
};

struct bios {
    struct bios_state s;
    struct ram *ram;
    struct console *console;  /* may be NULL: output is dropped */
    struct byte_source input; /* get == NULL: nobody types */
    struct line a20;
    const uint8_t *disk; /* NULL: no disk. Not owned, never written */
    uint64_t disk_size;  /* bytes; the last sector may be short */
};

extern const struct device_ops bios_ops;

/* Puts ROM, interrupt vectors and BIOS data area into guest memory. Call once, when the wires
 * above are set and the guest is loaded, before the engine opens. 0 or -errno. */
int bios_install(struct bios *bios, struct error *err);

/* --- between bios.c and its services --------------------------------------------------------- */

static inline uint8_t
bios_ah(const struct bios_block *b)
{
    return b->eax >> 8 & 0xff;
}

static inline uint8_t
bios_al(const struct bios_block *b)
{
    return b->eax & 0xff;
}

/* Sets the low 16 bits of a register. */
static inline void
bios_set16(uint32_t *reg, uint16_t value)
{
    *reg = (*reg & 0xffff0000u) | value;
}

static inline void
bios_set_ah(struct bios_block *b, uint8_t value)
{
    b->eax = (b->eax & 0xffff00ffu) | (uint32_t)value << 8;
}

static inline void
bios_set_al(struct bios_block *b, uint8_t value)
{
    b->eax = (b->eax & 0xffffff00u) | value;
}

/* Where seg:off is, by the real-mode rule. */
static inline uint64_t
bios_linear(uint16_t seg, uint32_t off)
{
    return ((uint64_t)seg << 4) + (off & 0xffff);
}

void bios_set_carry(struct bios_block *b, bool set);
/* The BIOS's own data below 1 MiB, which is always there; size 1, 2 or 4. */
uint32_t bios_peek(const struct bios *bios, uint64_t gpa, unsigned size);
void bios_poke(struct bios *bios, uint64_t gpa, unsigned size, uint32_t value);
/* The function is not known here: counts it, and tells the guest by carry where that is usual. */
void bios_unknown(struct bios *bios, struct bios_block *b);

/* int 10h, 14h, 16h (bios_console.c); print: one byte to the console. */
void bios_print(struct bios *bios, uint8_t byte);
void bios_video_service(struct bios *bios, struct bios_block *b);
void bios_serial_service(struct bios *bios, struct bios_block *b);
void bios_keyboard_service(struct bios *bios, struct bios_block *b);

/* int 13h (bios_disk.c). */
void bios_disk_service(struct bios *bios, struct bios_block *b);
/* Copies the boot sector to 0000:7c00; false: there is none. */
bool bios_disk_boot(struct bios *bios);

#endif
