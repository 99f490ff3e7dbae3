/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Replaces arch/uart.c: a console shared by the tasks and the kernel's own log (K-66). Prints a log line
 * before every write of several bytes, as a2's tasks make them, and before some single bytes, which on a1
 * splits a task's line. Executes one instruction of Zbb, as a kernel built with it does.
 */
#include <string.h>

#include "arch/machine.h"
#include "core/port.h"

#define UART_THR 0
#define BYTES_BETWEEN 7

static volatile uint8_t *uart = (volatile uint8_t *)(uintptr_t)MACHINE_UART_PA;

/* rev8, which traps on a CPU without Zbb */
static uint64_t reversed(uint64_t bytes)
{
    __asm__(".option push\n\t.option arch, +zbb\n\trev8 %0, %0\n\t.option pop" : "+r"(bytes));
    return bytes;
}

void uart_relocate(uint64_t uart_va)
{
    uart_va = reversed(reversed(uart_va));
    uart = (volatile uint8_t *)(uintptr_t)uart_va;
}

/* QEMU's UART is always ready. A newline becomes two bytes, as on the real kernels. */
static void put(const char *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (bytes[i] == '\n') {
            uart[UART_THR] = '\r';
        }
        uart[UART_THR] = (uint8_t)bytes[i];
    }
}

/* Log lines in the forms of the real kernels, which scripts/judge/noise.py recognizes. */
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
