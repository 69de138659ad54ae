/* debug_machine.c - see debug_machine.h. */
#include <errno.h>
#include <string.h>

#include "debugger/values.h"
#include "tests/unit/debug_machine.h"

static int
fake_get_regs(struct machine *m, struct x86_regs *regs, struct error *err)
{
    struct fake_machine *fake = m->own;

    if (fake->no_regs)
        return error_set(err, ENODATA, "no registers");
    *regs = fake->regs;
    return 0;
}

static int
fake_set_regs(struct machine *m, const struct x86_regs *regs, struct error *err)
{
    struct fake_machine *fake = m->own;

    (void)err;
    fake->regs = *regs;
    fake->writes++;
    return 0;
}

static bool
inside(uint64_t address, size_t size)
{
    return address >= FAKE_MEMORY && address - FAKE_MEMORY <= 256 &&
           size <= 256 - (address - FAKE_MEMORY);
}

static int
fake_read(struct machine *m, enum machine_space space, uint64_t address, void *to, size_t size,
          struct error *err)
{
    struct fake_machine *fake = m->own;

    (void)space;
    if (!inside(address, size))
        return error_set(err, EFAULT, "no memory at %#llx", (unsigned long long)address);
    memcpy(to, fake->memory + (address - FAKE_MEMORY), size);
    return 0;
}

static int
fake_write(struct machine *m, enum machine_space space, uint64_t address, const void *from,
           size_t size, struct error *err)
{
    struct fake_machine *fake = m->own;

    (void)space;
    if (!inside(address, size))
        return error_set(err, EFAULT, "no memory at %#llx", (unsigned long long)address);
    memcpy(fake->memory + (address - FAKE_MEMORY), from, size);
    fake->writes++;
    return 0;
}

static const struct machine_ops fake_ops = {
    .name = "fake",
    .get_regs = fake_get_regs,
    .set_regs = fake_set_regs,
    .read = fake_read,
    .write = fake_write,
};

void
fake_machine_open(struct fake_machine *fake)
{
    memset(fake, 0, sizeof(*fake));
    fake->machine.ops = &fake_ops;
    fake->machine.own = fake;
    fake->debugger.machine = &fake->machine;
    fake->regs.efer = EFER_LME | EFER_LMA;
    fake->regs.cr0 = CR0_PE | CR0_PG;
    fake->regs.seg[X86_CS].attr = SEG_P | SEG_S | SEG_CODE | SEG_L;
    values_open(&fake->debugger.values, NULL);
    for (unsigned i = 0; i < sizeof(fake->memory); i++)
        fake->memory[i] = (uint8_t)(i * 7 + 0x81);
}

void
fake_machine_close(struct fake_machine *fake)
{
    values_close(fake->debugger.values);
}
