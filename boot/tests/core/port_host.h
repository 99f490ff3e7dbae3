/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core/port.h for the host. "Physical memory" is one buffer with poisoned pages between its parts, so ASan
 * stops an access outside a part. The clock changes only when a test sets it. The parts: kernel root,
 * frames, init ELF, arena.
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
#define HOST_GOES_ON (-1)    /* host_run: the body returned */
#define HOST_INSTRET 1234567 /* the result of port_instret */
#define HOST_USER_INSTRET 77 /* the result of port_user_instret */
#define HOST_KERNEL_GIB 2    /* the root entry of the kernel's own GiB */

/* Fills all parts with junk, clears clock and console, and builds a kernel root with one GiB. */
void host_reset(void);

/* The parts, for kernel_init. */
struct kernel_memory host_memory(void);
uint64_t host_elf_pa(void);

/* The clock, in ticks of 100 ns. */
extern uint64_t host_ticks;

/* The number of flushes of translations and of fetched code, and the last root set. */
extern unsigned host_tlb_flushes, host_code_flushes;
extern uint64_t host_root_pa;

/* The console output since host_reset, NUL-terminated. */
const char *host_console(void);
void host_console_forget(void);

/* Runs the body. Returns the code with which the kernel ended the run, or HOST_GOES_ON. Outside host_run an
 * end of the run fails the test. */
int host_run(void (*body)(void *ctx), void *ctx);

#endif
