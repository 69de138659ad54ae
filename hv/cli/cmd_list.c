/*
 * cmd_list.c - `hv list`: guests, apps, engines, strategies, devices and loaders, a line each.
 *
 * Everything but the guests is printed from the tables that the program itself uses.
 */
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/guestdir.h"
#include "device/device.h"
#include "engine/engine.h"
#include "loader/loader.h"
#include "strategy/strategy.h"

static void
line(const char *name, const char *text)
{
    printf("  %-12s ", name);
    print_folded(stdout, PRINT_WIDTH, 15, text);
}

/* guests.txt: "name | text" a line; '#' begins a comment. */
static void
list_guests(void)
{
    char folder[PATH_MAX], path[PATH_MAX + 16], *text = NULL;
    size_t room = 0;
    FILE *file = NULL;

    if (guestdir_find(folder, sizeof(folder))) {
        snprintf(path, sizeof(path), "%s/guests.txt", folder);
        file = fopen(path, "re");
    }
    if (!file)
        puts("  none found: build them with 'make guests', or set HV_GUESTS to their folder");
    while (file && getline(&text, &room, file) > 0) {
        char *bar = strchr(text, '|');
        if (text[0] == '#' || !bar)
            continue;
        text[strcspn(text, " |")] = 0;
        bar[strcspn(bar, "\n")] = 0;
        line(text, bar + 1 + strspn(bar + 1, " "));
    }
    free(text);
    if (file)
        fclose(file);
}

static int
is_program(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

/* The folder has nothing else. One line: each is told about where it is used. */
static void
list_apps(void)
{
    char folder[PATH_MAX], path[PATH_MAX + 16];
    struct dirent **names = NULL;
    int count = -1;

    if (guestdir_find(folder, sizeof(folder))) {
        snprintf(path, sizeof(path), "%s/apps", folder);
        count = scandir(path, &names, is_program, alphasort);
    }
    if (count <= 0)
        puts("  none found: build them with 'make guests', or set HV_GUESTS to their folder");
    for (int i = 0; i < count; i++) {
        printf("%s%s%s", i % 12 ? " " : "  ", names[i]->d_name,
               i % 12 == 11 || i == count - 1 ? "\n" : "");
        free(names[i]);
    }
    free(names);
}

static void
list_engines(void)
{
    for (const struct engine_ops *const *e = engine_table; *e; e++) {
        struct error err;
        line((*e)->name, (*e)->summary);
        if ((*e)->probe && (*e)->probe(&err)) {
            printf("  %-12s not here: ", "");
            print_folded(stdout, PRINT_WIDTH, 25, err.message);
        }
    }
}

static void
list_strategies(void)
{
    for (const struct strategy_ops *const *s = strategy_table; *s; s++)
        line((*s)->name, (*s)->summary);
}

static void
list_devices(void)
{
    for (const struct device_ops *const *d = device_table; *d; d++)
        line((*d)->name, (*d)->summary);
}

static void
list_loaders(void)
{
    for (const struct loader_ops *const *l = loader_table; *l; l++)
        line((*l)->name, (*l)->summary);
}

static const struct {
    const char *name;
    void (*list)(void);
} kinds[] = {
    {"guests", list_guests},         {"apps", list_apps},       {"engines", list_engines},
    {"strategies", list_strategies}, {"devices", list_devices}, {"loaders", list_loaders},
};

static int
run_list(const struct args *args)
{
    bool found = false;

    for (unsigned i = 0; i < ARRAY_SIZE(kinds); i++) {
        if (args->words && strcmp(args->word[0], kinds[i].name))
            continue;
        if (!args->words)
            printf("%s%s:\n", i ? "\n" : "", kinds[i].name);
        kinds[i].list();
        found = true;
    }
    if (!found)
        return cli_error(STATUS_USER,
                         "there is no list of '%s': guests, apps, engines, strategies, "
                         "devices and loaders can be listed",
                         args->word[0]);
    return STATUS_OK;
}

const struct command command_list = {
    .name = "list",
    .words = "[KIND]",
    .max = 1,
    .summary = "List guests, apps, engines, strategies, devices and loaders.",
    .text = "One line each. KIND is guests, apps (programs: minios runs them, and strategy ski),\n"
            "engines, strategies, devices or loaders; without it, all are listed.\n",
    .run = run_list,
};
