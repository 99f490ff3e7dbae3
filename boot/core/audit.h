/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel's own record of the run (docs/testing/audit.md). Rooms report facts here as they happen;
 * audit_print says them all at the end. The tables are bounded: what does not fit is counted.
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

/* Records a mapping; its index, or -1 when the table is full. */
int audit_map_made(const struct audit_map *map);

/* Likewise, but a page that continues the task's last mapping extends that one's line (a1). */
int audit_map_page(const struct audit_map *map);

/* Living mappings of an address space: the first index after `after`, or -1 when there is none. */
int audit_map_next(uint64_t space, int after, uint64_t *va, uint64_t *bytes);

void audit_map_usage(int index, const struct audit_usage *usage);
void audit_map_unmapped(int index, const struct audit_usage *usage);

/* The address space is gone, and its mappings with it. */
void audit_map_space_ended(uint64_t space);

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
