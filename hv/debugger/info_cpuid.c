/*
 * info_cpuid.c - `info cpuid`: what the guest is told about its processor.
 *
 * On engine soft, and under every strategy there, that is x86_cpuid(). On engine kvm the host's kernel
 * answers CPUID; what it says is a mixture of ours and the host's, and this view says so.
 *
 * Called through commands_info.c.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "debugger/decode.h"
#include "debugger/info.h"
#include "debugger/paint.h"

/* Feature bits by leaf and register (SDM vol. 2, CPUID, tables 3-10 and 3-11; APM vol. 3, E.4). */
/* clang-format off */
static const struct bit_name id1_edx[] = {
    {1u << 0, "FPU"}, {1u << 1, "VME"}, {1u << 2, "DE"}, {1u << 3, "PSE"}, {1u << 4, "TSC"},
    {1u << 5, "MSR"}, {1u << 6, "PAE"}, {1u << 7, "MCE"}, {1u << 8, "CX8"}, {1u << 9, "APIC"},
    {1u << 11, "SEP"}, {1u << 12, "MTRR"}, {1u << 13, "PGE"}, {1u << 14, "MCA"},
    {1u << 15, "CMOV"}, {1u << 16, "PAT"}, {1u << 17, "PSE36"}, {1u << 19, "CLFSH"},
    {1u << 23, "MMX"}, {1u << 24, "FXSR"}, {1u << 25, "SSE"}, {1u << 26, "SSE2"},
    {1u << 28, "HTT"}, {0, NULL},
};
static const struct bit_name id1_ecx[] = {
    {1u << 0, "SSE3"}, {1u << 1, "PCLMULQDQ"}, {1u << 5, "VMX"}, {1u << 9, "SSSE3"},
    {1u << 12, "FMA"}, {1u << 13, "CX16"}, {1u << 17, "PCID"}, {1u << 19, "SSE4.1"},
    {1u << 20, "SSE4.2"}, {1u << 21, "x2APIC"}, {1u << 22, "MOVBE"}, {1u << 23, "POPCNT"},
    {1u << 25, "AES"}, {1u << 26, "XSAVE"}, {1u << 27, "OSXSAVE"}, {1u << 28, "AVX"},
    {1u << 30, "RDRAND"}, {1u << 31, "HYPERVISOR"}, {0, NULL},
};
static const struct bit_name id7_ebx[] = {
    {1u << 0, "FSGSBASE"}, {1u << 3, "BMI1"}, {1u << 5, "AVX2"}, {1u << 7, "SMEP"},
    {1u << 8, "BMI2"}, {1u << 9, "ERMS"}, {1u << 13, "NO_FCS"}, {1u << 20, "SMAP"}, {0, NULL},
};
static const struct bit_name id7_ecx[] = {
    {1u << 2, "UMIP"}, {1u << 3, "PKU"}, {1u << 16, "LA57"}, {1u << 22, "RDPID"}, {0, NULL},
};
static const struct bit_name idx_edx[] = {
    {1u << 11, "SYSCALL"}, {1u << 20, "NX"}, {1u << 26, "1GB-PAGES"}, {1u << 27, "RDTSCP"},
    {1u << 29, "LM"}, {0, NULL},
};
static const struct bit_name idx_ecx[] = {
    {1u << 0, "LAHF"}, {1u << 2, "SVM"}, {1u << 5, "LZCNT"}, {0, NULL},
};
static const struct {
    uint32_t leaf;
    unsigned reg; /* 0 EAX .. 3 EDX */
    const struct bit_name *bits;
} features[] = {
    {1, 3, id1_edx}, {1, 2, id1_ecx}, {7, 1, id7_ebx}, {7, 2, id7_ecx},
    {0x80000001, 3, idx_edx}, {0x80000001, 2, idx_ecx},
};
/* clang-format on */

/* Twelve characters of a signature, as EBX, EDX, ECX or EBX, ECX, EDX. */
static void
print_text(FILE *out, const uint32_t *words, unsigned count)
{
    const char *text = (const char *)words;

    fputs("                 \"", out);
    for (unsigned i = 0; i < count * 4 && text[i]; i++)
        fputc(text[i] >= 0x20 && text[i] < 0x7f ? text[i] : '.', out);
    fputs("\"\n", out);
}

/* What the four registers of this leaf say. */
static void
print_meaning(FILE *out, uint32_t leaf, const uint32_t r[4])
{
    static const char *const names[] = {"eax", "ebx", "ecx", "edx"};
    const uint32_t vendor[3] = {r[1], r[3], r[2]};
    char text[DECODE_SIZE];

    if (leaf == 0)
        print_text(out, vendor, 3);
    else if (leaf == 0x40000000)
        print_text(out, r + 1, 3);
    else if (leaf >= 0x80000002 && leaf <= 0x80000004)
        print_text(out, r, 4);
    else if (leaf == 0x80000008)
        fprintf(out, "                 addresses: physical %u bits, linear %u bits\n", r[0] & 0xff,
                r[0] >> 8 & 0xff);
    else if (leaf == 1)
        fprintf(out, "                 family %u, model %u, stepping %u\n",
                (r[0] >> 8 & 0xf) + ((r[0] >> 8 & 0xf) == 0xf ? r[0] >> 20 & 0xff : 0),
                (r[0] >> 4 & 0xf) | (r[0] >> 12 & 0xf0), r[0] & 0xf);
    for (unsigned i = 0; i < ARRAY_SIZE(features); i++)
        if (features[i].leaf == leaf)
            fprintf(out, "                 %s: %s\n", names[features[i].reg],
                    decode_bits(features[i].bits, r[features[i].reg], text, sizeof(text)));
}

int
info_cpuid(struct debugger *d, const char *arguments, struct error *err)
{
    static const uint32_t first[] = {0, 0x40000000, 0x80000000};
    struct x86_regs regs;
    uint32_t r[4];
    int rc = info_regs(d, &regs, err);

    (void)arguments;
    if (rc)
        return rc;
    if (strcmp(d->machine->engine, "soft"))
        return error_set(
            err, ENOTSUP,
            "on engine %s the host's kernel answers CPUID, and hv does not see what it "
            "says: use --engine soft, or execute CPUID in the guest",
            d->machine->engine);
    fprintf(d->out, "%sleaf      eax       ebx       ecx       edx%s\n", paint_on(d, PAINT_DIM),
            paint_off(d));
    for (unsigned i = 0; i < ARRAY_SIZE(first); i++) {
        x86_cpuid(&regs, first[i], 0, r);
        for (uint32_t leaf = first[i], last = r[0]; leaf <= last; leaf++) {
            x86_cpuid(&regs, leaf, 0, r);
            if (!(r[0] | r[1] | r[2] | r[3]))
                continue; /* a leaf that says nothing */
            fprintf(d->out, "%08x  %08x  %08x  %08x  %08x\n", leaf, r[0], r[1], r[2], r[3]);
            print_meaning(d->out, leaf, r);
        }
    }
    return 0;
}
