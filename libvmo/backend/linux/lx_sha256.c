/* SPDX-License-Identifier: Apache-2.0 */
/* The processor is asked once, since in a virtual machine the question can cost more than a block. */
#include "lx_sha256_blocks.h"

#include <stdatomic.h>

#include "backend.h"
#include "sha256_portable.h"

/* NULL before the first block. Threads that choose at once store the same function. */
static _Atomic(lx_sha256_blocks *) chosen;

static lx_sha256_blocks *choose(void)
{
    lx_sha256_blocks *blocks = lx_sha256_x86();

    blocks = blocks ? blocks : lx_sha256_arm();
    blocks = blocks ? blocks : sha256_portable;
    lx_sha256_use(blocks);
    return blocks;
}

void lx_sha256_use(lx_sha256_blocks *blocks)
{
    atomic_store_explicit(&chosen, blocks, memory_order_relaxed);
}

void be_sha256(uint32_t state[8], const uint8_t *blocks, size_t count)
{
    lx_sha256_blocks *hash = atomic_load_explicit(&chosen, memory_order_relaxed);

    if (hash == NULL) {
        hash = choose();
    }
    hash(state, blocks, count);
}
