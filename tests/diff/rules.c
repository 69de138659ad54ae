/*
 * rules.c - what the manual says about flags, instruction by instruction: which are read, which
 * are defined afterwards, which are left undefined and must not be compared.
 *
 * Sections: SDM vol. 2 ch. 3-5, "Flags Affected" of the instruction named; the summary is vol. 1,
 * appendix A. A flag that is undefined on one side only would also reach a later instruction of
 * the sequence: the generator asks rule_reads() before it appends one.
 */
#include "tests/diff/diff.h"

#include <string.h>

#define CF FLAG_CF
#define PF FLAG_PF
#define AF FLAG_AF
#define ZF FLAG_ZF
#define SF FLAG_SF
#define OF FLAG_OF

/* How the undefined flags depend on the count operand. */
enum count_rule {
    ANY,    /* not at all */
    SHIFT,  /* SHL SHR: count 0 changes nothing; OF defined for 1 only; CF until the size */
    SAR,    /* the same, CF always defined */
    ROTATE, /* OF defined for 1 only, AF PF ZF SF untouched */
    DOUBLE, /* SHLD SHRD: as SHIFT; everything undefined beyond the size */
};

static const struct flag_rule {
    const char *name;
    uint32_t reads, defines, undefined;
    enum count_rule count;
} rules[] = {
    {"adc", CF, FLAGS_ARITH, 0, ANY},
    {"sbb", CF, FLAGS_ARITH, 0, ANY},
    {"add", 0, FLAGS_ARITH, 0, ANY},
    {"sub", 0, FLAGS_ARITH, 0, ANY},
    {"cmp", 0, FLAGS_ARITH, 0, ANY},
    {"neg", 0, FLAGS_ARITH, 0, ANY},
    {"xadd", 0, FLAGS_ARITH, 0, ANY},
    {"cmpxchg", 0, FLAGS_ARITH, 0, ANY},
    {"inc", 0, FLAGS_ARITH & ~CF, 0, ANY},
    {"dec", 0, FLAGS_ARITH & ~CF, 0, ANY},
    {"and", 0, FLAGS_ARITH & ~AF, AF, ANY},
    {"or", 0, FLAGS_ARITH & ~AF, AF, ANY},
    {"xor", 0, FLAGS_ARITH & ~AF, AF, ANY},
    {"test", 0, FLAGS_ARITH & ~AF, AF, ANY},
    {"mul", 0, CF | OF, SF | ZF | AF | PF, ANY},
    {"imul", 0, CF | OF, SF | ZF | AF | PF, ANY},
    {"div", 0, 0, FLAGS_ARITH, ANY},
    {"idiv", 0, 0, FLAGS_ARITH, ANY},
    {"bt", 0, CF, OF | SF | AF | PF, ANY},
    {"bts", 0, CF, OF | SF | AF | PF, ANY},
    {"btr", 0, CF, OF | SF | AF | PF, ANY},
    {"btc", 0, CF, OF | SF | AF | PF, ANY},
    {"bsf", 0, ZF, CF | OF | SF | AF | PF, ANY},
    {"bsr", 0, ZF, CF | OF | SF | AF | PF, ANY},
    {"lzcnt", 0, ZF | CF, OF | SF | AF | PF, ANY},
    {"tzcnt", 0, ZF | CF, OF | SF | AF | PF, ANY},
    {"popcnt", 0, FLAGS_ARITH, 0, ANY},
    {"aaa", AF, CF | AF, OF | SF | ZF | PF, ANY},
    {"aas", AF, CF | AF, OF | SF | ZF | PF, ANY},
    {"aam", 0, SF | ZF | PF, OF | AF | CF, ANY},
    {"aad", 0, SF | ZF | PF, OF | AF | CF, ANY},
    {"daa", CF | AF, FLAGS_ARITH & ~OF, OF, ANY},
    {"das", CF | AF, FLAGS_ARITH & ~OF, OF, ANY},
    {"shl", 0, 0, AF, SHIFT},
    {"shr", 0, 0, AF, SHIFT},
    {"sar", 0, 0, AF, SAR},
    {"shld", 0, 0, AF, DOUBLE},
    {"shrd", 0, 0, AF, DOUBLE},
    {"rol", 0, 0, 0, ROTATE},
    {"ror", 0, 0, 0, ROTATE},
    {"rcl", CF, 0, 0, ROTATE},
    {"rcr", CF, 0, 0, ROTATE},
    {"cmc", CF, CF, 0, ANY},
    {"clc", 0, CF, 0, ANY},
    {"stc", 0, CF, 0, ANY},
    {"salc", CF, 0, 0, ANY},
    {"into", OF, 0, 0, ANY},
    {"lahf", SF | ZF | AF | PF | CF, 0, 0, ANY},
    {"sahf", 0, SF | ZF | AF | PF | CF, 0, ANY},
    {"pushf", FLAGS_ARITH, 0, 0, ANY},
    {"pushfd", FLAGS_ARITH, 0, 0, ANY},
    {"pushfq", FLAGS_ARITH, 0, 0, ANY},
    {"popf", 0, FLAGS_ARITH, 0, ANY},
    {"popfd", 0, FLAGS_ARITH, 0, ANY},
    {"popfq", 0, FLAGS_ARITH, 0, ANY},
    {"loope", ZF, 0, 0, ANY},
    {"loopne", ZF, 0, 0, ANY},
};

static const struct flag_rule *
find_rule(const struct x86_opcode *op)
{
    for (size_t i = 0; op->name && i < sizeof(rules) / sizeof(rules[0]); i++)
        if (!strcmp(rules[i].name, op->name))
            return &rules[i];
    return NULL;
}

/* Jcc, SETcc, CMOVcc: the condition in the opcode's low four bits (SDM vol. 2, appendix B.1.4). */
static uint32_t
condition_reads(const struct diff_row *row)
{
    static const uint32_t reads[8] = {OF, CF, ZF, CF | ZF, SF, PF, SF | OF, ZF | SF | OF};
    unsigned range = row->opcode & 0xff0u;

    if ((row->opcode >> 8 == 0 && range == 0x70) ||
        (row->opcode >> 8 == 1 && (range == 0x140 || range == 0x180 || range == 0x190)))
        return reads[row->opcode >> 1 & 7];
    return 0;
}

uint32_t
rule_reads(const struct diff_row *row)
{
    const struct flag_rule *rule = find_rule(row->op);

    /* FCMOVcc: DA and DB, C0 to DF. */
    if ((row->opcode == 0xda || row->opcode == 0xdb) && !row->memory_only && row->reg < 4)
        return CF | ZF | PF;
    return condition_reads(row) | (rule ? rule->reads : 0);
}

uint32_t
rule_defines(const struct x86_opcode *op)
{
    const struct flag_rule *rule = find_rule(op);

    return rule ? rule->defines : 0;
}

uint32_t
rule_undefined(const struct x86_opcode *op, unsigned size, int count)
{
    const struct flag_rule *rule = find_rule(op);
    int bits = size ? (int)size * 8 : 8;

    if (!rule)
        return 0;
    if (rule->count == ANY)
        return rule->undefined;
    if (count >= 0) {
        count &= size == 8 ? 0x3f : 0x1f;
        if (count == 0)
            return 0;
    }
    uint32_t undefined = rule->undefined | (count == 1 ? 0 : OF);
    if (rule->count == SHIFT && (count < 0 || count >= bits))
        undefined |= CF;
    if (rule->count == DOUBLE && (count < 0 || count > bits))
        undefined |= FLAGS_ARITH;
    return undefined;
}
