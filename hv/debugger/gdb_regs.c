/*
 * gdb_regs.c - the registers as gdb numbers them, and the XML that tells it so.
 *
 * gdb knows the features org.gnu.gdb.i386.* and wants their registers complete and in this order
 * (GDB manual, G.5.6); what it does not know (control registers, descriptor tables) is in a feature
 * of our own and appears in `info registers system`. Called by gdb_memory.c and gdb_query.c.
 */
#include <string.h>

#include "base/util.h"
#include "debugger/gdb.h"

/* Where a register is in struct x86_regs, or in its FXSAVE image (SDM vol. 1, table 10-2). */
enum place { PLAIN, FX, FX_TAGS };

struct gdb_reg {
    const char *name;
    uint16_t offset;
    uint8_t held; /* bytes there */
    uint8_t size; /* bytes that gdb sees */
    enum place place;
    const char *type, *group; /* of the XML; group NULL: gdb chooses */
};

struct gdb_feature {
    const char *name;
    const struct gdb_reg *reg;
    unsigned count;
};

#define AT(member) offsetof(struct x86_regs, member)
#define WORD(name, member, type)                                                                   \
    {                                                                                              \
        name, AT(member), 8, 8, PLAIN, type, NULL                                                  \
    }
#define SELECTOR(name, sreg)                                                                       \
    {                                                                                              \
        name, AT(seg[sreg].selector), 2, 4, PLAIN, "int32", NULL                                   \
    }
#define SYSTEM(name, member, size)                                                                 \
    {                                                                                              \
        name, AT(member), size, 8, PLAIN, "int64", "system"                                        \
    }
#define STACK(n)                                                                                   \
    {                                                                                              \
        "st" #n, 0x20 + 16 * n, 10, 10, FX, "i387_ext", NULL                                       \
    }
#define XMM(n)                                                                                     \
    {                                                                                              \
        "xmm" #n, 0xa0 + 16 * n, 16, 16, FX, "vec128", NULL                                        \
    }

/* clang-format off */
static const struct gdb_reg core[] = {
    WORD("rax", gpr[X86_RAX], "int64"), WORD("rbx", gpr[X86_RBX], "int64"),
    WORD("rcx", gpr[X86_RCX], "int64"), WORD("rdx", gpr[X86_RDX], "int64"),
    WORD("rsi", gpr[X86_RSI], "int64"), WORD("rdi", gpr[X86_RDI], "int64"),
    WORD("rbp", gpr[X86_RBP], "data_ptr"), WORD("rsp", gpr[X86_RSP], "data_ptr"),
    WORD("r8", gpr[X86_R8], "int64"), WORD("r9", gpr[X86_R9], "int64"),
    WORD("r10", gpr[X86_R10], "int64"), WORD("r11", gpr[X86_R11], "int64"),
    WORD("r12", gpr[X86_R12], "int64"), WORD("r13", gpr[X86_R13], "int64"),
    WORD("r14", gpr[X86_R14], "int64"), WORD("r15", gpr[X86_R15], "int64"),
    WORD("rip", rip, "code_ptr"),
    {"eflags", AT(rflags), 4, 4, PLAIN, "i386_eflags", NULL},
    SELECTOR("cs", X86_CS), SELECTOR("ss", X86_SS), SELECTOR("ds", X86_DS),
    SELECTOR("es", X86_ES), SELECTOR("fs", X86_FS), SELECTOR("gs", X86_GS),
    STACK(0), STACK(1), STACK(2), STACK(3), STACK(4), STACK(5), STACK(6), STACK(7),
    {"fctrl", 0x00, 2, 4, FX, "int", "float"}, {"fstat", 0x02, 2, 4, FX, "int", "float"},
    {"ftag", 0x04, 1, 4, FX_TAGS, "int", "float"}, {"fiseg", 0x0c, 2, 4, FX, "int", "float"},
    {"fioff", 0x08, 4, 4, FX, "int", "float"}, {"foseg", 0x14, 2, 4, FX, "int", "float"},
    {"fooff", 0x10, 4, 4, FX, "int", "float"}, {"fop", 0x06, 2, 4, FX, "int", "float"},
};
static const struct gdb_reg sse[] = {
    XMM(0), XMM(1), XMM(2), XMM(3), XMM(4), XMM(5), XMM(6), XMM(7),
    XMM(8), XMM(9), XMM(10), XMM(11), XMM(12), XMM(13), XMM(14), XMM(15),
    {"mxcsr", 0x18, 4, 4, FX, "i386_mxcsr", "vector"},
};
static const struct gdb_reg segments[] = {
    WORD("fs_base", seg[X86_FS].base, "int"), WORD("gs_base", seg[X86_GS].base, "int"),
};
static const struct gdb_reg machine[] = {
    SYSTEM("cr0", cr0, 8), SYSTEM("cr2", cr2, 8), SYSTEM("cr3", cr3, 8), SYSTEM("cr4", cr4, 8),
    SYSTEM("cr8", cr8, 8), SYSTEM("efer", efer, 8),
    SYSTEM("cs_base", seg[X86_CS].base, 8), SYSTEM("ss_base", seg[X86_SS].base, 8),
    SYSTEM("ds_base", seg[X86_DS].base, 8), SYSTEM("es_base", seg[X86_ES].base, 8),
    SYSTEM("k_gs_base", kernel_gs_base, 8),
    SYSTEM("gdtr_base", gdtr.base, 8), SYSTEM("gdtr_limit", gdtr.limit, 2),
    SYSTEM("idtr_base", idtr.base, 8), SYSTEM("idtr_limit", idtr.limit, 2),
    SYSTEM("tr_selector", tr.selector, 2), SYSTEM("tr_base", tr.base, 8),
    SYSTEM("ldtr_selector", ldtr.selector, 2), SYSTEM("ldtr_base", ldtr.base, 8),
    SYSTEM("star", star, 8), SYSTEM("lstar", lstar, 8), SYSTEM("sfmask", sfmask, 8),
};
static const struct gdb_feature features[] = {
    {"org.gnu.gdb.i386.core", core, ARRAY_SIZE(core)},
    {"org.gnu.gdb.i386.sse", sse, ARRAY_SIZE(sse)},
    {"org.gnu.gdb.i386.segments", segments, ARRAY_SIZE(segments)},
    {"org.hv.system", machine, ARRAY_SIZE(machine)},
};
/* clang-format on */

const unsigned gdb_reg_count = ARRAY_SIZE(core) + ARRAY_SIZE(sse) + ARRAY_SIZE(segments) +
                               ARRAY_SIZE(machine);

static const struct gdb_reg *
find(unsigned number)
{
    for (unsigned f = 0; f < ARRAY_SIZE(features); f++) {
        if (number < features[f].count)
            return &features[f].reg[number];
        number -= features[f].count;
    }
    return NULL;
}

/* Types that a feature must define before its registers use them. */
static const char *const types[] = {
    [0] = "<flags id=\"i386_eflags\" size=\"4\">"
          "<field name=\"\" start=\"22\" end=\"31\"/><field name=\"ID\" start=\"21\" end=\"21\"/>"
          "<field name=\"VIP\" start=\"20\" end=\"20\"/><field name=\"VIF\" start=\"19\" "
          "end=\"19\"/>"
          "<field name=\"AC\" start=\"18\" end=\"18\"/><field name=\"VM\" start=\"17\" end=\"17\"/>"
          "<field name=\"RF\" start=\"16\" end=\"16\"/><field name=\"NT\" start=\"14\" end=\"14\"/>"
          "<field name=\"OF\" start=\"11\" end=\"11\"/><field name=\"DF\" start=\"10\" end=\"10\"/>"
          "<field name=\"IF\" start=\"9\" end=\"9\"/><field name=\"TF\" start=\"8\" end=\"8\"/>"
          "<field name=\"SF\" start=\"7\" end=\"7\"/><field name=\"ZF\" start=\"6\" end=\"6\"/>"
          "<field name=\"AF\" start=\"4\" end=\"4\"/><field name=\"PF\" start=\"2\" end=\"2\"/>"
          "<field name=\"\" start=\"1\" end=\"1\"/><field name=\"CF\" start=\"0\" end=\"0\"/>"
          "</flags>",
    [1] = "<vector id=\"v4f\" type=\"ieee_single\" count=\"4\"/>"
          "<vector id=\"v2d\" type=\"ieee_double\" count=\"2\"/>"
          "<vector id=\"v16i8\" type=\"int8\" count=\"16\"/>"
          "<vector id=\"v8i16\" type=\"int16\" count=\"8\"/>"
          "<vector id=\"v4i32\" type=\"int32\" count=\"4\"/>"
          "<vector id=\"v2i64\" type=\"int64\" count=\"2\"/>"
          "<union id=\"vec128\"><field name=\"v4_float\" type=\"v4f\"/>"
          "<field name=\"v2_double\" type=\"v2d\"/><field name=\"v16_int8\" type=\"v16i8\"/>"
          "<field name=\"v8_int16\" type=\"v8i16\"/><field name=\"v4_int32\" type=\"v4i32\"/>"
          "<field name=\"v2_int64\" type=\"v2i64\"/><field name=\"uint128\" type=\"uint128\"/>"
          "</union>"
          "<flags id=\"i386_mxcsr\" size=\"4\"><field name=\"IE\" start=\"0\" end=\"0\"/></flags>",
    [2] = "",
    [3] = "",
};
static_assert(ARRAY_SIZE(types) == ARRAY_SIZE(features), "a string of types for each feature");

void
gdb_regs_xml(struct gdb_reply *xml)
{
    gdb_print(xml, "<?xml version=\"1.0\"?><!DOCTYPE target SYSTEM \"gdb-target.dtd\">"
                   "<target><architecture>i386:x86-64</architecture>");
    for (unsigned f = 0; f < ARRAY_SIZE(features); f++) {
        gdb_print(xml, "<feature name=\"%s\">", features[f].name);
        gdb_put(xml, types[f], strlen(types[f]));
        for (unsigned i = 0; i < features[f].count; i++) {
            const struct gdb_reg *r = &features[f].reg[i];
            gdb_print(xml, "<reg name=\"%s\" bitsize=\"%u\" type=\"%s\"", r->name, r->size * 8u,
                      r->type);
            if (r->group)
                gdb_print(xml, " group=\"%s\"", r->group);
            gdb_print(xml, "/>");
        }
        gdb_print(xml, "</feature>");
    }
    gdb_print(xml, "</target>");
}

unsigned
gdb_reg_size(unsigned number)
{
    const struct gdb_reg *r = find(number);

    return r ? r->size : 0;
}

/* FXSAVE has a bit for each register of the x87 stack, FSTENV and gdb have two: 3 is "empty". What
 * kind of number it holds (0, 1, 2) is not looked at: 0 (SDM vol. 1, 10.5.1.1). */
static uint32_t
full_tags(uint8_t abridged)
{
    uint32_t tags = 0;

    for (unsigned i = 0; i < 8; i++)
        if (!(abridged >> i & 1))
            tags |= 3u << (2 * i);
    return tags;
}

unsigned
gdb_reg_get(const struct x86_regs *regs, unsigned number, uint8_t bytes[16])
{
    const struct gdb_reg *r = find(number);

    if (!r)
        return 0;
    memset(bytes, 0, 16);
    if (r->place == FX_TAGS) {
        uint32_t tags = full_tags(regs->fx[r->offset]);
        memcpy(bytes, &tags, sizeof(tags));
    } else {
        const uint8_t *from = r->place == FX ? regs->fx : (const uint8_t *)regs;
        memcpy(bytes, from + r->offset, r->held);
    }
    return r->size;
}

bool
gdb_reg_set(struct x86_regs *regs, unsigned number, const uint8_t *bytes)
{
    const struct gdb_reg *r = find(number);

    if (!r)
        return false;
    if (r->place == FX_TAGS) {
        uint32_t tags;
        memcpy(&tags, bytes, sizeof(tags));
        regs->fx[r->offset] = 0;
        for (unsigned i = 0; i < 8; i++)
            if ((tags >> (2 * i) & 3) != 3)
                regs->fx[r->offset] |= (uint8_t)(1u << i);
    } else {
        uint8_t *to = r->place == FX ? regs->fx : (uint8_t *)regs;
        memcpy(to + r->offset, bytes, r->held);
    }
    return true;
}
