/* strategies.h - every strategy's table of functions, for table.c. */
#ifndef HV_STRATEGY_STRATEGIES_H
#define HV_STRATEGY_STRATEGIES_H

struct strategy_ops;

extern const struct strategy_ops strategy_hardware;
extern const struct strategy_ops strategy_trap;
extern const struct strategy_ops strategy_paravirt;
extern const struct strategy_ops strategy_ski;

#endif
