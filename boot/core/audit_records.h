/* SPDX-License-Identifier: Apache-2.0 */
/* The records that the kernel reports to the audit, and how many of each the audit keeps. */
#ifndef CORE_AUDIT_RECORDS_H
#define CORE_AUDIT_RECORDS_H

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
#define AUDIT_HASHES_MAX 512
#define AUDIT_HAZARDS_MAX 64
#define AUDIT_UNRECLAIMED_MAX 4
#define AUDIT_HEAD_BYTES 64      /* of a console line */
#define AUDIT_MSG_HEAD_BYTES 128 /* of a message */
#define AUDIT_BY_KERNEL 0
#define AUDIT_BY_SEVERAL UINT32_MAX
#define AUDIT_CALL_FAULT UINT64_MAX /* the hazard came from a fault, not from a call */

enum audit_end { AUDIT_END_NONE, AUDIT_END_EXIT, AUDIT_END_FAULT };
enum audit_via { AUDIT_VIA_MAP, AUDIT_VIA_VM_MAP, AUDIT_VIA_AS_MAP };
enum audit_grant_via { AUDIT_GRANT_MOVE, AUDIT_GRANT_TRANSFER };
enum audit_hash_when { AUDIT_HASH_GRANT, AUDIT_HASH_REPLY, AUDIT_HASH_DESTROYED, AUDIT_HASH_END };
enum audit_when { AUDIT_WHEN_START, AUDIT_WHEN_DONE, AUDIT_WHEN_END, AUDIT_WHENS };
enum audit_result { AUDIT_DONE, AUDIT_EXITED, AUDIT_FAULTED, AUDIT_WATCHDOG, AUDIT_PANIC, AUDIT_REFUSED };

/* The number of pages of a mapping with A set, and with D set. */
struct audit_usage {
    uint64_t accessed, dirtied;
};

struct audit_map {
    uint32_t pid;
    uint32_t vmo_id;
    uint64_t off, bytes, base_pa;
    uint32_t prot; /* NX_PROT_* */
    enum audit_via via;
    bool alias;
    bool live;
    struct audit_usage usage;
    /* added by the audit */
    uint64_t made, ended; /* sequence numbers; `ended` is 0 while the mapping lives */
    uint64_t user;        /* instructions that the running task had retired in user mode */
};

/* Written by audit_sent when a message is sent and handed back with audit_msg. Only the audit reads it. */
struct audit_stamp {
    uint64_t seq;
    uint64_t user; /* instructions that the sender had retired in user mode */
};

struct audit_msg {
    uint32_t from, to, len;
    uint16_t type, flags;
    uint8_t moved; /* enum cap_kind */
    uint8_t head_bytes;
    struct audit_stamp sent;
    const uint8_t *head; /* head_bytes, up to AUDIT_MSG_HEAD_BYTES; copied by audit_msg */
};

/* A console line, without its '\n'. */
struct audit_console {
    uint32_t by; /* the pid that wrote the whole line, or AUDIT_BY_* */
    uint32_t len;
    uint8_t head[AUDIT_HEAD_BYTES];
    uint64_t seq; /* of the first byte; added by the audit */
};

struct audit_res {
    uint64_t slots, regions, vmos, endpoints, arena_bytes, frames;
};

#endif
