/* SPDX-License-Identifier: Apache-2.0 */
/* The UART of QEMU virt (16550), output only. A direct store costs 6 instructions a character, OpenSBI's
 * putchar 342. */
#include "arch/machine.h"
#include "core/port.h"

#define UART_THR 0          /* transmit holding register */
#define UART_LSR 5          /* line status register */
#define UART_LSR_EMPTY 0x20 /* the holding register is empty */
#define UART_SPINS_MAX 1000000

static volatile uint8_t *uart = (volatile uint8_t *)(uintptr_t)MACHINE_UART_PA;

void uart_relocate(uint64_t uart_va)
{
    uart = (volatile uint8_t *)(uintptr_t)uart_va;
}

void port_console(const char *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        for (unsigned spins = 0; !(uart[UART_LSR] & UART_LSR_EMPTY) && spins < UART_SPINS_MAX; spins++) {
        }
        uart[UART_THR] = (uint8_t)bytes[i];
    }
}
