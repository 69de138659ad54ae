/* regs.c - tests of hv/isa/x86/regs.c: names, RESET, and the states that no processor can be in. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "isa/x86/regs.h"
#include "tests/unit/suites.h"
#include "tests/unit/unit.h"

/* Flat 64-bit kernel mode, as our loaders set it up. */
static struct x86_regs
long_mode_regs(void)
{
    struct x86_regs r;
    x86_regs_reset(&r);
    r.cr0 = CR0_PE | CR0_PG | CR0_ET | CR0_NE | CR0_WP;
    r.cr3 = 0x1000;
    r.cr4 = CR4_PAE;
    r.efer = EFER_LME | EFER_LMA;
    for (unsigned i = 0; i < X86_NSEG; i++)
        r.seg[i] = (struct x86_segment){.limit = 0xffffffff, .selector = 0x10, .attr = 0xc093};
    r.seg[X86_CS].selector = 0x08;
    r.seg[X86_CS].attr = 0xa09b;
    r.rip = UINT64_C(0xffffffff80000000);
    return r;
}

static void
test_reset(void)
{
    struct x86_regs r;
    memset(&r, 0xa5, sizeof(r));
    x86_regs_reset(&r);
    CU_ASSERT_PTR_NULL(x86_regs_invalid(&r));
    /* SDM vol. 3, table 9-1 and 9.1.4. */
    CU_ASSERT_EQUAL(r.rip, 0xfff0);
    CU_ASSERT_EQUAL(r.rflags, 2);
    CU_ASSERT_EQUAL(r.cr0, 0x60000010);
    CU_ASSERT_EQUAL(r.seg[X86_CS].base, 0xffff0000);
    CU_ASSERT_EQUAL(r.seg[X86_CS].selector, 0xf000);
    CU_ASSERT_EQUAL(r.seg[X86_DS].limit, 0xffff);
    CU_ASSERT_EQUAL(r.dr[6], 0xffff0ff0);
    CU_ASSERT_EQUAL(r.dr[7], 0x400);
    CU_ASSERT_EQUAL(r.gpr[X86_RSP], 0);
    CU_ASSERT_EQUAL(r.fx[0] | r.fx[1] << 8, 0x40);     /* FCW */
    CU_ASSERT_EQUAL(r.fx[24] | r.fx[25] << 8, 0x1f80); /* MXCSR */
}

static void
test_table(void)
{
    for (unsigned i = 0; i < x86_reg_count; i++) {
        const struct reg_desc *d = &x86_reg_table[i];
        CU_ASSERT(d->size == 1 || d->size == 2 || d->size == 4 || d->size == 8);
        CU_ASSERT(d->offset + d->size <= sizeof(struct x86_regs));
        for (unsigned k = 0; k < i; k++) {
            CU_ASSERT_STRING_NOT_EQUAL(d->name, x86_reg_table[k].name);
            CU_ASSERT(d->offset >= x86_reg_table[k].offset + x86_reg_table[k].size ||
                      x86_reg_table[k].offset >= d->offset + d->size);
        }
        CU_ASSERT_PTR_EQUAL(x86_reg_find(d->name), d);
    }
    CU_ASSERT_PTR_NULL(x86_reg_find("ra"));
    CU_ASSERT_PTR_NULL(x86_reg_find("raxx"));
}

/* No more and no fewer bytes than the register has. */
static void
test_value(void)
{
    struct x86_regs r;

    memset(&r, 0xee, sizeof(r));
    r.seg[X86_CS].selector = 0x8001;
    r.seg[X86_CS].limit = 0x80000002;
    r.cr3 = UINT64_C(0x8000000000000003);
    CU_ASSERT_EQUAL(x86_reg_value(&r, x86_reg_find("cs")), 0x8001);
    CU_ASSERT_EQUAL(x86_reg_value(&r, x86_reg_find("cs.limit")), 0x80000002);
    CU_ASSERT_EQUAL(x86_reg_value(&r, x86_reg_find("cr3")), UINT64_C(0x8000000000000003));
}

/* One register changed in a good state, and what must be said about it. */
struct wrong {
    const char *reg;
    uint64_t value;
    const char *says; /* NULL: the state stays good */
};

static void
check_wrong(const struct x86_regs *good, const struct wrong *w)
{
    struct x86_regs r = *good;
    const struct reg_desc *d = x86_reg_find(w->reg);

    if (!d) {
        CU_FAIL("no such register");
        return;
    }
    memcpy((char *)&r + d->offset, &w->value, d->size);
    const char *why = x86_regs_invalid(&r);
    bool right = w->says ? why && strstr(why, w->says) && strstr(why, "SDM vol. ") : !why;
    CU_ASSERT(right);
    if (!right)
        fprintf(stderr, "%s = %llx: %s\n", w->reg, (unsigned long long)w->value,
                why ? why : "taken for valid");
}

/* SDM vol. 3, 26.3.1: every check once, with its nearest allowed neighbour where there is one.
 * Long because: the cases are one table. */
static void
test_invalid_long(void)
{
    static const struct wrong cases[] = {
        {"rip", UINT64_C(0x7fffffffffff), NULL},
        {"rip", UINT64_C(0x800000000000), "RIP is not canonical"},
        {"cr0", 0x80000010, "CR0.PE is clear"},
        {"cr0", 0x180000031, "CR0 has a reserved bit"},
        {"cr0", 0xa0000031, "CR0.NW"},
        {"cr0", 0xc0000031, NULL},
        {"cr0", 0x31, "without both EFER.LME and CR0.PG"},
        {"cr4", 0, "CR4.PAE is clear: long mode needs PAE"},
        {"cr4", CR4_PAE | CR4_PCIDE, NULL},
        {"cr4", UINT64_C(0x100000020), "CR4 has a reserved"},
        {"cr3", UINT64_C(1) << 51, NULL},
        {"cr3", UINT64_C(1) << 52, "CR3"},
        {"cr8", 16, "CR8"},
        {"efer", EFER_LME, "EFER.LMA is clear"},
        {"efer", EFER_LMA, "without both"},
        {"efer", EFER_LME | EFER_LMA | EFER_SCE | EFER_NXE, NULL},
        {"efer", EFER_LME | EFER_LMA | 2, "EFER has a reserved"},
        {"dr6", UINT64_C(1) << 32, "DR6"},
        {"dr7", UINT64_C(1) << 32, "DR7"},
        {"pat", 0x0007040600070402, "IA32_PAT"},
        {"lstar", UINT64_C(1) << 63, "IA32_LSTAR"},
        {"cstar", UINT64_C(1) << 47, "IA32_CSTAR"},
        {"kernel_gs_base", UINT64_C(1) << 47, "KERNEL_GS_BASE"},
        {"sysenter_eip", UINT64_C(1) << 47, "SYSENTER_EIP"},
        {"rflags", 0x202, NULL},
        {"rflags", 0x200, "bit 1"},
        {"rflags", 0x8002, "reserved"},
        {"rflags", FLAG_VM | 2, "RFLAGS.VM is set in long mode"},
        {"cs.attr", 0xe09b, "CS.L and CS.D"},
        {"cs.attr", 0xa09a, "never accessed"},
        {"cs.attr", 0xa08b, "no code segment"},
        {"cs.attr", 0xa01b, "no code segment"},
        {"cs.attr", 0xc093, "data segment in long mode"},
        {"cs.attr", 0xa0fb, "DPL of CS is not that of SS"},
        {"cs.attr", 0xa0ff, "conforming and its DPL"},
        {"cs.attr", 0xa09f, NULL},
        {"ss.attr", 0xc091, "SS holds no writable"},
        {"ss.attr", 0xc09b, "SS holds no writable"},
        {"ss.attr", 0, NULL},
        {"ds.attr", 0xc083, "system descriptor"},
        {"ds.limit", 0xfffff, NULL},
        {"ds.limit", 0xffffe, "G bit"},
        {"ds.attr", 0x4093, "G bit"},
        {"es.base", UINT64_C(1) << 32, "above 4 GiB"},
        {"fs.base", UINT64_C(1) << 32, NULL},
        {"gs.base", UINT64_C(1) << 47, "FS or GS"},
        {"tr.attr", 0x83, "TR holds no busy TSS"},
        {"tr.attr", 0x89, "TR holds no busy TSS"},
        {"tr", 4, "both lie in the GDT"},
        {"ldtr", 4, "both lie in the GDT"},
        {"ldtr.attr", 0x8b, "no LDT descriptor"},
        {"ldtr.attr", 0, NULL},
        {"tr.base", UINT64_C(1) << 47, "TR or LDTR"},
        {"gdtr.base", UINT64_C(1) << 47, "GDTR or IDTR"},
        {"shadow", 1, "RFLAGS.IF is clear"},
        {"shadow", 2, NULL},
        {"shadow", 3, "at once"},
        {"shadow", 4, "unknown bit"},
        {"halted", 1, NULL},
    };
    struct x86_regs good = long_mode_regs();

    CU_ASSERT_PTR_NULL(x86_regs_invalid(&good));
    for (unsigned i = 0; i < ARRAY_SIZE(cases); i++)
        check_wrong(&good, &cases[i]);

    struct x86_regs user = good;
    user.seg[X86_SS].attr = 0xc0f3;
    user.seg[X86_CS].attr = 0xa0fb;
    CU_ASSERT_PTR_NULL(x86_regs_invalid(&user));
    check_wrong(&user, &(struct wrong){"halted", 1, "HLT is privileged"});
    struct x86_regs shadow = good;
    shadow.shadow = X86_SHADOW_MOVSS;
    check_wrong(&shadow, &(struct wrong){"halted", 1, "interrupt shadow"});
    shadow = good;
    shadow.fx[27] = 1;
    CU_ASSERT_PTR_NOT_NULL(strstr(x86_regs_invalid(&shadow), "MXCSR"));
}

static void
test_invalid_legacy(void)
{
    static const struct wrong real[] = {
        {"cs.attr", 0x93, NULL}, /* as some loaders leave it */
        {"ss.attr", 0xf3, "the DPL of CS is not that of SS"},
        {"rip", UINT64_C(1) << 32, "RIP is above 32 bits"},
        {"rflags", FLAG_VM | 2, "RFLAGS.VM is set in long mode or real mode"},
        {"cr0", 0x80000011, NULL},
        {"efer", EFER_LME, NULL},
        {"cr4", CR4_PCIDE, "CR4.PCIDE"},
        {"tr.attr", 0x83, NULL},
        {"ds.limit", 0xfffff, NULL},
        {"ds.limit", 0x100000, "G bit"},
    };
    struct x86_regs r;
    x86_regs_reset(&r);
    for (unsigned i = 0; i < ARRAY_SIZE(real); i++)
        check_wrong(&r, &real[i]);
    r.seg[X86_CS].attr = 0x9f; /* conforming: the CPL may be above its DPL */
    check_wrong(&r, &(struct wrong){"ss.attr", 0xf3, "not 0 in real mode"});
    r.seg[X86_CS].attr = 0x9b;

    /* PAE paging, SDM vol. 3, 4.4.1: PDPTEs are checked only when they are in use. */
    r.cr0 = 0x80000011;
    check_wrong(&r, &(struct wrong){"pdpte2", 0x1003, NULL});
    r.cr4 = CR4_PAE;
    check_wrong(&r, &(struct wrong){"pdpte2", 0x1001, NULL});
    check_wrong(&r, &(struct wrong){"pdpte2", 0x1002, NULL}); /* not present */
    check_wrong(&r, &(struct wrong){"pdpte2", 0x1003, "PDPTE"});
    check_wrong(&r, &(struct wrong){"cr3", UINT64_C(1) << 32, "CR3"});
}

/* SDM vol. 3, 26.3.1.2: virtual-8086 segments. */
static void
test_invalid_v86(void)
{
    struct x86_regs r;
    x86_regs_reset(&r);
    r.cr0 = CR0_PE | CR0_ET;
    r.rflags = FLAG_VM | FLAG_ONE;
    for (unsigned i = 0; i < X86_NSEG; i++)
        r.seg[i] = (struct x86_segment){
            .base = 0x12340, .limit = 0xffff, .selector = 0x1234, .attr = 0xf3};
    CU_ASSERT_PTR_NULL(x86_regs_invalid(&r));
    check_wrong(&r, &(struct wrong){"ds.base", 0x12341, "RFLAGS.VM is set but"});
    check_wrong(&r, &(struct wrong){"cs.attr", 0x93, "RFLAGS.VM is set but"});
    check_wrong(&r, &(struct wrong){"gs.limit", 0xfffff, "RFLAGS.VM is set but"});
}

static const struct unit_test tests[] = {
    {"the state after RESET", test_reset},
    {"every register has a name and a place of its own", test_table},
    {"what a register holds", test_value},
    {"long mode: what cannot be is explained", test_invalid_long},
    {"real mode and PAE: what cannot be is explained", test_invalid_legacy},
    {"virtual-8086 mode: segments are as it makes them", test_invalid_v86},
    {NULL, NULL},
};
const struct unit_suite suite_regs = {"regs", tests};
