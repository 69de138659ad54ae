/*
 * decode_observer.c - a processor that only looks: see decode.h.
 *
 * Its memory is the guest's, a copy of each page that it touches; so the interpreter itself can
 * be asked "what would happen?", and the answer has no consequences.
 *
 * Called by explain*.c and info_*.c. Next: decode_gate.c.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/ram.h"
#include "debugger/decode.h"
#include "debugger/machine.h"
#include "engine/engine.h"

static bool
is_private(uint64_t gpa)
{
    return gpa >= RAM_PRIVATE && gpa - RAM_PRIVATE < RAM_PRIVATE_MAX;
}

/* More pages than an instruction and three deliveries can touch are there; whoever runs out finds no
 * memory, which ends whatever goes on. */
static struct x86_page
observed_page(void *ctx, uint64_t gpa)
{
    struct observer *o = ctx;
    struct x86_page page = {0};
    struct observed_page *new;
    uint8_t *host;
    bool writable;

    gpa &= ~(uint64_t)(PAGE_SIZE - 1);
    for (unsigned i = 0; i < o->pages; i++)
        if (o->page[i].gpa == gpa)
            return (struct x86_page){.host = o->page[i].copy, .writable = o->page[i].writable};
    if (o->pages == OBSERVER_PAGES || (is_private(gpa) && !o->private_too))
        return page;
    host = ram_page(o->ram, gpa, &writable);
    if (!host)
        return page;
    new = &o->page[o->pages];
    new->copy = malloc(PAGE_SIZE);
    if (!new->copy)
        return page;
    memcpy(new->copy, host, PAGE_SIZE);
    new->gpa = gpa;
    new->writable = writable;
    o->pages++;
    return (struct x86_page){.host = new->copy, .writable = writable};
}

static void
observed_written(void *ctx, uint64_t gpa, unsigned len)
{
    (void)ctx;
    (void)gpa;
    (void)len;
}

struct observer *
observer_open(const struct ram *ram, const struct x86_regs *regs, bool private_too)
{
    struct observer *o = aligned_alloc(64, (sizeof(*o) + 63) / 64 * 64);

    if (!o)
        return NULL;
    memset(o, 0, sizeof(*o));
    x86_cpu_init(&o->cpu);
    o->ram = ram;
    o->private_too = private_too;
    o->cpu.mem.ctx = o;
    o->cpu.mem.page = observed_page;
    o->cpu.mem.written = observed_written;
    o->cpu.r = *regs;
    x86_update_mode(&o->cpu);
    return o;
}

/* Until it has tables of its own a paravirtual kernel runs on the VMM's, in private memory. That a
 * guest merely names such a CR3 is not enough: the processor must use it. */
static bool
has_private_tables(const struct machine *machine, const struct x86_regs *guest)
{
    struct x86_regs real;

    return is_private(guest->cr3) &&
           !machine->vm->engine_ops->get_regs(machine->vcpu, &real, NULL) && real.cr3 == guest->cr3;
}

struct observer *
observer_of(struct machine *machine, struct error *err)
{
    struct observer *o = NULL;
    struct x86_regs regs;

    if (!machine->vm) {
        error_set(err, ENODATA,
                  "a recording has no memory and no registers but rip: 'hv debug' on the guest "
                  "itself has them");
        return NULL;
    }
    if (machine->ops->get_regs(machine, &regs, err))
        return NULL;
    o = observer_open(&machine->vm->ram, &regs, has_private_tables(machine, &regs));
    if (!o)
        error_set(err, ENOMEM, "no memory to look through the guest's tables");
    return o;
}

void
observer_close(struct observer *o)
{
    if (!o)
        return;
    for (unsigned i = 0; i < o->pages; i++)
        free(o->page[i].copy);
    free(o);
}

int
observer_read(struct observer *o, uint64_t linear, void *to, size_t size, uint64_t *bad)
{
    uint8_t *out = to;

    while (size) {
        uint64_t at = x86_long_mode(&o->cpu) ? linear : (uint32_t)linear;
        size_t part = PAGE_SIZE - (size_t)(at & (PAGE_SIZE - 1));
        struct x86_walk walk;
        struct x86_page page = {0};
        if (part > size)
            part = size;
        if (x86_canonical(at) && x86_page_look(&o->cpu, at, &walk))
            page = observed_page(o, walk.gpa);
        if (!page.host) {
            if (bad)
                *bad = at;
            return -EFAULT;
        }
        memcpy(out, page.host + (walk.gpa & (PAGE_SIZE - 1)), part);
        out += part;
        linear += part;
        size -= part;
    }
    return 0;
}
