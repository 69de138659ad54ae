/*
 * mem.c - memory as an instruction sees it: segment checks, translation, pages, devices.
 *
 * The slow path behind mem.h. In order: the segment (SDM vol. 3, 5.3), alignment (#AC), then page by
 * page through the TLB; both pages of a straddling access are translated before a byte moves, so
 * a fault leaves memory as it was. A page without memory behind it is a device: the access ends
 * the instruction with EMU_MMIO (see struct x86_replay in cpu.h).
 *
 * Next: paging.c (the walk that fills the TLB).
 */
#include "isa/x86/mem.h"

/* --- segmentation --------------------------------------------------------------------------- */

/* The fault of a bad access through a segment register: #SS for the stack, else #GP. */
static int
segment_fault(struct x86_cpu *cpu, unsigned sreg)
{
    return x86_raise_error(cpu, sreg == X86_SS ? VEC_SS : VEC_GP, 0);
}

/* Are bytes [offset, offset + size) within the segment's limit (SDM vol. 3, 5.3)? */
static bool
within_limit(const struct x86_segment *seg, uint64_t offset, unsigned size)
{
    uint64_t last = offset + size - 1;

    if (!(seg->attr & SEG_CODE) && seg->attr & SEG_EXPAND) {
        /* Expand-down: valid from limit + 1 to ffff or ffffffff. */
        uint64_t top = seg->attr & SEG_DB ? 0xffffffff : 0xffff;
        return offset > seg->limit && last <= top;
    }
    return last <= seg->limit;
}

int
x86_linear(struct x86_cpu *cpu, unsigned sreg, uint64_t offset, unsigned size, unsigned how,
           uint64_t *linear)
{
    const struct x86_segment *seg = &cpu->r.seg[sreg];
    bool write = how & (ACCESS_WRITE | ACCESS_RMW), misaligned;

    *linear = (cpu->seg_base[sreg] + offset) & cpu->linear_mask;
    misaligned = cpu->alignment_check && *linear & (size - 1) && !(size & (size - 1));
    if (x86_is_64bit(cpu)) {
        /* An access that only ends outside the canonical half is #AC first, if it is that too. */
        if (!x86_canonical(*linear) || (!misaligned && !x86_canonical(*linear + size - 1)))
            return segment_fault(cpu, sreg);
    } else {
        if (cpu->mode != MODE_REAL) {
            if (!(seg->attr & SEG_P)) /* a null selector was loaded */
                return segment_fault(cpu, sreg);
            if (write && (seg->attr & (SEG_CODE | SEG_WRITABLE)) != SEG_WRITABLE)
                return segment_fault(cpu, sreg);
            if (!write && (seg->attr & (SEG_CODE | SEG_READABLE)) == SEG_CODE)
                return segment_fault(cpu, sreg);
        }
        if (!within_limit(seg, offset, size))
            return segment_fault(cpu, sreg);
    }
    return misaligned ? x86_raise_error(cpu, VEC_AC, 0) : EMU_OK;
}

/* --- the TLB -------------------------------------------------------------------------------- */

void
x86_tlb_flush_all(struct x86_cpu *cpu)
{
    for (unsigned i = 0; i < X86_TLB_SIZE; i++)
        for (unsigned user = 0; user < 2; user++)
            cpu->tlb[user][i] = (struct x86_tlb_entry){
                .read = X86_TLB_NONE, .write = X86_TLB_NONE, .exec = X86_TLB_NONE};
    cpu->fetch.page = X86_TLB_NONE;
}

void
x86_tlb_flush_nonglobal(struct x86_cpu *cpu)
{
    for (unsigned i = 0; i < X86_TLB_SIZE; i++)
        for (unsigned user = 0; user < 2; user++) {
            struct x86_tlb_entry *e = &cpu->tlb[user][i];
            if (!e->global)
                e->read = e->write = e->exec = X86_TLB_NONE;
        }
    cpu->fetch.page = X86_TLB_NONE;
}

void
x86_tlb_flush_page(struct x86_cpu *cpu, uint64_t linear)
{
    for (unsigned user = 0; user < 2; user++) {
        struct x86_tlb_entry *e = tlb_entry(cpu, linear, user);
        e->read = e->write = e->exec = X86_TLB_NONE;
    }
    cpu->fetch.page = X86_TLB_NONE;
}

/* X86_TLB_NONE has the bit already. */
void
x86_tlb_slow(struct x86_cpu *cpu, bool reads)
{
    for (unsigned i = 0; i < X86_TLB_SIZE; i++)
        for (unsigned user = 0; user < 2; user++) {
            cpu->tlb[user][i].write |= X86_TLB_SLOW;
            cpu->tlb[user][i].read |= reads ? X86_TLB_SLOW : 0;
        }
}

/* Has a data breakpoint (DR7.Ln or Gn, R/Wn not "execute") an address in this page? */
static bool
page_has_breakpoint(const struct x86_cpu *cpu, uint64_t linear)
{
    for (unsigned i = 0; i < 4; i++)
        if (cpu->r.dr[7] >> (2 * i) & 3 && cpu->r.dr[7] >> (16 + 4 * i) & 3 &&
            cpu->r.dr[i] >> 12 == linear >> 12)
            return true;
    return false;
}

/* Does the owner look for accesses in this page? */
static bool
page_has_watch(const struct x86_cpu *cpu, uint64_t linear)
{
    uint64_t page = linear >> 12;

    for (unsigned i = 0; cpu->watches && i < cpu->watches->count; i++) {
        const struct x86_watch *w = &cpu->watches->watch[i];
        if (w->address >> 12 <= page && page <= (w->address + (w->size - 1)) >> 12)
            return true;
    }
    return false;
}

/* Which of the granted accesses may go the fast way now. */
static void
tlb_speed(const struct x86_cpu *cpu, struct x86_tlb_entry *e, uint64_t linear, bool watched)
{
    bool seen = page_has_watch(cpu, linear);

    e->read = e->read == X86_TLB_NONE ? X86_TLB_NONE : linear >> 12 | (seen ? X86_TLB_SLOW : 0);
    e->write = e->write == X86_TLB_NONE ? X86_TLB_NONE
                                        : linear >> 12 | (seen || watched ? X86_TLB_SLOW : 0);
}

/*
 * Remembers a walk. A tag is set only where the fast path may go: the permission was granted for
 * every access of that kind at this privilege level, D is already set, RAM is behind it.
 */
static void
tlb_fill(struct x86_cpu *cpu, uint64_t linear, bool user, const struct x86_walk *walk,
         const struct x86_page *page)
{
    struct x86_tlb_entry *e = tlb_entry(cpu, linear, user);
    /* SMAP depends on RFLAGS.AC, access by access: such a page always walks. */
    bool smap = !user && walk->user && cpu->r.cr4 & CR4_SMAP;
    bool data = page->host && !smap && (!user || walk->user) && !page_has_breakpoint(cpu, linear);
    bool write = data && walk->dirty && page->writable &&
                 (walk->writable || (!user && !(cpu->r.cr0 & CR0_WP)));
    bool exec = page->host && walk->executable &&
                (user ? walk->user : !walk->user || !(cpu->r.cr4 & CR4_SMEP));

    e->read = data ? linear >> 12 : X86_TLB_NONE;
    e->write = write ? linear >> 12 : X86_TLB_NONE;
    e->exec = exec ? linear >> 12 : X86_TLB_NONE;
    e->host = page->host;
    e->gpa = walk->gpa & ~UINT64_C(0xfff);
    e->global = walk->global;
    tlb_speed(cpu, e, linear, page->watched);
}

/* Does the entry grant this access? A read that will be written back needs both. */
static bool
tlb_grants(const struct x86_tlb_entry *e, uint64_t linear, unsigned how)
{
    bool read = (e->read & ~X86_TLB_SLOW) == linear >> 12;
    bool write = (e->write & ~X86_TLB_SLOW) == linear >> 12;

    return !(how & ACCESS_FETCH) && (how & ACCESS_RMW     ? read && write
                                     : how & ACCESS_WRITE ? write
                                                          : read);
}

/* A piece of an access: bytes of one page, and what is behind them. */
struct piece {
    uint64_t gpa;
    uint8_t *host; /* of the first byte; NULL: a device */
    bool writable, watched;
    unsigned len;
};

static int
translate(struct x86_cpu *cpu, uint64_t linear, unsigned len, unsigned how, struct piece *piece)
{
    bool user = cpu->cpl == 3 && !(how & ACCESS_SYSTEM);
    struct x86_tlb_entry *e = tlb_entry(cpu, linear, user);
    struct x86_page page;

    if (tlb_grants(e, linear, how)) {
        piece->gpa = e->gpa | (linear & 0xfff);
        page = cpu->mem.page(cpu->mem.ctx, piece->gpa);
        tlb_speed(cpu, e, linear, page.watched);
    } else {
        struct x86_walk walk;
        TRY(x86_page_walk(cpu, linear, how, user ? 3 : 0, &walk));
        piece->gpa = walk.gpa;
        page = cpu->mem.page(cpu->mem.ctx, walk.gpa);
        tlb_fill(cpu, linear, user, &walk, &page);
    }
    piece->host = page.host ? page.host + (piece->gpa & 0xfff) : NULL;
    piece->writable = page.writable;
    piece->watched = page.watched;
    piece->len = len;
    return EMU_OK;
}

int
x86_fetch_page(struct x86_cpu *cpu, uint64_t linear)
{
    const struct x86_tlb_entry *e = tlb_entry(cpu, linear, cpu->cpl == 3);
    struct piece piece;

    if (!x86_canonical(linear) && x86_is_64bit(cpu))
        return x86_gp0(cpu);
    if (e->exec != linear >> 12) {
        TRY(translate(cpu, linear, 1, ACCESS_FETCH, &piece));
        if (!piece.host)
            return x86_unimplemented(cpu, "instructions fetched from a device's memory");
    }
    cpu->fetch = (struct x86_fetch){linear >> 12, e->host, e->gpa, X86_TLB_NONE};
    return EMU_OK;
}

/* Translates [linear, linear + size), which touches at most two pages. */
static int
translate_both(struct x86_cpu *cpu, uint64_t linear, unsigned size, unsigned how,
               struct piece piece[2])
{
    unsigned first = 0x1000 - (unsigned)(linear & 0xfff);
    /* The tables of long mode have 64-bit addresses, in compatibility mode too. */
    bool wide = how & ACCESS_SYSTEM && x86_long_mode(cpu);

    piece[1].len = 0;
    if (size <= first)
        return translate(cpu, linear, size, how, &piece[0]);
    TRY(translate(cpu, linear, first, how, &piece[0]));
    return translate(cpu, (linear + first) & (wide ? ~UINT64_C(0) : cpu->linear_mask), size - first,
                     how, &piece[1]);
}

/* --- devices -------------------------------------------------------------------------------- */

/* The answer to the next device read of this instruction; stops the instruction to ask for it. */
static int
replay_read(struct x86_cpu *cpu, uint64_t address, unsigned size, bool port, uint64_t *value)
{
    struct x86_replay *replay = &cpu->replay;

    if (replay->next < replay->filled) {
        *value = replay->value[replay->next++] & x86_size_mask(size);
        return EMU_OK;
    }
    if (replay->filled == X86_REPLAY_MAX)
        return x86_unimplemented(cpu, "an instruction with more than 72 device reads");
    cpu->access = (struct x86_access){.address = address, .size = (uint8_t)size, .port = port};
    x86_call_attention(cpu, ATTENTION_REPLAY);
    return port ? EMU_IO : EMU_MMIO;
}

static int
replay_write(struct x86_cpu *cpu, uint64_t address, unsigned size, bool port, uint64_t value)
{
    struct x86_replay *replay = &cpu->replay;

    if (replay->writes == X86_REPLAY_MAX)
        return x86_unimplemented(cpu, "an instruction with more than 72 device writes");
    replay->rip = cpu->r.rip;
    replay->write[replay->writes++] = (struct x86_access){.address = address,
                                                          .value = value & x86_size_mask(size),
                                                          .size = (uint8_t)size,
                                                          .write = true,
                                                          .port = port};
    x86_call_attention(cpu, ATTENTION_REPLAY);
    return EMU_OK;
}

int
x86_port_read(struct x86_cpu *cpu, uint16_t port, unsigned size, uint64_t *value)
{
    return replay_read(cpu, port, size, true, value);
}

int
x86_port_write(struct x86_cpu *cpu, uint16_t port, unsigned size, uint64_t value)
{
    return replay_write(cpu, port, size, true, value);
}

void
x86_complete_read(struct x86_cpu *cpu, uint64_t value)
{
    if (cpu->replay.filled < X86_REPLAY_MAX)
        cpu->replay.value[cpu->replay.filled++] = value;
}

void
x86_replay_reset(struct x86_cpu *cpu)
{
    cpu->replay.filled = cpu->replay.next = 0;
    cpu->replay.writes = cpu->replay.written = 0;
    cpu->attention &= ~ATTENTION_REPLAY;
}

/* The largest power of two that `len` bytes have room for: a straddling access may leave 3 or 7. */
static unsigned
device_unit(unsigned len)
{
    return len >= 8 ? 8 : len >= 4 ? 4 : len >= 2 ? 2 : 1;
}

static int
device_read(struct x86_cpu *cpu, const struct piece *piece, uint8_t *to)
{
    for (unsigned done = 0, unit; done < piece->len; done += unit) {
        uint64_t value = 0;
        unit = device_unit(piece->len - done);
        TRY(replay_read(cpu, piece->gpa + done, unit, false, &value));
        store_bytes(to + done, value, unit);
    }
    return EMU_OK;
}

static int
device_write(struct x86_cpu *cpu, const struct piece *piece, const uint8_t *from)
{
    for (unsigned done = 0, unit; done < piece->len; done += unit) {
        unit = device_unit(piece->len - done);
        TRY(replay_write(cpu, piece->gpa + done, unit, false, load_bytes(from + done, unit)));
    }
    return EMU_OK;
}

/* --- reads and writes ----------------------------------------------------------------------- */

/* Data breakpoints (SDM vol. 3, 17.2.5): remembered, reported when the instruction is complete. */
static void
check_breakpoints(struct x86_cpu *cpu, uint64_t linear, unsigned size, bool write)
{
    static const uint8_t length[4] = {1, 2, 8, 4}; /* DR7.LENn */

    for (unsigned i = 0; i < 4; i++) {
        unsigned kind = cpu->r.dr[7] >> (16 + 4 * i) & 3; /* 1: writes, 3: reads and writes */
        unsigned len = length[cpu->r.dr[7] >> (18 + 4 * i) & 3];
        uint64_t from = cpu->r.dr[i] & ~(uint64_t)(len - 1);
        if (cpu->r.dr[7] >> (2 * i) & 3 && (kind == 3 || (kind == 1 && write)) &&
            linear < from + len && from < linear + size)
            cpu->pending_dr6 |= 1u << i;
    }
}

/* What the owner looks for: remembered, and the fast path is left after the instruction. */
static void
check_watches(struct x86_cpu *cpu, uint64_t linear, unsigned size, bool write)
{
    struct x86_watches *all = cpu->watches;

    for (unsigned i = 0; i < all->count && !all->hit; i++) {
        const struct x86_watch *w = &all->watch[i];
        if (!(write ? w->write : w->read) || linear > w->address + (w->size - 1) ||
            w->address > linear + (size - 1))
            continue;
        all->hit = true;
        all->id = w->id;
        all->address = linear < w->address ? w->address : linear;
        cpu->run_until = 0;
    }
}

int
x86_read_linear(struct x86_cpu *cpu, uint64_t linear, unsigned size, unsigned how, uint64_t *value)
{
    struct piece piece[2];
    uint8_t bytes[8] = {0};
    unsigned done = 0;

    TRY(translate_both(cpu, linear, size, how, piece));
    for (unsigned i = 0; i < 2 && piece[i].len; done += piece[i++].len) {
        if (piece[i].host)
            memcpy(bytes + done, piece[i].host, piece[i].len);
        else
            TRY(device_read(cpu, &piece[i], bytes + done));
    }
    if (cpu->attention & ATTENTION_DR && !(how & ACCESS_SYSTEM))
        check_breakpoints(cpu, linear, size, false);
    if (cpu->watches && cpu->watches->count)
        check_watches(cpu, linear, size, false);
    *value = load_bytes(bytes, 8);
    return EMU_OK;
}

int
x86_write_linear(struct x86_cpu *cpu, uint64_t linear, unsigned size, unsigned how, uint64_t value)
{
    struct piece piece[2];
    uint8_t bytes[8];
    unsigned done = 0;

    store_bytes(bytes, value, 8);
    TRY(translate_both(cpu, linear, size, how | ACCESS_WRITE, piece));
    for (unsigned i = 0; i < 2 && piece[i].len; done += piece[i++].len) {
        const struct piece *p = &piece[i];
        if (!p->host || !p->writable) { /* a device, or ROM: the VMM decides */
            TRY(device_write(cpu, p, bytes + done));
            continue;
        }
        if (p->watched)
            cpu->mem.written(cpu->mem.ctx, p->gpa, p->len);
        memcpy(p->host, bytes + done, p->len);
    }
    if (cpu->attention & ATTENTION_DR && !(how & ACCESS_SYSTEM))
        check_breakpoints(cpu, linear, size, true);
    if (cpu->watches && cpu->watches->count)
        check_watches(cpu, linear, size, true);
    return EMU_OK;
}

int
x86_probe_linear(struct x86_cpu *cpu, uint64_t linear, unsigned len, unsigned how)
{
    while (len) {
        struct piece piece;
        unsigned part = 0x1000 - (unsigned)(linear & 0xfff);
        part = part < len ? part : len;
        TRY(translate(cpu, linear, part, how, &piece));
        linear += part;
        len -= part;
    }
    return EMU_OK;
}

int
x86_read(struct x86_cpu *cpu, unsigned sreg, uint64_t offset, unsigned size, uint64_t *value)
{
    uint64_t linear;

    TRY(x86_linear(cpu, sreg, offset, size, 0, &linear));
    return x86_read_linear(cpu, linear, size, 0, value);
}

int
x86_read_rmw(struct x86_cpu *cpu, unsigned sreg, uint64_t offset, unsigned size, uint64_t *value)
{
    uint64_t linear;

    TRY(x86_linear(cpu, sreg, offset, size, ACCESS_RMW, &linear));
    return x86_read_linear(cpu, linear, size, ACCESS_RMW, value);
}

int
x86_write(struct x86_cpu *cpu, unsigned sreg, uint64_t offset, unsigned size, uint64_t value)
{
    uint64_t linear;

    TRY(x86_linear(cpu, sreg, offset, size, ACCESS_WRITE, &linear));
    return x86_write_linear(cpu, linear, size, 0, value);
}
