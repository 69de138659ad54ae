/* engines.h - every engine's table of functions, for table.c. */
#ifndef HV_ENGINE_ENGINES_H
#define HV_ENGINE_ENGINES_H

struct engine_ops;

extern const struct engine_ops engine_host;
extern const struct engine_ops engine_kvm;
extern const struct engine_ops engine_soft;

#endif
