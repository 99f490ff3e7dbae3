/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core/port.h for the host. "Physical memory" is one buffer, in which poisoned pages keep the parts
 * apart: who leaves a part is stopped by ASan. The clock stands still until a test moves it.
 *
 *   kernel root | frames | init ELF | arena
 */
#ifndef TESTS_CORE_PORT_HOST_H
#define TESTS_CORE_PORT_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/exit_code.h"
#include "core/kernel.h"

#define HOST_FRAMES_BYTES (UINT64_C(16) << 20)
#define HOST_ELF_BYTES (UINT64_C(64) << 10)
#define HOST_ARENA_BYTES (UINT64_C(16) << 20)
#define HOST_JUNK 0xCC       /* fills frames and arena before a boot */
#define HOST_GOES_ON (-1)    /* host_run: the body came back */
#define HOST_INSTRET 1234567 /* what port_instret always says */
#define HOST_KERNEL_GIB 2    /* the root entry of the kernel's own GiB */

/* Junk in all parts, clock and console empty, a kernel root with one GiB of its own. */
void host_reset(void);

/* The parts as kernel_init takes them. */
struct kernel_memory host_memory(void);
uint64_t host_elf_pa(void);

/* The clock, in ticks of 100 ns. */
extern uint64_t host_ticks;

/* How often translations and fetched code were flushed, and the root last used. */
extern unsigned host_tlb_flushes, host_code_flushes;
extern uint64_t host_root_pa;

/* All that was printed since host_reset, NUL-terminated. */
const char *host_console(void);
void host_console_forget(void);

/* Runs the body; the code with which the kernel ended the run meanwhile, or HOST_GOES_ON. An end of the
 * run outside fails the test. */
int host_run(void (*body)(void *ctx), void *ctx);

#endif
