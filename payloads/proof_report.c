/* SPDX-License-Identifier: Apache-2.0 */
#include "proof_report.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "producer/content.h"

#define STATUS_UNCERTAIN (-22) /* a1 may report this instead of the task's status (K-63) */

static void print_hex(const char *key, const uint8_t *bytes, size_t len)
{
    printf(" %s=", key);
    for (size_t i = 0; i < len; i++) {
        printf("%02x", bytes[i]);
    }
}

void report_evidence(const struct vmo_registry *registry, const struct evidence *evidence)
{
    static const char *const strengths[] = {"none", "peers", "forever"};
    static const char *const enforcers[] = {"nobody", "library", "kernel"};
    struct vmo_counters counters;
    vmo_counters_read(registry, &counters);
    printf("vmo: evidence abi=%s len=%" PRIu64, vmo_platform(registry), evidence->len_bytes);
    print_hex("challenge", evidence->challenge, CONTENT_CHALLENGE_BYTES);
    print_hex("digest", evidence->digest, VMO_SHA256_BYTES);
    printf(" seal=%s enforced=%s copies=%" PRIu64 " control_bytes=%" PRIu64 " bulk_bytes=%" PRIu64 "\n",
           strengths[evidence->seal], enforcers[evidence->enforced], counters.copies, counters.control_bytes,
           counters.bulk_bytes);
}

vmo_status report_end(struct vmo_registry *registry, vmo_peer_t consumer, uint64_t deadline_ns)
{
    int32_t exit_status = 0;
    const vmo_status status = vmo_peer_wait(registry, consumer, deadline_ns, &exit_status);
    if (status == VMO_ERR_UNSUPPORTED) {
        return VMO_OK;
    }
    if (status == VMO_OK && exit_status == STATUS_UNCERTAIN) {
        puts("vmo: note the consumer's end is reported as -22, which proves nothing");
    } else if (status == VMO_OK && exit_status != 0) {
        return VMO_ERR_PEER_GONE;
    }
    return status;
}

void report_failure(const char *who, const char *step, vmo_status status)
{
    printf("vmo: FAIL %s %s: %s: %s\n", who, step, vmo_status_name(status), vmo_status_str(status));
}

vmo_status report_digest(const uint8_t *digest, const uint8_t *expected)
{
    if (memcmp(digest, expected, VMO_SHA256_BYTES) == 0) {
        return VMO_OK;
    }
    printf("vmo: note digests differ:");
    print_hex("expected", expected, VMO_SHA256_BYTES);
    print_hex("replied", digest, VMO_SHA256_BYTES);
    putchar('\n');
    return VMO_ERR_PROTOCOL;
}
