/*
 * paravirt_maps.c - what a guest of strategy paravirt takes out of its maps is gone: an entry of the
 * root, of which the user has a copy; the shared page's frame; and where linear addresses end.
 */
#include <errno.h>
#include <string.h>

#include "engine/engine.h"
#include "isa/x86/cpu.h"
#include "tests/unit/paravirt_machine.h"
#include "tests/unit/suites.h"

#define USER_FRAME 0x110000u
#define SPARE(n)   (PV_TABLES + (PV_TABLE_PAGES + (n)) * PAGE_SIZE)
#define ALL        (ENTRY_P | ENTRY_W | ENTRY_U)

static struct pv_machine m;

static void
begin(void)
{
    CU_ASSERT_TRUE_FATAL(pv_open(&m, "\xeb\xfe", 2)); /* jmp . */
    pv_make_tables(&m, USER_FRAME, 2);
    memcpy(m.vm.ram.host + USER_FRAME, "\xeb\xfe", 2);
}

static void
set_entry(uint64_t table, unsigned slot, uint64_t entry)
{
    memcpy(m.vm.ram.host + table + 8 * slot, &entry, sizeof(entry));
}

/* Ten instructions of the program; true: it still runs. */
static bool
program_runs(void)
{
    m.pv->user = true;
    m.pv->regs.rip = PV_USER;
    CU_ASSERT_EQUAL(paravirt_enter(m.pv, &m.err), 0);
    pv_run(&m, m.vm.engine_ops->icount(&m.vm.vcpu[0]) + 10);
    CU_ASSERT_EQUAL(m.result.end, RUN_LIMIT);
    CU_ASSERT_EQUAL(paravirt_sync(m.pv, &m.err), 0);
    bool runs = m.pv->user;
    m.pv->user = false;
    return runs;
}

/* The lower half of the root, without which there is no program. */
static void
test_root_entry(void)
{
    begin();
    CU_ASSERT_EQUAL(pv_call(&m, HC_SET_ROOT, PV_TABLES, 0), 0);
    m.pv->trap[VEC_PF].address = HC_BOOT_BASE + PV_CODE;
    m.pv->stack = HC_BOOT_BASE + 0x140000;
    CU_ASSERT_TRUE(program_runs());
    CU_ASSERT_EQUAL(pv_call(&m, HC_UPDATE, PV_TABLES, 0), 0);
    CU_ASSERT_FALSE(program_runs());
    CU_ASSERT_EQUAL(m.pv->regs.rip, HC_BOOT_BASE + PV_CODE); /* the kernel heard of it */
    CU_ASSERT_EQUAL(pv_call(&m, HC_UPDATE, PV_TABLES, (PV_TABLES + 4 * PAGE_SIZE) | ALL), 0);
    CU_ASSERT_TRUE(program_runs());
    pv_close(&m);
}

/* While it is shared, the VMM writes to it: then it is no table. */
static void
test_shared_frame(void)
{
    begin();
    CU_ASSERT_EQUAL(pv_call(&m, HC_SET_ROOT, PV_TABLES, 0), 0);
    CU_ASSERT_EQUAL(pv_call(&m, HC_SET_SHARED, SPARE(0), 0), 0);
    CU_ASSERT_EQUAL(pv_call(&m, HC_PIN, SPARE(0), 1), -EBUSY);
    CU_ASSERT_EQUAL(pv_call(&m, HC_SET_SHARED, SPARE(1), 0), 0);
    CU_ASSERT_EQUAL(pv_call(&m, HC_PIN, SPARE(0), 1), 0);
    CU_ASSERT_EQUAL(pv_call(&m, HC_SET_SHARED, SPARE(0), 0), -EBUSY);
    CU_ASSERT_EQUAL(pv_call(&m, HC_PIN, SPARE(1), 1), -EBUSY);
    pv_close(&m);
}

/* The last page and the first are both there, but no string goes from one to the other. */
static void
test_around(void)
{
    begin();
    set_entry(PV_TABLES + 1 * PAGE_SIZE, 511, SPARE(0) | ALL);
    set_entry(SPARE(0), 511, SPARE(1) | ALL);
    set_entry(SPARE(1), 511, 0x120000 | ALL);
    set_entry(PV_TABLES + 5 * PAGE_SIZE, 0, SPARE(2) | ALL);
    set_entry(SPARE(2), 0, 0x121000 | ALL);
    CU_ASSERT_EQUAL(pv_call(&m, HC_SET_ROOT, PV_TABLES, 0), 0);
    CU_ASSERT_EQUAL(pv_call(&m, HC_CONSOLE_WRITE, UINT64_MAX - 7, 8), 8);
    CU_ASSERT_EQUAL(pv_call(&m, HC_CONSOLE_WRITE, 0, 8), 8);
    CU_ASSERT_EQUAL(pv_call(&m, HC_CONSOLE_WRITE, UINT64_MAX - 7, 9), -EFAULT);
    CU_ASSERT_EQUAL(pv_call(&m, HC_GET_INFO, UINT64_MAX - 7, 0), -EFAULT);
    pv_close(&m);
}

static const struct unit_test tests[] = {
    {"an entry of the root", test_root_entry},
    {"the shared page's frame", test_shared_frame},
    {"the end of linear addresses", test_around},
    {NULL, NULL},
};
const struct unit_suite suite_paravirt_maps = {"paravirt_maps", tests};
