/* SPDX-License-Identifier: Apache-2.0 */
/*
 * In place of arch/uart.c: a console that the kernel's own log shares with the tasks (K-66). A line of the
 * kernel's stands before every line that comes in one piece, as a task's does on a2, and before some of those
 * that come byte by byte, as on a1: there it is in the middle of a task's line.
 */
#include <string.h>

#include "arch/machine.h"
#include "core/port.h"

#define UART_THR 0
#define BYTES_BETWEEN 7

static volatile uint8_t *uart = (volatile uint8_t *)(uintptr_t)MACHINE_UART_PA;

void uart_relocate(uint64_t uart_va)
{
    uart = (volatile uint8_t *)(uintptr_t)uart_va;
}

/* QEMU's UART takes every byte at once. A newline goes out as two bytes, as on the real kernels. */
static void put(const char *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (bytes[i] == '\n') {
            uart[UART_THR] = '\r';
        }
        uart[UART_THR] = (uint8_t)bytes[i];
    }
}

/* Shapes that scripts/judge/noise.py knows from the real kernels' sources. */
static void log_line(unsigned turn)
{
    static const char *const texts[] = {
        "[DEBUG sched] enqueue: pid=17 qos=Normal\n",
        "[INFO neuron::task] the words vmo: and SELFTEST: in a line of the kernel's\n",
        "\x1b[33m[WARN mm] a coloured line\x1b[0m\n",
        "[DEBUG sched] picked: pid=18 qos=Normal\n[INFO x] two in a row, \xe2\x9c\x93\n",
    };
    const char *text = texts[turn % (sizeof(texts) / sizeof(texts[0]))];
    put(text, strlen(text));
}

void port_console(const char *bytes, size_t n)
{
    static unsigned calls;
    calls++;
    if (n > 1 || calls % BYTES_BETWEEN == 0) {
        log_line(calls);
    }
    put(bytes, n);
}
