/*
 * table.c - all loaders, the most particular format first, and the choice among them.
 *
 * Called by hv/cli when it builds the machine, and by `hv list`. Next: boot.c, then elf.c.
 */
#include <errno.h>
#include <string.h>

#include "loader/formats.h"

/* The order matters: a bzImage is also a boot sector, a Multiboot kernel is often also an ELF
 * file, and anything at all is a flat image. */
const struct loader_ops *const loader_table[] = {
    &loader_rom,  &loader_linux, &loader_multiboot, &loader_elf, &loader_bootsector,
    &loader_flat, NULL,
};

const struct loader_ops *
loader_find(const struct guest_image *image, const char *name, struct error *err)
{
    if (!image->size) {
        error_set(err, EINVAL, "%s is empty: there is nothing to run", image->path);
        return NULL;
    }
    for (const struct loader_ops *const *l = loader_table; *l; l++)
        if (name ? !strcmp((*l)->name, name) : (*l)->probe(image))
            return *l;
    /* Only a wrong name leads here: flat takes every file. */
    error_set(err, EINVAL, "there is no loader '%s': `hv list` shows their names", name);
    return NULL;
}
