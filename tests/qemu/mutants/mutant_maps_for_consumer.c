/* SPDX-License-Identifier: Apache-2.0 */
/* The producer maps the page into the consumer's address space, whose handle it guesses. */
#include <stdint.h>

#include "nexus_abi.h"
#include "wrap_call.h"

#define CONSUMER_SPACE 2
#define FAR_VA UINT64_C(0x70000000)
#define AS_USER 1

struct nx_result __wrap_nx_call(uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5,
                                uint64_t number)
{
    if (number == NX_SYS_CAP_TRANSFER && a2 == NX_RIGHT_MAP) {
        (void)__real_nx_call(CONSUMER_SPACE, a1, FAR_VA, NX_PAGE_BYTES, NX_PROT_READ, AS_USER, NX_SYS_AS_MAP);
    }
    return __real_nx_call(a0, a1, a2, a3, a4, a5, number);
}
