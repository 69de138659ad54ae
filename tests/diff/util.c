/* util.c - random numbers, the hash of the data pages, where a case's addresses begin, the LDT. */
#include "tests/diff/diff.h"
#include "tests/random.h"

#include <string.h>

/* splitmix64: spreads a seed, so that neighbouring seeds have nothing in common. */
static uint64_t
spread(uint64_t x)
{
    x += 0x9e3779b97f4a7c15;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
    x = (x ^ x >> 27) * 0x94d049bb133111eb;
    return x ^ x >> 31;
}

void
rng_seed(struct diff_rng *rng, uint64_t seed, uint64_t stream)
{
    rng->state = spread(spread(seed) ^ stream) | 1;
}

uint64_t
rng_next(struct diff_rng *rng)
{
    return random_next(&rng->state);
}

uint32_t
rng_below(struct diff_rng *rng, uint32_t n)
{
    return (uint32_t)((rng_next(rng) >> 32) * n >> 32);
}

bool
rng_one_in(struct diff_rng *rng, uint32_t n)
{
    return rng_below(rng, n) == 0;
}

/* Four lanes, so that the multiplications overlap: it runs after every case. */
uint64_t
diff_hash(const uint8_t *bytes, size_t size)
{
    uint64_t lane[4] = {1, 2, 3, 4}, word[4];

    for (size_t i = 0; i + sizeof(word) <= size; i += sizeof(word)) {
        memcpy(word, bytes + i, sizeof(word));
        for (unsigned k = 0; k < 4; k++)
            lane[k] = (lane[k] ^ word[k]) * 0x9e3779b97f4a7c15;
    }
    return spread(lane[0]) ^ spread(lane[1] + 1) ^ spread(lane[2] + 2) ^ spread(lane[3] + 3);
}

uint64_t
diff_code_base(const struct diff_case *c)
{
    return c->segmented ? 0 : DIFF_CODE + (c->high ? DIFF_HIGH : 0);
}

uint64_t
diff_data_base(const struct diff_case *c)
{
    return c->segmented ? 0 : DIFF_DATA + (c->high ? DIFF_HIGH : 0);
}

/* --- the LDT that both sides have ------------------------------------------------------------------- */

#define ATTR_DATA (SEG_S | SEG_P | SEG_DPL | SEG_WRITABLE | SEG_ACCESSED)
#define ATTR_CODE (SEG_S | SEG_P | SEG_DPL | SEG_CODE | SEG_READABLE | SEG_ACCESSED)

/* The accessed bit is set, as Linux sets it: loading a selector writes no memory. */
const struct diff_segment diff_ldt[DIFF_LDT_COUNT] = {
    [LDT_CODE16] = {DIFF_CODE, DIFF_CODE_SIZE - 1, ATTR_CODE},
    [LDT_CODE32] = {DIFF_CODE, DIFF_CODE_SIZE - 1, ATTR_CODE | SEG_DB},
    [LDT_DATA16] = {DIFF_DATA, DIFF_DATA_SIZE - 1, ATTR_DATA},
    [LDT_DATA32] = {DIFF_DATA, DIFF_DATA_SIZE - 1, ATTR_DATA | SEG_DB},
    [LDT_READONLY] = {DIFF_DATA, DIFF_DATA_SIZE - 1, (ATTR_DATA & ~SEG_WRITABLE) | SEG_AVL},
    [LDT_DOWN] = {DIFF_DATA, 0xfff, ATTR_DATA | SEG_EXPAND},
    [LDT_EXECUTE] = {DIFF_CODE, DIFF_CODE_SIZE - 1, ATTR_CODE & ~SEG_READABLE},
    [LDT_ABSENT] = {DIFF_DATA, DIFF_DATA_SIZE - 1, ATTR_DATA & ~SEG_P},
    [LDT_SMALL] = {DIFF_DATA, 0x100, ATTR_DATA},
};
