/*
 * report.c - the guest of lab 12: prints a report, line by line, through driver.c. Given: the tests use
 * this file as it came.
 *
 * Words of the command line: "panic" stops in the middle of a line, "long" has one line of 5,000 letters.
 */
#include "labguest.h"

#include "driver.h"

static void
number(unsigned value)
{
    char digits[11];
    int at = 10;

    digits[at] = 0;
    do
        digits[--at] = (char)('0' + value % 10);
    while (value /= 10);
    driver_print(&digits[at]);
}

static void
line_about(unsigned n)
{
    driver_stamp();
    driver_print("disk ");
    number(n);
    driver_print(": ");
    number(n * n * 7919 % 1000);
    driver_print(" blocks read, ");
    number(n * 31 % 17);
    driver_print(" errors\n");
}

void
guest_main(struct boot_info *boot)
{
    driver_begin();
    for (unsigned n = 1; n <= 40; n++)
        line_about(n);
    if (asked(boot, "long")) {
        for (unsigned n = 0; n < 5000; n++)
            driver_print(n % 10 ? "x" : "|");
        driver_print("\n");
    }
    if (asked(boot, "panic"))
        driver_print("panic: disk 41 is on fire"); /* and no end of line */
    driver_flush();
}
