/*
 * commands_info.c - the table of `info`.
 *
 * Called through the table of commands. Next: info.h.
 */
#include "debugger/command.h"
#include "debugger/display.h"
#include "debugger/stops.h"
#include "debugger/info.h"
#include "debugger/source.h"

/* clang-format off */
static const struct debug_command subcommands[] = {
    {"registers", "reg", NULL, "[NAME]...", "The general registers, or those named",
     "A group is a name, too: general, segment, control, debug, msr. '*' marks what has\n"
     "changed since the stop before.",
     "info registers rax cs control", COMPLETE_EXPRESSION, 0, NULL, info_registers},
    {"sregs", NULL, NULL, "", "Segment and control registers, decoded",
     NULL, "info sregs", COMPLETE_NOTHING, 0, NULL, info_sregs},
    {"msr", NULL, NULL, "", "Model-specific registers by name",
     NULL, "info msr", COMPLETE_NOTHING, 0, NULL, info_msr},
    {"cpuid", NULL, NULL, "", "What the guest is told about its processor",
     NULL, "info cpuid", COMPLETE_NOTHING, 0, NULL, info_cpuid},
    {"exits", NULL, NULL, "", "Exits so far, by reason: how many, how long",
     NULL, "info exits", COMPLETE_NOTHING, 0, NULL, info_exits},
    {"exit", NULL, NULL, "[N]", "One exit: what the VMM called, and what it cost",
     NULL, "info exit 17", COMPLETE_EXPRESSION, 0, NULL, info_exit},
    {"trace", NULL, NULL, "", "The recording so far",
     NULL, "info trace", COMPLETE_NOTHING, 0, NULL, info_trace},
    {"mem", NULL, NULL, "", "The map of physical memory: RAM, ROM, devices, the VMM's own",
     NULL, "info mem", COMPLETE_NOTHING, 0, NULL, info_mem},
    {"walk", NULL, NULL, "ADDRESS", "The page walk of an address, level by level",
     "Where the processor does not use the guest's own tables (trap, paravirt), its walk\n"
     "stands beside the guest's.",
     "info walk $rsp", COMPLETE_EXPRESSION, 0, NULL, info_walk},
    {"tlb", NULL, NULL, "", "The translations that engine soft holds",
     NULL, "info tlb", COMPLETE_NOTHING, 0, NULL, info_tlb},
    {"gdt", NULL, NULL, "", "The guest's GDT (and LDT), decoded, errors marked",
     NULL, "info gdt", COMPLETE_NOTHING, 0, NULL, info_gdt},
    {"idt", NULL, NULL, "", "The guest's IDT, decoded, errors marked",
     NULL, "info idt", COMPLETE_NOTHING, 0, NULL, info_idt},
    {"devices", NULL, NULL, "[NAME]", "The devices, or the registers of one",
     NULL, "info devices uart", COMPLETE_NOTHING, 0, NULL, info_devices},
    {"irq", NULL, NULL, "", "Interrupt lines: requested, in service, masked",
     NULL, "info irq", COMPLETE_NOTHING, 0, NULL, info_irq},
    {"strategy", NULL, NULL, "", "The strategy's own state: virtual flags, counts",
     NULL, "info strategy", COMPLETE_NOTHING, 0, NULL, info_strategy},
    {"maps", NULL, NULL, "", "A process: its memory, as the host's kernel maps it",
     NULL, "info maps", COMPLETE_NOTHING, 0, NULL, info_maps},
    {"namespaces", NULL, NULL, "", "A process: which namespaces are its own",
     NULL, "info namespaces", COMPLETE_NOTHING, 0, NULL, info_namespaces},
    {"cgroup", NULL, NULL, "", "A process: its cgroup, what it has used and may use",
     NULL, "info cgroup", COMPLETE_NOTHING, 0, NULL, info_cgroup},
    {"capabilities", "caps", NULL, "", "A process: its capabilities, no_new_privs, seccomp",
     NULL, "info capabilities", COMPLETE_NOTHING, 0, NULL, info_capabilities},
    {"filter", NULL, NULL, "", "Strategy ski: which system calls are denied, and why",
     NULL, "info filter", COMPLETE_NOTHING, 0, NULL, info_filter},
    {"checkpoints", NULL, NULL, "", "Snapshots to go back to, and their memory",
     NULL, "info checkpoints", COMPLETE_NOTHING, 0, NULL, info_checkpoints},
    {"line", NULL, NULL, "[LOCATION]", "The addresses of a line of source",
     NULL, "info line kmain", COMPLETE_LOCATION, 0, NULL, source_info_line},
    {"symbol", NULL, NULL, "[ADDRESS]", "The symbol that holds an address",
     NULL, "info symbol $pc", COMPLETE_EXPRESSION, 0, NULL, source_info_symbol},
    {"source", NULL, NULL, "[LOCATION]", "The source file where the guest stands",
     NULL, "info source", COMPLETE_LOCATION, 0, NULL, source_info_source},
    {"sources", NULL, NULL, "", "All source files of the guest",
     NULL, "info sources", COMPLETE_NOTHING, 0, NULL, source_info_sources},
    {"functions", NULL, NULL, "[REGEX]", "Functions whose name matches",
     NULL, "info functions ^vm_", COMPLETE_NOTHING, 0, NULL, source_info_functions},
    {"breakpoints", "break", NULL, "", "Breakpoints, watchpoints, catchpoints: hits, conditions, commands",
     NULL, "info breakpoints", COMPLETE_NOTHING, 0, NULL, stops_print},
    {"display", NULL, NULL, "", "What is shown at each stop",
     NULL, "info display", COMPLETE_NOTHING, 0, NULL, displays_list},
    {0},
};
/* clang-format on */

const struct debug_command commands_info[] = {
    {
        .name = "info",
        .group = "look",
        .arguments = "WHAT",
        .summary = "Show the state of the machine as a table",
        .example = "info registers",
        .complete = COMPLETE_SUBCOMMAND,
        .table = subcommands,
    },
    {0},
};
