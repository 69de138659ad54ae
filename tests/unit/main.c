/*
 * main.c - the unit tests: every suite, or those whose name is given. Next: runner.c.
 */
#include "tests/unit/suites.h"

/* clang-format off */
static const struct unit_suite *const suites[] = {
    &suite_base,
    &suite_soft_state,
    &suite_soft_stops,
    &suite_kvm,
    &suite_audit,
    &suite_cli,
    &suite_compare,
    &suite_debug_commands,
    &suite_isa_disasm,
    &suite_isa_double,
    &suite_isa_far,
    &suite_isa_fastcall,
    &suite_isa_gate,
    &suite_isa_host,
    &suite_isa_hostile,
    &suite_isa_inspect,
    &suite_isa_interrupt,
    &suite_isa_interrupt64,
    &suite_isa_iret,
    &suite_isa_paging,
    &suite_isa_debug,
    &suite_isa_journey,
    &suite_isa_retf,
    &suite_isa_segment,
    &suite_isa_x87,
    &suite_isa_x87_host,
    &suite_isa_x87_state,
    &suite_regs,
    &suite_tracer_diff,
    &suite_tracer_export,
    &suite_tracer_graph,
    &suite_tracer_ladder,
    &suite_tracer_pictures,
    &suite_tracer_record,
    &suite_tracer_stats,
    &suite_tracer_view,
    &suite_loader_real,
    &suite_loader_elf,
    &suite_loader_multiboot,
    &suite_loader_linux,
    &suite_symbols,
    &suite_debug_expr,
    &suite_debugger_back,
    &suite_debugger_past,
    &suite_debugger_decode,
    &suite_debugger_views,
    &suite_debug_format,
    &suite_debug_source,
    &suite_bios,
    &suite_bios_rom,
    &suite_core_ram,
    &suite_core_bus,
    &suite_core_console,
    &suite_device_uart,
    &suite_device_pic,
    &suite_device_pit,
    &suite_device_rtc,
    &suite_device_kbd,
    &suite_device_pc,
    &suite_trap,
    &suite_paravirt_frames,
    &suite_paravirt,
    &suite_paravirt_user,
    &suite_kernel_text,
};
/* clang-format on */

int
main(int argc, char **argv)
{
    return unit_run(suites, sizeof(suites) / sizeof(suites[0]), argc, argv);
}
