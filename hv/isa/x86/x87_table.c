/*
 * x87_table.c - the opcodes D8 to DF: what each ModRM byte means (SDM vol. 2, A.5).
 *
 * A memory form is found by opcode and ModRM.reg, a register form too, with ModRM.rm as the number
 * of ST(i); what has a ModRM byte for itself alone is in a list. A row says how exec_x87() carries
 * it out: a function, the operation of the host that it needs, and flags.
 *
 * What is not there is #UD: FISTTP is one of them, for it belongs to SSE3, which is not claimed. The
 * aliases that no manual but every processor has are there, named as Zydis names them.
 *
 * Called by x86_decode(). Next: x87.c.
 */
#include "isa/x86/exec.h"
#include "isa/x86/x87_exec.h"

#define X87_NONE 0
#define POP      X87_POP
#define POP2     X87_POP2
#define STI      X87_TO_STI
#define EFLAGS   X87_EFLAGS
#define C2       X87_C2
#define CONTROL  X87_CONTROL
#define NOWAIT   (X87_CONTROL | X87_NOWAIT)

/* clang-format off */
#define FORM(name, operands, fn, op, flags) \
    {{name, operands, exec_x87, 0, 0, NULL}, x87_##fn, X87_##op, flags}
#define UNDEFINED {{"", "", NULL, 0, 0, NULL}, NULL, 0, 0}

/* Memory operands: d float or dword, q double or quadword, w word; without a letter: 10 bytes, or
 * the environment. */
static const struct x87_form memory_forms[8][8] = {
    { /* D8: float */
        FORM("fadd", "Md", arith_memory, ADD_M32, 0),
        FORM("fmul", "Md", arith_memory, MUL_M32, 0),
        FORM("fcom", "Md", compare_memory, COM_M32, 0),
        FORM("fcomp", "Md", compare_memory, COM_M32, POP),
        FORM("fsub", "Md", arith_memory, SUB_M32, 0),
        FORM("fsubr", "Md", arith_memory, SUBR_M32, 0),
        FORM("fdiv", "Md", arith_memory, DIV_M32, 0),
        FORM("fdivr", "Md", arith_memory, DIVR_M32, 0),
    }, { /* D9 */
        FORM("fld", "Md", load, LD_M32, 0),
        UNDEFINED,
        FORM("fst", "Md", store, ST_M32, 0),
        FORM("fstp", "Md", store, ST_M32, POP),
        FORM("fldenv", "M", ldenv, NONE, CONTROL),
        FORM("fldcw", "Mw", ldcw, NONE, CONTROL),
        FORM("fnstenv", "M", stenv, NONE, NOWAIT),
        FORM("fnstcw", "Mw", stcw, NONE, NOWAIT),
    }, { /* DA: dword */
        FORM("fiadd", "Md", arith_memory, ADD_I32, 0),
        FORM("fimul", "Md", arith_memory, MUL_I32, 0),
        FORM("ficom", "Md", compare_memory, COM_I32, 0),
        FORM("ficomp", "Md", compare_memory, COM_I32, POP),
        FORM("fisub", "Md", arith_memory, SUB_I32, 0),
        FORM("fisubr", "Md", arith_memory, SUBR_I32, 0),
        FORM("fidiv", "Md", arith_memory, DIV_I32, 0),
        FORM("fidivr", "Md", arith_memory, DIVR_I32, 0),
    }, { /* DB */
        FORM("fild", "Md", load, LD_I32, 0),
        UNDEFINED,
        FORM("fist", "Md", store, ST_I32, 0),
        FORM("fistp", "Md", store, ST_I32, POP),
        UNDEFINED,
        FORM("fld", "M", load, LD_M80, 0),
        UNDEFINED,
        FORM("fstp", "M", store, ST_M80, POP),
    }, { /* DC: double */
        FORM("fadd", "Mq", arith_memory, ADD_M64, 0),
        FORM("fmul", "Mq", arith_memory, MUL_M64, 0),
        FORM("fcom", "Mq", compare_memory, COM_M64, 0),
        FORM("fcomp", "Mq", compare_memory, COM_M64, POP),
        FORM("fsub", "Mq", arith_memory, SUB_M64, 0),
        FORM("fsubr", "Mq", arith_memory, SUBR_M64, 0),
        FORM("fdiv", "Mq", arith_memory, DIV_M64, 0),
        FORM("fdivr", "Mq", arith_memory, DIVR_M64, 0),
    }, { /* DD */
        FORM("fld", "Mq", load, LD_M64, 0),
        UNDEFINED,
        FORM("fst", "Mq", store, ST_M64, 0),
        FORM("fstp", "Mq", store, ST_M64, POP),
        FORM("frstor", "M", rstor, NONE, CONTROL),
        UNDEFINED,
        FORM("fnsave", "M", save, NONE, NOWAIT),
        FORM("fnstsw", "Mw", stsw, NONE, NOWAIT),
    }, { /* DE: word */
        FORM("fiadd", "Mw", arith_memory, ADD_I16, 0),
        FORM("fimul", "Mw", arith_memory, MUL_I16, 0),
        FORM("ficom", "Mw", compare_memory, COM_I16, 0),
        FORM("ficomp", "Mw", compare_memory, COM_I16, POP),
        FORM("fisub", "Mw", arith_memory, SUB_I16, 0),
        FORM("fisubr", "Mw", arith_memory, SUBR_I16, 0),
        FORM("fidiv", "Mw", arith_memory, DIV_I16, 0),
        FORM("fidivr", "Mw", arith_memory, DIVR_I16, 0),
    }, { /* DF */
        FORM("fild", "Mw", load, LD_I16, 0),
        UNDEFINED,
        FORM("fist", "Mw", store, ST_I16, 0),
        FORM("fistp", "Mw", store, ST_I16, POP),
        FORM("fbld", "M", load, LD_BCD, 0),
        FORM("fild", "Mq", load, LD_I64, 0),
        FORM("fbstp", "M", store, ST_BCD, POP),
        FORM("fistp", "Mq", store, ST_I64, POP),
    },
};

/* Register forms. Of DC and DE, reg 4 is ST(0) - ST(i) as it is of D8; only the result goes to
 * ST(i), and that makes it the reversed one by name. */
static const struct x87_form register_forms[8][8] = {
    { /* D8 */
        FORM("fadd", "", arith, ADD_ST, 0),
        FORM("fmul", "", arith, MUL_ST, 0),
        FORM("fcom", "", compare, COM_ST, 0),
        FORM("fcomp", "", compare, COM_ST, POP),
        FORM("fsub", "", arith, SUB_ST, 0),
        FORM("fsubr", "", arith, SUBR_ST, 0),
        FORM("fdiv", "", arith, DIV_ST, 0),
        FORM("fdivr", "", arith, DIVR_ST, 0),
    }, { /* D9 */
        FORM("fld", "", load_st, NONE, 0),
        FORM("fxch", "", exchange, NONE, 0),
        UNDEFINED,
        FORM("fstpnce", "", store_st, NONE, POP),
        UNDEFINED, UNDEFINED, UNDEFINED, UNDEFINED,
    }, { /* DA */
        FORM("fcmovb", "", cmov, NONE, 0),
        FORM("fcmove", "", cmov, NONE, 0),
        FORM("fcmovbe", "", cmov, NONE, 0),
        FORM("fcmovu", "", cmov, NONE, 0),
        UNDEFINED, UNDEFINED, UNDEFINED, UNDEFINED,
    }, { /* DB */
        FORM("fcmovnb", "", cmov, NONE, 0),
        FORM("fcmovne", "", cmov, NONE, 0),
        FORM("fcmovnbe", "", cmov, NONE, 0),
        FORM("fcmovnu", "", cmov, NONE, 0),
        UNDEFINED,
        FORM("fucomi", "", compare, UCOM_ST, EFLAGS),
        FORM("fcomi", "", compare, COM_ST, EFLAGS),
        UNDEFINED,
    }, { /* DC */
        FORM("fadd", "", arith, ADD_ST, STI),
        FORM("fmul", "", arith, MUL_ST, STI),
        FORM("fcom", "", compare, COM_ST, 0),
        FORM("fcomp", "", compare, COM_ST, POP),
        FORM("fsubr", "", arith, SUB_ST, STI),
        FORM("fsub", "", arith, SUBR_ST, STI),
        FORM("fdivr", "", arith, DIV_ST, STI),
        FORM("fdiv", "", arith, DIVR_ST, STI),
    }, { /* DD */
        FORM("ffree", "", free_st, NONE, 0),
        FORM("fxch", "", exchange, NONE, 0),
        FORM("fst", "", store_st, NONE, 0),
        FORM("fstp", "", store_st, NONE, POP),
        FORM("fucom", "", compare, UCOM_ST, 0),
        FORM("fucomp", "", compare, UCOM_ST, POP),
        UNDEFINED, UNDEFINED,
    }, { /* DE */
        FORM("faddp", "", arith, ADD_ST, STI | POP),
        FORM("fmulp", "", arith, MUL_ST, STI | POP),
        FORM("fcomp", "", compare, COM_ST, POP),
        UNDEFINED,
        FORM("fsubrp", "", arith, SUB_ST, STI | POP),
        FORM("fsubp", "", arith, SUBR_ST, STI | POP),
        FORM("fdivrp", "", arith, DIV_ST, STI | POP),
        FORM("fdivp", "", arith, DIVR_ST, STI | POP),
    }, { /* DF */
        FORM("ffreep", "", free_st, NONE, POP),
        FORM("fxch", "", exchange, NONE, 0),
        FORM("fstp", "", store_st, NONE, POP),
        FORM("fstp", "", store_st, NONE, POP),
        UNDEFINED,
        FORM("fucomip", "", compare, UCOM_ST, EFLAGS | POP),
        FORM("fcomip", "", compare, COM_ST, EFLAGS | POP),
        UNDEFINED,
    },
};

/* Opcode and ModRM stand for one instruction. */
static const struct {
    uint16_t bytes;
    struct x87_form form;
} single_forms[] = {
    {0xd9d0, FORM("fnop", "", nop, NONE, 0)},
    {0xd9e0, FORM("fchs", "", unary, CHS, 0)},
    {0xd9e1, FORM("fabs", "", unary, ABS, 0)},
    {0xd9e4, FORM("ftst", "", test, TST, 0)},
    {0xd9e5, FORM("fxam", "", examine, NONE, 0)},
    {0xd9e8, FORM("fld1", "", constant, LD1, 0)},
    {0xd9e9, FORM("fldl2t", "", constant, LDL2T, 0)},
    {0xd9ea, FORM("fldl2e", "", constant, LDL2E, 0)},
    {0xd9eb, FORM("fldpi", "", constant, LDPI, 0)},
    {0xd9ec, FORM("fldlg2", "", constant, LDLG2, 0)},
    {0xd9ed, FORM("fldln2", "", constant, LDLN2, 0)},
    {0xd9ee, FORM("fldz", "", constant, LDZ, 0)},
    {0xd9f0, FORM("f2xm1", "", unary, F2XM1, 0)},
    {0xd9f1, FORM("fyl2x", "", arith_pop, YL2X, 0)},
    {0xd9f2, FORM("fptan", "", split, PTAN, C2)},
    {0xd9f3, FORM("fpatan", "", arith_pop, PATAN, 0)},
    {0xd9f4, FORM("fxtract", "", split, XTRACT, 0)},
    {0xd9f5, FORM("fprem1", "", arith, PREM1, C2)},
    {0xd9f6, FORM("fdecstp", "", decstp, NONE, 0)},
    {0xd9f7, FORM("fincstp", "", incstp, NONE, 0)},
    {0xd9f8, FORM("fprem", "", arith, PREM, C2)},
    {0xd9f9, FORM("fyl2xp1", "", arith_pop, YL2XP1, 0)},
    {0xd9fa, FORM("fsqrt", "", unary, SQRT, 0)},
    {0xd9fb, FORM("fsincos", "", split, SINCOS, C2)},
    {0xd9fc, FORM("frndint", "", unary, RNDINT, 0)},
    {0xd9fd, FORM("fscale", "", arith, SCALE, 0)},
    {0xd9fe, FORM("fsin", "", unary, SIN, C2)},
    {0xd9ff, FORM("fcos", "", unary, COS, C2)},
    {0xdae9, FORM("fucompp", "", compare, UCOM_ST, POP2)},
    {0xdbe0, FORM("feni8087_nop", "", nop, NONE, NOWAIT)},
    {0xdbe1, FORM("fdisi8087_nop", "", nop, NONE, NOWAIT)},
    {0xdbe2, FORM("fnclex", "", clex, NONE, NOWAIT)},
    {0xdbe3, FORM("fninit", "", init, NONE, NOWAIT)},
    {0xdbe4, FORM("fsetpm287_nop", "", nop, NONE, NOWAIT)},
    {0xded9, FORM("fcompp", "", compare, COM_ST, POP2)},
    {0xdfe0, FORM("fnstsw", "", stsw, NONE, NOWAIT)},
};
/* clang-format on */

const struct x86_opcode *
x87_row(uint8_t opcode, uint8_t modrm)
{
    unsigned reg = modrm >> 3 & 7;

    if (modrm < 0xc0)
        return &memory_forms[opcode & 7][reg].row;
    for (unsigned i = 0; i < sizeof(single_forms) / sizeof(single_forms[0]); i++)
        if (single_forms[i].bytes == (opcode << 8 | modrm))
            return &single_forms[i].form.row;
    return &register_forms[opcode & 7][reg].row;
}
