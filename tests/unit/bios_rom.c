/* bios_rom.c - boot sectors that call BIOS services through the ROM, on the interpreter. */
#include "loader/formats.h"
#include "tests/unit/bios_util.h"
#include "tests/unit/suites.h"

/* clang-format off */
extern const uint8_t bios_test_sector[];
__asm__(".pushsection .rodata\n"
        ".code16\n"
        "bios_test_sector:\n"
        "   movw $0x0e48, %ax\n"            /* 'H' */
        "   movl $0x12345678, %ebx\n"
        "   int $0x10\n"
        "   cmpl $0x12345678, %ebx\n"       /* all 32 bits come back */
        "   jne 9f\n"
        "   movb $0x42, %ah\n"              /* block 2 to 0000:8000 */
        "   movw $packet - bios_test_sector + 0x7c00, %si\n"
        "   stc\n"
        "   int $0x13\n"
        "   jc 9f\n"
        "   movb 0x8000, %al\n"
        "   movb $0x0e, %ah\n"
        "   int $0x10\n"
        "   movb $0x0e, %ah\n"              /* a sector that is not there: carry */
        "   movb $1, packet - bios_test_sector + 0x7c00 + 9\n"
        "   movb $0x42, %ah\n"
        "   int $0x13\n"
        "   jnc 9f\n"
        "   xorw %ax, %ax\n"                /* waits for a key, with interrupts on */
        "   int $0x16\n"
        "   movb $0x0e, %ah\n"
        "   int $0x10\n"
        "   pushf\n"                        /* IF is as it was */
        "   popw %ax\n"
        "   testw $0x200, %ax\n"
        "   jz 9f\n"
        "1: hlt\n"                          /* until the timer has ticked three times */
        "   cmpb $3, 0x46c\n"
        "   jb 1b\n"
        "   movw $0x0e2e, %ax\n"            /* '.' */
        "   int $0x10\n"
        "   ud2\n"
        "9: cli\n"
        "   hlt\n"
        "packet:\n"
        "   .byte 16, 0, 1, 0\n"
        "   .word 0x8000, 0\n"
        "   .quad 2\n"
        "   .org bios_test_sector + 510\n"
        "   .byte 0x55, 0xaa\n"
        ".code64\n"
        ".popsection\n");
/* clang-format on */

static struct x86_page
page_of(void *ctx, uint64_t gpa)
{
    struct machine *m = ctx;
    struct x86_page page = {0};

    page.host = ram_page(&m->ram, gpa, &page.writable);
    return page;
}

/* What the board would do: the BIOS's port, and a PIC that always has the right level in service
 * (0x20 reads the in-service register). */
static void
answer_port(struct machine *m)
{
    struct x86_access *a = &m->cpu.access;

    if (!a->write)
        x86_complete_read(&m->cpu, 0);
    else if (a->address == BIOS_PORT) {
        m->calls++;
        bios_ops.write(&m->bios, 0, a->size, a->value);
    }
}

/* Runs until a HLT with interrupts off, or the limit. HLT with interrupts on gets a timer tick. */
static bool
run(struct machine *m, unsigned limit)
{
    struct x86_cpu *cpu = &m->cpu;

    while (limit--) {
        switch (x86_emulate_one(cpu)) {
        case EMU_OK: break;
        case EMU_FAULT:
            if (x86_deliver_fault(cpu))
                return false;
            break;
        case EMU_IO: answer_port(m); break;
        case EMU_HALT:
            if (!(cpu->r.rflags & FLAG_IF))
                return true;
            m->halts++;
            if (m->halts == 2)
                m->keys = "k";
            if (x86_deliver_interrupt(cpu, 8))
                return false;
            break;
        default: return false;
        }
    }
    return false;
}

static void
start(struct machine *m, const uint8_t *sector)
{
    struct guest_image image = {.path = "sector", .data = sector, .size = 512};
    struct x86_regs regs;
    struct error err;
    bool bios;

    x86_regs_reset(&regs);
    CU_ASSERT_EQUAL_FATAL(loader_bootsector.load(&image, &m->ram, &regs, &bios, &err), 0);
    x86_cpu_init(&m->cpu);
    m->cpu.r = regs;
    m->cpu.mem.ctx = m;
    m->cpu.mem.page = page_of;
    x86_update_mode(&m->cpu);
}

static void
test_boot_sector(void)
{
    struct machine *m = machine_new(MIB);
    char text[80];

    disk[1024] = 'i';
    start(m, bios_test_sector);
    CU_ASSERT(run(m, 2000));
    /* The invalid opcode ended the run by name, at its own address. */
    const uint8_t *ud2 = memmem(bios_test_sector, 510, "\x0f\x0b", 2);
    CU_ASSERT_PTR_NOT_NULL_FATAL(ud2);
    snprintf(text, sizeof(text), "Hik.\r\nBIOS: exception 06 at 0000:%04x, halted\r\n",
             (unsigned)(0x7c00 + (ud2 - bios_test_sector)));
    CU_ASSERT(printed(m, text));
    /* Each service is one exit: four characters, two reads, int 16h three times because the key
     * came after the second tick, the exception. */
    CU_ASSERT_EQUAL(m->calls, 4 + 2 + 3 + 1);
    CU_ASSERT_EQUAL(m->halts, 3);
    machine_free(m);
}

/* The tick: carried at midnight, 1800b0 ticks, and told to int 1ch. */
static void
test_midnight(void)
{
    static const uint8_t sector[512] = {0xfb, 0xf4, 0xfa, 0xf4};        /* sti; hlt; cli; hlt */
    static const uint8_t user[] = {0x2e, 0xfe, 0x06, 0x10, 0x05, 0xcf}; /* incb cs:510; iret */
    struct machine *m = machine_new(MIB);
    const uint32_t last = 0x1800af, vector = 0x00000600;

    start(m, sector);
    ram_write(&m->ram, 0x46c, &last, 4);
    ram_write(&m->ram, 0x600, user, sizeof(user));
    ram_write(&m->ram, 0x1c * 4, &vector, 4);
    CU_ASSERT(run(m, 100));
    CU_ASSERT_EQUAL(peek(m, 0x46c, 4), 0);
    CU_ASSERT_EQUAL(peek(m, 0x470, 1), 1);
    CU_ASSERT_EQUAL(peek(m, 0x510, 1), 1);
    machine_free(m);
}

/* int 19h and a jump to ffff:0000 boot again from the disk; without a signature they give up. */
static void
test_reboot(void)
{
    static const uint8_t int19[512] = {0xcd, 0x19};
    static const uint8_t jump[512] = {0xea, 0x00, 0x00, 0xff, 0xff};
    struct machine *m = machine_new(MIB);

    memcpy(disk, "\xfa\xf4", 2); /* cli; hlt */
    start(m, int19);
    CU_ASSERT(run(m, 100));
    CU_ASSERT_EQUAL(m->cpu.r.rip, 0x7c02);
    CU_ASSERT_EQUAL(m->cpu.r.gpr[X86_RDX] & 0xff, 0x80);
    start(m, jump);
    CU_ASSERT(run(m, 100));
    CU_ASSERT_EQUAL(m->cpu.r.rip, 0x7c02);
    CU_ASSERT(printed(m, ""));
    disk[511] = 0;
    start(m, int19);
    CU_ASSERT(run(m, 100));
    CU_ASSERT(printed(m, "\r\nBIOS: no boot sector (55 aa at 510) on the disk, halted\r\n"));
    machine_free(m);
}

static const struct unit_test tests[] = {
    {"a boot sector's services, each one exit", test_boot_sector},
    {"the timer tick at midnight", test_midnight},
    {"booting again", test_reboot},
    {NULL, NULL},
};
const struct unit_suite suite_bios_rom = {"bios-rom", tests};
