/* debug_format.c - how values and memory are printed: x/NFU, print, display, disassemble. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "debugger/command.h"
#include "debugger/display.h"
#include "tests/unit/debug_machine.h"
#include "tests/unit/suites.h"

static const struct debug_command *
find(const char *name)
{
    const struct debug_command *c = commands_look;

    while (c->name && strcmp(c->name, name))
        c++;
    CU_ASSERT_PTR_NOT_NULL_FATAL(c->name);
    return c;
}

/* What the command prints. */
static void
expect(struct fake_machine *fake, const char *command, const char *arguments, int rc,
       const char *text)
{
    struct error err = {""};
    char *printed = NULL;
    size_t size;

    fake->debugger.out = open_memstream(&printed, &size);
    CU_ASSERT_PTR_NOT_NULL_FATAL(fake->debugger.out);
    int r = find(command)->run(&fake->debugger, arguments, &err);
    fclose(fake->debugger.out);
    if (r != rc || strcmp(printed, text)) {
        printf("\n  %s %s: %d %s\n%s---\n%s---\n", command, arguments, r, err.message, printed,
               text);
        CU_FAIL("printed");
    }
    CU_PASS("printed");
    free(printed);
}

static void
open_fake(struct fake_machine *fake)
{
    fake_machine_open(fake);
    CU_ASSERT_EQUAL_FATAL(displays_open(&fake->debugger.displays, NULL), 0);
    memcpy(fake->memory, "hello \"\n\x01\x80\0world", 17);
}

static void
close_fake(struct fake_machine *fake)
{
    displays_close(fake->debugger.displays);
    fake_machine_close(fake);
}

static void
test_print(void)
{
    struct fake_machine fake;

    open_fake(&fake);
    fake.regs.gpr[X86_RAX] = 0xff80;
    expect(&fake, "print", "1 + 2", 0, "$1 = 3\n");
    expect(&fake, "print", "$rax", 0, "$2 = 0xff80\n");
    expect(&fake, "print", "$al", 0, "$3 = 0x80\n");
    expect(&fake, "print", "/d $al", 0, "$4 = -128\n");
    expect(&fake, "print", "/u $al", 0, "$5 = 128\n");
    expect(&fake, "print", "/o 8", 0, "$6 = 010\n");
    expect(&fake, "print", "/t 10", 0, "$7 = 1010\n");
    expect(&fake, "print", "/t 0", 0, "$8 = 0\n");
    expect(&fake, "print", "/x -1", 0, "$9 = 0xffffffffffffffff\n");
    expect(&fake, "print", "/x (int8_t)-1", 0, "$10 = 0xff\n");
    expect(&fake, "print", "/c 'a'", 0, "$11 = 97 'a'\n");
    expect(&fake, "print", "/c 10", 0, "$12 = 10 '\\n'\n");
    expect(&fake, "print", "$11 - -3", 0, "$13 = 100\n");
    expect(&fake, "print", "", 0, "$14 = 100\n");
    expect(&fake, "print", "$rax = 7", 0, "$15 = 7\n");
    CU_ASSERT_EQUAL(fake.regs.gpr[X86_RAX], 7);
    expect(&fake, "print", "/s 0x1000", 0, "$16 = 0x1000:\t\"hello \\\"\\n\\001\\200\"\n");
    expect(&fake, "print", "/2x 1", -EINVAL, "");
    expect(&fake, "print", "/q 1", -EINVAL, "");
    expect(&fake, "print", "/f 1", -EINVAL, "");
    close_fake(&fake);
}

static void
test_memory(void)
{
    struct fake_machine fake;

    open_fake(&fake);
    expect(&fake, "x", "/3xb 0x1000", 0, "0x1000:\t0x68\t0x65\t0x6c\n");
    expect(&fake, "x", "", 0, "0x1003:\t0x6c\t0x6f\t0x20\n"); /* goes on, as many again */
    expect(&fake, "x", "/xh", 0, "0x1006:\t0x0a22\n");
    expect(&fake, "x", "/2c 0x1000", 0, "0x1000:\t104 'h'\t101 'e'\n");
    expect(&fake, "x", "/2s 0x1000", 0,
           "0x1000:\t\"hello \\\"\\n\\001\\200\"\n0x100b:\t\"world\"\n");
    expect(&fake, "x", "/5xw 0x1020", 0,
           "0x1020:\t0x766f6861\t0x928b847d\t0xaea7a099\t0xcac3bcb5\n0x1030:\t0xe6dfd8d1\n");
    expect(&fake, "x", "/dw 0x102c", 0, "0x102c:\t-893141835\n");
    expect(&fake, "print", "/x $_", 0, "$1 = 0x102c\n");
    expect(&fake, "print", "/x $__", 0, "$2 = 0xcac3bcb5\n");
    /* What can be read is printed before the sentence. */
    expect(&fake, "x", "/4xg 0x10f8", -EFAULT, "0x10f8:\t0x7a736c655e575049\n");
    expect(&fake, "x", "/4xg 0x5000", -EFAULT, "");
    expect(&fake, "x", "/99999x 0x1000", -EINVAL, "");
    expect(&fake, "xp", "", -EINVAL, "");
    /* 200 characters of a string; the next one begins with the 201st. */
    char all[201];
    memset(all, 'a', 200);
    all[200] = 0;
    memset(fake.memory, 'a', 203);
    memcpy(fake.memory + 200, "bcd", 4);
    char want[300];
    snprintf(want, sizeof(want), "0x1000:\t\"%s\"...\n0x10c8:\t\"bcd\"\n", all);
    expect(&fake, "x", "/2s 0x1000", 0, want);
    close_fake(&fake);
}

static void
test_code(void)
{
    static const uint8_t code[] = {0x55, 0x48, 0x89, 0xe5, 0xc3, 0x06};
    struct fake_machine fake;

    open_fake(&fake);
    memcpy(fake.memory, code, sizeof(code));
    fake.regs.rip = 0x1001;
    expect(&fake, "x", "/3i 0x1000", 0,
           "   0x1000:\tpush rbp\n=> 0x1001:\tmov rbp, rsp\n   0x1004:\tret\n");
    expect(&fake, "disassemble", "/r 0x1001,+4", 0,
           "=> 0x1001:\t48 89 e5\tmov rbp, rsp\n   0x1004:\tc3\tret\n");
    expect(&fake, "x", "/i 0x1005", 0, "   0x1005:\t(bad)\n");
    fake.regs.efer = 0; /* 16-bit code now: 06 is PUSH ES */
    expect(&fake, "x", "/i 0x1005", 0, "   0x1005:\tpush es\n");
    fake.memory[255] = 0x90; /* at the end of memory an instruction is what is there */
    expect(&fake, "x", "/i 0x10ff", 0, "   0x10ff:\tnop\n");
    expect(&fake, "disassemble", "0x1001,0x1000", -EINVAL, "");
    expect(&fake, "disassemble", "/z 0x1001,0x1000", -EINVAL, "");
    close_fake(&fake);
}

static void
test_display(void)
{
    struct fake_machine fake;

    open_fake(&fake);
    fake.regs.gpr[X86_RAX] = 0x30;
    expect(&fake, "display", "$rax + 1", 0, "1: $rax + 1 = 0x31\n");
    expect(&fake, "display", "/d $rax", 0, "2: /d $rax = 48\n");
    expect(&fake, "display", "/xb 0x1000", 0, "3: x/xb 0x1000\n0x1000:\t0x68\n");
    expect(&fake, "display", "1 +", -EINVAL, "");
    fake.regs.gpr[X86_RAX] = 0x31;
    expect(&fake, "undisplay", "1 3", 0, "");
    expect(&fake, "display", "", 0, "2: /d $rax = 49\n");
    expect(&fake, "undisplay", "1", -ENOENT, "");
    expect(&fake, "display", "exit.port", 0, "4: exit.port = (column 6: there was no exit yet)\n");
    expect(&fake, "undisplay", "", 0, "");
    expect(&fake, "display", "", 0, "");
    close_fake(&fake);
}

static const struct unit_test tests[] = {
    {"print: letters, history, assignment", test_print},
    {"x: units, rows, strings, going on", test_memory},
    {"instructions: the mode, the next one, the end of memory", test_code},
    {"display and undisplay", test_display},
    {NULL, NULL},
};
const struct unit_suite suite_debug_format = {"debug_format", tests};
