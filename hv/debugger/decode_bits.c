/*
 * decode_bits.c - names of the bits of control registers, flags, page-table entries and error codes.
 *
 * Called by everything that shows a register. Next: decode_segment.c.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "debugger/decode.h"

void
decode_add(char *text, size_t size, const char *format, ...)
{
    size_t used = strnlen(text, size);
    va_list args;

    if (used + 1 >= size)
        return;
    va_start(args, format);
    vsnprintf(text + used, size - used, format, args);
    va_end(args);
}

/* clang-format off */
const struct bit_name decode_cr0[] = {
    {CR0_PE, "PE"}, {CR0_MP, "MP"}, {CR0_EM, "EM"}, {CR0_TS, "TS"}, {CR0_ET, "ET"}, {CR0_NE, "NE"},
    {CR0_WP, "WP"}, {CR0_AM, "AM"}, {CR0_NW, "NW"}, {CR0_CD, "CD"}, {CR0_PG, "PG"}, {0, NULL},
};
const struct bit_name decode_cr4[] = {
    {CR4_VME, "VME"}, {CR4_PVI, "PVI"}, {CR4_TSD, "TSD"}, {CR4_DE, "DE"}, {CR4_PSE, "PSE"},
    {CR4_PAE, "PAE"}, {CR4_MCE, "MCE"}, {CR4_PGE, "PGE"}, {CR4_PCE, "PCE"},
    {CR4_OSFXSR, "OSFXSR"}, {CR4_OSXMMEXCPT, "OSXMMEXCPT"}, {CR4_UMIP, "UMIP"},
    {CR4_FSGSBASE, "FSGSBASE"}, {CR4_PCIDE, "PCIDE"}, {CR4_OSXSAVE, "OSXSAVE"},
    {CR4_SMEP, "SMEP"}, {CR4_SMAP, "SMAP"}, {0, NULL},
};
const struct bit_name decode_efer[] = {
    {EFER_SCE, "SCE"}, {EFER_LME, "LME"}, {EFER_LMA, "LMA"}, {EFER_NXE, "NXE"}, {0, NULL},
};
const struct bit_name decode_rflags[] = {
    {FLAG_CF, "CF"}, {FLAG_PF, "PF"}, {FLAG_AF, "AF"}, {FLAG_ZF, "ZF"}, {FLAG_SF, "SF"},
    {FLAG_TF, "TF"}, {FLAG_IF, "IF"}, {FLAG_DF, "DF"}, {FLAG_OF, "OF"}, {FLAG_NT, "NT"},
    {FLAG_RF, "RF"}, {FLAG_VM, "VM"}, {FLAG_AC, "AC"}, {FLAG_VIF, "VIF"}, {FLAG_VIP, "VIP"},
    {FLAG_ID, "ID"}, {0, NULL},
};
const struct bit_name decode_dr6[] = {
    {0x1, "B0"}, {0x2, "B1"}, {0x4, "B2"}, {0x8, "B3"}, {DR6_BD, "BD"}, {DR6_BS, "BS"},
    {0x8000, "BT"}, {0, NULL},
};
/* SDM vol. 3, figure 4-11. */
const struct bit_name decode_pte[] = {
    {0x001, "P"}, {0x002, "W"}, {0x004, "U"}, {0x008, "PWT"}, {0x010, "PCD"}, {0x020, "A"},
    {0x040, "D"}, {0x080, "PS"}, {0x100, "G"}, {UINT64_C(1) << 63, "NX"}, {0, NULL},
};
/* clang-format on */

const struct bit_name *
decode_cr_bits(unsigned number)
{
    return number == 0 ? decode_cr0 : number == 4 ? decode_cr4 : NULL;
}

char *
decode_bits(const struct bit_name *names, uint64_t value, char *text, size_t size)
{
    text[0] = 0;
    for (; names->mask; names++)
        if (value & names->mask) {
            decode_add(text, size, "%s%s", *text ? " " : "", names->name);
            value &= ~names->mask;
        }
    if (value)
        decode_add(text, size, "%s0x%" PRIx64, *text ? " " : "", value);
    if (!*text)
        decode_add(text, size, "-");
    return text;
}

char *
decode_bit_changes(const struct bit_name *names, uint64_t before, uint64_t after, char *text,
                   size_t size)
{
    text[0] = 0;
    for (; names->mask; names++)
        if ((before ^ after) & names->mask)
            decode_add(text, size, "%s%c%s", *text ? " " : "", after & names->mask ? '+' : '-',
                       names->name);
    return text;
}

char *
decode_flags(uint64_t rflags, char *text, size_t size)
{
    uint64_t plain = rflags & ~(uint64_t)(FLAG_ONE | FLAG_IOPL);
    unsigned iopl = (rflags & FLAG_IOPL) >> FLAG_IOPL_SHIFT;

    decode_bits(decode_rflags, plain, text, size);
    if (iopl)
        decode_add(text, size, " IOPL=%u", iopl);
    return text;
}

/* SDM vol. 3, 4.7. */
static void
page_fault_code(uint32_t error, char *text, size_t size)
{
    snprintf(text, size, "%s, %s, %s%s",
             error & PF_PRESENT ? "the page is there and forbids it" : "not present",
             error & PF_FETCH   ? "instruction fetch"
             : error & PF_WRITE ? "write"
                                : "read",
             error & PF_USER ? "by user" : "by kernel",
             error & PF_RSVD ? ", a reserved bit is set" : "");
}

/* SDM vol. 3, 6.13:  15-3 index   2 TI   1 IDT   0 EXT */
static void
selector_code(uint32_t error, char *text, size_t size)
{
    if (!(error & 0xfffe))
        snprintf(text, size, "no selector");
    else if (error & 0x2)
        snprintf(text, size, "gate %u of the IDT", error >> 3 & 0x1fff);
    else
        snprintf(text, size, "selector 0x%x of the %s", error & 0xfffc,
                 error & 0x4 ? "LDT" : "GDT");
    if (error & 0x1)
        decode_add(text, size, ", while another event was delivered");
}

char *
decode_error_code(unsigned vector, uint32_t error, char *text, size_t size)
{
    text[0] = 0;
    switch (vector) {
    case VEC_PF: page_fault_code(error, text, size); break;
    case VEC_TS:
    case VEC_NP:
    case VEC_SS:
    case VEC_GP: selector_code(error, text, size); break;
    default: break;
    }
    return text;
}
