/*
 * memory.c - the guest's linear addresses: the map it starts with, the root in use and the user's
 * copy of it, and how the VMM reads and writes where a hypercall points.
 *
 * The strategy's own pages, in private memory behind the monitor's window (engine/monitor.h):
 *
 *   0  level 4 of the first map     3  level 2 for the 1st, 2nd, 3rd GiB (three pages)
 *   1  level 3, for address 0       6  level 1 for RAM's last pages, if they fill no 2 MiB
 *   2  level 3, for HC_BOOT_BASE    7  the user's copy of the root in use
 */
#include <errno.h>
#include <string.h>

#include "isa/x86/cpu.h"
#include "strategy/deprivilege.h"
#include "strategy/paravirt/paravirt.h"

enum pool_page { BOOT_ROOT, BOOT_LOW, BOOT_HIGH, BOOT_GIB, BOOT_TAIL = BOOT_GIB + 3, USER_ROOT };
_Static_assert(USER_ROOT + 1 == PARAVIRT_POOL_PAGES, "the pool is as large as what is in it");

#define LARGE_PAGE (UINT64_C(2) << 20)
#define ENTRY_PS   UINT64_C(0x080)
#define USER_SLOTS 256u /* of a root: the lower half */

static uint64_t
pool_address(unsigned page)
{
    return RAM_PRIVATE + MONITOR_END + (uint64_t)page * PAGE_SIZE;
}

static void
pool_set(struct paravirt *pv, unsigned page, unsigned slot, uint64_t entry)
{
    memcpy(pv->vm->ram.private_host + MONITOR_END + page * PAGE_SIZE + 8 * slot, &entry,
           sizeof(entry));
    ram_written(&pv->vm->ram, pool_address(page) + 8 * slot, sizeof(entry));
}

/* --- the first map, and roots ------------------------------------------------------------------- */

void
memory_start(struct paravirt *pv)
{
    const uint64_t all = ENTRY_P | ENTRY_W | ENTRY_U;
    uint64_t size = pv->vm->ram.size, address = 0;

    pool_set(pv, BOOT_ROOT, 0, pool_address(BOOT_LOW) | all);
    pool_set(pv, BOOT_ROOT, ENTRY_COUNT - 1, pool_address(BOOT_HIGH) | all);
    pool_set(pv, BOOT_ROOT, MONITOR_SLOT, deprivilege_root_entry());
    for (unsigned gib = 0; gib < 3; gib++)
        pool_set(pv, BOOT_LOW, gib, pool_address(BOOT_GIB + gib) | all);
    for (unsigned gib = 0; gib < 2; gib++) /* HC_BOOT_BASE is 2 GiB below the end */
        pool_set(pv, BOOT_HIGH, ENTRY_COUNT - 2 + gib, pool_address(BOOT_GIB + gib) | all);
    for (; size - address >= LARGE_PAGE; address += LARGE_PAGE)
        pool_set(pv, BOOT_GIB, (unsigned)(address / LARGE_PAGE), address | ENTRY_PS | all);
    if (address < size)
        pool_set(pv, BOOT_GIB, (unsigned)(address / LARGE_PAGE), pool_address(BOOT_TAIL) | all);
    for (unsigned slot = 0; address < size; address += PAGE_SIZE)
        pool_set(pv, BOOT_TAIL, slot++, address | all);
}

uint64_t
memory_cr3(struct paravirt *pv)
{
    const struct ram *ram = &pv->vm->ram;

    if (pv->root == NO_FRAME)
        return pool_address(BOOT_ROOT);
    if (!pv->user)
        return pv->root;
    if (pv->user_stale) {
        /* The upper half of the copy stays empty but for the VMM's own slot. */
        memcpy(ram->private_host + MONITOR_END + USER_ROOT * PAGE_SIZE,
               ram_at(ram, pv->root, PAGE_SIZE), USER_SLOTS * 8);
        ram_written(&pv->vm->ram, pool_address(USER_ROOT), USER_SLOTS * 8);
        pool_set(pv, USER_ROOT, MONITOR_SLOT, deprivilege_root_entry());
        pv->user_stale = false;
        pv->frames.stale = true;
    }
    return pool_address(USER_ROOT);
}

/* The TLB is emptied even if it is the same root again: its tables were perhaps none in between. */
int64_t
memory_set_root(struct paravirt *pv, uint64_t frame)
{
    int rc = frames_get(&pv->frames, frame, TABLE_4);

    if (rc)
        return rc;
    if (pv->root != NO_FRAME)
        frames_put(&pv->frames, pv->root);
    pv->root = frame;
    pv->user_stale = true;
    pv->frames.stale = true;
    return 0;
}

/* --- walking ------------------------------------------------------------------------------------ */

/*
 * The guest-physical address of the entry of `level` for a linear address, in the root in use: its
 * tables were checked, so they lie in RAM. `rights` collects the bits that all entries on the
 * way have. False: a table is missing.
 */
static bool
walk(const struct paravirt *pv, uint64_t linear, unsigned level, uint64_t *entry, uint64_t *rights)
{
    uint64_t table = pv->root;

    if (!x86_canonical(linear) || table == NO_FRAME)
        return false;
    for (unsigned l = TABLE_LEVELS;; l--) {
        uint64_t at = 8 * (linear >> (3 + 9 * l) & (ENTRY_COUNT - 1)), value;
        const uint8_t *host = ram_at(&pv->vm->ram, table, PAGE_SIZE);
        if (!host) /* the VMM's own slot leads where no RAM is */
            return false;
        *entry = table + at;
        if (l == level)
            return true;
        memcpy(&value, host + at, sizeof(value));
        if (!(value & ENTRY_P))
            return false;
        *rights &= value;
        table = value & ENTRY_ADDRESS;
    }
}

int
memory_find_entry(const struct paravirt *pv, uint64_t linear, uint64_t *entry)
{
    uint64_t rights = 0;

    if (linear % PAGE_SIZE || pv->root == NO_FRAME)
        return -HC_EINVAL;
    return walk(pv, linear, 1, entry, &rights) ? 0 : -HC_EFAULT;
}

bool
memory_is_mapped(const struct paravirt *pv, uint64_t linear)
{
    uint64_t entry, value, rights = 0;

    return walk(pv, linear, 1, &entry, &rights) &&
           !ram_read(&pv->vm->ram, entry, &value, sizeof(value)) && value & ENTRY_P;
}

/* Where a linear address leads, for an access that whoever runs at CPL 3 could make; sets A and D
 * as the processor would. NO_FRAME: nowhere. */
static uint64_t
translate(struct paravirt *pv, uint64_t linear, bool write)
{
    const uint64_t need = ENTRY_P | ENTRY_U | (write ? ENTRY_W : 0);
    const uint64_t mark = ENTRY_A | (write ? ENTRY_D : 0);
    uint64_t entry, value, rights = need;

    if (pv->root == NO_FRAME) { /* the first map */
        if (linear >= HC_BOOT_BASE)
            linear -= HC_BOOT_BASE;
        return ram_at(&pv->vm->ram, linear, 1) ? linear : NO_FRAME;
    }
    if (pv->user && linear >> 47)
        return NO_FRAME;
    if (!walk(pv, linear, 1, &entry, &rights) ||
        ram_read(&pv->vm->ram, entry, &value, sizeof(value)) || (rights & value & need) != need)
        return NO_FRAME;
    if ((value & mark) != mark) {
        value |= mark;
        ram_write(&pv->vm->ram, entry, &value, sizeof(value));
    }
    return (value & ENTRY_ADDRESS) | linear % PAGE_SIZE;
}

/* --- reading and writing -------------------------------------------------------------------------- */

/* Bytes of [linear, linear + size) that lie in the first page. */
static uint64_t
in_page(uint64_t linear, uint64_t size)
{
    uint64_t room = PAGE_SIZE - linear % PAGE_SIZE;

    return size < room ? size : room;
}

int
memory_check(struct paravirt *pv, uint64_t linear, uint64_t size, bool write)
{
    if (size && linear > UINT64_MAX - (size - 1))
        return -HC_EFAULT;
    while (size) {
        uint64_t n = in_page(linear, size);
        if (translate(pv, linear, write) == NO_FRAME)
            return -HC_EFAULT;
        linear += n, size -= n;
    }
    return 0;
}

unsigned
memory_fetch(struct paravirt *pv, uint64_t linear, uint8_t *to, unsigned size)
{
    unsigned done = 0;

    while (done < size) {
        uint64_t n = in_page(linear + done, size - done);
        uint64_t from = translate(pv, linear + done, false);
        if (from == NO_FRAME || ram_read(&pv->vm->ram, from, to + done, n))
            break;
        done += (unsigned)n;
    }
    return done;
}

bool
memory_has_code(struct paravirt *pv, uint64_t linear, uint16_t code)
{
    uint8_t bytes[2];

    return memory_fetch(pv, linear, bytes, 2) == 2 && (bytes[0] | bytes[1] << 8) == code;
}

int
memory_read(struct paravirt *pv, uint64_t linear, void *to, uint64_t size)
{
    uint8_t *out = to;

    if (memory_check(pv, linear, size, false))
        return -HC_EFAULT;
    while (size) {
        uint64_t n = in_page(linear, size);
        if (ram_read(&pv->vm->ram, translate(pv, linear, false), out, n))
            return -HC_EFAULT;
        linear += n, out += n, size -= n;
    }
    return 0;
}

int
memory_write(struct paravirt *pv, uint64_t linear, const void *from, uint64_t size)
{
    const uint8_t *in = from;

    if (memory_check(pv, linear, size, true))
        return -HC_EFAULT;
    while (size) {
        uint64_t n = in_page(linear, size);
        if (ram_write(&pv->vm->ram, translate(pv, linear, true), in, n))
            return -HC_EFAULT;
        linear += n, in += n, size -= n;
    }
    return 0;
}
