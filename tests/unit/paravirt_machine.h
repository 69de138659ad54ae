/*
 * paravirt_machine.h - a machine of 2 MiB on engine soft with strategy paravirt, for tests: the
 * guest's kernel is bytes at 1 MiB. Used by paravirt.c and fuzz/hypercalls.c.
 */
#ifndef TESTS_UNIT_PARAVIRT_MACHINE_H
#define TESTS_UNIT_PARAVIRT_MACHINE_H

#include "core/vm.h"
#include "strategy/paravirt/paravirt.h"

#define PV_RAM  (UINT64_C(2) << 20)
#define PV_CODE UINT64_C(0x100000) /* the kernel: its code, data, stack, tables; all below 2 MiB */

struct pv_machine {
    struct vm vm;
    struct console console;
    struct paravirt *pv;
    struct run_result result;
    struct error err;
};

/* The kernel's first instruction is at HC_BOOT_BASE + PV_CODE. False: m->err says why. */
bool pv_open(struct pv_machine *m, const void *code, size_t size);
void pv_close(struct pv_machine *m);
/* Runs it to its end, at most so many instructions. */
void pv_run(struct pv_machine *m, uint64_t instructions);
/* Makes a hypercall in its place. */
int64_t pv_call(struct pv_machine *m, uint64_t number, uint64_t a, uint64_t b);

/*
 * Page tables as a kernel would make them: all RAM at HC_BOOT_BASE, writable but for the tables;
 * user pages of RAM at 0x400000. Returns the root's address. The tables take PV_TABLES pages.
 */
#define PV_TABLES      UINT64_C(0x180000)
#define PV_TABLE_PAGES 7u
#define PV_SPARE_PAGES 5u /* behind them, read-only too: what can become a table */
#define PV_USER        UINT64_C(0x400000)
uint64_t pv_make_tables(struct pv_machine *m, uint64_t user_frame, unsigned user_pages);

#endif
