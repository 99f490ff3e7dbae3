/* SPDX-License-Identifier: Apache-2.0 */
/* The producer passes 7 bits to the consumer by the slot to which it transfers the page. */
#include <stdint.h>

#include "nexus_abi.h"
#include "wrap_call.h"

struct nx_result __wrap_nx_call(uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5,
                                uint64_t number)
{
    if (number == NX_SYS_CAP_TRANSFER && a2 == NX_RIGHT_MAP) {
        return __real_nx_call(a0, a1, a2, 77, 0, 0, NX_SYS_CAP_TRANSFER_TO);
    }
    return __real_nx_call(a0, a1, a2, a3, a4, a5, number);
}
