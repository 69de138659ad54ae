/*
 * hypercalls.c - hypercalls with the arguments of a hostile kernel: none may crash the VMM, reach
 * memory that is not the guest's, or leave a frame as two things at once.
 *
 *   fuzz_hypercalls [FIRST [COUNT]]: seeds FIRST to FIRST + COUNT - 1 (default 0, 1000)
 *
 * For each seed a kernel of strategy paravirt with page tables of its own makes CALLS calls, half
 * sensible and half wild; after each, types and counts of all frames must be those that follow
 * from memory (tests/unit/paravirt_model.h), and the user's copy of the root must lack the
 * kernel's half. Then a kernel of random instructions, rich in calls, runs for a while. A second
 * machine in the same process must not change by a byte. RAM lies between guard pages (core/ram.h).
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/engine.h"
#include "engine/monitor.h"
#include "tests/fuzz/watchdog.h"
#include "tests/random.h"
#include "tests/unit/paravirt_machine.h"
#include "tests/unit/paravirt_model.h"

#define CALLS        200u
#define INSTRUCTIONS 3000u
#define SECONDS      60u /* for one seed; it needs some milliseconds */
#define USER_FRAME   0x110000u

static uint64_t state;
static uint64_t carried_out[HC_COUNT]; /* not refused: a fuzzer whose calls all fail tests little */

static uint64_t
pick(unsigned n)
{
    return random_below(&state, n);
}

/* --- arguments ------------------------------------------------------------------------------------ */

/* A frame of RAM: often a table or one beside them, so that trees grow. */
static uint64_t
some_frame(void)
{
    if (pick(3))
        return PV_TABLES + pick(PV_TABLE_PAGES + PV_SPARE_PAGES) * PAGE_SIZE;
    return pick((unsigned)(PV_RAM / PAGE_SIZE) + 2) * PAGE_SIZE;
}

static uint64_t
some_argument(void)
{
    static const uint64_t edges[] = {
        0,
        1,
        7,
        8,
        UINT64_MAX,
        UINT64_MAX - 7,
        PV_RAM,
        PV_RAM - 8,
        RAM_PRIVATE,
        RAM_PRIVATE + MONITOR_END,
        MONITOR_LINEAR,
        0x00007ffffffffff8,
        0x0000800000000000,
        0xffff7fffffffffff,
        0xffff800000000000,
        PV_USER,
        PV_USER + 0x1ffc,
        HC_BOOT_BASE + PV_RAM - 4,
        HC_CONSOLE_MAX,
        HC_CALLS_MAX,
    };

    switch (pick(8)) {
    case 0: return edges[pick(sizeof(edges) / sizeof(edges[0]))];
    case 1: return random_next(&state);
    case 2: return pick(6);
    case 3: return HC_BOOT_BASE + random_next(&state) % PV_RAM;
    case 4: return some_frame() + 8 * pick(512);
    case 5: return some_frame() | ENTRY_P | ENTRY_U | (pick(2) ? ENTRY_W : 0);
    case 6: return HC_BOOT_BASE + some_frame();
    default: return some_frame();
    }
}

/* What a kernel in its right mind might pass; nearly. */
static void
sensible_arguments(uint64_t number, uint64_t *a, uint64_t *b)
{
    switch (number) {
    case HC_PIN: *a = some_frame(), *b = 1 + pick(4); break;
    case HC_SET_SHARED:
    case HC_SET_ROOT:
    case HC_UNPIN: *a = some_frame(); break;
    case HC_UPDATE: *a = some_frame() + 8 * pick(512), *b = some_frame() | 5 | pick(2) << 1; break;
    case HC_UPDATE_LINEAR:
        *b = some_frame();
        *a = HC_BOOT_BASE + *b;
        *b |= ENTRY_P | ENTRY_U | (pick(2) ? ENTRY_W : 0);
        break;
    default: *a = HC_BOOT_BASE + some_frame(), *b = pick(9); break;
    }
}

/* --- what must hold ----------------------------------------------------------------------------------- */

static const char *
find_fault(const struct pv_machine *m)
{
    static struct demand demands[MODEL_FRAMES + 2];
    static struct model model;
    const struct paravirt *pv = m->pv;
    unsigned n = 0;

    if (pv->root != NO_FRAME)
        demands[n++] = (struct demand){pv->root, TABLE_4};
    if (pv->shared != NO_FRAME)
        demands[n++] = (struct demand){pv->shared, FRAME_WRITABLE};
    for (uint64_t f = 0; f < pv->frames.count; f++)
        if (pv->frames.frame[f].pinned)
            demands[n++] = (struct demand){f * PAGE_SIZE, pv->frames.frame[f].type};
    model_build(&model, &pv->frames, demands, n);
    if (!model.legal)
        return "a frame is two things, or an entry is forbidden";
    if (!model_agrees(&model))
        return "counts differ from what memory says";
    return NULL;
}

/* The user's copy of the root, as the processor would have it now. */
static const char *
find_fault_of_user(struct pv_machine *m)
{
    struct paravirt *pv = m->pv;
    bool user = pv->user;

    if (pv->root == NO_FRAME)
        return NULL;
    pv->user = true;
    uint64_t at = memory_cr3(pv) - RAM_PRIVATE;
    pv->user = user;
    const uint64_t *copy = (const uint64_t *)(m->vm.ram.private_host + at);
    if (memcmp(copy, m->vm.ram.host + pv->root, PAGE_SIZE / 2))
        return "the user's half is not that of the root";
    for (unsigned slot = 256; slot < 512; slot++)
        if (copy[slot] && slot != MONITOR_SLOT)
            return "the user can see the kernel's half";
    return NULL;
}

/* --- a seed --------------------------------------------------------------------------------------------- */

/* Calls from the host's side. */
static const char *
make_calls(struct pv_machine *m)
{
    struct hc_call calls[8];

    for (unsigned i = 0; i < CALLS; i++) {
        uint64_t number = pick(20) ? pick(HC_COUNT) : random_next(&state);
        if (pick(3) == 0) { /* an array for multicall, where arguments often point */
            for (unsigned c = 0; c < 8; c++)
                calls[c] = (struct hc_call){
                    pick(HC_COUNT + 1), {some_argument(), some_argument(), 0}, 0};
            uint64_t at = some_frame();
            /* As the kernel could: not into a table. */
            if (at < PV_RAM && m->pv->frames.frame[at / PAGE_SIZE].type % FRAME_WRITABLE == 0)
                memcpy(m->vm.ram.host + at, calls, sizeof(calls));
        }
        uint64_t a = some_argument(), b = some_argument();
        if (pick(2))
            sensible_arguments(number, &a, &b);
        int64_t result = pv_call(m, number, a, b);
        if (number < HC_COUNT)
            carried_out[number] += result >= 0;
        m->vm.power = POWER_NONE;
        m->pv->user = false;
        const char *fault = find_fault(m);
        if (!fault)
            fault = find_fault_of_user(m);
        if (fault)
            return fault;
    }
    return NULL;
}

static void
put(uint8_t **to, uint64_t value, unsigned size)
{
    memcpy(*to, &value, size);
    *to += size;
}

/* mov eax, N; mov rdi, A; mov rsi, B; int 82h - now and then something else. */
static void
write_kernel(uint8_t *code, size_t size)
{
    uint8_t *end = code + size - 40;

    while (code < end) {
        if (pick(6) == 0) {
            put(&code, random_next(&state), 1 + (unsigned)pick(4));
            continue;
        }
        put(&code, 0xb8, 1);
        put(&code, pick(HC_COUNT + 1), 4);
        put(&code, 0xbf48, 2);
        put(&code, some_argument(), 8);
        put(&code, 0xbe48, 2);
        put(&code, some_argument(), 8);
        put(&code, 0x82cd, 2);
    }
}

static const char *
run_kernel(struct pv_machine *m, unsigned ends[])
{
    uint64_t done = m->vm.engine_ops->icount(&m->vm.vcpu[0]);

    m->vm.vcpu[0].halted = false;
    for (unsigned i = 0; i < HC_TRAPS; i++) /* whatever happens, it goes on somewhere */
        m->pv->trap[i].address = HC_BOOT_BASE + PV_CODE + pick(0x8000);
    m->pv->regs.rip = HC_BOOT_BASE + PV_CODE;
    m->pv->regs.gpr[X86_RSP] = HC_BOOT_BASE + 0x140000;
    if (paravirt_enter(m->pv, &m->err))
        return m->err.message;
    pv_run(m, done + INSTRUCTIONS);
    ends[m->result.end]++;
    if (m->result.end == RUN_FAILED || m->result.end == RUN_STOPPED)
        return m->result.message.message;
    if (m->pv->privileged > (m->result.end == RUN_REFUSED))
        return "a privileged instruction did not end the run";
    return find_fault(m);
}

static const char *
run_seed(uint64_t seed, unsigned ends[])
{
    static struct pv_machine m;
    static uint8_t kernel[0x10000];
    const char *fault;

    state = (seed + 1) * UINT64_C(0x9e3779b97f4a7c15);
    write_kernel(kernel, sizeof(kernel));
    if (!pv_open(&m, kernel, sizeof(kernel)))
        return "the machine cannot be opened";
    if (seed % 8 && pv_call(&m, HC_SET_ROOT, pv_make_tables(&m, USER_FRAME, 2), 0))
        fault = "sound page tables are refused";
    else
        fault = make_calls(&m);
    if (!fault)
        fault = run_kernel(&m, ends);
    pv_close(&m);
    return fault;
}

int
main(int argc, char **argv)
{
    uint64_t first = argc > 1 ? strtoull(argv[1], NULL, 0) : 0;
    uint64_t count = argc > 2 ? strtoull(argv[2], NULL, 0) : 1000;
    unsigned ends[RUN_REFUSED + 1] = {0}, passed = 0, failed = 0;
    static struct pv_machine other;
    static uint8_t before[PV_RAM];

    if (!pv_open(&other, "", 1)) {
        fprintf(stderr, "fuzz_hypercalls: %s\n", other.err.message);
        return 2;
    }
    pv_call(&other, HC_SET_ROOT, pv_make_tables(&other, USER_FRAME, 2), 0);
    memcpy(before, other.vm.ram.host, PV_RAM);
    for (uint64_t seed = first; seed < first + count; seed++) {
        watchdog_start(seed, SECONDS);
        const char *fault = run_seed(seed, ends);
        if (!fault && memcmp(before, other.vm.ram.host, PV_RAM))
            fault = "another machine's memory changed";
        if (fault)
            printf("FAILED: seed %llu: %s\n", (unsigned long long)seed, fault);
        failed += fault != NULL;
        passed += fault == NULL;
    }
    pv_close(&other);
    for (unsigned end = 0; end <= RUN_REFUSED; end++)
        if (ends[end])
            printf("%8u %s\n", ends[end], run_end_text(end));
    for (unsigned i = 0; i < HC_COUNT; i++)
        printf("%8llu %s carried out\n", (unsigned long long)carried_out[i],
               paravirt_hypercalls[i].name);
    printf("hypercalls: %u passed, %u failed\n", passed, failed);
    return failed || !passed;
}
