/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel's own record of the run (docs/testing/audit.md). The kernel reports facts here as they happen;
 * audit_print prints them at the end. The tables are bounded, and records that do not fit are counted. No
 * function returns a value, so the kernel's behaviour cannot depend on what is recorded.
 */
#ifndef CORE_AUDIT_H
#define CORE_AUDIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/audit_records.h"
#include "core/elf.h"

void audit_init(void);

/* Makes the audit hash images and granted VMOs from now on, under a key made of the nonce. A hash costs about
 * 7 instructions a byte, so this is off by default. */
void audit_enable_hashes(const char *nonce);

void audit_task(uint32_t pid, uint32_t parent, const char *name);
void audit_task_ended(uint32_t pid, enum audit_end end, int64_t status);
void audit_task_reaped(uint32_t pid);

/* Hashes the file that the task's image was loaded from. */
void audit_image(uint32_t pid, const struct elf_source *source, uint64_t stack_pages, uint64_t gp);

void audit_vmo(uint32_t id, uint32_t creator, uint64_t base_pa, uint64_t bytes);
void audit_vmo_destroyed(uint32_t id); /* before its memory is freed */

/* Hashes each granted VMO that is still live, before teardown. */
void audit_vmos_taken(void);

/* Mappings, by the id that core/region assigns, from 1. Page usage is reported when a mapping ends and, for
 * live mappings, before teardown. */
void audit_map_made(uint32_t id, const struct audit_map *map);
void audit_map_extended(uint32_t id, uint64_t bytes);
void audit_map_usage(uint32_t id, const struct audit_usage *usage);
void audit_map_unmapped(uint32_t id, const struct audit_usage *usage);

/* Closes the record of mappings, so that teardown does not change it. */
void audit_maps_taken(void);

void audit_copied_into_vmo(uint32_t pid, uint64_t bytes);
void audit_copied_from_vmo(uint32_t pid, uint64_t bytes);

/* Reports a capability that has arrived in a slot of another task, and how many writable capabilities to its
 * VMO there are now; 0 if nobody counted. */
void audit_grant(uint32_t from, uint32_t to, enum audit_grant_via via, uint32_t slot, const struct cap *cap,
                 uint32_t writable_caps);

/* Reports that the running task sends a message, and stamps the message. */
void audit_sent(uint32_t pid, struct audit_stamp *stamp);

/* Reports a received message. */
void audit_msg(const struct audit_msg *msg);
void audit_undelivered(uint64_t messages);

/* Reports the first byte of a console line, and records the finished line. */
void audit_console_opened(void);
void audit_console(const struct audit_console *line);
void audit_res(enum audit_when when, const struct audit_res *res);
void audit_unreclaimed(const char *what, uint64_t n);

/* Records an event that the real kernel would not survive. `id` names the statement of docs/abi.md, `what`
 * is the case in words with dashes. */
void audit_hazard(uint32_t pid, uint64_t call, const char *id, const char *what);

#endif
