/* suites.h - every suite, one line each; main.c has the table. */
#ifndef TESTS_UNIT_SUITES_H
#define TESTS_UNIT_SUITES_H

#include "tests/unit/unit.h"

extern const struct unit_suite suite_base;
extern const struct unit_suite suite_ski_filter;
extern const struct unit_suite suite_soft_state;
extern const struct unit_suite suite_soft_stops;
extern const struct unit_suite suite_kvm;
extern const struct unit_suite suite_points;
extern const struct unit_suite suite_audit;
extern const struct unit_suite suite_cli;
extern const struct unit_suite suite_cli_top;
extern const struct unit_suite suite_compare;
extern const struct unit_suite suite_debug_commands;
extern const struct unit_suite suite_isa_disasm;
extern const struct unit_suite suite_isa_double;
extern const struct unit_suite suite_isa_far;
extern const struct unit_suite suite_isa_fastcall;
extern const struct unit_suite suite_isa_gate;
extern const struct unit_suite suite_isa_host;
extern const struct unit_suite suite_isa_hostile;
extern const struct unit_suite suite_isa_inspect;
extern const struct unit_suite suite_isa_interrupt;
extern const struct unit_suite suite_isa_interrupt64;
extern const struct unit_suite suite_isa_iret;
extern const struct unit_suite suite_isa_paging, suite_isa_debug;
extern const struct unit_suite suite_isa_journey;
extern const struct unit_suite suite_isa_retf;
extern const struct unit_suite suite_isa_segment;
extern const struct unit_suite suite_isa_x87;
extern const struct unit_suite suite_isa_x87_host;
extern const struct unit_suite suite_isa_x87_state;
extern const struct unit_suite suite_regs;
extern const struct unit_suite suite_tracer_diff;
extern const struct unit_suite suite_tracer_export;
extern const struct unit_suite suite_tracer_graph;
extern const struct unit_suite suite_tracer_ladder;
extern const struct unit_suite suite_tracer_pictures;
extern const struct unit_suite suite_tracer_player;
extern const struct unit_suite suite_tracer_record;
extern const struct unit_suite suite_tracer_stats;
extern const struct unit_suite suite_tracer_view;
extern const struct unit_suite suite_loader_real;
extern const struct unit_suite suite_loader_elf;
extern const struct unit_suite suite_loader_multiboot;
extern const struct unit_suite suite_loader_linux;
extern const struct unit_suite suite_symbols;
extern const struct unit_suite suite_debug_expr;
extern const struct unit_suite suite_debugger_back;
extern const struct unit_suite suite_debugger_interrupted;
extern const struct unit_suite suite_debugger_snapshot;
extern const struct unit_suite suite_debugger_live, suite_debugger_look;
extern const struct unit_suite suite_debugger_past;
extern const struct unit_suite suite_debugger_decode;
extern const struct unit_suite suite_debugger_views;
extern const struct unit_suite suite_debug_format;
extern const struct unit_suite suite_debug_gdb;
extern const struct unit_suite suite_debug_source;
extern const struct unit_suite suite_bios;
extern const struct unit_suite suite_bios_rom;
extern const struct unit_suite suite_core_ram;
extern const struct unit_suite suite_core_bus;
extern const struct unit_suite suite_core_console;
extern const struct unit_suite suite_device_uart;
extern const struct unit_suite suite_device_pic;
extern const struct unit_suite suite_device_pit;
extern const struct unit_suite suite_device_rtc;
extern const struct unit_suite suite_device_kbd;
extern const struct unit_suite suite_device_pc;
extern const struct unit_suite suite_trap;
extern const struct unit_suite suite_trap_shadow;
extern const struct unit_suite suite_paravirt_frames;
extern const struct unit_suite suite_paravirt;
extern const struct unit_suite suite_paravirt_user;
extern const struct unit_suite suite_paravirt_maps;
extern const struct unit_suite suite_kernel_text;
extern const struct unit_suite suite_host;
extern const struct unit_suite suite_host_stops;

#endif
