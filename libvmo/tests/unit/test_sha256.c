/* SPDX-License-Identifier: Apache-2.0 */
/* Compares vmo_sha256 with OpenSSL and with the examples of FIPS 180-4. */
#include "unit.h"

#include "sha256_portable.h"

#include <openssl/evp.h>
#include <stdlib.h>

/* The form for a machine without a rotate, which this machine would not take. */
extern const uint32_t sha256_k_again[64];
void sha256_without_rotate(uint32_t state[8], const uint8_t *blocks, size_t count);
#define SHA256_ROTATES 0
#define sha256_portable sha256_without_rotate
#define sha256_k sha256_k_again
#include "../../src/sha256_portable.c"
#undef sha256_portable
#undef sha256_k

#define SEED UINT64_C(0x9e3779b97f4a7c15)
#define SPLITS 8 /* a message is hashed in 1 to 8 pieces */

/* xorshift64*: the same bytes and pieces on every machine. */
static uint64_t next(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * UINT64_C(0x2545f4914f6cdd1d);
}

static void expected_digest(const uint8_t *bytes, size_t len, uint8_t digest[VMO_SHA256_BYTES])
{
    unsigned digest_bytes = 0;

    assert_int_equal(EVP_Digest(bytes, len, digest, &digest_bytes, EVP_sha256(), NULL), 1);
    assert_int_equal(digest_bytes, VMO_SHA256_BYTES);
}

/* Hashes the message in `pieces` pieces of random length, some of them empty. */
static void hash_pieces(const uint8_t *bytes, size_t len, unsigned pieces, uint64_t *random,
                        uint8_t digest[VMO_SHA256_BYTES])
{
    struct vmo_sha256 hash;
    size_t at = 0;

    vmo_sha256_init(&hash);
    for (unsigned i = 1; i < pieces; i++) {
        const size_t take = (size_t)(next(random) % (len - at + 1));
        vmo_sha256_update(&hash, bytes + at, take);
        at += take;
    }
    vmo_sha256_update(&hash, bytes + at, len - at);
    vmo_sha256_final(&hash, digest);
}

/* The message begins `shift` bytes past an aligned address. */
static void check_length(size_t len, unsigned shift, uint64_t *random)
{
    uint8_t *memory = malloc(len + shift + 1);
    uint8_t expected[VMO_SHA256_BYTES];
    uint8_t actual[VMO_SHA256_BYTES];

    assert_non_null(memory);
    uint8_t *bytes = memory + shift;
    for (size_t i = 0; i < len; i++) {
        bytes[i] = (uint8_t)(next(random) >> 56);
    }
    expected_digest(bytes, len, expected);
    for (unsigned pieces = 1; pieces <= SPLITS; pieces++) {
        memset(actual, 0, sizeof(actual));
        hash_pieces(bytes, len, pieces, random, actual);
        assert_memory_equal(actual, expected, sizeof(actual));
    }
    free(memory);
}

static void short_lengths(void **state)
{
    uint64_t random = SEED;

    (void)state;
    for (size_t len = 0; len <= 300; len++) {
        check_length(len, (unsigned)(len % 8), &random);
    }
}

static void borders_of_blocks_and_pages(void **state)
{
    static const size_t lengths[] = {55,   56,   57,   63,    64,    65,    119,  120,  127,
                                     128,  129,  4031, 4032,  4095,  4096,  4097, 8191, 8192,
                                     8193, 4151, 4152, 12287, 12288, 12289, 65535};
    uint64_t random = SEED + 1;

    (void)state;
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        for (unsigned shift = 0; shift < 9; shift++) {
            check_length(lengths[i], shift, &random);
        }
    }
}

static void byte_by_byte(void **state)
{
    uint8_t bytes[200];
    uint8_t expected[VMO_SHA256_BYTES];
    uint8_t actual[VMO_SHA256_BYTES];
    struct vmo_sha256 hash;

    (void)state;
    memset(bytes, 0xa5, sizeof(bytes));
    expected_digest(bytes, sizeof(bytes), expected);
    vmo_sha256_init(&hash);
    for (size_t i = 0; i < sizeof(bytes); i++) {
        vmo_sha256_update(&hash, bytes + i, 1);
        vmo_sha256_update(&hash, NULL, 0);
    }
    vmo_sha256_final(&hash, actual);
    assert_memory_equal(actual, expected, sizeof(actual));
}

static void put_be32(uint8_t *to, uint32_t word)
{
    for (unsigned i = 0; i < 4; i++) {
        to[i] = (uint8_t)(word >> (24 - 8 * i));
    }
}

/* The last block of a message of 2^29 bytes ends with its length in bits, which needs more than 32 bits. */
static void length_over_32_bits(void **state)
{
    static const uint8_t last[VMO_SHA256_BLOCK_BYTES] = {[0] = 0x80, [59] = 1};
    uint8_t expected[VMO_SHA256_BYTES];
    uint8_t actual[VMO_SHA256_BYTES];
    struct vmo_sha256 hash;

    (void)state;
    vmo_sha256_init(&hash);
    vmo_sha256_update(&hash, last, sizeof(last));
    for (size_t i = 0; i < 8; i++) {
        put_be32(expected + 4 * i, hash.state[i]);
    }
    vmo_sha256_init(&hash);
    hash.total_bytes = UINT64_C(1) << 29; /* pretend that so many bytes were hashed */
    vmo_sha256_final(&hash, actual);
    assert_memory_equal(actual, expected, sizeof(actual));
}

static void to_hex(const uint8_t digest[VMO_SHA256_BYTES], char *hex)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < VMO_SHA256_BYTES; i++) {
        hex[2 * i] = digits[digest[i] >> 4];
        hex[2 * i + 1] = digits[digest[i] & 15];
    }
    hex[2 * VMO_SHA256_BYTES] = 0;
}

static void nist_examples(void **state)
{
    static const struct {
        const char *text;
        unsigned times;
        const char *hex;
    } rows[] = {
        {"", 1, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", 1, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1,
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
        {"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrs"
         "mnopqrstnopqrstu",
         1, "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"},
        {"aaaaaaaaaa", 100000, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"},
    };
    char hex[2 * VMO_SHA256_BYTES + 1];
    uint8_t digest[VMO_SHA256_BYTES];
    struct vmo_sha256 hash;

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        vmo_sha256_init(&hash);
        for (unsigned n = 0; n < rows[i].times; n++) {
            vmo_sha256_update(&hash, rows[i].text, strlen(rows[i].text));
        }
        vmo_sha256_final(&hash, digest);
        to_hex(digest, hex);
        assert_string_equal(hex, rows[i].hex);
    }
}

static void without_a_rotate(void **state)
{
    uint8_t blocks[7 + 5 * VMO_SHA256_BLOCK_BYTES];
    uint64_t random = SEED + 2;

    (void)state;
    for (size_t i = 0; i < sizeof(blocks); i++) {
        blocks[i] = (uint8_t)(next(&random) >> 56);
    }
    for (size_t shift = 0; shift < 8; shift++) {
        for (size_t count = 0; count <= 5; count++) {
            uint32_t expected[8] = {1, 2, 3, 4, 5, 6, 7, UINT32_MAX};
            uint32_t actual[8] = {1, 2, 3, 4, 5, 6, 7, UINT32_MAX};
            sha256_portable(expected, blocks + shift, count);
            sha256_without_rotate(actual, blocks + shift, count);
            assert_memory_equal(actual, expected, sizeof(actual));
        }
    }
}

static void digest_of_a_view(void **state)
{
    const uint64_t len = 3 * PAGE + 77;
    uint8_t *bytes = malloc((size_t)len);
    uint8_t expected[VMO_SHA256_BYTES];
    uint8_t actual[VMO_SHA256_BYTES];
    vmo_view_t view = NO_VIEW;

    (void)state;
    assert_non_null(bytes);
    for (uint64_t i = 0; i < len; i++) {
        bytes[i] = pattern_at(i);
    }
    const vmo_t vmo = vmo_filled(len);
    expected_digest(bytes + 5, (size_t)len - 9, expected);
    free(bytes);
    assert_ok(vmo_map_ro(world.a, vmo, RANGE(5, len - 9), &view));
    const uint32_t calls = fake_call_count();
    const uint64_t copies = counters_of(world.a).copies;
    assert_ok(vmo_view_sha256(world.a, view, actual));
    assert_memory_equal(actual, expected, sizeof(actual));
    assert_int_equal(fake_call_count(), calls);
    assert_int_equal(counters_of(world.a).copies, copies);

    assert_ok(vmo_unmap(world.a, view));
    memset(actual, 0x5a, sizeof(actual));
    memset(expected, 0x5a, sizeof(expected));
    assert_refused_quietly(vmo_view_sha256(world.a, view, actual), VMO_ERR_BAD_HANDLE);
    assert_memory_equal(actual, expected, sizeof(actual));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(short_lengths),
        cmocka_unit_test(borders_of_blocks_and_pages),
        cmocka_unit_test(byte_by_byte),
        cmocka_unit_test(length_over_32_bits),
        cmocka_unit_test(nist_examples),
        cmocka_unit_test(without_a_rotate),
        cmocka_unit_test_setup_teardown(digest_of_a_view, world_make, world_drop),
    };
    return cmocka_run_group_tests_name("unit/sha256", tests, NULL, NULL);
}
