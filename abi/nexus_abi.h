/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The NEURON system call ABI for C and assembler. The system call numbers are in calls.def, all other numbers
 * are here and nowhere else. Each group cites its statement in docs/abi.md (K-xx); abi_check.c pins the
 * layouts. The library and the test kernel both include this file, and neither owns it.
 */
#ifndef NEXUS_ABI_H
#define NEXUS_ABI_H

/* System call numbers, passed in a7: NX_SYS_<constant> for each row of calls.def. */
#ifdef __ASSEMBLER__
#define NX_CALL(number, constant, name, revisions, arguments) .equ NX_SYS_##constant, number
#include "calls.def"
#else
enum {
#define NX_CALL(number, constant, name, revisions, arguments) NX_SYS_##constant = number,
#include "calls.def"
};
#endif
#define NX_SYS_COUNT 64 /* one past the highest number that the boot argument without= accepts */

/* Errors, returned negated in a0 (K-01). */
#define NX_EPERM 1
#define NX_ENOENT 2
#define NX_ESRCH 3
#define NX_ECHILD 10
#define NX_EAGAIN 11
#define NX_ENOMEM 12
#define NX_EBUSY 16
#define NX_EEXIST 17
#define NX_EINVAL 22
#define NX_ENOSPC 28
#define NX_EPIPE 32
#define NX_ENOSYS 38
#define NX_ETIMEDOUT 110

/* Rights of a capability (K-40). */
#define NX_RIGHT_SEND 1
#define NX_RIGHT_RECV 2
#define NX_RIGHT_MAP 4
#define NX_RIGHT_MANAGE 8
#define NX_RIGHT_ALL 15

/* Flags of map and vm_map (K-22, K-24). */
#define NX_MAP_VALID 1
#define NX_MAP_READ 2
#define NX_MAP_WRITE 4
#define NX_MAP_EXEC 8
#define NX_MAP_USER 16
#define NX_MAP_GLOBAL 32
#define NX_MAP_ACCESSED 64
#define NX_MAP_DIRTY 128
#define NX_MAP_KNOWN 255

/* Protection bits of as_map (numbers table, row 9/10). */
#define NX_PROT_READ 1
#define NX_PROT_WRITE 2
#define NX_PROT_EXEC 4

/* IPC (K-50..K-54, K-59). */
#define NX_IPC_NONBLOCK 1
#define NX_IPC_TRUNCATE 2
#define NX_IPC_EOF 4
#define NX_IPC_HDR_CAP_MOVE 1 /* in the header's own flags */
#define NX_IPC_HDR_BYTES 16
#define NX_IPC_MAX_BYTES_A1 512
#define NX_IPC_MAX_BYTES_A2 8192
#define NX_IPC_V2_MAGIC 0x4E584932
#define NX_IPC_V2_VERSION 1
#define NX_IPC_V2_DESC_BYTES 64
#define NX_EP_DEPTH_MAX 256
#define NX_EP_BOOTSTRAP_DEPTH 8 /* read in the real kernel's source */

/* How a task starts (K-10, K-11, K-14). */
#define NX_PID_INIT 17
#define NX_SLOT_BOOTSTRAP 0
#define NX_SLOT_FACTORY 1 /* init only */
#define NX_USER_SP 0x20008000
#define NX_USER_STACK_TOP 0x2000A000
#define NX_USER_STACK_EXTRA_PAGES 11
#define NX_INIT_STACK_PAGES 16
#define NX_NAME_MAX 64

/* Addresses (K-21, K-23, K-24). */
#define NX_PAGE_BYTES 4096
#define NX_USER_TOP 0x80000000
#define NX_A1_MAP_BASE 0x40000000 /* the library's window on a1: [base, end) */
#define NX_A1_MAP_END 0x80000000
#define NX_A2_MAP_BASE 0x50000000 /* the kernel's window on a2: [base, end) */
#define NX_A2_MAP_END 0x80000000
#define NX_SUPERPAGE_BYTES 0x200000

/* Limits (K-03, K-15, K-17, K-20, K-24, K-52, K-56). */
#define NX_STORM_LIMIT 10001
#define NX_SLOTS_A1 64
#define NX_SLOTS_A2 256
#define NX_ARENA_BYTES_A1 0x1000000
#define NX_ARENA_MAPPED_BYTES_A1 0x800000
#define NX_ARENA_BYTES_A2 0xE000000
#define NX_HEAP_TABLES_A1 239 /* about; page tables that the kernel's heap can hold */
#define NX_BOOT_TABLES_A1 35  /* of these gone before init */
#define NX_SPACE_TABLES_A1 15 /* an address space without a mapping */
#define NX_REGIONS_MAX 64
#define NX_OWNER_QUEUED_BYTES_MAX 0x40000
#define NX_TOTAL_QUEUED_BYTES_MAX 0x100000
#define NX_EP_IDS_A1 241
#define NX_EP_IDS_A2 365
#define NX_EP_OWNER_A1 64
#define NX_EP_OWNER_A2 96
#define NX_DEBUG_WRITE_MAX 1024
#define NX_TASK_FAULT_STATUS (-22) /* K-60 */

#ifndef __ASSEMBLER__
#include <stdint.h>

/* The header of every message (K-50), in the target's byte order, little-endian. */
struct nx_ipc_hdr {
    uint32_t src; /* in: slot to move (CAP_MOVE); out: the slot that received a moved capability, or 0 */
    uint32_t dst; /* out: the sender's pid, set by the kernel */
    uint16_t type;
    uint16_t flags;
    uint32_t len; /* payload bytes */
};

/* The descriptor of recv_v2 (K-59). */
struct nx_ipc_recv_v2 {
    uint32_t magic;
    uint32_t version;
    uint32_t slot;
    uint32_t reserved0;
    uint64_t hdr;
    uint64_t buf;
    uint64_t max;
    uint64_t sender_id; /* a pointer, or 0 */
    uint32_t flags;
    uint32_t reserved1;
    uint64_t deadline_ns;
};

/* The result of cap_query (K-31). */
struct nx_cap_info {
    uint32_t kind; /* 1: a VMO */
    uint32_t reserved;
    uint64_t base_pa;
    uint64_t size_bytes;
};
#endif

#endif
