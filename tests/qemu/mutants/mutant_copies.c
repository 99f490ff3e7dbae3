/* SPDX-License-Identifier: Apache-2.0 */
/* The producer lets the kernel copy 32 bytes out of each VMO before it seals it. */
#include <stdint.h>

#include "nexus_abi.h"
#include "wrap_call.h"

struct nx_result __wrap_nx_call(uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5,
                                uint64_t number)
{
    static uint8_t bytes[32];
    if (number == NX_SYS_VMO_SHARE_RO) {
        (void)__real_nx_call(a0, 0, (uintptr_t)bytes, sizeof(bytes), 0, 0, NX_SYS_VMO_READ);
    }
    return __real_nx_call(a0, a1, a2, a3, a4, a5, number);
}
