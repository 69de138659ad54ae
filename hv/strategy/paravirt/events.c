/*
 * events.c - what interrupts the guest's kernel: a timer and a console, without the chips of a PC;
 * and the page through which it masks events, sees that one waits, and reads the clock.
 *
 * The run loop is told nothing new: the timer is a device on the bus that has no ports, and the
 * strategy answers in the place of the interrupt controller (struct irq_source) and of the
 * serial port's receiver (struct byte_sink).
 *
 * Called by paravirt.c, hypercalls.c and, through the three tables, by core/run.c.
 */
#include <errno.h>
#include <string.h>

#include "device/device.h"
#include "engine/engine.h"
#include "strategy/paravirt/paravirt.h"

/* --- the shared page ------------------------------------------------------------------------------ */

/* The page is WRITABLE (frames.h) as long as it is shared, so never a table: the VMM may write. */
static struct hc_shared *
shared_page(const struct paravirt *pv)
{
    if (pv->shared == NO_FRAME)
        return NULL;
    return ram_at(&pv->vm->ram, pv->shared, sizeof(struct hc_shared));
}

/* A member of the page was written. */
static void
shared_written(struct paravirt *pv)
{
    ram_written(&pv->vm->ram, pv->shared, sizeof(struct hc_shared));
}

bool
events_masked(const struct paravirt *pv)
{
    const struct hc_shared *page = shared_page(pv);

    return !page || page->masked;
}

void
events_mask(struct paravirt *pv, bool masked)
{
    struct hc_shared *page = shared_page(pv);

    if (!page)
        return;
    page->masked = masked;
    shared_written(pv);
}

void
events_fault_address(struct paravirt *pv, uint64_t address)
{
    struct hc_shared *page = shared_page(pv);

    if (!page)
        return;
    page->fault_address = address;
    shared_written(pv);
}

void
events_publish(struct paravirt *pv)
{
    struct hc_shared *page = shared_page(pv);
    const struct engine_ops *engine = pv->vm->engine_ops;

    if (!page)
        return;
    page->pending = pv->events.waiting != 0;
    page->time = engine->time(pv->vcpu);
    if (engine->caps & CAP_ICOUNT) { /* the TSC counts the same nanoseconds */
        page->tsc = page->time + pv->regs.tsc_offset;
        page->tsc_scale = UINT64_C(1) << 32;
    }
    page->version++;
    shared_written(pv);
}

/* An event happened; the same one twice is one. */
static void
raise_event(struct paravirt *pv, unsigned event)
{
    struct hc_shared *page = shared_page(pv);

    pv->events.waiting |= UINT64_C(1) << event;
    if (!page)
        return;
    page->pending = 1;
    shared_written(pv);
}

/* --- the timer, as a device that only knows time ---------------------------------------------------- */

static void
timer_tick(void *dev, uint64_t now)
{
    struct paravirt *pv = dev;
    struct paravirt_events *e = &pv->events;

    if (now < e->next)
        return;
    raise_event(pv, HC_EVENT_TIMER);
    if (!e->period) {
        e->next = DEVICE_NEVER;
        return;
    }
    /* Turns that were missed are lost; the rhythm stays. */
    uint64_t turns = (now - e->next) / e->period + 1;
    e->next = turns > (DEVICE_NEVER - e->next) / e->period ? DEVICE_NEVER
                                                           : e->next + turns * e->period;
}

static uint64_t
timer_next(void *dev)
{
    return ((struct paravirt *)dev)->events.next;
}

static void
timer_reset(void *dev)
{
    ((struct paravirt *)dev)->events.next = DEVICE_NEVER;
}

static void *
timer_state(void *dev, size_t *size)
{
    struct paravirt *pv = dev;

    *size = sizeof(pv->events);
    return &pv->events;
}

static const struct device_ops timer_ops = {
    .name = "pv-timer",
    .summary = "the timer of strategy paravirt: no ports, only events",
    .tick = timer_tick,
    .next = timer_next,
    .reset = timer_reset,
    .state = timer_state,
};

int64_t
events_set_timer(struct paravirt *pv, uint64_t first, uint64_t period)
{
    uint64_t now = pv->vm->engine_ops->time(pv->vcpu);

    pv->vm->next_known = false;
    if (!first) {
        pv->events.next = DEVICE_NEVER;
        return 0;
    }
    if (first < HC_TIMER_MIN || first > DEVICE_NEVER - 1 - now || (period && period < HC_TIMER_MIN))
        return -HC_EINVAL;
    pv->events.next = now + first;
    pv->events.period = period;
    return 0;
}

/* --- in the place of the interrupt controller -------------------------------------------------------- */

static bool
event_pending(void *ctx)
{
    return ((struct paravirt *)ctx)->events.waiting;
}

/* The lowest number first. Taking it is all the acknowledgement that an event needs. */
static uint8_t
event_take(void *ctx)
{
    struct paravirt *pv = ctx;
    unsigned event = (unsigned)__builtin_ctzll(pv->events.waiting);

    pv->events.waiting &= ~(UINT64_C(1) << event);
    return (uint8_t)(HC_EVENT_TRAP + event);
}

static uint8_t
event_vector(void *ctx)
{
    return (uint8_t)(HC_EVENT_TRAP + __builtin_ctzll(((struct paravirt *)ctx)->events.waiting));
}

/* --- in the place of the serial port's receiver ------------------------------------------------------ */

static bool
input_room(void *ctx)
{
    const struct paravirt_events *e = &((struct paravirt *)ctx)->events;

    return e->in - e->out < PARAVIRT_INPUT;
}

static bool
input_put(void *ctx, uint8_t byte)
{
    struct paravirt *pv = ctx;

    if (!input_room(ctx))
        return false;
    pv->events.input[pv->events.in++ % PARAVIRT_INPUT] = byte;
    raise_event(pv, HC_EVENT_CONSOLE);
    return true;
}

unsigned
events_read(struct paravirt *pv, uint8_t *bytes, unsigned size)
{
    struct paravirt_events *e = &pv->events;
    unsigned n = 0;

    while (n < size && e->in != e->out)
        bytes[n++] = e->input[e->out++ % PARAVIRT_INPUT];
    return n;
}

/* --- attaching --------------------------------------------------------------------------------------- */

int
events_attach(struct paravirt *pv, struct error *err)
{
    struct vm *vm = pv->vm;

    pv->events.next = DEVICE_NEVER;
    if (!bus_add_device(&vm->bus, &timer_ops, pv))
        return error_set(err, ENOSPC, "the board has no room for the timer of strategy paravirt");
    pv->old_irq = vm->irq;
    pv->old_input = vm->input;
    vm->irq = (struct irq_source){pv, event_pending, event_take, event_vector};
    vm->input = (struct byte_sink){pv, input_room, input_put};
    return 0;
}

/* The timer stays on the bus, which has no way to remove a device: the machine is not run again. */
void
events_detach(struct paravirt *pv)
{
    pv->vm->irq = pv->old_irq;
    pv->vm->input = pv->old_input;
}
