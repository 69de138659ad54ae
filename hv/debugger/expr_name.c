/*
 * expr_name.c - what a name in an expression stands for: a register, the moment, a field of the
 * exit, a symbol, a line of the source, a kind of exit, a variable.
 *
 * Called by expr.c. Next: values.c, then loader/symbols.h.
 */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "debugger/expr_parse.h"
#include "debugger/values.h"
#include "loader/symbols.h"

/* --- registers ------------------------------------------------------------------------------------ */

/* A part of a register of x86_reg_table, or another name of it: bits [shift, shift + 8 * size). */
struct part {
    const char *name, *of;
    uint8_t size, shift;
};
#define PARTS(l)                                                                                   \
    {"e" l "x", "r" l "x", 4, 0}, {l "x", "r" l "x", 2, 0}, {l "l", "r" l "x", 1, 0},              \
    {                                                                                              \
        l "h", "r" l "x", 1, 8                                                                     \
    }
#define POINTER_PARTS(n)                                                                           \
    {"e" n, "r" n, 4, 0}, {n, "r" n, 2, 0},                                                        \
    {                                                                                              \
        n "l", "r" n, 1, 0                                                                         \
    }
#define NUMBER_PARTS(n)                                                                            \
    {n "d", n, 4, 0}, {n "w", n, 2, 0},                                                            \
    {                                                                                              \
        n "b", n, 1, 0                                                                             \
    }
static const struct part parts[] = {
    PARTS("a"),
    PARTS("b"),
    PARTS("c"),
    PARTS("d"),
    POINTER_PARTS("si"),
    POINTER_PARTS("di"),
    POINTER_PARTS("bp"),
    POINTER_PARTS("sp"),
    NUMBER_PARTS("r8"),
    NUMBER_PARTS("r9"),
    NUMBER_PARTS("r10"),
    NUMBER_PARTS("r11"),
    NUMBER_PARTS("r12"),
    NUMBER_PARTS("r13"),
    NUMBER_PARTS("r14"),
    NUMBER_PARTS("r15"),
    {"eip", "rip", 4, 0},
    {"ip", "rip", 2, 0},
    {"eflags", "rflags", 4, 0},
    {"flags", "rflags", 2, 0},
    {"fs_base", "fs.base", 8, 0},
    {"gs_base", "gs.base", 8, 0},
};

static bool
same(const char *name, const char *text, size_t length)
{
    return strlen(name) == length && !memcmp(name, text, length);
}

/* The register's row, and which bits of it the name means. */
static const struct reg_desc *
find_register(const char *text, size_t length, unsigned *size, unsigned *shift)
{
    const struct part *part = NULL;

    for (unsigned i = 0; i < ARRAY_SIZE(parts); i++)
        if (same(parts[i].name, text, length))
            part = &parts[i], text = part->of, length = strlen(text);
    for (unsigned i = 0; i < x86_reg_count; i++)
        if (same(x86_reg_table[i].name, text, length)) {
            *size = part ? part->size : x86_reg_table[i].size;
            *shift = part ? part->shift : 0;
            return &x86_reg_table[i];
        }
    return NULL;
}

/* The guest's registers. A recording knows the address of the exit alone, which is enough for $rip;
 * it is taken for one of 64-bit code, which is used as it is. */
static int
get_regs(struct parser *p, const char *at, bool rip_is_enough, struct x86_regs *regs)
{
    struct machine *m = p->debugger->machine;

    memset(regs, 0, sizeof(*regs));
    if (p->skip)
        return 0;
    int rc = m->ops->get_regs(m, regs, p->err);
    if (rc == -ENODATA && rip_is_enough && m->exit.kind != TRACE_NONE) {
        regs->rip = m->exit.rip;
        regs->efer = EFER_LMA;
        regs->seg[X86_CS].attr = SEG_L;
        return 0;
    }
    if (rc == -ENODATA)
        return expr_fail(p, ENODATA, at,
                         "a recording does not hold this register; it knows $rip "
                         "and the fields of the exit (exit.reason ...)");
    return rc;
}

/* The names that are computed from registers. */
enum computed { NAME_PC, NAME_SP, NAME_FP, NAME_CPL, NAME_MODE };
static const struct {
    const char *name;
    const char *of;  /* an offset, and what `set` changes; NULL: neither */
    uint8_t segment; /* in which it is one */
} computed[] = {
    [NAME_PC] = {"pc", "rip", X86_CS}, [NAME_SP] = {"sp", "rsp", X86_SS},
    [NAME_FP] = {"fp", "rbp", X86_SS}, [NAME_CPL] = {"cpl", NULL, 0},
    [NAME_MODE] = {"mode", NULL, 0},
};

static int
computed_index(const char *text, size_t length)
{
    for (unsigned i = 0; i < ARRAY_SIZE(computed); i++)
        if (same(computed[i].name, text, length))
            return (int)i;
    return -1;
}

static int
computed_value(struct parser *p, unsigned which, struct term *term)
{
    struct x86_regs regs;
    int rc = get_regs(p, p->token.at, which == NAME_PC, &regs);

    if (rc)
        return rc;
    if (which == NAME_CPL || which == NAME_MODE) {
        term->value = (struct value){which == NAME_CPL ? x86_cpl(&regs) : 8 * x86_code_size(&regs),
                                     true, 4};
        return 0;
    }
    uint64_t offset = x86_reg_value(&regs, x86_reg_find(computed[which].of));
    term->value = (struct value){x86_regs_linear(&regs, computed[which].segment, offset), false, 8};
    term->place = PLACE_REGISTER;
    return 0;
}

static int
set_register(struct parser *p, const struct term *to, const struct value *value)
{
    struct machine *m = p->debugger->machine;
    struct x86_regs regs;
    const char *name = to->name;
    size_t length = to->length;
    uint64_t bits = value->bits;
    unsigned size, shift;

    int rc = get_regs(p, to->name, false, &regs);
    if (rc)
        return rc;
    int which = computed_index(name, length);
    if (which >= 0) {
        name = computed[which].of;
        length = strlen(name);
        bits -= x86_regs_linear(&regs, computed[which].segment, 0);
    }
    const struct reg_desc *desc = find_register(name, length, &size, &shift);
    if (!desc)
        return expr_fail(p, EINVAL, to->name, "this register cannot be set");
    uint64_t mask = (size == 8 ? UINT64_MAX : (UINT64_C(1) << 8 * size) - 1) << shift;
    uint64_t all = (x86_reg_value(&regs, desc) & ~mask) | (bits << shift & mask);
    memcpy((uint8_t *)&regs + desc->offset, &all, desc->size);
    return m->ops->set_regs(m, &regs, p->err);
}

/* --- $names --------------------------------------------------------------------------------------- */

static int
history_value(struct parser *p, struct term *term)
{
    const struct values *values = p->debugger->values;
    unsigned number = values_count(values);
    const char *text = p->token.text;
    size_t length = p->token.length;

    if (length && *text == '$') { /* $$: the one before; $$2: two before that in $ */
        unsigned back = length == 1;
        for (size_t i = 1; i < length && back < 1000000; i++)
            back = back * 10 + (unsigned)(text[i] - '0');
        number = back < number ? number - back : 0;
    } else if (length) {
        number = 0;
        for (size_t i = 0; i < length && number < 1000000; i++)
            number = number * 10 + (unsigned)(text[i] - '0');
    }
    if (!values_get(values, number, &term->value) && !p->skip)
        return expr_fail(p, EINVAL, p->token.at,
                         "the history of `print` has no such value (it has %u)",
                         values_count(values));
    return 0;
}

/* "", "$", "12", "$3" */
static bool
is_history(const char *text, size_t length)
{
    for (size_t i = length && *text == '$'; i < length; i++)
        if (!isdigit((unsigned char)text[i]))
            return false;
    return true;
}

static int
dollar(struct parser *p, struct term *term)
{
    const char *text = p->token.text;
    size_t length = p->token.length;
    const struct machine *m = p->debugger->machine;
    struct x86_regs regs;
    unsigned size, shift;
    int rc, which;

    *term = (struct term){.name = text, .length = length};
    if (is_history(text, length))
        return history_value(p, term);
    if (same("icount", text, length) || same("exit", text, length)) {
        term->value = (struct value){*text == 'i' ? m->now.icount : m->now.exits, true, 8};
        return 0;
    }
    if ((which = computed_index(text, length)) >= 0)
        return computed_value(p, (unsigned)which, term);
    const struct reg_desc *desc = find_register(text, length, &size, &shift);
    if (desc) {
        rc = get_regs(p, p->token.at, same("rip", desc->name, strlen(desc->name)), &regs);
        uint64_t bits = x86_reg_value(&regs, desc) >> shift;
        if (size < 8)
            bits &= (UINT64_C(1) << 8 * size) - 1;
        term->value = (struct value){bits, false, (uint8_t)size};
        term->place = PLACE_REGISTER;
        return rc;
    }
    term->place = PLACE_VARIABLE;
    term->value = (struct value){0, true, 8};
    if (!values_find(p->debugger->values, text, length, &term->value) && !p->skip)
        return expr_fail(p, EINVAL, p->token.at,
                         "there is no register and no variable $%.*s (`info registers` lists "
                         "registers, `set $%.*s = 1` makes a variable)",
                         (int)(length < 40 ? length : 40), text, (int)(length < 40 ? length : 40),
                         text);
    return 0;
}

int
expr_set_place(struct parser *p, const struct term *to, const struct value *value)
{
    if (to->place == PLACE_REGISTER)
        return set_register(p, to, value);
    for (size_t i = 0; i < to->length; i++)
        if (to->name[i] == '.' || to->name[i] == '$')
            return expr_fail(p, EINVAL, to->name, "a variable's name has letters, digits and _");
    return values_set(p->debugger->values, to->name, to->length, value, p->err);
}

/* --- the exit ------------------------------------------------------------------------------------- */

#define KIND(k) (UINT64_C(1) << TRACE_##k)
#define ACCESS  (KIND(IO) | KIND(MMIO))
#define REG     (KIND(CR) | KIND(DR))
#define FAILURE                                                                                    \
    (KIND(SHUTDOWN) | KIND(UNIMPLEMENTED) | KIND(FAIL_ENTRY) | KIND(INTERNAL_ERROR) |              \
     KIND(UNKNOWN) | KIND(INSTRUCTION))
#define MEMBER(m) offsetof(struct vm_exit, m), sizeof(((struct vm_exit *)0)->m)

/* A name has a row for each group of kinds in which it lies elsewhere. */
static const struct exit_field {
    const char *name;
    uint64_t kinds; /* bit k: exits of enum trace_kind k have it */
    uint16_t offset, size;
} exit_fields[] = {
    {"reason", UINT64_MAX, MEMBER(kind)},
    {"rip", UINT64_MAX, MEMBER(rip)},
    {"user", UINT64_MAX, MEMBER(user)},
    {"port", KIND(IO), MEMBER(access.address)},
    {"gpa", KIND(MMIO), MEMBER(access.address)},
    {"address", ACCESS, MEMBER(access.address)},
    {"address", KIND(EXCEPTION), MEMBER(exception.address)},
    {"address", KIND(INVLPG), MEMBER(invlpg.address)},
    {"value", ACCESS, MEMBER(access.value)},
    {"value", KIND(MSR), MEMBER(msr.value)},
    {"value", REG, MEMBER(reg.value)},
    {"size", ACCESS, MEMBER(access.size)},
    {"write", ACCESS, MEMBER(access.write)},
    {"write", KIND(MSR), MEMBER(msr.write)},
    {"write", REG, MEMBER(reg.write)},
    {"number", KIND(HYPERCALL), MEMBER(hypercall.number)},
    {"number", REG, MEMBER(reg.number)},
    {"arg0", KIND(HYPERCALL), MEMBER(hypercall.args[0])},
    {"arg1", KIND(HYPERCALL), MEMBER(hypercall.args[1])},
    {"arg2", KIND(HYPERCALL), MEMBER(hypercall.args[2])},
    {"arg3", KIND(HYPERCALL), MEMBER(hypercall.args[3])},
    {"arg4", KIND(HYPERCALL), MEMBER(hypercall.args[4])},
    {"result", KIND(HYPERCALL), MEMBER(hypercall.result)},
    {"msr", KIND(MSR), MEMBER(msr.index)},
    {"refused", KIND(MSR), MEMBER(msr.refused)},
    {"leaf", KIND(CPUID), MEMBER(cpuid.leaf)},
    {"subleaf", KIND(CPUID), MEMBER(cpuid.subleaf)},
    {"vector", KIND(EXCEPTION), MEMBER(exception.vector)},
    {"error", KIND(EXCEPTION), MEMBER(exception.error)},
    {"has_error", KIND(EXCEPTION), MEMBER(exception.has_error)},
    {"code", FAILURE, MEMBER(failure.code)},
};

const char *
expr_exit_field(unsigned i)
{
    return i < ARRAY_SIZE(exit_fields) ? exit_fields[i].name : NULL;
}

/* Behind "exit", with the token at the dot. */
static int
exit_field(struct parser *p, struct term *term)
{
    const struct vm_exit *exit = &p->debugger->machine->exit;
    int rc = expr_next(p);
    bool known = false;

    if (rc)
        return rc;
    const struct token field = p->token;
    if (field.kind != TOKEN_NAME)
        return expr_fail(p, EINVAL, field.at, "the name of a field belongs here: exit.reason");
    for (unsigned i = 0; i < ARRAY_SIZE(exit_fields); i++) {
        const struct exit_field *f = &exit_fields[i];
        if (!same(f->name, field.text, field.length))
            continue;
        known = true;
        if (exit->kind == TRACE_NONE || !(f->kinds >> exit->kind & 1))
            continue;
        uint64_t bits = 0;
        memcpy(&bits, (const uint8_t *)exit + f->offset, f->size);
        term->value = (struct value){bits, false, (uint8_t)f->size};
        return expr_next(p);
    }
    if (p->skip && known)
        return expr_next(p);
    if (!known)
        return expr_fail(p, EINVAL, field.at,
                         "exits have no field %.*s (reason, port, gpa, msr, vector, value, size, "
                         "write, number, arg0 ...)",
                         (int)(field.length < 40 ? field.length : 40), field.text);
    if (exit->kind == TRACE_NONE)
        return expr_fail(p, ENODATA, field.at, "there was no exit yet");
    return expr_fail(p, ENODATA, field.at, "this exit is %s and has no %.*s; ask exit.reason first",
                     trace_kinds[exit->kind].name, (int)field.length, field.text);
}

/* --- names ---------------------------------------------------------------------------------------- */

/* IO, MMIO, INTR_WINDOW: a kind of exit, in the given case or any. */
static bool
kind_name(const char *text, size_t length, bool any_case, struct term *term)
{
    /* Some names are those of a kind inside the guest, too: exits come first. */
    for (unsigned n = 0; n < 2 * TRACE_KIND_COUNT; n++) {
        unsigned k = n % TRACE_KIND_COUNT;
        const char *name = trace_kinds[k].name;
        size_t i = 0;
        if ((trace_kinds[k].class == TRACE_CLASS_EXIT) != (n < TRACE_KIND_COUNT))
            continue;
        for (; i < length && name[i]; i++) {
            char upper = name[i] == '-' ? '_' : (char)toupper((unsigned char)name[i]);
            char c = any_case ? (char)toupper((unsigned char)text[i]) : text[i];
            if (c != upper)
                break;
        }
        if (i == length && !name[i] && length) {
            term->value = (struct value){k, true, 4};
            return true;
        }
    }
    return false;
}

static int
name(struct parser *p, struct term *term)
{
    const struct token word = p->token;
    char symbol[256];
    uint64_t address;
    int rc = expr_next(p);

    if (rc)
        return rc;
    if (same("exit", word.text, word.length) && p->token.kind == TOKEN_OPERATOR &&
        *p->token.text == '.')
        return exit_field(p, term);
    snprintf(symbol, sizeof(symbol), "%.*s", (int)(word.length < 255 ? word.length : 255),
             word.text);
    if (kind_name(word.text, word.length, false, term))
        return 0;
    if (symbols_address(p->debugger->machine->symbols, symbol, &address)) {
        *term = (struct term){.value = {address, false, 8}, .place = PLACE_SYMBOL};
        term->address = address;
        return 0;
    }
    if (kind_name(word.text, word.length, true, term))
        return 0;
    return expr_fail(p, EINVAL, word.at, "there is no symbol %.40s%s", symbol,
                     find_register(symbol, strlen(symbol), &(unsigned){0}, &(unsigned){0})
                         ? "; a register has a $ before its name"
                         : "");
}

/* 'FILE':LINE */
static int
file_line(struct parser *p, struct term *term)
{
    const struct token file = p->token;
    char path[512];
    uint64_t address = 0;
    int rc = expr_next(p);

    if (rc)
        return rc;
    if (p->token.kind != TOKEN_OPERATOR || *p->token.text != ':')
        return expr_fail(p, EINVAL, p->token.at, "a line belongs behind a file: 'main.c':12");
    rc = expr_next(p);
    if (rc)
        return rc;
    if (p->token.kind != TOKEN_NUMBER || p->token.value.bits > INT32_MAX)
        return expr_fail(p, EINVAL, p->token.at, "a line's number belongs here");
    snprintf(path, sizeof(path), "%.*s", (int)(file.length < 511 ? file.length : 511), file.text);
    if (!p->skip && !symbols_find_line(p->debugger->machine->symbols, path,
                                       (int)p->token.value.bits, NULL, &address))
        return expr_fail(p, EINVAL, file.at, "no code was made from %s, line %" PRIu64, path,
                         p->token.value.bits);
    *term = (struct term){.value = {address, false, 8}};
    return expr_next(p);
}

int
expr_name(struct parser *p, struct term *term)
{
    *term = (struct term){0};
    if (p->token.kind == TOKEN_FILE)
        return file_line(p, term);
    if (p->token.kind == TOKEN_NAME)
        return name(p, term);
    int rc = dollar(p, term);
    return rc ? rc : expr_next(p);
}
