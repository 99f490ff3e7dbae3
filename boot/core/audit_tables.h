/* SPDX-License-Identifier: Apache-2.0 */
/* The tables that audit.c fills and audit_print.c prints. Internal to the audit. */
#ifndef CORE_AUDIT_TABLES_H
#define CORE_AUDIT_TABLES_H

#include "core/audit_records.h"
#include "core/siphash.h"

struct audit_task {
    bool known, reaped;
    uint32_t parent;
    enum audit_end end;
    int64_t status;
    char name[NX_NAME_MAX + 1];
    uint64_t copied_into_vmo, copied_from_vmo;
    bool image_known;
    uint64_t image_bytes, image_hash, stack_pages, gp;
};

struct audit_vmo {
    bool known, destroyed;
    uint32_t creator;
    uint64_t base_pa, bytes;
};

struct audit_grant {
    uint32_t from, to;
    enum audit_grant_via via;
    uint32_t slot; /* in the receiver's table */
    struct cap cap;
    uint64_t seq;
    uint32_t writable_caps, writable_maps; /* to the same VMO at that moment */
    bool answered;                         /* the receiver has sent a message since */
};

struct audit_msg_entry {
    struct audit_msg msg;
    uint64_t seq; /* of the receipt */
    uint8_t head[AUDIT_MSG_HEAD_BYTES];
};

struct audit_hash {
    uint32_t vmo_id;
    uint32_t pid; /* the receiver; 0 when no grant is meant */
    enum audit_hash_when when;
    uint64_t seq, bytes, hash;
};

struct audit_hazard {
    uint32_t pid;
    uint64_t call;
    const char *id, *what;
};

struct audit_unreclaimed {
    const char *what;
    uint64_t n;
};

/* Entries in use, and records lost because the table was full. */
struct audit_count {
    uint32_t used;
    uint64_t lost;
};

struct audit_tables {
    struct audit_count task_count, vmo_count, map_count, grant_count, msg_count, console_count, hash_count,
        hazard_count, unreclaimed_count;
    bool maps_are_taken, console_is_taken;
    bool hashes; /* see audit_enable_hashes */
    struct sip_key key;
    uint64_t seq;         /* the last sequence number */
    uint64_t console_seq; /* of the open line */
    uint64_t undelivered;
    bool res_known[AUDIT_WHENS];
    struct audit_res res[AUDIT_WHENS];
    struct audit_unreclaimed unreclaimed[AUDIT_UNRECLAIMED_MAX];
    struct audit_hazard hazards[AUDIT_HAZARDS_MAX];
    struct audit_task tasks[AUDIT_TASKS_MAX]; /* by pid, from NX_PID_INIT */
    struct audit_vmo vmos[AUDIT_VMOS_MAX];    /* by id, from 1 */
    struct audit_map maps[AUDIT_MAPS_MAX];
    struct audit_grant grants[AUDIT_GRANTS_MAX];
    struct audit_msg_entry msgs[AUDIT_MSGS_MAX];
    struct audit_console console[AUDIT_CONSOLE_MAX];
    struct audit_hash hash_records[AUDIT_HASHES_MAX];
};

extern struct audit_tables audit;

#endif
