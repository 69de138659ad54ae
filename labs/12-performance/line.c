/*
 * line.c - the host's side of lab 12, a plug-in of hv. Given: the tests use this file as it came.
 *
 * It stands between the guest and hv's UART, which is always ready, and makes it as slow as a real one
 * (NS16550 data sheet): the transmitter holds 16 bytes if its FIFOs are on, else 1. What is written when
 * it is full is lost. It says that it is ready when all has gone out, which the guest sees at the
 * second time it asks.
 *
 * It also has a hypercall, for drivers that know of it:
 *
 *     RAX = HC_WRITE, RBX = address, RCX = bytes     result in RAX: how many were written, or
 *                                                    -EFAULT (-14): not memory of the guest's,
 *                                                    -E2BIG (-7): more than 4096
 */
#include <errno.h>
#include <stdio.h>

#include "core/vm.h"
#include "engine/engine.h"
#include "isa/x86/cpu.h"
#include "strategy/strategy.h"

#define UART_THR  0x3f8
#define UART_FCR  0x3fa
#define UART_LCR  0x3fb
#define UART_LSR  0x3fd
#define FCR_ON    0x01
#define LCR_DLAB  0x80 /* THR is the divisor's low byte meanwhile */
#define FIFO_SIZE 16

#define HC_WRITE  0x120
#define WRITE_MAX 4096

static struct {
    unsigned held;  /* bytes in the transmitter */
    unsigned asked; /* times that LSR was read since the last byte */
    bool fifo, divisor;
} uart;

static enum strategy_verdict
on_write(struct vcpu *vcpu)
{
    uint8_t value = (uint8_t)vcpu->exit.access.value;

    switch (vcpu->exit.access.address) {
    case UART_FCR: uart.fifo = value & FCR_ON; break;
    case UART_LCR: uart.divisor = value & LCR_DLAB; break;
    case UART_THR:
        if (uart.divisor)
            break;
        if (uart.held >= (uart.fifo ? FIFO_SIZE : 1)) {
            fprintf(stderr, "line: the transmitter was full: byte 0x%02x is lost\n", value);
            return STRATEGY_HANDLED;
        }
        uart.held++;
        uart.asked = 0;
    }
    return STRATEGY_PASS;
}

static enum strategy_verdict
on_read(struct vcpu *vcpu)
{
    if (vcpu->exit.access.address != UART_LSR || !uart.held)
        return STRATEGY_PASS;
    if (uart.asked++) {
        uart.held = 0;
        return STRATEGY_PASS;
    }
    vcpu->exit.access.value = 0; /* still sending */
    return STRATEGY_HANDLED;
}

static int64_t
hc_write(struct vcpu *vcpu, uint64_t address, uint64_t bytes)
{
    uint8_t buffer[WRITE_MAX];

    if (bytes > WRITE_MAX)
        return -E2BIG;
    if (ram_read(&vcpu->vm->ram, address, buffer, bytes))
        return -EFAULT;
    for (uint64_t i = 0; i < bytes; i++)
        vm_access(vcpu->vm, vcpu, BUS_PORT, UART_THR, 1, true, buffer[i]);
    return (int64_t)bytes;
}

static enum strategy_verdict
line_on_exit(struct vcpu *vcpu, struct run_result *result)
{
    (void)result;
    if (vcpu->exit.kind == TRACE_IO && vcpu->exit.access.size == 1)
        return vcpu->exit.access.write ? on_write(vcpu) : on_read(vcpu);
    if (vcpu->exit.kind != TRACE_HYPERCALL || vcpu->exit.hypercall.number != HC_WRITE)
        return STRATEGY_PASS;
    vcpu->exit.hypercall.result = (uint64_t)hc_write(vcpu, vcpu->exit.hypercall.args[0],
                                                     vcpu->exit.hypercall.args[1]);
    return STRATEGY_HANDLED;
}

static int
line_attach(struct vcpu *vcpu, struct error *err)
{
    return vcpu->vm->engine_ops->intercept(
        vcpu, INTERCEPT_CPUID | INTERCEPT_MSR | INTERCEPT_HYPERCALL, 0, err);
}

static void
line_detach(struct vcpu *vcpu)
{
    (void)vcpu;
}

const struct strategy_ops hv_strategy = {
    .abi = STRATEGY_ABI,
    .name = "line",
    .summary = "hardware, with a UART that takes its time, and a hypercall",
    .needs = CAP_GUEST_KERNEL | CAP_INTERCEPT_INSN,
    .attach = line_attach,
    .detach = line_detach,
    .on_exit = line_on_exit,
};
