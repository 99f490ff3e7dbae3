/* SPDX-License-Identifier: Apache-2.0 */
/* SipHash-2-4 against its authors' vectors, and the hash of pages built on it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/siphash.h"
#include "nexus_abi.h"

#define PAGE NX_PAGE_BYTES

/* The key 00 01 .. 0f. */
static const struct sip_key reference_key = {UINT64_C(0x0706050403020100), UINT64_C(0x0F0E0D0C0B0A0908)};

/* The paper's example is the message of 15 bytes; the others are of the reference implementation. */
static void the_authors_vectors(void **state)
{
    static const struct {
        size_t n;
        uint64_t hash;
    } vectors[] = {
        {0, UINT64_C(0x726FDB47DD0E0E31)},  {1, UINT64_C(0x74F839C593DC67FD)},
        {2, UINT64_C(0x0D6C8009D9A94F5A)},  {3, UINT64_C(0x85676696D7FB7E2D)},
        {7, UINT64_C(0xAB0200F58B01D137)},  {8, UINT64_C(0x93F5F5799A932462)},
        {15, UINT64_C(0xA129CA6149BE45E5)}, {16, UINT64_C(0x3F2ACC7F57C29BDB)},
        {63, UINT64_C(0x958A324CEB064572)},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
        uint8_t *message = malloc(vectors[i].n + 1); /* exact, so that ASan sees a read beyond it */
        for (size_t at = 0; at < vectors[i].n; at++) {
            message[at + 1] = (uint8_t)at;
        }
        assert_int_equal(siphash(&reference_key, message + 1, vectors[i].n), vectors[i].hash);
        free(message);
    }
}

static uint64_t of_pages(const struct sip_key *key, const uint8_t *bytes, unsigned count)
{
    struct sip_pages pages;
    sip_pages_begin(&pages, key);
    for (unsigned i = 0; i < count; i++) {
        sip_pages_add(&pages, bytes + i * PAGE);
    }
    return sip_pages_end(&pages);
}

/* The hash of pages is the hash of their hashes. */
static void pages_by_their_definition(void **state)
{
    (void)state;
    uint8_t *bytes = aligned_alloc(PAGE, 3 * PAGE);
    for (size_t i = 0; i < 3 * PAGE; i++) {
        bytes[i] = (uint8_t)(i * 7 + i / PAGE);
    }
    for (unsigned count = 0; count <= 3; count++) {
        uint64_t hashes[3] = {0};
        for (unsigned i = 0; i < count; i++) {
            hashes[i] = siphash(&reference_key, bytes + i * PAGE, PAGE);
        }
        assert_int_equal(of_pages(&reference_key, bytes, count),
                         siphash(&reference_key, hashes, count * sizeof(hashes[0])));
    }
    free(bytes);
}

/* One bit of a page or of the key, the order of pages, and a page more change the hash. */
static void every_part_counts(void **state)
{
    static const struct sip_key others[] = {{1, 0}, {0, 1}, {UINT64_C(1) << 63, 0}, {0, UINT64_C(1) << 63}};
    const struct sip_key zero = {0, 0};
    (void)state;
    uint8_t *bytes = aligned_alloc(PAGE, 2 * PAGE);
    memset(bytes, 0, 2 * PAGE);
    const uint64_t before = of_pages(&zero, bytes, 2);
    assert_true(of_pages(&zero, bytes, 1) != before);
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        assert_true(of_pages(&others[i], bytes, 2) != before);
    }
    bytes[PAGE - 1] = 0x80;
    const uint64_t first = of_pages(&zero, bytes, 2);
    bytes[PAGE - 1] = 0;
    bytes[2 * PAGE - 1] = 0x80;
    const uint64_t second = of_pages(&zero, bytes, 2);
    assert_true(first != before && second != before && first != second);
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_authors_vectors),
        cmocka_unit_test(pages_by_their_definition),
        cmocka_unit_test(every_part_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
