/* SPDX-License-Identifier: Apache-2.0 */
/* Which calls this kernel has, and which memory and slots are valid arguments. */
#include "backend.h"
#include "nx_call.h"
#include "sizes.h"

#define NO_SLOT 0x7fffffffu /* in no table (K-15) */
#define NO_PID 0x7fffffffu

static bool present(int64_t answer)
{
    return answer != -NX_ENOSYS;
}

static struct nx_features probe(void)
{
    static uint8_t byte; /* the pointer must be valid: a kernel may check it first (K-64) */
    const uint64_t at = nx_address(&byte);

    return (struct nx_features){
        /* an unaligned address: -22 before anything else (K-22) */
        .map = present(nx_call4(NX_SYS_MAP, NO_SLOT, 1, 0, 0)),
        /* an unknown flag: -22 before anything else (K-24) */
        .vm_map = present(nx_call4(NX_SYS_VM_MAP, NO_SLOT, 0, 0, NX_MAP_KNOWN + 1)),
        /* unaligned: -22 (K-25) */
        .vm_unmap = present(nx_call2(NX_SYS_VM_UNMAP, 1, 0)),
        /* a slot in no table: -1 (K-28, K-29, K-21) */
        .share_ro = present(nx_call1(NX_SYS_VMO_SHARE_RO, NO_SLOT)),
        .destroy = present(nx_call1(NX_SYS_VMO_DESTROY, NO_SLOT)),
        .read = present(nx_call4(NX_SYS_VMO_READ, NO_SLOT, 0, at, 0)),
        /* an unknown pid: -3 (K-16) */
        .resume = present(nx_call1(NX_SYS_TASK_RESUME, NO_PID)),
        .init = nx_call0(NX_SYS_GETPID) == NX_PID_INIT,
    };
}

const struct nx_features *nx_features(void)
{
    static struct nx_features features;
    static bool probed;

    if (!probed) {
        features = probe();
        probed = true;
    }
    return &features;
}

/* The kernel panics on some pointers outside user memory (K-64). */
bool be_is_user(const void *memory, uint64_t bytes)
{
    return range_within((struct vmo_range){nx_address(memory), bytes}, NX_USER_TOP);
}

bool nx_slot_writable(int32_t slot, uint64_t size_bytes)
{
    static uint8_t byte;

    return nx_call4(NX_SYS_VMO_WRITE, (uint64_t)slot, size_bytes, nx_address(&byte), 0) == 0;
}

void nx_touch(const void *memory, uint64_t bytes)
{
    const uint64_t from = nx_address(memory);
    const volatile uint8_t *byte = memory;

    for (uint64_t off = 0; off < bytes; off += NX_PAGE_BYTES - (from + off) % NX_PAGE_BYTES) {
        (void)byte[off];
    }
}
