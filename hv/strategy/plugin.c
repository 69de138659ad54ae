/*
 * plugin.c - a strategy from a shared object: `hv run --strategy ./mine.so`.
 *
 * The file defines one symbol, hv_strategy. Its first word is the version of the interface that it
 * was built for, so that is looked at before anything else. A plug-in is our own program's code as
 * soon as it is loaded: what is checked here are mistakes, not malice.
 *
 * Called by cli/launch.c. docs/PLUGINS.md shows how one is built; docs/strategy-template.c is one.
 */
#include <assert.h>
#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/vm.h"
#include "engine/engine.h"
#include "isa/x86/cpu.h"
#include "strategy/strategy.h"

#define SYMBOL "hv_strategy"

/*
 * What STRATEGY_ABI 2 promises: where the members lie that a plug-in uses. If one of these fails,
 * plug-ins that exist would read something else: make STRATEGY_ABI one more, then mend the line.
 */
#define PROMISE(what, is)                                                                          \
    static_assert((what) == (is) && STRATEGY_ABI == 2, "the interface changed: see STRATEGY_ABI")
PROMISE(offsetof(struct strategy_ops, abi), 0);
PROMISE(offsetof(struct strategy_ops, describe), 0x58);
PROMISE(offsetof(struct strategy_ops, refine), 0x60);
PROMISE(offsetof(struct strategy_ops, restored), 0x88);
PROMISE(sizeof(struct strategy_ops), 0x90);
PROMISE(offsetof(struct vcpu, strategy_state), 0x18);
PROMISE(offsetof(struct vcpu, exit), 0x20);
PROMISE(offsetof(struct vm_exit, access), 0x18);
PROMISE(sizeof(struct vm_exit), 0x50);
PROMISE(offsetof(struct run_result, message), 0x08);

bool
strategy_is_path(const char *word)
{
    size_t length = strlen(word);

    return strchr(word, '/') || (length > 3 && !strcmp(word + length - 3, ".so"));
}

/* dlopen() looks for a name without a slash among the system's libraries: ours is a file. */
static void *
open_file(const char *path, struct error *err)
{
    char *file;
    void *handle;

    if (asprintf(&file, "%s%s", strchr(path, '/') ? "" : "./", path) < 0) {
        error_set(err, ENOMEM, "no memory to load '%s'", path);
        return NULL;
    }
    handle = dlopen(file, RTLD_NOW | RTLD_LOCAL);
    if (!handle) {
        /* "FILE: reason"; what is missing in hv is worth a hint. */
        const char *why = dlerror();
        size_t length = strlen(file);
        if (!strncmp(why, file, length) && why[length] == ':')
            why += length + 1 + strspn(why + length + 1, " ");
        error_set(err, EINVAL, "strategy '%s' cannot be loaded: %s%s", path, why,
                  strstr(why, "undefined symbol")
                      ? "; docs/PLUGINS.md lists what hv lends to a plug-in"
                      : "");
    }
    free(file);
    return handle;
}

/* hv_strategy is data, and at least `size` bytes of it are in the file. */
static bool
is_data(const void *symbol, size_t size)
{
    const ElfW(Sym) *entry = NULL;
    Dl_info info;

    return dladdr1(symbol, &info, (void **)&entry, RTLD_DL_SYMENT) && entry &&
           info.dli_saddr == symbol && ELF64_ST_TYPE(entry->st_info) == STT_OBJECT &&
           entry->st_size >= size;
}

static int
check(const struct strategy_ops *ops, const char *path, struct error *err)
{
    uint32_t known = 0;
    const char *missing = NULL;

    if (!is_data(ops, sizeof(ops->abi)))
        return error_set(err, EINVAL,
                         "strategy '%s': its symbol " SYMBOL " is not a struct strategy_ops", path);
    if (ops->abi != STRATEGY_ABI)
        return error_set(err, EINVAL,
                         "strategy '%s' was built for version %u of the strategy interface, and "
                         "this hv has version %u: build it again with this hv's headers",
                         path, ops->abi, STRATEGY_ABI);
    if (!is_data(ops, sizeof(*ops)))
        return error_set(err, EINVAL,
                         "strategy '%s': its " SYMBOL " is shorter than this hv's struct "
                         "strategy_ops: build it again with this hv's headers",
                         path);
    if (!ops->on_exit)
        missing = "on_exit";
    if (!ops->attach)
        missing = "attach";
    if (!ops->summary)
        missing = "summary";
    if (!ops->name || !ops->name[0])
        missing = "name";
    if (missing)
        return error_set(err, EINVAL, "strategy '%s': its " SYMBOL " has no member '%s'", path,
                         missing);
    if (!ops->can_inject != !ops->inject)
        return error_set(err, EINVAL,
                         "strategy '%s': can_inject and inject belong together: give both or none",
                         path);
    for (unsigned i = 0; i < engine_cap_count; i++)
        known |= engine_caps[i].bit;
    if (ops->needs & ~known)
        return error_set(err, EINVAL,
                         "strategy '%s' needs capabilities 0x%x that no engine can have: its "
                         "'needs' takes CAP_* of engine/engine.h",
                         path, ops->needs & ~known);
    return 0;
}

const struct strategy_ops *
strategy_load(const char *path, struct error *err)
{
    void *handle = open_file(path, err);
    const struct strategy_ops *ops;

    if (!handle)
        return NULL;
    ops = dlsym(handle, SYMBOL);
    if (!ops)
        error_set(err, EINVAL,
                  "strategy '%s' does not define the symbol " SYMBOL
                  ": a plug-in has one 'const struct strategy_ops " SYMBOL "'",
                  path);
    if (!ops || check(ops, path, err)) {
        dlclose(handle);
        return NULL;
    }
    return ops;
}
