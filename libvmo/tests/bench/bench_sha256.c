/* SPDX-License-Identifier: Apache-2.0 */
/* Compares the CPU time of the library's SHA-256 with OpenSSL's EVP: medians of alternating runs
 * (`make bench-sha256`). */
#define _POSIX_C_SOURCE 200809L
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "lx_sha256_blocks.h"
#include "sha256_portable.h"
#include "vmo/sha256.h"

#define RUNS 41
#define RUN_BYTES (256u * 1024)

static uint8_t bytes[1024 * 1024];
static uint8_t digest[VMO_SHA256_BYTES];

static void by_libvmo(size_t len)
{
    struct vmo_sha256 hash;

    vmo_sha256_init(&hash);
    vmo_sha256_update(&hash, bytes, len);
    vmo_sha256_final(&hash, digest);
}

static void by_evp(size_t len)
{
    if (EVP_Digest(bytes, len, digest, NULL, EVP_sha256(), NULL) != 1) {
        fputs("bench_sha256: EVP_Digest failed\n", stderr);
        exit(1);
    }
}

static double ns_of(void (*hash)(size_t len), size_t len)
{
    const size_t times = RUN_BYTES / len + 1;
    struct timespec begin, end;

    hash(1); /* the first call may run CPUID, which is slow in a virtual machine */
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &begin);
    for (size_t i = 0; i < times; i++) {
        hash(len);
    }
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
    return ((double)(end.tv_sec - begin.tv_sec) * 1e9 + (double)(end.tv_nsec - begin.tv_nsec)) /
           (double)times;
}

static int by_value(const void *a, const void *b)
{
    const double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

int main(void)
{
    static void (*const hashes[])(size_t) = {by_libvmo, by_evp, by_libvmo};
    static const size_t lengths[] = {64, 1024, 16384, sizeof(bytes)};
    double ns[3][RUNS];

    puts("   bytes     libvmo        EVP   portable   MB/s   libvmo / EVP");
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        const double size = (double)lengths[i];
        for (size_t run = 0; run < RUNS; run++) {
            for (size_t way = 0; way < 3; way++) {
                lx_sha256_use(way == 2 ? sha256_portable : NULL);
                ns[way][run] = ns_of(hashes[way], lengths[i]);
            }
        }
        for (size_t way = 0; way < 3; way++) {
            qsort(ns[way], RUNS, sizeof(double), by_value);
        }
        const double vmo = ns[0][RUNS / 2], evp = ns[1][RUNS / 2], portable = ns[2][RUNS / 2];
        printf("%8.0f %10.0f %10.0f %10.0f %21.2f\n", size, size / vmo * 1e3, size / evp * 1e3,
               size / portable * 1e3, evp / vmo);
    }
    return 0;
}
