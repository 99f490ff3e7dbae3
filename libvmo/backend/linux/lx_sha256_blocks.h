/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256 by instructions of the processor. */
#ifndef VMO_LX_SHA256_BLOCKS_H
#define VMO_LX_SHA256_BLOCKS_H

#include <stddef.h>
#include <stdint.h>

typedef void lx_sha256_blocks(uint32_t state[8], const uint8_t *blocks, size_t count);

/* The function for this processor, or NULL if it lacks the instructions, or if the program was compiled for
 * another architecture. */
lx_sha256_blocks *lx_sha256_x86(void);
lx_sha256_blocks *lx_sha256_arm(void);

/* For tests: be_sha256 calls this function from now on; NULL: the best that this processor has. */
void lx_sha256_use(lx_sha256_blocks *blocks);

#endif
