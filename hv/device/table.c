/* table.c - all kinds of devices, for `hv list` and the documents. pc.c puts them on the bus. */
#include "device/bios.h"
#include "device/debugexit.h"
#include "device/kbd8042.h"
#include "device/pic8259.h"
#include "device/pit8254.h"
#include "device/rtc.h"
#include "device/uart16550.h"

const struct device_ops *const device_table[] = {
    &uart_ops, &pic_ops, &pit_ops, &rtc_ops, &kbd_ops, &debugexit_ops, &bios_ops, NULL,
};
