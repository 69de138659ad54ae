/* table.c - the strategies there are, and which engine can carry one. Next: hardware.c. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "engine/engine.h"
#include "strategy/strategies.h"
#include "strategy/strategy.h"

const struct strategy_ops *const strategy_table[] = {
    &strategy_hardware, &strategy_trap, &strategy_paravirt, &strategy_ski, NULL,
};

const struct strategy_ops *
strategy_find(const char *name)
{
    for (unsigned i = 0; strategy_table[i]; i++)
        if (!strcmp(strategy_table[i]->name, name))
            return strategy_table[i];
    return NULL;
}

/* An engine that has it all, or NULL. */
static const struct engine_ops *
engine_for(uint32_t needs)
{
    for (unsigned i = 0; engine_table[i]; i++)
        if ((needs & ~engine_table[i]->caps) == 0)
            return engine_table[i];
    return NULL;
}

int
strategy_check(const struct strategy_ops *strategy, const struct engine_ops *engine,
               struct error *err)
{
    uint32_t missing = strategy->needs & ~engine->caps;
    const struct engine_ops *other = engine_for(strategy->needs);

    for (unsigned i = 0; missing && i < engine_cap_count; i++)
        if (missing & engine_caps[i].bit)
            return error_set(err, ENOTSUP,
                             "strategy %s needs an engine that has '%s' (%s), and engine %s does "
                             "not: %s%s",
                             strategy->name, engine_caps[i].name, engine_caps[i].text, engine->name,
                             other ? "use --engine " : "no engine has it yet",
                             other ? other->name : "");
    return 0;
}
