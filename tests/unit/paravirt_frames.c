/*
 * paravirt_frames.c - tests of hv/strategy/paravirt/frames.c: a guest that owns its page tables
 * cannot make them say anything forbidden. docs/HYPERCALLS.md, "Page tables".
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/ram.h"
#include "guests/include/hypercall.h"
#include "tests/random.h"
#include "tests/unit/paravirt_model.h"
#include "tests/unit/suites.h"

#define ROOT_ENTRY UINT64_C(0xd0014003) /* any: it leads outside RAM, as the real one does */
#define P          ENTRY_P
#define W          ENTRY_W
#define U          ENTRY_U
#define FRAME(n)   ((uint64_t)(n)*PAGE_SIZE)

static struct ram ram;
static struct frames frames;

static void
begin(void)
{
    CU_ASSERT_EQUAL_FATAL(ram_create(&ram, RAM_MIN, NULL), 0);
    CU_ASSERT_EQUAL_FATAL(frames_open(&frames, &ram, ROOT_ENTRY, NULL), 0);
}

static void
end(void)
{
    frames_close(&frames);
    ram_destroy(&ram);
}

static void
store(unsigned frame, unsigned slot, uint64_t entry)
{
    memcpy(ram.host + FRAME(frame) + 8 * slot, &entry, 8);
}

static uint64_t
load(unsigned frame, unsigned slot)
{
    uint64_t entry;

    memcpy(&entry, ram.host + FRAME(frame) + 8 * slot, 8);
    return entry;
}

static bool
is(unsigned frame, enum frame_type type, unsigned uses)
{
    return frames.frame[frame].type == type && frames.frame[frame].uses == uses;
}

/* Frames 4, 3, 2, 1 as tables of these levels, and 10 mapped with W, 11 without. */
static void
make_tree(void)
{
    store(4, 0, FRAME(3) | P | W | U);
    store(3, 0, FRAME(2) | P | W | U);
    store(2, 0, FRAME(1) | P | W | U);
    store(1, 0, FRAME(10) | P | W | U);
    store(1, 1, FRAME(11) | P | U);
}

static void
test_tree(void)
{
    begin();
    make_tree();
    CU_ASSERT_EQUAL(frames_get(&frames, FRAME(4), TABLE_4), 0);
    CU_ASSERT(is(4, TABLE_4, 1) && is(3, TABLE_3, 1) && is(2, TABLE_2, 1) && is(1, TABLE_1, 1));
    CU_ASSERT(is(10, FRAME_WRITABLE, 1) && is(11, FRAME_NONE, 0));
    CU_ASSERT_EQUAL(load(4, HC_RESERVED_SLOT), ROOT_ENTRY);

    /* A second use checks nothing again; only the last put gives back what is below. */
    CU_ASSERT_EQUAL(frames_get(&frames, FRAME(4), TABLE_4), 0);
    CU_ASSERT(is(4, TABLE_4, 2) && is(3, TABLE_3, 1));
    frames_put(&frames, FRAME(4));
    CU_ASSERT(is(3, TABLE_3, 1));
    frames_put(&frames, FRAME(4));
    for (unsigned f = 0; f < 16; f++)
        CU_ASSERT(is(f, FRAME_NONE, 0));
    CU_ASSERT_EQUAL(load(4, HC_RESERVED_SLOT), 0);
    end();
}

/* Each way in which a tree is not sound, with its error; and it leaves no trace. */
static void
test_refused_trees(void)
{
    static const struct {
        unsigned frame, slot;
        uint64_t entry;
        int rc;
    } cases[] = {
        {1, 5, FRAME(256) | P, -EPERM},           /* the first frame behind RAM, read-only */
        {1, 5, FRAME(256) | P | W, -EPERM},       /* ... */
        {1, 5, 0xd0000000 | P, -EPERM},           /* the VMM's memory */
        {1, 5, ENTRY_ADDRESS | P, -EPERM},        /* the last address there is */
        {1, 5, FRAME(1) | P | W, -EPERM},         /* a table writable: this one, */
        {1, 5, FRAME(4) | P | W, -EPERM},         /* the one above */
        {1, 5, FRAME(12) | P | 0x80, -EINVAL},    /* PAT */
        {2, 5, FRAME(0) | P | W | 0x80, -EINVAL}, /* a large page */
        {3, 5, FRAME(0) | P | W | 0x80, -EINVAL}, /* 1 GiB */
        {1, 5, FRAME(12) | P | 0x10, -EINVAL},    /* PCD */
        {1, 5, FRAME(12) | P | 0x08, -EINVAL},    /* PWT */
        {2, 5, FRAME(10) | P, -EBUSY},            /* a page that is writable elsewhere */
        {2, 5, FRAME(2) | P, -EBUSY},             /* a table that leads to itself */
        {3, 5, FRAME(4) | P, -EBUSY},             /* ... round about */
        {4, 5, FRAME(1) | P, -EBUSY},             /* a table of another level */
        {4, 5, FRAME(4) | P, -EBUSY},             /* as Linux' recursive maps have it */
        {4, HC_RESERVED_SLOT, P, -EPERM},         /* the VMM's slot */
        {4, HC_RESERVED_SLOT, 2, -EPERM},         /* ... even if not present */
        {4, 511, FRAME(300) | P, -EPERM},         /* a table outside RAM */
    };

    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        begin();
        make_tree();
        store(cases[i].frame, cases[i].slot, cases[i].entry);
        CU_ASSERT_EQUAL(frames_get(&frames, FRAME(4), TABLE_4), cases[i].rc);
        for (unsigned f = 0; f < frames.count; f++)
            CU_ASSERT(is(f, FRAME_NONE, 0));
        CU_ASSERT_EQUAL(load(cases[i].frame, cases[i].slot), cases[i].entry);
        /* The same entry by an update, when the rest is in use. */
        store(cases[i].frame, cases[i].slot, 0);
        CU_ASSERT_EQUAL(frames_get(&frames, FRAME(4), TABLE_4), 0);
        CU_ASSERT_EQUAL(
            frames_update(&frames, FRAME(cases[i].frame) + 8 * cases[i].slot, cases[i].entry),
            cases[i].rc);
        CU_ASSERT_EQUAL(load(cases[i].frame, cases[i].slot),
                        cases[i].slot == HC_RESERVED_SLOT ? ROOT_ENTRY : 0);
        CU_ASSERT(is(10, FRAME_WRITABLE, 1) && is(4, TABLE_4, 1) && is(2, TABLE_2, 1));
        end();
    }
}

static void
test_arguments(void)
{
    begin();
    CU_ASSERT_EQUAL(frames_get(&frames, 1, FRAME_WRITABLE), -EINVAL);
    CU_ASSERT_EQUAL(frames_get(&frames, FRAME(256), FRAME_WRITABLE), -EPERM);
    CU_ASSERT_EQUAL(frames_get(&frames, UINT64_MAX - 4095, TABLE_1), -EPERM);
    CU_ASSERT_EQUAL(frames_pin(&frames, FRAME(5), 0), -EINVAL);
    CU_ASSERT_EQUAL(frames_pin(&frames, FRAME(5), 5), -EINVAL); /* FRAME_WRITABLE is no level */
    CU_ASSERT_EQUAL(frames_pin(&frames, FRAME(5), UINT64_MAX), -EINVAL);
    CU_ASSERT_EQUAL(frames_pin(&frames, FRAME(256), 1), -EPERM);
    CU_ASSERT_EQUAL(frames_pin(&frames, 8, 1), -EINVAL);
    CU_ASSERT_EQUAL(frames_unpin(&frames, FRAME(5)), -EINVAL);
    CU_ASSERT_EQUAL(frames_unpin(&frames, FRAME(256)), -EPERM);
    CU_ASSERT_EQUAL(frames_unpin(&frames, 1), -EINVAL);
    CU_ASSERT_EQUAL(frames_update(&frames, 4, 0), -EINVAL);
    CU_ASSERT_EQUAL(frames_update(&frames, FRAME(256), 0), -EPERM);
    CU_ASSERT_EQUAL(frames_update(&frames, UINT64_MAX - 7, 0), -EPERM);

    CU_ASSERT_EQUAL(frames_pin(&frames, FRAME(5), 3), 0);
    CU_ASSERT_EQUAL(frames_pin(&frames, FRAME(5), 3), -EBUSY);
    CU_ASSERT_EQUAL(frames_get(&frames, FRAME(5), FRAME_WRITABLE), -EBUSY);
    CU_ASSERT_EQUAL(frames_unpin(&frames, FRAME(5)), 0);
    CU_ASSERT_EQUAL(frames_get(&frames, FRAME(5), FRAME_WRITABLE), 0);
    CU_ASSERT_EQUAL(frames_pin(&frames, FRAME(5), 3), -EBUSY);
    end();
}

static void
test_update(void)
{
    begin();
    make_tree();
    CU_ASSERT_EQUAL(frames_get(&frames, FRAME(4), TABLE_4), 0);

    /* No table: a plain write, whatever it is. */
    CU_ASSERT_EQUAL(frames_update(&frames, FRAME(20), UINT64_MAX), 0);
    CU_ASSERT_EQUAL(frames_update(&frames, FRAME(10) + 8, UINT64_MAX), 0);
    CU_ASSERT_EQUAL(load(20, 0), UINT64_MAX);
    CU_ASSERT(is(20, FRAME_NONE, 0) && !frames.stale);
    store(20, 0, 0);

    /* Filling an empty slot needs no look at the TLB, changing a present one does. */
    CU_ASSERT_EQUAL(frames_update(&frames, FRAME(1) + 16, FRAME(12) | P | W), 0);
    CU_ASSERT(is(12, FRAME_WRITABLE, 1) && !frames.stale);
    CU_ASSERT_EQUAL(frames_update(&frames, FRAME(1) + 16, FRAME(13) | P | W), 0);
    CU_ASSERT(is(12, FRAME_NONE, 0) && is(13, FRAME_WRITABLE, 1) && frames.stale);
    CU_ASSERT_EQUAL(frames_update(&frames, FRAME(1) + 16, FRAME(13) | P), 0);
    CU_ASSERT(is(13, FRAME_NONE, 0));

    /* A page becomes a table: only after it is read-only everywhere. */
    CU_ASSERT_EQUAL(frames_update(&frames, FRAME(2) + 8, FRAME(10) | P | W), -EBUSY);
    CU_ASSERT_EQUAL(frames_update(&frames, FRAME(1), FRAME(10) | P), 0);
    store(10, 1, 0);
    CU_ASSERT_EQUAL(frames_update(&frames, FRAME(2) + 8, FRAME(10) | P | W), 0);
    CU_ASSERT(is(10, TABLE_1, 1));
    CU_ASSERT_EQUAL(frames_update(&frames, FRAME(1), FRAME(10) | P | W), -EPERM);
    /* ... and is none any more. */
    CU_ASSERT_EQUAL(frames_update(&frames, FRAME(2) + 8, 0), 0);
    CU_ASSERT_EQUAL(frames_update(&frames, FRAME(1), FRAME(10) | P | W), 0);
    CU_ASSERT(is(10, FRAME_WRITABLE, 1));

    /* One more entry to a table that is there is one more use; what is not present uses nothing. */
    CU_ASSERT_EQUAL(frames_update(&frames, FRAME(2) + 24, FRAME(1) | P), 0);
    CU_ASSERT(is(1, TABLE_1, 2));
    CU_ASSERT_EQUAL(frames_update(&frames, FRAME(2) + 24, FRAME(300) | W | 0x98), 0);
    CU_ASSERT(is(1, TABLE_1, 1));
    end();
}

/* --- chance against the model --------------------------------------------------------------------- */

#define CANDIDATES 25u /* frames 15 to 39 */

static struct demand demands[64];
static unsigned demand_count;
static unsigned accepted, refused;

static uint64_t random_state;

static uint64_t
pick(unsigned n)
{
    return random_below(&random_state, n);
}

/* What a frame mostly is, so that trees of four levels come to be by chance: 1 to 4, 5 a page. */
static unsigned
role(uint64_t address)
{
    return (unsigned)(address / PAGE_SIZE % 5) + 1;
}

static uint64_t
random_frame(void)
{
    return FRAME(pick(50) ? 15 + pick(CANDIDATES) : 250 + pick(12));
}

/* An entry for a table of that role: three of four lead to the role below. */
static uint64_t
random_entry(unsigned of)
{
    uint64_t to = random_frame();

    if (pick(4))
        to = FRAME(15 + 5 * pick(5) + (of + 3) % 5);
    to |= (pick(8) ? P : 0) | (pick(2) ? W : 0) | (pick(2) ? U : 0);
    return pick(40) ? to : to | UINT64_C(1) << pick(64);
}

static bool
judge(int rc, bool allowed)
{
    accepted += rc == 0;
    refused += rc != 0;
    return (rc == 0) == allowed;
}

static bool
random_update(struct model *m)
{
    static const unsigned slots[] = {0, 1, 2, 3, HC_RESERVED_SLOT, 511};
    uint64_t at = random_frame(), value = pick(3) ? random_entry(role(at)) : 0;
    unsigned slot = slots[pick(6)], level;
    bool allowed = at < ram.size;

    if (allowed && (level = frames.frame[at / PAGE_SIZE].type) >= 1 && level <= 4)
        allowed = !(level == 4 && slot == HC_RESERVED_SLOT) && model_allows_entry(m, level, value);
    return judge(frames_update(&frames, at + 8 * slot, value), allowed);
}

static bool
random_demand(struct model *m)
{
    uint64_t at = random_frame();
    unsigned type = pick(4) ? role(at) : 1 + (unsigned)pick(5);
    bool allowed = model_allows(m, at, type);

    if (demand_count == sizeof(demands) / sizeof(demands[0]))
        return true;
    int rc = frames_get(&frames, at, (enum frame_type)type);
    if (!rc)
        demands[demand_count++] = (struct demand){at, type};
    return judge(rc, allowed);
}

static bool
drop_demand(void)
{
    if (!demand_count)
        return true;
    unsigned i = (unsigned)pick(demand_count);
    frames_put(&frames, demands[i].address);
    demands[i] = demands[--demand_count];
    return true;
}

/* 20,000 steps: each verdict is the model's, and so are all types and counts after it. */
static void
test_random(void)
{
    static struct model model;
    unsigned wrong = 0, kinds[TABLE_4 + 2] = {0};

    begin();
    random_state = 3;
    demand_count = accepted = refused = 0;
    for (unsigned step = 0; step < 20000; step++) {
        bool good;
        model_build(&model, &frames, demands, demand_count);
        if (!model_agrees(&model)) {
            wrong++;
            break;
        }
        for (unsigned f = 15; f < 40; f++)
            kinds[frames.frame[f].type]++;
        switch (pick(8)) {
        case 0: good = random_demand(&model); break;
        case 1: good = pick(2) ? drop_demand() : true; break;
        default: good = random_update(&model); break;
        }
        wrong += !good;
    }
    CU_ASSERT_EQUAL(wrong, 0);
    CU_ASSERT(accepted > 2000 && refused > 1500);
    for (unsigned type = 0; type < TABLE_4 + 2; type++)
        CU_ASSERT(kinds[type] > 1000);
    while (demand_count)
        drop_demand();
    for (unsigned f = 0; f < frames.count; f++)
        CU_ASSERT(is(f, FRAME_NONE, 0));
    end();
}

static const struct unit_test tests[] = {
    {"a tree of tables is counted", test_tree},
    {"what is refused, and with which error", test_refused_trees},
    {"arguments of a hostile guest", test_arguments},
    {"updates", test_update},
    {"20,000 random steps against a model", test_random},
    {NULL, NULL},
};
const struct unit_suite suite_paravirt_frames = {"paravirt_frames", tests};
