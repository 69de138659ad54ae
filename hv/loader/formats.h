/* formats.h - the loaders, one file each; only table.c needs them by name. */
#ifndef HV_LOADER_FORMATS_H
#define HV_LOADER_FORMATS_H

#include "loader/loader.h"

extern const struct loader_ops loader_rom;        /* rom.c */
extern const struct loader_ops loader_linux;      /* linux.c */
extern const struct loader_ops loader_multiboot;  /* multiboot.c */
extern const struct loader_ops loader_elf;        /* elf.c */
extern const struct loader_ops loader_bootsector; /* bootsector.c */
extern const struct loader_ops loader_flat;       /* flat.c */

#endif
