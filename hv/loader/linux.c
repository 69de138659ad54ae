/*
 * linux.c - a Linux bzImage, or anything else that speaks Linux' boot protocol (memtest86+ does).
 *
 * The protocol is Documentation/arch/x86/boot.rst of the kernel's source; the structures are the
 * kernel's own, <asm/bootparam.h>. An image has two parts:
 *
 *   0        1f1            200 + ...      (setup_sects + 1) * 512
 *   | sector | setup header | real-mode    | protected-mode kernel            |
 *     of old                  code            +0: 32-bit entry, +200: 64-bit entry
 *
 * We never run the real-mode part: it asks the BIOS for what we know already. The loader does its
 * work instead: it fills struct boot_params (the "zero page") and starts the kernel at its 64-bit
 * entry if it has one, else at its 32-bit entry. Memory below 1 MiB is laid out as abi.h says,
 * boot_params at BOOT_INFO.
 */
#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <string.h>

#include <asm/bootparam.h>

#include "loader/boot.h"
#include "loader/formats.h"

#define HEADER        offsetof(struct boot_params, hdr) /* 1f1 */
#define BOOT_FLAG     0xaa55u
#define HEADER_MAGIC  0x53726448u /* "HdrS" at 202 */
#define HEADER_LENGTH 0x201       /* the header ends at 202 + the byte that is here */
#define HEADER_END    0x202
#define SECTOR        512u

#define VERSION_OLDEST   0x0202 /* cmd_line_ptr; before it a bootsector had to be patched */
#define VERSION_INITRD   0x0203 /* initrd_addr_max */
#define VERSION_CMDLINE  0x0206 /* cmdline_size */
#define VERSION_PREF     0x020a /* pref_address, init_size */
#define VERSION_XLOAD    0x020c /* xloadflags */
#define LOADER_UNDEFINED 0xff   /* type_of_loader: no number was assigned to us */
#define ENTRY_64         0x200

/* What a protected-mode kernel of one image needs and where it goes. */
struct plan {
    struct setup_header hdr;
    const uint8_t *code;
    uint64_t code_size;
    uint64_t load_at; /* of the code's first byte */
    uint64_t end;     /* first byte that the starting kernel does not use */
};

static bool
linux_probe(const struct guest_image *image)
{
    const uint8_t *d = image->data;

    return image->size >= HEADER_END + 6 && d[0x1fe] == (BOOT_FLAG & 0xff) &&
           d[0x1ff] == BOOT_FLAG >> 8 && !memcmp(d + HEADER_END, "HdrS", 4);
}

static int
refuse(const struct guest_image *image, struct error *err, const char *why)
{
    return error_set(err, ENOEXEC, "the Linux image %s cannot be loaded: %s", image->path, why);
}

/* The setup header is as long as its own second byte of code says; newer fields stay 0. */
static int
read_header(const struct guest_image *image, struct plan *plan, struct error *err)
{
    struct setup_header *hdr = &plan->hdr;

    memset(hdr, 0, sizeof(*hdr));
    if (image->size < HEADER_END)
        return refuse(image, err, "it ends within its setup header");
    uint64_t len = HEADER_END + image->data[HEADER_LENGTH] - HEADER;
    if (!boot_within(HEADER, len, image->size))
        return refuse(image, err, "it ends within its setup header");
    memcpy(hdr, image->data + HEADER, len < sizeof(*hdr) ? len : sizeof(*hdr));
    if (hdr->boot_flag != BOOT_FLAG || hdr->header != HEADER_MAGIC)
        return refuse(image, err, "its setup header is too short to hold its own magic numbers");
    if (hdr->version < VERSION_OLDEST)
        return refuse(image, err, "its boot protocol is older than 2.02 (Linux 2.4)");
    if (!(hdr->loadflags & LOADED_HIGH))
        return refuse(image, err, "it is a zImage, made to load below 1 MiB: build a bzImage");
    return 0;
}

/* Finds the protected-mode code. syssize counts paragraphs of 16 bytes, the last one may be short
 * in the file; a checksum or signature may follow the code and is loaded with it. */
static int
find_code(const struct guest_image *image, struct plan *plan, struct error *err)
{
    unsigned setup_sects = plan->hdr.setup_sects ? plan->hdr.setup_sects : 4;
    uint64_t start = (uint64_t)(setup_sects + 1) * SECTOR;

    if (start >= image->size)
        return refuse(image, err, "it ends before its protected-mode code (is it truncated?)");
    plan->code = image->data + start;
    plan->code_size = image->size - start;
    if (((uint64_t)plan->hdr.syssize << 4) >= plan->code_size + 16)
        return refuse(image, err, "it ends within its protected-mode code (is it truncated?)");
    return 0;
}

/* Chooses the address, and how much the kernel uses there until it knows the memory map. */
static int
choose_address(const struct guest_image *image, const struct ram *ram, struct plan *plan,
               struct error *err)
{
    const struct setup_header *hdr = &plan->hdr;
    uint64_t runs_at = MEMORY_HIGH, size = plan->code_size;

    plan->load_at = MEMORY_HIGH;
    if (hdr->version >= VERSION_PREF) {
        runs_at = hdr->pref_address;
        size = hdr->init_size > size ? hdr->init_size : size;
        if (hdr->relocatable_kernel) {
            uint64_t align = hdr->kernel_alignment;
            if (!align || (align & (align - 1)))
                return refuse(image, err, "its kernel_alignment is not a power of two");
            /* Lower than it prefers if memory is short, but aligned. */
            if (runs_at < MEMORY_HIGH || !boot_within(runs_at, size, ram->size))
                runs_at = (MEMORY_HIGH + align - 1) & ~(align - 1);
            plan->load_at = runs_at;
        }
    }
    /* One that cannot be relocated moves itself from load_at to where it runs. */
    if (!boot_within(runs_at, size, ram->size) ||
        !boot_within(plan->load_at, plan->code_size, ram->size))
        return error_set(err, EFBIG,
                         "%s needs %" PRIu64 " bytes at %#" PRIx64 " to start, but the guest's "
                         "memory ends at %#" PRIx64 ": give it more with --mem",
                         image->path, size, runs_at, ram->size);
    plan->end = runs_at + size;
    if (plan->end < plan->load_at + plan->code_size)
        plan->end = plan->load_at + plan->code_size;
    return 0;
}

static void
put_memory_map(struct boot_params *params, const struct ram *ram)
{
    struct memory_area map[MEMORY_AREAS];
    uint64_t above_k = (ram->size - MEMORY_HIGH) >> 10;

    params->e820_entries = memory_map(ram->size, map);
    for (unsigned i = 0; i < params->e820_entries; i++) {
        params->e820_table[i].addr = map[i].base;
        params->e820_table[i].size = map[i].size;
        params->e820_table[i].type = map[i].type;
    }
    params->alt_mem_k = above_k; /* what int 15h, AX=E801 and AH=88 would have told */
    params->screen_info.ext_mem_k = above_k < 0xfc00 ? above_k : 0xfc00;
}

/* Fills and places the zero page, the command line and the initrd. */
static int
put_boot_params(const struct guest_image *image, struct ram *ram, const struct plan *plan,
                struct error *err)
{
    struct boot_params params;
    struct setup_header *hdr = &params.hdr;
    uint64_t initrd, initrd_end = UINT64_C(0x38000000), cmdline_max = 255;

    memset(&params, 0, sizeof(params));
    *hdr = plan->hdr;
    if (hdr->version >= VERSION_INITRD)
        initrd_end = (uint64_t)hdr->initrd_addr_max + 1;
    if (hdr->version >= VERSION_CMDLINE)
        cmdline_max = hdr->cmdline_size;
    int rc = boot_put_command_line(ram, image, cmdline_max, err);
    if (!rc)
        rc = boot_put_initrd(ram, image, plan->end, initrd_end, &initrd, err);
    if (rc)
        return error_prefix(err, rc, "%s", image->path);

    hdr->vid_mode = 0xffff; /* "normal": text, if there is a screen at all */
    hdr->type_of_loader = LOADER_UNDEFINED;
    hdr->code32_start = plan->load_at;
    hdr->cmd_line_ptr = BOOT_CMDLINE;
    hdr->ramdisk_image = initrd;
    hdr->ramdisk_size = image->initrd ? image->initrd_size : 0;
    hdr->setup_data = 0;
    put_memory_map(&params, ram);
    boot_put(ram, BOOT_INFO, &params, sizeof(params));
    return 0;
}

static int
linux_load(const struct guest_image *image, struct ram *ram, struct x86_regs *regs, bool *bios,
           struct error *err)
{
    struct plan plan;
    int rc = read_header(image, &plan, err);

    *bios = false;
    if (!rc)
        rc = find_code(image, &plan, err);
    if (!rc)
        rc = choose_address(image, ram, &plan, err);
    if (!rc)
        rc = boot_place(ram, plan.load_at, plan.code, plan.code_size, plan.code_size,
                        "the Linux kernel", err);
    if (!rc)
        rc = put_boot_params(image, ram, &plan, err);
    if (rc)
        return rc;

    if (plan.hdr.version >= VERSION_XLOAD && (plan.hdr.xloadflags & XLF_KERNEL_64)) {
        if (plan.code_size <= ENTRY_64)
            return refuse(image, err, "it ends before its 64-bit entry point");
        boot_state_long64(ram, regs, plan.load_at + ENTRY_64);
    } else {
        boot_state_flat32(ram, regs, plan.load_at);
    }
    regs->gpr[X86_RSI] = BOOT_INFO; /* EBP, EDI and EBX must be 0, and are */
    return 0;
}

const struct loader_ops loader_linux = {
    .name = "linux",
    .summary = "a Linux bzImage or memtest86+: boot protocol 2.02 or later, 64-bit entry if any",
    .probe = linux_probe,
    .load = linux_load,
};
