/*
 * main.c - diff_decode: the interpreter's decoder against Zydis.
 *
 *   diff_decode [--random N] [--seed N] [--reports N] FILE...
 *
 * Goes through the .text section of each ELF file instruction by instruction, in 64-bit mode ("libc"
 * is the C library of this process), then through N random strings of bytes in each of 16-, 32- and
 * 64-bit mode. Status 1 if the decoders differ somewhere without an explanation.
 * Called by `make check` and `make fuzz`. Next: compare.c.
 */
#include "tests/decode/decode.h"
#include "tests/random.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INSN_MAX 15

/* How often each reason was given for leaving an instruction out. */
struct tally {
    const char *name;
    uint64_t count;
};
#define TALLIES 100

struct totals {
    uint64_t same, not_ours, bad, explained, different, operands;
    struct tally left_out[TALLIES], reasons[TALLIES];
    unsigned reports;
};

static void
tally(struct tally *t, const char *name)
{
    for (unsigned i = 0; i < TALLIES; i++)
        if (!t[i].name || !strcmp(t[i].name, name)) {
            t[i].name = name;
            t[i].count++;
            return;
        }
}

static void
count(struct totals *t, const struct zydis *z, const uint8_t *bytes, unsigned avail,
      const struct comparison *c)
{
    t->operands += c->operands;
    switch (c->verdict) {
    case SAME: t->same++; break;
    case NOT_OURS:
        t->not_ours++;
        tally(t->left_out, c->what);
        break;
    case BOTH_BAD: t->bad++; break;
    case EXPLAINED:
        t->explained++;
        tally(t->reasons, c->what);
        break;
    case DIFFERENT:
        if (t->different++ < t->reports)
            compare_report(z, bytes, avail, c);
        break;
    }
}

static void
print_totals(const char *name, const struct totals *t)
{
    printf("diff_decode: %s: %" PRIu64
           " instructions agree in length, mnemonic and operands (%" PRIu64 " operands); %" PRIu64
           " not ours, %" PRIu64 " no instruction, %" PRIu64 " explained, %" PRIu64 " different\n",
           name, t->same, t->operands, t->not_ours, t->bad, t->explained, t->different);
    for (unsigned i = 0; i < TALLIES && t->left_out[i].name; i++)
        printf("%s%s %" PRIu64, i ? ", " : "  not ours: ", t->left_out[i].name,
               t->left_out[i].count);
    if (t->left_out[0].name)
        printf("\n");
    for (unsigned i = 0; i < TALLIES && t->reasons[i].name; i++)
        printf("  explained: %s: %" PRIu64 "\n", t->reasons[i].name, t->reasons[i].count);
}

/* One file's code from its first byte to its last. */
static bool
compare_file(const char *name, unsigned reports)
{
    struct totals t = {.reports = reports};
    struct zydis *z = zydis_open(8);
    uint8_t *code;
    size_t size = 0;

    if (!text_of_elf(strcmp(name, "libc") ? name : text_libc_path(), &code, &size))
        return false;
    for (size_t at = 0; at < size;) {
        unsigned avail = size - at < INSN_MAX ? (unsigned)(size - at) : INSN_MAX;
        struct comparison c;
        compare_bytes(z, code + at, avail, &c);
        count(&t, z, code + at, avail, &c);
        at += c.length ? c.length : 1;
    }
    print_totals(name, &t);
    zydis_close(z);
    free(code);
    return !t.different;
}

/* Prefixes and 0F are a hundredth of all bytes; half of the strings shall begin with them. */
static void
random_bytes(uint64_t *state, uint8_t bytes[INSN_MAX])
{
    static const uint8_t often[] = {0x66, 0x67, 0xf2, 0xf3, 0xf0, 0x2e, 0x64, 0x65, 0x36, 0x26,
                                    0x3e, 0x48, 0x41, 0x44, 0x0f, 0x0f, 0x0f, 0x0f, 0x0f, 0x0f};
    unsigned first = 0;

    for (unsigned i = 0; i < INSN_MAX; i++)
        bytes[i] = (uint8_t)(random_next(state) >> 33);
    while (first < 4 && random_next(state) >> 63)
        bytes[first++] = often[(random_next(state) >> 33) % sizeof(often)];
}

static bool
compare_random(unsigned code_size, uint64_t seed, uint64_t n, unsigned reports)
{
    struct totals t = {.reports = reports};
    struct zydis *z = zydis_open(code_size);
    uint64_t state = seed * 0x9e3779b97f4a7c15 + code_size;
    uint8_t bytes[INSN_MAX];
    struct comparison c;
    char name[40];

    for (uint64_t i = 0; i < n; i++) {
        random_bytes(&state, bytes);
        compare_bytes(z, bytes, INSN_MAX, &c);
        count(&t, z, bytes, INSN_MAX, &c);
    }
    snprintf(name, sizeof(name), "random, %u-bit", code_size * 8);
    print_totals(name, &t);
    zydis_close(z);
    return !t.different;
}

int
main(int argc, char **argv)
{
    uint64_t random = 0, seed = 1;
    unsigned reports = 10;
    bool good = true, did = false;

    for (int i = 1; i < argc; i++) {
        bool more = i + 1 < argc;
        if (!strcmp(argv[i], "--random") && more) {
            random = strtoull(argv[++i], NULL, 0);
        } else if (!strcmp(argv[i], "--seed") && more) {
            seed = strtoull(argv[++i], NULL, 0);
        } else if (!strcmp(argv[i], "--reports") && more) {
            reports = (unsigned)strtoul(argv[++i], NULL, 0);
        } else if (argv[i][0] != '-') {
            good &= compare_file(argv[i], reports);
            did = true;
        } else {
            fprintf(stderr, "usage: diff_decode [--random N] [--seed N] [--reports N] FILE...\n");
            return 1;
        }
    }
    for (unsigned code_size = 2; random && code_size <= 8; code_size *= 2) {
        good &= compare_random(code_size, seed, random, reports);
        did = true;
    }
    return !good || !did;
}
