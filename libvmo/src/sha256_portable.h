/* SPDX-License-Identifier: Apache-2.0 */
/* be_sha256 in portable C. A backend may call it; tests compare every other implementation with it. */
#ifndef VMO_SHA256_PORTABLE_H
#define VMO_SHA256_PORTABLE_H

#include <stddef.h>
#include <stdint.h>

extern const uint32_t sha256_k[64]; /* the constants of the rounds */

void sha256_portable(uint32_t state[8], const uint8_t *blocks, size_t count);

#endif
