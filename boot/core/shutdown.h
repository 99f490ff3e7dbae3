/* SPDX-License-Identifier: Apache-2.0 */
/* The end of the run: resources, teardown, audit, exit code (docs/testing/audit.md). */
#ifndef CORE_SHUTDOWN_H
#define CORE_SHUTDOWN_H

#include "core/audit.h"

/* Sets the panic hook, so that a panic prints the audit. */
void shutdown_init(void);

/* Reports the use of resources to the audit. */
void shutdown_record_resources(enum audit_when when);

/* Stops all tasks, tears everything down, prints the audit and finishes. `spaces_taken` is the number of
 * address spaces created in this boot, for the audit on a1 (K-17). */
_Noreturn void shutdown_run(enum audit_result result, int64_t status, uint64_t spaces_taken);

/* Ends the run because the watchdog expired. First prints the state of the running task and of all live
 * tasks. */
_Noreturn void shutdown_by_watchdog(uint64_t spaces_taken);

/* Ends the run because the init ELF is not acceptable. */
_Noreturn void shutdown_refused(const char *why);

#endif
