/*
 * paravirt_model.h - what the types and counts of frames (strategy/paravirt/frames.h) must be,
 * worked out anew from memory each time: the second opinion for tests and for fuzz/hypercalls.c.
 */
#ifndef TESTS_UNIT_PARAVIRT_MODEL_H
#define TESTS_UNIT_PARAVIRT_MODEL_H

#include "strategy/paravirt/frames.h"

#define MODEL_FRAMES 1024 /* at most: 4 MiB of RAM */

/* A use that is no entry of a table: a pin, the root in use, the shared page, a test's own get. */
struct demand {
    uint64_t address;
    unsigned type; /* enum frame_type */
};

struct model {
    const struct frames *frames;
    bool legal; /* no frame is wanted as two things, no entry is forbidden */
    uint32_t uses[MODEL_FRAMES];
    uint8_t type[MODEL_FRAMES];
    uint64_t looked; /* entries */
};

/* From these demands and what memory holds now. */
void model_build(struct model *model, const struct frames *frames, const struct demand *demands,
                 unsigned count);
/* One more demand: would it be legal? */
bool model_allows(struct model *model, uint64_t address, unsigned type);
/* ... and one more entry in a table of that level? */
bool model_allows_entry(struct model *model, unsigned level, uint64_t entry);
/* Are the frames as the model says? */
bool model_agrees(const struct model *model);

#endif
