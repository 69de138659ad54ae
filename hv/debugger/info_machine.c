/*
 * info_machine.c - what is around the processor: memory map, devices, interrupt lines, the strategy's
 * own state, checkpoints.
 *
 * Called through commands_info.c.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "debugger/decode.h"
#include "debugger/explain.h"
#include "debugger/history.h"
#include "debugger/info.h"
#include "debugger/paint.h"
#include "debugger/session.h"
#include "device/device.h"
#include "device/pic8259.h"
#include "engine/engine.h"
#include "strategy/strategy.h"
#include "tracer/describe.h"

#define TEXT_SIZE 4096

/* There is a machine, not only its recording. */
static int
need_machine(const struct debugger *d, struct error *err)
{
    if (d->machine->vm)
        return 0;
    return error_set(err, ENODATA,
                     "a recording has no machine to look into: 'hv debug' on the guest itself has "
                     "one");
}

/* --- memory --------------------------------------------------------------------------------------- */

struct region {
    uint64_t first, last;
    const char *what;
    const char *more;
};

static int
compare_regions(const void *a, const void *b)
{
    const struct region *x = a, *y = b;

    return x->first < y->first ? -1 : x->first > y->first;
}

int
info_mem(struct debugger *d, const char *arguments, struct error *err)
{
    struct region r[ROM_REGIONS + BUS_RANGES + 2];
    unsigned n = 0;
    int rc = need_machine(d, err);

    (void)arguments;
    if (!rc)
        rc = info_of_machine(d, "physical memory", err);
    if (rc)
        return rc;
    const struct ram *ram = &d->machine->vm->ram;
    const struct bus *bus = &d->machine->vm->bus;
    r[n++] = (struct region){0, ram->size - 1, "RAM", ""};
    for (unsigned i = 0; i < ram->roms; i++)
        r[n++] = (struct region){ram->rom[i].gpa, ram->rom[i].gpa + ram->rom[i].size - 1, "ROM",
                                 ram->rom[i].gpa < ram->size ? "it hides the RAM behind it" : ""};
    for (unsigned i = 0; i < bus->ranges[BUS_MMIO]; i++)
        r[n++] = (struct region){bus->range[BUS_MMIO][i].first, bus->range[BUS_MMIO][i].last,
                                 bus->range[BUS_MMIO][i].device->ops->name, "a device's window"};
    if (ram->private_size)
        r[n++] = (struct region){RAM_PRIVATE, RAM_PRIVATE + ram->private_size - 1, "private",
                                 "the VMM's own (real tables, shadows)"};
    qsort(r, n, sizeof(r[0]), compare_regions);
    fprintf(d->out, "%sphysical, first    last               size  what%s\n",
            paint_on(d, PAINT_DIM), paint_off(d));
    for (unsigned i = 0; i < n; i++)
        fprintf(d->out, "%016" PRIx64 "  %016" PRIx64 " %6" PRIu64 "%c  %s%s%s\n", r[i].first,
                r[i].last,
                r[i].last - r[i].first >= 0x100000 ? (r[i].last - r[i].first + 1) >> 20
                                                   : (r[i].last - r[i].first + 1) >> 10,
                r[i].last - r[i].first >= 0x100000 ? 'M' : 'K', r[i].what, *r[i].more ? ": " : "",
                r[i].more);
    fprintf(d->out, "Anywhere else is no memory: an access is an exit, %s.\n",
            trace_kinds[TRACE_MMIO].name);
    return 0;
}

/* --- devices -------------------------------------------------------------------------------------- */

static void
print_device(struct debugger *d, const struct bus *bus, const struct bus_device *device)
{
    char *text = calloc(1, TEXT_SIZE);

    fprintf(d->out, "%s%s%s: %s\n", paint_on(d, PAINT_TITLE), device->ops->name, paint_off(d),
            device->ops->summary);
    for (unsigned space = 0; space < BUS_SPACES; space++)
        for (unsigned i = 0; i < bus->ranges[space]; i++) {
            const struct bus_range *range = &bus->range[space][i];
            if (range->device == device)
                fprintf(d->out, "  %s %" PRIx64 "-%" PRIx64 "\n",
                        space == BUS_PORT ? "ports" : "physical", range->first, range->last);
        }
    if (device->ops->manual)
        fprintf(d->out, "  manual: %s\n", device->ops->manual);
    if (text && device->ops->describe) {
        device->ops->describe(device->dev, text, TEXT_SIZE);
        for (char *line = text; *line;) {
            size_t n = strcspn(line, "\n");
            fprintf(d->out, "  %.*s\n", (int)n, line);
            line += n + (line[n] == '\n');
        }
    }
    free(text);
}

int
info_devices(struct debugger *d, const char *arguments, struct error *err)
{
    unsigned found = 0;
    int rc = need_machine(d, err);

    if (!rc)
        rc = info_of_machine(d, "devices", err);
    if (rc)
        return rc;
    const struct bus *bus = &d->machine->vm->bus;
    for (unsigned i = 0; i < bus->devices; i++) {
        const struct bus_device *device = &bus->device[i];
        if (*arguments && strncmp(device->ops->name, arguments, strlen(arguments)))
            continue;
        found++;
        if (*arguments)
            print_device(d, bus, device);
        else
            fprintf(d->out, "  %-10s %s\n", device->ops->name, device->ops->summary);
    }
    if (!found)
        return error_set(err, ENOENT, "there is no device '%s': 'info devices' lists them",
                         arguments);
    if (!*arguments)
        fprintf(d->out,
                "'info devices NAME' shows its registers; accesses that nobody answered: ports "
                "%" PRIu64 ", memory %" PRIu64 "\n",
                bus->unclaimed[BUS_PORT], bus->unclaimed[BUS_MMIO]);
    return 0;
}

/* --- interrupt lines -------------------------------------------------------------------------------- */

static const struct pic_state *
find_pic(const struct bus *bus)
{
    for (unsigned i = 0; i < bus->devices; i++)
        if (bus->device[i].ops == &pic_ops)
            return &((const struct pic *)bus->device[i].dev)->s;
    return NULL;
}

/* IBM PC AT Technical Reference, "System interrupts"; wired in device/pc.c. */
static const char *const drivers[16] = {
    [0] = "pit", [1] = "kbd", [2] = "(the slave)", [4] = "uart", [8] = "rtc",
};

const char *
info_irq_source(const struct machine *machine, unsigned vector, unsigned *irq)
{
    const struct pic_state *pic = machine->vm ? find_pic(&machine->vm->bus) : NULL;

    for (*irq = 0; pic && *irq < 16; ++*irq)
        if (((pic->chip[*irq / 8].base & 0xf8u) | (*irq & 7)) == vector)
            return drivers[*irq] ? drivers[*irq] : "no device";
    return NULL;
}

static void
print_lines(FILE *out, const struct pic_state *pic)
{
    for (unsigned irq = 0; irq < 16; irq++) {
        const struct pic_chip *c = &pic->chip[irq / 8];
        uint8_t bit = (uint8_t)(1u << (irq & 7));
        uint8_t request = c->edges & bit || (c->elcr & c->lines & bit);
        if (!drivers[irq] && !(c->lines & bit) && !(c->isr & bit) && !request)
            continue;
        fprintf(out, "  %3u  %-12s %02x      %-5s  %-7s    %-7s  %s\n", irq,
                drivers[irq] ? drivers[irq] : "", (c->base & 0xf8) | (irq & 7),
                c->lines & bit ? "high" : "low", request ? "yes" : "-", c->isr & bit ? "yes" : "-",
                c->imr & bit ? "masked" : "open");
    }
}

int
info_irq(struct debugger *d, const char *arguments, struct error *err)
{
    struct vm *vm = d->machine->vm;
    struct x86_regs regs;
    int rc = info_regs(d, &regs, err);

    (void)arguments;
    if (!rc)
        rc = info_of_machine(d, "interrupt lines", err);
    if (rc)
        return rc;
    const struct pic_state *pic = find_pic(&vm->bus);
    bool pending = vm->irq.pending && vm->irq.pending(vm->irq.ctx);
    bool can = vm->strategy->can_inject ? vm->strategy->can_inject(d->machine->vcpu)
                                        : vm->engine_ops->can_inject(d->machine->vcpu);
    fprintf(d->out, "INTR is %s; the guest can%s take an interrupt now%s\n",
            pending ? "asserted" : "not asserted", can ? "" : "not",
            can                        ? ""
            : vm->strategy->can_inject ? " (its virtual IF is clear)"
            : !(regs.rflags & FLAG_IF) ? " (RFLAGS.IF is clear)"
                                       : " (one instruction must pass, or one is on its way)");
    if (!strcmp(d->machine->strategy, "paravirt"))
        fprintf(d->out, "events of the VMM take the place of the lines ('info strategy')\n");
    if (!pic)
        return 0;
    fprintf(d->out, "%s  IRQ  driven by    vector  line   requested  service  mask%s\n",
            paint_on(d, PAINT_DIM), paint_off(d));
    print_lines(d->out, pic);
    return 0;
}

/* --- strategy, checkpoints ---------------------------------------------------------------------------- */

int
info_strategy(struct debugger *d, const char *arguments, struct error *err)
{
    const struct machine *m = d->machine;
    const struct strategy_ops *strategy;
    char *text;
    int rc = need_machine(d, err);

    (void)arguments;
    if (rc)
        return rc;
    strategy = m->vm->strategy;
    fprintf(d->out, "%s%s%s on engine %s: %s\n", paint_on(d, PAINT_TITLE), strategy->name,
            paint_off(d), m->engine, strategy->summary);
    text = calloc(1, TEXT_SIZE);
    if (text && strategy->describe)
        strategy->describe(m->vcpu, text, TEXT_SIZE);
    if (text && *text)
        fprintf(d->out, "%s", text);
    else if (m->vm->engine_ops->process)
        fprintf(d->out, "It keeps no state of its own: 'info namespaces', 'info cgroup', 'info "
                        "capabilities' and\n'info filter' show what holds the process.\n");
    else
        fprintf(d->out, "It keeps no state of its own: the guest's flags, CR3 and tables are the "
                        "processor's.\n");
    free(text);
    return 0;
}

int
info_checkpoints(struct debugger *d, const char *arguments, struct error *err)
{
    const struct machine *m = d->machine;
    struct history_figures f;
    const char *why = NULL;
    char used[32], limit[32];

    (void)arguments, (void)err;
    session_print_checkpoints(d);
    if (!m->history) {
        machine_can_go_back(m, &why);
        fprintf(d->out, "no snapshots: %s\n", why ? why : "this machine goes back without them");
        return 0;
    }
    history_figures(m->history, &f);
    fprintf(d->out,
            "%u snapshot%s, %s of %s KiB; from exit %" PRIu64 " (instruction %" PRIu64
            ") to exit %" PRIu64 " (instruction %" PRIu64 ")\n",
            f.snapshots, f.snapshots == 1 ? "" : "s",
            describe_count(f.bytes >> 10, used, sizeof(used)),
            describe_count(f.limit >> 10, limit, sizeof(limit)), f.first.exits, f.first.icount,
            f.last.exits, f.last.icount);
    return 0;
}
