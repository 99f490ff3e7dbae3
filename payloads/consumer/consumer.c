/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The consumer: receives a VMO by message, maps it read-only, hashes it in place and replies with the digest.
 * Neither this program nor any message to it contains the shared bytes or their digest (P1).
 */
#include <stdio.h>
#include <string.h>

#include "connect.h"
#include "proof.h"
#include "vmo/channel.h"

static struct vmo_registry *registry;
static vmo_peer_t parent;

static vmo_status open_registry(void)
{
    static const struct vmo_limits limits = {.objects = 4, .mappings = 4, .views = 4, .peers = 1};
    static uint8_t storage[VMO_REGISTRY_BYTES(4, 4, 4, 1)] __attribute__((aligned(16)));
    const vmo_status status = vmo_registry_init(storage, sizeof(storage), &limits, &registry);
    return status == VMO_OK ? connect_producer(registry, &parent) : status;
}

/* Receives a request and its VMO, which the message carries or which its ticket names. */
static vmo_status next_request(struct vmo_incoming *request, vmo_t *vmo)
{
    vmo_status status = vmo_recv(registry, parent, request, vmo_now_ns(registry) + PROOF_CONSUMER_WAIT_NS);
    if (status != VMO_OK) {
        return status;
    }
    if (request->tag == PROOF_TAG_BLOB) {
        *vmo = request->vmo;
        return VMO_OK;
    }
    struct vmo_ticket ticket;
    if (request->body_bytes != sizeof(ticket)) {
        return VMO_ERR_PROTOCOL;
    }
    memcpy(&ticket, request->body, sizeof(ticket));
    return vmo_accept(registry, parent, &ticket, vmo);
}

static vmo_status hash_vmo(vmo_t vmo, uint32_t tag, uint8_t digest[VMO_SHA256_BYTES])
{
    vmo_view_t view = {0};
    uint64_t len = 0;
    vmo_status status = vmo_len(registry, vmo, &len);
    if (status == VMO_OK) {
        status = vmo_map_ro(registry, vmo, (struct vmo_range){0, len}, &view);
    }
    if (status != VMO_OK) {
        return status;
    }
    if (tag == PROOF_TAG_BLOB) {
        puts("vmo: consumer mapped ok");
    }
    status = vmo_view_sha256(registry, view, digest);
    const vmo_status unmapped = vmo_unmap(registry, view);
    return status == VMO_OK ? unmapped : status;
}

/* Answers one request. *vmo stays open, because the judge checks its mapping at the end of the run. */
static vmo_status serve(uint32_t tag, vmo_t *vmo)
{
    struct vmo_incoming request;
    struct proof_reply answer;
    vmo_status status = next_request(&request, vmo);
    if (status == VMO_OK && request.tag != tag) {
        status = VMO_ERR_PROTOCOL;
    }
    if (status == VMO_OK) {
        status = hash_vmo(*vmo, tag, answer.digest);
    }
    if (status != VMO_OK) {
        return status;
    }
    struct vmo_counters counters;
    vmo_counters_read(registry, &counters);
    answer.copies = counters.copies;
    answer.control_bytes = counters.control_bytes;
    answer.bulk_bytes = counters.bulk_bytes;
    const struct vmo_message reply = {.tag = tag, .body = &answer, .body_bytes = sizeof(answer)};
    return vmo_send(registry, parent, &reply, vmo_now_ns(registry) + PROOF_WAIT_NS);
}

static vmo_status close_all(vmo_t blob, vmo_t page)
{
    vmo_status status = vmo_close(registry, blob);
    if (status == VMO_OK) {
        status = vmo_close(registry, page);
    }
    if (status == VMO_OK) {
        status = vmo_peer_close(registry, parent);
    }
    return status == VMO_OK ? vmo_registry_fini(registry) : status;
}

int main(void)
{
    vmo_t blob = VMO_NONE;
    vmo_t page = VMO_NONE;
    const char *step = "open";
    vmo_status status = open_registry();
    if (status == VMO_OK) {
        step = "blob";
        status = serve(PROOF_TAG_BLOB, &blob);
    }
    if (status == VMO_OK) {
        step = "page";
        status = serve(PROOF_TAG_PAGE, &page);
    }
    if (status == VMO_OK) {
        step = "close";
        status = close_all(blob, page);
    }
    if (status != VMO_OK) {
        printf("vmo: FAIL consumer %s: %s: %s\n", step, vmo_status_name(status), vmo_status_str(status));
        return 1;
    }
    return 0;
}
