/*
 * soft_cache.c - decoded instructions, kept by guest-physical address.
 *
 * Decoding costs ten times what executing costs, so each instruction is decoded once. What makes
 * that exact for self-modifying code: a page from which something was decoded is `watched`, so
 * the interpreter's TLB does not let writes to it pass unseen; the first write counts up the
 * page's version, and with it every tag from that page is stale.
 *
 * Instructions that straddle two pages are not cached. Called by soft.c. Next: soft.c.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/soft.h"

static void
cache_clear(struct soft_cache *cache)
{
    for (unsigned i = 0; i < SOFT_SLOTS; i++)
        cache->slot[i].tag = SOFT_TAG_NONE;
    memset(cache->version, 0, cache->pages * sizeof(*cache->version));
}

/* A page of RAM is about to change: what was decoded from it is stale, and it is watched no more. */
static void
page_written(struct engine_vcpu *vcpu, uint64_t page)
{
    struct soft_cache *cache = &vcpu->cache;

    if (page >= cache->pages || !cache->has_code[page])
        return;
    cache->has_code[page] = 0;
    vcpu->cpu.fetch.tag = X86_TLB_NONE; /* where it is stays known: that the guest could tell */
    if (++cache->version[page] == SOFT_VERSION_LIMIT)
        cache_clear(cache);
}

/* x86_memory.written: bytes within one page, by the guest. */
static void
guest_written(void *ctx, uint64_t gpa, unsigned len)
{
    struct engine_vcpu *vcpu = ctx;
    uint8_t *mark = ram_mark(&vcpu->vm->ram, gpa);

    (void)len;
    if (mark)
        *mark = 1;
    page_written(vcpu, gpa / PAGE_SIZE);
}

/* ram.on_clean: nobody knows any more what was written. */
static void
host_cleaned(void *ctx)
{
    x86_tlb_slow(&((struct engine_vcpu *)ctx)->cpu, false);
}

/* ram.on_write: any bytes, by the host for the guest. */
static void
host_written(void *ctx, uint64_t gpa, uint64_t len)
{
    if (len)
        for (uint64_t page = gpa / PAGE_SIZE; page <= (gpa + len - 1) / PAGE_SIZE; page++)
            page_written(ctx, page);
}

static struct x86_page
guest_page(void *ctx, uint64_t gpa)
{
    struct engine_vcpu *vcpu = ctx;
    struct x86_page page = {0};
    uint64_t number = gpa / PAGE_SIZE;

    page.host = ram_page(&vcpu->vm->ram, gpa & ~UINT64_C(0xfff), &page.writable);
    if (!page.writable)
        return page;
    const uint8_t *mark = ram_mark(&vcpu->vm->ram, gpa);
    page.watched = (number < vcpu->cache.pages && vcpu->cache.has_code[number]) || (mark && !*mark);
    return page;
}

void
soft_cache_connect(struct engine_vcpu *vcpu)
{
    vcpu->cpu.mem.ctx = vcpu;
    vcpu->cpu.mem.page = guest_page;
    vcpu->cpu.mem.written = guest_written;
    vcpu->vm->ram.on_write = host_written;
    vcpu->vm->ram.on_clean = host_cleaned;
    vcpu->vm->ram.on_write_ctx = vcpu;
}

int
soft_cache_open(struct soft_cache *cache, const struct ram *ram, struct error *err)
{
    cache->pages = ram->size / PAGE_SIZE;
    cache->slot = aligned_alloc(64, SOFT_SLOTS * sizeof(*cache->slot));
    cache->version = calloc(cache->pages, sizeof(*cache->version));
    cache->has_code = calloc(cache->pages, 1);
    if (!cache->slot || !cache->version || !cache->has_code) {
        soft_cache_close(cache);
        return error_set(err, ENOMEM, "no memory for the cache of decoded instructions");
    }
    cache_clear(cache);
    return 0;
}

void
soft_cache_close(struct soft_cache *cache)
{
    free(cache->slot);
    free(cache->version);
    free(cache->has_code);
    *cache = (struct soft_cache){0};
}

void
soft_cache_forget(struct engine_vcpu *vcpu)
{
    cache_clear(&vcpu->cache);
    memset(vcpu->cache.has_code, 0, vcpu->cache.pages);
    vcpu->cpu.fetch.tag = X86_TLB_NONE;
}

/*
 * The fetch page has changed: its tag, and from now on writes to it are told. A page that the limit
 * of CS cuts keeps no tag, nor does one with a point to stop at: each of its instructions comes here
 * to be checked.
 */
static uint64_t
enter_page(struct engine_vcpu *vcpu, uint64_t last)
{
    struct soft_cache *cache = &vcpu->cache;
    struct x86_cpu *cpu = &vcpu->cpu;
    uint64_t gpa = cpu->fetch.gpa, number = gpa / PAGE_SIZE, version = 0;

    if (number < cache->pages) {
        version = cache->version[number];
        if (!cache->has_code[number]) {
            cache->has_code[number] = 1;
            x86_tlb_slow(cpu, false);
        }
    }
    uint64_t tag = version << SOFT_TAG_VERSION | gpa << SOFT_TAG_ADDRESS | cpu->code_size;
    if (last <= cpu->code_last && !soft_page_stops(vcpu, cpu->fetch.page))
        cpu->fetch.tag = tag;
    return tag;
}

int
soft_cache_miss(struct engine_vcpu *vcpu, uint64_t linear, const struct x86_insn **insn)
{
    struct x86_cpu *cpu = &vcpu->cpu;
    unsigned at = linear & 0xfff;

    if (vcpu->stops.count && soft_stops_at(vcpu, linear))
        return SOFT_STOP;
    if (cpu->r.rip > cpu->code_last) /* the limit of CS comes before the page behind it */
        return x86_gp0(cpu);
    if (cpu->fetch.page != linear >> 12)
        TRY(x86_fetch_page(cpu, linear));
    uint64_t tag = cpu->fetch.tag;
    if (tag == X86_TLB_NONE)
        tag = enter_page(vcpu, cpu->r.rip + (0xfff - at));
    tag += (uint64_t)at << SOFT_TAG_ADDRESS;
    struct soft_slot *slot = &vcpu->cache.slot[(cpu->fetch.gpa + at) % SOFT_SLOTS];
    if (slot->tag == tag && cpu->r.rip + slot->insn.length - 1 <= cpu->code_last) {
        *insn = &slot->insn;
        return EMU_OK;
    }
    TRY(x86_fetch_insn(cpu, &cpu->fetched));
    *insn = &cpu->fetched;
    /* Kept unless it straddles two pages (cpu->fetch is the second by now) or needs care. */
    if (at + cpu->fetched.length <= 0x1000 && !cpu->fetched.careful) {
        slot->tag = tag;
        slot->insn = cpu->fetched;
        *insn = &slot->insn;
    }
    return EMU_OK;
}
