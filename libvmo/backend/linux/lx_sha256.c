/* SPDX-License-Identifier: Apache-2.0 */
#include "backend.h"
#include "sha256_portable.h"

void be_sha256(uint32_t state[8], const uint8_t *blocks, size_t count)
{
    sha256_portable(state, blocks, count);
}
