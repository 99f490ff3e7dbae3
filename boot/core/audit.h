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

#include "core/cap.h"
#include "nexus_abi.h"

#define AUDIT_TASKS_MAX 128
#define AUDIT_VMOS_MAX 512
#define AUDIT_MAPS_MAX 1024
#define AUDIT_GRANTS_MAX 512
#define AUDIT_MSGS_MAX 512
#define AUDIT_CONSOLE_MAX 256
#define AUDIT_HAZARDS_MAX 64
#define AUDIT_UNRECLAIMED_MAX 4
#define AUDIT_HEAD_BYTES 64
#define AUDIT_BY_KERNEL 0
#define AUDIT_BY_SEVERAL UINT32_MAX
#define AUDIT_CALL_FAULT UINT64_MAX /* a hazard that no call but a fault raised */

enum audit_end { AUDIT_END_NONE, AUDIT_END_EXIT, AUDIT_END_FAULT };
enum audit_via { AUDIT_VIA_MAP, AUDIT_VIA_VM_MAP, AUDIT_VIA_AS_MAP };
enum audit_grant_via { AUDIT_GRANT_MOVE, AUDIT_GRANT_TRANSFER };
enum audit_when { AUDIT_WHEN_START, AUDIT_WHEN_DONE, AUDIT_WHEN_END, AUDIT_WHENS };
enum audit_result { AUDIT_DONE, AUDIT_EXITED, AUDIT_FAULTED, AUDIT_WATCHDOG, AUDIT_PANIC, AUDIT_REFUSED };

/* Pages of a mapping whose entry has A or D set. */
struct audit_usage {
    uint64_t accessed, dirtied;
};

struct audit_map {
    uint32_t pid;
    uint32_t vmo_id;
    uint64_t space; /* handle of the address space */
    uint64_t va, off, bytes, base_pa;
    uint32_t prot; /* NX_PROT_* */
    enum audit_via via;
    bool alias;
    bool live;
    struct audit_usage usage;
};

struct audit_msg {
    uint32_t from, to, len;
    uint16_t type;
    uint8_t moved; /* enum cap_kind */
    uint8_t head_bytes;
    uint8_t head[AUDIT_HEAD_BYTES];
};

/* A line of the console, without its '\n'. */
struct audit_console {
    uint32_t by; /* the pid that wrote all of it; AUDIT_BY_* */
    uint32_t len;
    uint8_t head[AUDIT_HEAD_BYTES];
};

struct audit_res {
    uint64_t slots, regions, vmos, endpoints, arena_bytes, frames;
};

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

/* Prints all lines, which are not recorded themselves; the console is quiet from then on. */
void audit_print(const char *nonce, const char *age, enum audit_result result, int64_t status,
                 uint64_t instret);

#endif
