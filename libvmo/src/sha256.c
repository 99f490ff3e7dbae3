/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256 (FIPS 180-4, section 5): cuts a message into blocks and pads the last. */
#include "vmo/sha256.h"

#include "backend.h"

#include <string.h>

#define LENGTH_OFF (VMO_SHA256_BLOCK_BYTES - 8)

static inline void store_be32(uint8_t *p, uint32_t x)
{
    p[0] = (uint8_t)(x >> 24);
    p[1] = (uint8_t)(x >> 16);
    p[2] = (uint8_t)(x >> 8);
    p[3] = (uint8_t)x;
}

void vmo_sha256_init(struct vmo_sha256 *hash)
{
    *hash = (struct vmo_sha256){.state = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f,
                                          0x9b05688c, 0x1f83d9ab, 0x5be0cd19}};
}

void vmo_sha256_update(struct vmo_sha256 *hash, const void *bytes, size_t len)
{
    const uint8_t *from = bytes;
    size_t held = (size_t)(hash->total_bytes % VMO_SHA256_BLOCK_BYTES);

    hash->total_bytes += len;
    if (held) { /* complete the partial block */
        const size_t room = VMO_SHA256_BLOCK_BYTES - held;
        const size_t take = len < room ? len : room;
        if (take) {
            memcpy(hash->block + held, from, take);
            from += take;
            len -= take;
            held += take;
        }
        if (held < VMO_SHA256_BLOCK_BYTES) {
            return;
        }
        be_sha256(hash->state, hash->block, 1);
    }
    const size_t whole = len / VMO_SHA256_BLOCK_BYTES;
    if (whole) {
        be_sha256(hash->state, from, whole);
        from += whole * VMO_SHA256_BLOCK_BYTES;
        len -= whole * VMO_SHA256_BLOCK_BYTES;
    }
    if (len) {
        memcpy(hash->block, from, len);
    }
}

void vmo_sha256_final(struct vmo_sha256 *hash, uint8_t digest[VMO_SHA256_BYTES])
{
    const uint64_t bits = hash->total_bytes * 8;
    size_t held = (size_t)(hash->total_bytes % VMO_SHA256_BLOCK_BYTES);

    hash->block[held++] = 0x80;
    if (held > LENGTH_OFF) {
        memset(hash->block + held, 0, VMO_SHA256_BLOCK_BYTES - held);
        be_sha256(hash->state, hash->block, 1);
        held = 0;
    }
    memset(hash->block + held, 0, LENGTH_OFF - held);
    store_be32(hash->block + LENGTH_OFF, (uint32_t)(bits >> 32));
    store_be32(hash->block + LENGTH_OFF + 4, (uint32_t)bits);
    be_sha256(hash->state, hash->block, 1);
    for (size_t i = 0; i < 8; i++) {
        store_be32(digest + i * 4, hash->state[i]);
    }
    memset(hash, 0, sizeof(*hash));
}
