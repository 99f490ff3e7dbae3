/* SPDX-License-Identifier: Apache-2.0 */
/* Pins the layouts that other programs read. A change here changes the contract (docs/abi.md). */
#include "nexus_abi.h"

#include <stddef.h>

_Static_assert(sizeof(struct nx_ipc_hdr) == NX_IPC_HDR_BYTES, "K-50: header is 16 bytes");
_Static_assert(offsetof(struct nx_ipc_hdr, dst) == 4, "K-50: dst");
_Static_assert(offsetof(struct nx_ipc_hdr, type) == 8, "K-50: type");
_Static_assert(offsetof(struct nx_ipc_hdr, flags) == 10, "K-50: flags");
_Static_assert(offsetof(struct nx_ipc_hdr, len) == 12, "K-50: len");

_Static_assert(sizeof(struct nx_ipc_recv_v2) == NX_IPC_V2_DESC_BYTES, "K-59: descriptor is 64 bytes");
_Static_assert(offsetof(struct nx_ipc_recv_v2, slot) == 8, "K-59: slot");
_Static_assert(offsetof(struct nx_ipc_recv_v2, hdr) == 16, "K-59: hdr");
_Static_assert(offsetof(struct nx_ipc_recv_v2, max) == 32, "K-59: max");
_Static_assert(offsetof(struct nx_ipc_recv_v2, sender_id) == 40, "K-59: sender_id");
_Static_assert(offsetof(struct nx_ipc_recv_v2, flags) == 48, "K-59: flags");
_Static_assert(offsetof(struct nx_ipc_recv_v2, deadline_ns) == 56, "K-59: deadline");

_Static_assert(sizeof(struct nx_cap_info) == 24, "K-31: cap_query writes 24 bytes");
_Static_assert(offsetof(struct nx_cap_info, base_pa) == 8, "K-31: base");
_Static_assert(offsetof(struct nx_cap_info, size_bytes) == 16, "K-31: size");

_Static_assert(NX_USER_STACK_TOP - NX_USER_SP == 2 * NX_PAGE_BYTES, "K-11: sp is two pages below the top");
