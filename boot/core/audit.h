/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel's own record of the run (docs/testing/audit.md). Rooms report facts here as they happen;
 * audit_print says them all at the end. The tables are bounded: what does not fit is counted. Nothing here
 * gives an answer, so that what the kernel does cannot depend on what is recorded.
 */
#ifndef CORE_AUDIT_H
#define CORE_AUDIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/audit_records.h"

void audit_init(void);

void audit_task(uint32_t pid, uint32_t parent, const char *name);
void audit_task_ended(uint32_t pid, enum audit_end end, int64_t status);
void audit_task_reaped(uint32_t pid);

void audit_vmo(uint32_t id, uint32_t creator, uint64_t base_pa, uint64_t bytes);
void audit_vmo_destroyed(uint32_t id);

/* Mappings by the id that core/region gives them, from 1 on. The pages that were used are reported when
 * the mapping ends, and for those that live when the audit is taken. */
void audit_map_made(uint32_t id, const struct audit_map *map);
void audit_map_extended(uint32_t id, uint64_t bytes);
void audit_map_usage(uint32_t id, const struct audit_usage *usage);
void audit_map_unmapped(uint32_t id, const struct audit_usage *usage);

/* The audit of mappings is taken: the teardown that follows does not change it. */
void audit_maps_taken(void);

void audit_copied_into_vmo(uint32_t pid, uint64_t bytes);
void audit_copied_from_vmo(uint32_t pid, uint64_t bytes);

void audit_grant(uint32_t from, uint32_t to, enum audit_grant_via via, const struct cap *cap);
void audit_msg(const struct audit_msg *msg);
void audit_undelivered(uint64_t messages);

/* A line of the console has ended. */
void audit_console(const struct audit_console *entry);
void audit_res(enum audit_when when, const struct audit_res *res);
void audit_unreclaimed(const char *what, uint64_t n);

/* The real kernel would not have survived this: `id` is the statement, `what` a word with dashes. */
void audit_hazard(uint32_t pid, uint64_t call, const char *id, const char *what);

#endif
