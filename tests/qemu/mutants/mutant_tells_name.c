/* SPDX-License-Identifier: Apache-2.0 */
/* The producer names the consumer after the blob's digest. */
#include <stdint.h>

#include "nexus_abi.h"
#include "producer/content.h"
#include "wrap_call.h"

struct nx_result __wrap_nx_call(uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5,
                                uint64_t number)
{
    static char name[2 * VMO_SHA256_BYTES];
    if (number != NX_SYS_EXEC) {
        return __real_nx_call(a0, a1, a2, a3, a4, a5, number);
    }
    for (unsigned i = 0; i < sizeof(name); i++) {
        name[i] = "0123456789abcdef"[content_blob_digest[i / 2] >> (i % 2 ? 0 : 4) & 15];
    }
    return __real_nx_call(a0, a1, a2, a3, (uint64_t)(uintptr_t)name, sizeof(name), NX_SYS_EXEC_V2);
}
