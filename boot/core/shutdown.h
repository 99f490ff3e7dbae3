/* SPDX-License-Identifier: Apache-2.0 */
/* The end of the run: resources, teardown, audit, exit code (docs/testing/audit.md). */
#ifndef CORE_SHUTDOWN_H
#define CORE_SHUTDOWN_H

#include "core/audit.h"

/* A panic ends the run through this file from now on. */
void shutdown_init(void);

/* Reads the resources and gives them to the audit. */
void shutdown_record_resources(enum audit_when when);

/* Stops all tasks, takes everything down, prints the audit and finishes. `spaces_taken`: the address
 * spaces that were made in this boot, for the audit of a1 (K-17). */
_Noreturn void shutdown_run(enum audit_result result, int64_t status, uint64_t spaces_taken);

/* The watchdog's time is over: says who was doing what, then ends the run. */
_Noreturn void shutdown_by_watchdog(uint64_t spaces_taken);

/* The init ELF is not acceptable. */
_Noreturn void shutdown_refused(const char *why);

#endif
