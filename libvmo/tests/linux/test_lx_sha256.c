/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every SHA-256 of the Linux backend that this processor can run: against the examples of FIPS 180-4, and
 * against the portable one at all lengths and alignments. Needs no cmocka, so that check-armv8 can build it.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "lx_sha256_blocks.h"
#include "sha256_portable.h"
#include "vmo/sha256.h"

#define BLOCK VMO_SHA256_BLOCK_BYTES
#define ALIGNMENTS 64
#define BLOCKS_MAX 9
#define LENGTH_MAX (4 * BLOCK + 1)

static unsigned tests;
static bool failed;

static void report(bool good, const char *name, const char *what)
{
    printf("%sok %u - %s: %s\n", good ? "" : "not ", ++tests, name, what);
    failed = failed || !good;
}

/* xorshift64*: the same bytes on every machine. */
static void fill(uint8_t *bytes, size_t len)
{
    uint64_t state = UINT64_C(0x9e3779b97f4a7c15);

    for (size_t i = 0; i < len; i++) {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        bytes[i] = (uint8_t)(state * UINT64_C(0x2545f4914f6cdd1d) >> 56);
    }
}

static void digest_of(lx_sha256_blocks *blocks, const uint8_t *bytes, size_t len,
                      uint8_t digest[VMO_SHA256_BYTES])
{
    struct vmo_sha256 hash;

    lx_sha256_use(blocks);
    vmo_sha256_init(&hash);
    vmo_sha256_update(&hash, bytes, len);
    vmo_sha256_final(&hash, digest);
    lx_sha256_use(NULL);
}

static bool same_blocks(lx_sha256_blocks *blocks, const uint8_t *bytes, size_t count)
{
    uint32_t expected[8] = {1, 2, 3, 4, 5, 6, 7, UINT32_MAX};
    uint32_t actual[8] = {1, 2, 3, 4, 5, 6, 7, UINT32_MAX};

    sha256_portable(expected, bytes, count);
    blocks(actual, bytes, count);
    return memcmp(actual, expected, sizeof(actual)) == 0;
}

static bool all_alignments(lx_sha256_blocks *blocks)
{
    static uint8_t bytes[ALIGNMENTS + BLOCKS_MAX * BLOCK];
    bool good = true;

    fill(bytes, sizeof(bytes));
    for (size_t shift = 0; shift < ALIGNMENTS; shift++) {
        for (size_t count = 0; count <= BLOCKS_MAX; count++) {
            good = good && same_blocks(blocks, bytes + shift, count);
        }
    }
    return good;
}

static bool all_lengths(lx_sha256_blocks *blocks)
{
    static uint8_t bytes[ALIGNMENTS + LENGTH_MAX];
    uint8_t expected[VMO_SHA256_BYTES], actual[VMO_SHA256_BYTES];
    bool good = true;

    fill(bytes, sizeof(bytes));
    for (size_t shift = 0; shift < ALIGNMENTS; shift++) {
        for (size_t len = 0; len <= LENGTH_MAX; len++) {
            digest_of(sha256_portable, bytes + shift, len, expected);
            digest_of(blocks, bytes + shift, len, actual);
            good = good && memcmp(actual, expected, sizeof(actual)) == 0;
        }
    }
    return good;
}

static bool has_digest(lx_sha256_blocks *blocks, const char *text, const char *hex)
{
    uint8_t digest[VMO_SHA256_BYTES];
    char actual[2 * VMO_SHA256_BYTES + 1];

    digest_of(blocks, (const uint8_t *)text, strlen(text), digest);
    for (size_t i = 0; i < VMO_SHA256_BYTES; i++) {
        snprintf(actual + 2 * i, 3, "%02x", digest[i]);
    }
    return strcmp(actual, hex) == 0;
}

static bool nist_examples(lx_sha256_blocks *blocks)
{
    return has_digest(blocks, "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855") &&
           has_digest(blocks, "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad") &&
           has_digest(blocks, "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

static void check(const char *name, lx_sha256_blocks *blocks)
{
    if (blocks == NULL) {
        printf("# %s: this processor or this compiler has no such instructions\n", name);
        return;
    }
    report(nist_examples(blocks), name, "the examples of FIPS 180-4");
    report(all_alignments(blocks), name, "blocks at all alignments, as the portable ones");
    report(all_lengths(blocks), name, "messages of all lengths at all alignments, as the portable ones");
}

int main(int argc, char **argv)
{
    lx_sha256_blocks *x86 = lx_sha256_x86(), *arm = lx_sha256_arm();

    check("portable", sha256_portable);
    check("x86", x86);
    check("armv8", arm);
    report(all_lengths(NULL), "chosen", "messages of all lengths at all alignments, as the portable ones");
    if (argc > 1) { /* the name of the one that must be here */
        const bool is_x86 = strcmp(argv[1], "x86") == 0;
        report((is_x86 ? x86 : arm) != NULL, argv[1], "this processor has it");
    }
    printf("1..%u\n", tests);
    return failed;
}
