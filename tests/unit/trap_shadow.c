/*
 * trap_shadow.c - tests of strategy trap's shadow page tables and of who gets a page fault: faults are
 * made up here and handed to the dispatcher, the guest's page tables are built below.
 *
 * Long because: shadow.c and dispatcher.c are seen through the same tables.
 *
 *   PML4[0] -> PDPT[0] -> PD[0] -> PT    4 KiB pages, each test's own
 *                         PD[1]          2 MiB at 200000, one to one: the tables are in it
 */
#include <string.h>

#include "engine/engine.h"
#include "loader/boot.h"
#include "strategy/deprivilege.h"
#include "strategy/strategies.h"
#include "strategy/strategy.h"
#include "strategy/trap/trap.h"
#include "tests/unit/suites.h"

#define RAM_SIZE (UINT64_C(8) << 20)
#define PML4     UINT64_C(0x200000)
#define PDPT     UINT64_C(0x201000)
#define PD       UINT64_C(0x202000)
#define PT       UINT64_C(0x203000)
#define PT2      UINT64_C(0x204000) /* a page table that is to be */
#define CODE     UINT64_C(0x10000)
#define PAGE     UINT64_C(0x20000) /* linear addresses */
#define PAGE2    UINT64_C(0x21000)
#define FRAME    UINT64_C(0x300000) /* physical ones */
#define FRAME2   UINT64_C(0x301000)

#define P  UINT64_C(0x01)
#define W  UINT64_C(0x02)
#define U  UINT64_C(0x04)
#define A  UINT64_C(0x20)
#define D  UINT64_C(0x40)
#define PS UINT64_C(0x80)
#define NX (UINT64_C(1) << 63)

static struct vm vm;
static struct engine_ops engine; /* soft, but its flushes are counted */
static unsigned flushes;
static struct trap *trap;
static struct shadow *shadow;
static struct run_result result;

static void
count_flush(struct vcpu *vcpu)
{
    flushes++;
    engine_find("soft")->flush_tlb(vcpu);
}

static void
put(uint64_t table, unsigned index, uint64_t entry)
{
    memcpy(vm.ram.host + table + 8 * index, &entry, 8);
}

static uint64_t
get(uint64_t table, unsigned index)
{
    uint64_t entry;

    memcpy(&entry, vm.ram.host + table + 8 * index, 8);
    return entry;
}

static void
set_page(uint64_t linear, uint64_t entry)
{
    put(PT, linear >> 12, entry);
}

static void
begin(void)
{
    struct x86_regs regs;
    struct error err;

    memset(&vm, 0, sizeof(vm));
    engine = *engine_find("soft");
    engine.flush_tlb = count_flush;
    vm.engine_ops = &engine;
    vm.strategy = &strategy_trap;
    CU_ASSERT_FATAL(!vm_create(&vm, RAM_SIZE, &err));
    x86_regs_reset(&regs);
    boot_state_long64(&vm.ram, &regs, CODE);
    regs.cr0 |= CR0_WP;
    regs.cr3 = PML4;
    regs.efer |= EFER_NXE;
    put(PML4, 0, PDPT | P | W | U);
    put(PDPT, 0, PD | P | W | U);
    put(PD, 0, PT | P | W | U);
    put(PD, 1, 0x200000 | P | W | A | D | PS);
    set_page(CODE, CODE | P);
    set_page(0, P); /* with the GDT, at BOOT_GDT */
    CU_ASSERT_FATAL(!strategy_trap.prepare(&vm, &err));
    CU_ASSERT_FATAL(!engine.open(&vm, &err));
    CU_ASSERT_FATAL(!engine.set_regs(&vm.vcpu[0], &regs, &err));
    CU_ASSERT_FATAL(!strategy_trap.attach(&vm.vcpu[0], &err));
    trap = trap_of(&vm.vcpu[0]);
    shadow = &trap->shadow;
    CU_ASSERT_FATAL(!trap_sync(trap, &err));
}

static void
end(void)
{
    strategy_trap.detach(&vm.vcpu[0]);
    engine.close(&vm);
    vm_destroy(&vm);
}

/* The real processor met #PF: at CPL 3, as always under trap. */
static void
fault(uint64_t linear, uint32_t error)
{
    struct vm_exit *exit = &vm.vcpu[0].exit;

    *exit = (struct vm_exit){.kind = TRACE_EXCEPTION};
    exit->exception.vector = VEC_PF;
    exit->exception.has_error = true;
    exit->exception.error = error | PF_USER;
    exit->exception.address = linear;
    CU_ASSERT(trap_dispatch(trap, &result));
}

static uint64_t
leaf(uint64_t linear)
{
    return shadow_look(shadow, trap->cpu.r.cr3, trap_view(trap), linear);
}

/* The guest goes on in ring 3: CPL is SS.DPL (SDM vol. 3, 5.5). */
static void
to_user(void)
{
    trap->cpu.r.seg[X86_CS].attr |= SEG_DPL;
    trap->cpu.r.seg[X86_SS].attr |= SEG_DPL;
    trap->cpu.r.seg[X86_CS].selector |= 3;
    trap->cpu.r.seg[X86_SS].selector |= 3;
    x86_update_mode(&trap->cpu);
    CU_ASSERT_EQUAL(trap->cpu.cpl, 3);
}

/* --- what a guest's entry becomes ---------------------------------------------------------------- */

/* SDM vol. 3, 4.8: a read sets A, a write D as well. Not before D is set is the shadow writable, or
 * the write that sets it would not be seen. */
static void
test_dirty(void)
{
    begin();
    set_page(PAGE, FRAME | P | W);
    trap->cpu.r.shadow = 1; /* STI's or MOV SS's: over, an instruction has run since */
    fault(PAGE, 0);
    CU_ASSERT_EQUAL(trap->cpu.r.shadow, 0);
    CU_ASSERT_EQUAL(get(PT, PAGE >> 12), FRAME | P | W | A);
    CU_ASSERT_EQUAL(leaf(PAGE) & (P | W | U), P | U);
    CU_ASSERT_EQUAL(leaf(PAGE) & ~UINT64_C(0xfff), FRAME);
    fault(PAGE, PF_PRESENT | PF_WRITE);
    CU_ASSERT_EQUAL(get(PT, PAGE >> 12), FRAME | P | W | A | D);
    CU_ASSERT_EQUAL(leaf(PAGE) & (P | W | U), P | W | U);
    end();
}

/* SDM vol. 3, 4.6.1: CR0.WP decides whether the kernel may write to a read-only page. */
static void
test_wp(void)
{
    begin();
    set_page(PAGE, FRAME | P | U | A | D);
    fault(PAGE, 0);
    CU_ASSERT_EQUAL(leaf(PAGE) & (P | W), P);
    trap->cpu.r.cr0 &= ~(uint64_t)CR0_WP;
    fault(PAGE, PF_PRESENT | PF_WRITE);
    CU_ASSERT_EQUAL(leaf(PAGE) & (P | W), P | W);
    to_user();
    fault(PAGE, 0);
    CU_ASSERT_EQUAL(leaf(PAGE) & (P | W), P);
    end();
}

/* SDM vol. 3, 4.6.1: XD, and CR4.SMEP for what programs may execute. */
static void
test_execute(void)
{
    begin();
    trap->cpu.r.cr4 |= CR4_SMEP;
    set_page(PAGE, FRAME | P | NX);
    set_page(PAGE2, FRAME2 | P | U);
    fault(PAGE, 0);
    fault(PAGE2, 0);
    CU_ASSERT_EQUAL(leaf(PAGE) & NX, NX);
    CU_ASSERT_EQUAL(leaf(PAGE2) & NX, NX);
    fault(CODE, PF_FETCH);
    CU_ASSERT_EQUAL(leaf(CODE), CODE | P | U);
    to_user();
    CU_ASSERT_EQUAL(leaf(PAGE2), 0); /* another view */
    fault(PAGE2, PF_FETCH);
    CU_ASSERT_EQUAL(leaf(PAGE2), FRAME2 | P | U);
    end();
}

/* A ROM stays one, whatever the guest's tables say. */
static void
test_rom(void)
{
    static uint8_t image[PAGE_SIZE];
    struct error err;

    begin();
    CU_ASSERT_EQUAL_FATAL(ram_add_rom(&vm.ram, FRAME, image, sizeof(image), &err), 0);
    set_page(PAGE, FRAME | P | W | A | D);
    fault(PAGE, 0);
    CU_ASSERT_EQUAL(leaf(PAGE) & (P | W), P);
    end();
}

/* The guest's own tables forbid it: its kernel gets #PF with the error code and address that its own
 * processor would have given (SDM vol. 3, 4.7). */
static void
expect_reflected(uint64_t linear, uint32_t error, uint32_t told)
{
    const uint64_t idt = 0x310000, stack = 0x320000;
    struct x86_regs *r = &trap->cpu.r;
    uint64_t reflected = trap->causes[TRAP_REFLECTED], code;

    r->idtr = (struct x86_table){idt, 0xfff};
    r->gpr[X86_RSP] = stack;
    put(idt, 2 * VEC_PF, 0x1234 | (uint64_t)BOOT_CS << 16 | UINT64_C(0x8e) << 40);
    put(idt, 2 * VEC_PF + 1, 0);
    fault(linear, error);
    CU_ASSERT_EQUAL(trap->causes[TRAP_REFLECTED], reflected + 1);
    CU_ASSERT_EQUAL(r->cr2, linear);
    CU_ASSERT_EQUAL(r->rip, 0x1234);
    CU_ASSERT_EQUAL(leaf(linear), 0);
    CU_ASSERT_EQUAL(ram_read(&vm.ram, r->gpr[X86_RSP], &code, 8), 0);
    CU_ASSERT_EQUAL(code, told);
}

static void
test_reflected(void)
{
    begin();
    set_page(PAGE, 0);
    expect_reflected(PAGE, 0, 0); /* the kernel's: no PF_USER */
    set_page(PAGE, FRAME | P | NX);
    expect_reflected(PAGE, PF_FETCH, PF_PRESENT | PF_FETCH);
    set_page(PAGE, FRAME | P);
    expect_reflected(PAGE, PF_WRITE, PF_PRESENT | PF_WRITE);
    end();
}

/* A program reaches no page of the kernel's, although the real processor runs both at CPL 3. */
static void
test_user(void)
{
    begin();
    set_page(PAGE, FRAME | P | W | A | D);
    fault(PAGE, PF_WRITE);
    CU_ASSERT_NOT_EQUAL(leaf(PAGE), 0);
    to_user();
    CU_ASSERT_EQUAL(leaf(PAGE), 0);
    trap->cpu.r.idtr = (struct x86_table){0}; /* nobody can deliver it: that is enough here */
    struct vm_exit *exit = &vm.vcpu[0].exit;
    *exit = (struct vm_exit){.kind = TRACE_EXCEPTION};
    exit->exception.vector = VEC_PF;
    exit->exception.error = PF_USER;
    exit->exception.address = PAGE;
    CU_ASSERT(!trap_dispatch(trap, &result));
    CU_ASSERT_EQUAL(result.end, RUN_SHUTDOWN);
    CU_ASSERT_EQUAL(leaf(PAGE), 0);
    end();
}

/* --- shadow.c's three invariants ----------------------------------------------------------------- */

/* 1: what the guest has changed is shadowed no longer, and all else still is. */
static void
test_coherent(void)
{
    begin();
    for (unsigned i = 0; i < 4; i++) {
        set_page(PAGE + i * PAGE_SIZE, (FRAME + i * PAGE_SIZE) | P);
        fault(PAGE + i * PAGE_SIZE, 0);
    }
    shadow->stale = false;
    shadow_written(shadow, PT + 8 * (PAGE >> 12), 8);
    CU_ASSERT_EQUAL(leaf(PAGE), 0);
    CU_ASSERT_NOT_EQUAL(leaf(PAGE2), 0);
    CU_ASSERT(shadow->stale);
    shadow_written(shadow, PT + 8 * (PAGE >> 12) + 12, 8); /* half of two entries */
    CU_ASSERT_EQUAL(leaf(PAGE2), 0);
    CU_ASSERT_EQUAL(leaf(PAGE2 + PAGE_SIZE), 0);
    CU_ASSERT_NOT_EQUAL(leaf(PAGE2 + 2 * PAGE_SIZE), 0);
    shadow->stale = false;
    unsigned used = shadow->used;
    shadow_written(shadow, PD, 8); /* all that hangs below */
    CU_ASSERT_EQUAL(leaf(PAGE2 + 2 * PAGE_SIZE), 0);
    CU_ASSERT(shadow->stale);
    CU_ASSERT_EQUAL(shadow->used, used - 1);
    CU_ASSERT(!shadow_is_table(shadow, PT));
    /* A table without an entry, too: the processor may have kept where it is (SDM vol. 3, 4.10.3). */
    fault(PAGE, 0);
    shadow_written(shadow, PT + 8 * (PAGE >> 12), 8);
    shadow->stale = false;
    shadow_written(shadow, PD, 8);
    CU_ASSERT(shadow->stale);
    end();
}

/* Every root has the monitor's slot, whatever the guest writes to that entry of its own. */
static void
test_slot(void)
{
    uint64_t entry, root;

    begin();
    root = shadow_root(shadow, PML4, SHADOW_USER);
    shadow_written(shadow, PML4 + 8 * MONITOR_SLOT, 8);
    memcpy(&entry, shadow->pool + (root - shadow->pool_gpa) + 8 * MONITOR_SLOT, 8);
    CU_ASSERT_EQUAL(entry, deprivilege_root_entry());
    end();
}

/* A large page is split: its pieces are in no table of the guest's, and go with its entry. */
static void
test_large(void)
{
    begin();
    fault(0x245678, 0);
    fault(0x3ff000, PF_WRITE);
    CU_ASSERT_EQUAL(leaf(0x245000), 0x245000 | P | W | U);
    CU_ASSERT_EQUAL(leaf(0x3ff000), 0x3ff000 | P | W | U);
    shadow_written(shadow, PD + 8 * 0x45, 8); /* another entry of its table */
    CU_ASSERT_NOT_EQUAL(leaf(0x245000), 0);
    shadow_written(shadow, PD + 8, 8);
    CU_ASSERT_EQUAL(leaf(0x245000), 0);
    CU_ASSERT_EQUAL(leaf(0x3ff000), 0);
    end();
}

/* 2: no entry can write to a page that holds a table, whether the entry was first or the table. */
static void
test_protected(void)
{
    begin();
    fault(PT, 0);
    CU_ASSERT_EQUAL(leaf(PT) & (P | W), P | W); /* not shadowed so far */
    set_page(PAGE, PT2 | P | W | A | D);
    fault(PAGE, PF_WRITE);
    CU_ASSERT_EQUAL(leaf(PT) & (P | W), P);
    fault(PT2, 0);
    CU_ASSERT_EQUAL(leaf(PT2) & (P | W), P | W);
    CU_ASSERT_EQUAL(leaf(PAGE) & (P | W), P | W);
    shadow->stale = false;
    put(PD, 2, PT2 | P | W);
    put(PT2, 0, FRAME | P);
    fault(0x400000, 0);
    CU_ASSERT(shadow->stale);
    CU_ASSERT_EQUAL(leaf(PT2) & (P | W), P);
    CU_ASSERT_EQUAL(leaf(PAGE) & (P | W), P); /* mapped twice */
    shadow_written(shadow, PT + 8 * (PAGE >> 12), 8);
    fault(PAGE, 0);
    CU_ASSERT_EQUAL(leaf(PAGE) & (P | W), P);
    end();
}

static void
count_written(void *ctx, uint64_t gpa, uint64_t len)
{
    *(bool *)ctx |= gpa == PT + 8 * (PAGE >> 12) && len == 8;
}

/* The write itself is carried out by the interpreter: it happens, and the shadow forgets. */
static void
test_ptemod(void)
{
    bool written = false;
    struct error err;
    static const uint8_t mov[] = {0x48, 0x89, 0x07}; /* [rdi], rax */

    begin();
    set_page(PAGE, FRAME | P);
    fault(PAGE, 0);
    memcpy(vm.ram.host + CODE, mov, sizeof(mov));
    vm.ram.on_write = count_written; /* an engine that keeps decoded code is told */
    vm.ram.on_write_ctx = &written;
    trap->cpu.r.rip = CODE;
    trap->cpu.r.gpr[X86_RDI] = PT + 8 * (PAGE >> 12);
    trap->cpu.r.gpr[X86_RAX] = FRAME2 | P;
    fault(PT + 8 * (PAGE >> 12), PF_PRESENT | PF_WRITE);
    CU_ASSERT_EQUAL(trap->causes[TRAP_PTEMOD], 1);
    CU_ASSERT(written);
    CU_ASSERT_EQUAL(trap->cpu.r.rip, CODE + sizeof(mov));
    CU_ASSERT_EQUAL(get(PT, PAGE >> 12), FRAME2 | P);
    CU_ASSERT_EQUAL(leaf(PAGE), 0);
    fault(PAGE, 0);
    CU_ASSERT_EQUAL(leaf(PAGE) & ~UINT64_C(0xfff), FRAME2);
    CU_ASSERT_EQUAL(/* a debugger's write is the same */
                    strategy_trap.before_write(&vm.vcpu[0], PT + 8 * (PAGE >> 12), 8, &err), 0);
    CU_ASSERT_EQUAL(leaf(PAGE), 0);
    end();
}

/* A guest table that maps itself is shadowed at all four levels. Its own entry goes: three of them hang
 * below it in the fourth, and each is given back once. */
static void
test_itself(void)
{
    const uint64_t at = UINT64_C(1) << 39 | 1 << 30 | 1 << 21 | 1 << 12;

    begin();
    set_page(PAGE, FRAME | P);
    fault(PAGE, 0);
    unsigned used = shadow->used;
    put(PML4, 1, PML4 | P | W);
    fault(at, 0);
    CU_ASSERT_EQUAL(leaf(at) & ~UINT64_C(0xfff), PML4);
    CU_ASSERT_EQUAL(shadow->used, used + 3);
    put(PML4, 1, 0);
    shadow_written(shadow, PML4 + 8, 8);
    CU_ASSERT_EQUAL(leaf(at), 0);
    CU_ASSERT_EQUAL(shadow->used, used);
    CU_ASSERT_NOT_EQUAL(leaf(PAGE), 0);
    CU_ASSERT_TRUE(shadow_is_table(shadow, PML4));
    end();
}

/* 3: the list of a page has the entries that map it now, not those that did. Then another one is not
 * taken for it, when the page becomes a table. */
static void
test_lists(void)
{
    for (unsigned way = 0; way < 2; way++) {
        begin();
        set_page(PAGE, PT2 | P | W | A | D);
        fault(PAGE, PF_WRITE);
        set_page(PAGE, FRAME | P | W | A | D);
        if (way)
            shadow_written(shadow, PT + 8 * (PAGE >> 12), 8);
        else
            shadow_drop(shadow);
        fault(PAGE, PF_WRITE);
        put(PD, 2, PT2 | P | W);
        put(PT2, 0, FRAME2 | P);
        fault(0x400000, 0);
        CU_ASSERT_EQUAL(leaf(PAGE), FRAME | P | W | U);
        end();
    }
}

/* Tables are used again: nothing of before is in them. */
static void
test_drop(void)
{
    begin();
    set_page(PAGE, FRAME | P);
    set_page(PAGE2, FRAME2 | P);
    fault(PAGE, 0);
    shadow->stale = false;
    shadow_drop(shadow);
    CU_ASSERT(shadow->stale);
    fault(PAGE2, 0);
    CU_ASSERT_EQUAL(leaf(PAGE), 0);
    CU_ASSERT_EQUAL(leaf(PAGE2), FRAME2 | P | U);
    end();
}

/* More tables than the pool has: all go, and what is needed is made. */
static void
test_pool(void)
{
    struct x86_walk walk = {.gpa = FRAME, .page_size = PAGE_SIZE, .steps = 1};
    uint64_t resets, cr3 = 0;

    begin();
    resets = shadow->resets;
    CU_ASSERT_NOT_EQUAL(shadow_root(shadow, PML4, SHADOW_USER),
                        shadow_root(shadow, PML4, SHADOW_KERNEL));
    for (unsigned view = 0; shadow->free != SHADOW_NONE && cr3 < RAM_SIZE; cr3 += PAGE_SIZE)
        for (view = 0; view < SHADOW_VIEWS && shadow->free != SHADOW_NONE; view++)
            shadow_root(shadow, cr3, view);
    CU_ASSERT_EQUAL_FATAL(shadow->free, SHADOW_NONE);
    CU_ASSERT_EQUAL(shadow->resets, resets);
    shadow_map(shadow, PML4, SHADOW_KERNEL, PAGE, &walk, true, true);
    CU_ASSERT_EQUAL(shadow->resets, resets + 1);
    CU_ASSERT(shadow->stale);
    CU_ASSERT_EQUAL(shadow_look(shadow, PML4, SHADOW_KERNEL, PAGE), FRAME | P | W | U);
    end();
}

/* --- from one processor to the other -------------------------------------------------------------- */

/* What an entry allows depends on these bits: when one changes, no entry is true any more. */
static void
test_rules(void)
{
    struct x86_regs *r;
    struct error err;

    begin();
    r = &trap->cpu.r;
    const struct {
        uint64_t *reg, bit;
    } rules[] = {{&r->cr0, CR0_WP}, {&r->cr4, CR4_SMEP}, {&r->cr4, CR4_SMAP}, {&r->efer, EFER_NXE}};
    set_page(PAGE, FRAME | P);
    for (unsigned i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
        fault(PAGE, 0);
        CU_ASSERT_EQUAL(trap_enter(trap, &err), 0);
        CU_ASSERT_NOT_EQUAL(leaf(PAGE), 0);
        CU_ASSERT(!shadow->stale);
        *rules[i].reg ^= rules[i].bit;
        flushes = 0;
        CU_ASSERT_EQUAL(trap_enter(trap, &err), 0);
        CU_ASSERT_EQUAL(leaf(PAGE), 0);
        CU_ASSERT_EQUAL(flushes, 1);
        CU_ASSERT_EQUAL(trap_enter(trap, &err), 0);
        CU_ASSERT_EQUAL(flushes, 1); /* nothing was taken away since */
    }
    end();
}

/* SDM vol. 3, 4.6.1: under SMAP, RFLAGS.AC opens the programs' pages to the kernel. */
static void
test_views(void)
{
    begin();
    CU_ASSERT_EQUAL(trap_view(trap), SHADOW_KERNEL);
    trap->cpu.r.rflags |= FLAG_AC;
    CU_ASSERT_EQUAL(trap_view(trap), SHADOW_KERNEL);
    trap->cpu.r.cr4 |= CR4_SMAP;
    CU_ASSERT_EQUAL(trap_view(trap), SHADOW_KERNEL_AC);
    trap->cpu.r.rflags &= ~(uint64_t)FLAG_AC;
    CU_ASSERT_EQUAL(trap_view(trap), SHADOW_KERNEL);
    to_user();
    CU_ASSERT_EQUAL(trap_view(trap), SHADOW_USER);
    trap->cpu.r.rflags |= FLAG_AC;
    CU_ASSERT_EQUAL(trap_view(trap), SHADOW_USER);
    end();
}

/* SDM vol. 3, 6.8.1 and 6.8.3: the guest's IF, and not in the shadow of STI or MOV SS. The real IF is
 * always set. */
static void
test_inject(void)
{
    const uint64_t idt = 0x310000;
    struct vcpu *vcpu = &vm.vcpu[0];
    struct x86_regs real;
    struct error err;

    begin();
    CU_ASSERT(!strategy_trap.can_inject(vcpu));
    trap->cpu.r.rflags |= FLAG_IF;
    CU_ASSERT(strategy_trap.can_inject(vcpu));
    trap->cpu.r.shadow = 1;
    CU_ASSERT(!strategy_trap.can_inject(vcpu));
    /* Handed over: the real processor is at the handler, the guest's IF is clear (6.8.1). */
    trap->cpu.r.shadow = 0;
    trap->cpu.r.idtr = (struct x86_table){idt, 0xfff};
    trap->cpu.r.gpr[X86_RSP] = 0x320000;
    put(idt, 2 * 32, 0x1234 | (uint64_t)BOOT_CS << 16 | UINT64_C(0x8e) << 40);
    CU_ASSERT_EQUAL(strategy_trap.inject(vcpu, 32, &err), 0);
    CU_ASSERT(!strategy_trap.can_inject(vcpu));
    CU_ASSERT_EQUAL(engine.get_regs(vcpu, &real, &err), 0);
    CU_ASSERT_EQUAL(real.rip, 0x1234);
    CU_ASSERT_EQUAL(x86_cpl(&real), 3);
    end();
}

/* The VMM's own memory, where the shadows lie, is none for the guest, whatever its tables say. */
static void
test_private(void)
{
    begin();
    CU_ASSERT_PTR_NULL(trap->cpu.mem.page(trap->cpu.mem.ctx, RAM_PRIVATE).host);
    CU_ASSERT_PTR_NULL(trap->cpu.mem.page(trap->cpu.mem.ctx, shadow->pool_gpa).host);
    CU_ASSERT_PTR_NOT_NULL(trap->cpu.mem.page(trap->cpu.mem.ctx, FRAME).host);
    end();
}

static const struct unit_test tests[] = {
    {"accessed and dirty bits", test_dirty},
    {"CR0.WP", test_wp},
    {"what may be executed", test_execute},
    {"a ROM is not written", test_rom},
    {"the guest's own page faults", test_reflected},
    {"programs and the kernel's pages", test_user},
    {"entries follow the guest's", test_coherent},
    {"the monitor's slot of each root", test_slot},
    {"a large page", test_large},
    {"a page that holds a table", test_protected},
    {"a write to a page table", test_ptemod},
    {"who maps a page", test_lists},
    {"a table that maps itself", test_itself},
    {"all dropped", test_drop},
    {"the pool is empty", test_pool},
    {"the rules of access change", test_rules},
    {"which view", test_views},
    {"when an interrupt may come", test_inject},
    {"the VMM's memory is not the guest's", test_private},
    {NULL, NULL},
};

const struct unit_suite suite_trap_shadow = {"trap_shadow", tests};
