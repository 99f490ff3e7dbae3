/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The consumer of the proof of fills: lends memory, checks what came back, hashes it in place, and replies
 * with the digest. Neither this program nor any message to it contains the shared bytes or their digest.
 */
#include <stdio.h>
#include <string.h>

#include "connect.h"
#include "fill/fill_proof.h"
#include "proof_report.h"

static struct vmo_registry *registry;
static vmo_peer_t parent;
static vmo_t memory;
static struct proof_reply reply;

static vmo_status open_registry(void)
{
    static const struct vmo_limits limits = {.objects = 4, .mappings = 4, .views = 4, .peers = 1};
    static uint8_t storage[VMO_REGISTRY_BYTES(4, 4, 4, 1)] __attribute__((aligned(16)));
    vmo_status status = vmo_registry_init(storage, sizeof(storage), &limits, &registry);
    if (status == VMO_OK) {
        status = connect_producer(registry, &parent);
    }
    return status == VMO_OK ? vmo_peer_allow(registry, parent) : status;
}

/* Receives a message with this tag and without a body. PROTOCOL for any other. */
static vmo_status receive(uint32_t tag, vmo_t *vmo)
{
    struct vmo_incoming message;
    const vmo_status status =
        vmo_recv(registry, parent, &message, vmo_now_ns(registry) + PROOF_CONSUMER_WAIT_NS);
    if (status != VMO_OK) {
        return status;
    }
    *vmo = message.vmo;
    return message.tag == tag && message.body_bytes == 0 ? VMO_OK : VMO_ERR_PROTOCOL;
}

static vmo_status send(const struct vmo_message *message)
{
    return vmo_send(registry, parent, message, vmo_now_ns(registry) + PROOF_WAIT_NS);
}

static vmo_status receive_memory(void)
{
    return receive(FILL_TAG_MEMORY, &memory);
}

static vmo_status lend(void)
{
    const struct fill_request request = {.request = FILL_REQUEST};
    const struct vmo_message message = {.tag = FILL_TAG_LEND,
                                        .vmo = memory,
                                        .rights = VMO_RIGHTS_ALL,
                                        .body = &request,
                                        .body_bytes = sizeof(request)};
    const vmo_status status = send(&message);
    if (status == VMO_OK) {
        puts("vmo: consumer lent memory");
    }
    return status;
}

static vmo_status receive_answer(void)
{
    vmo_t none = VMO_NONE;
    return receive(FILL_TAG_ANSWER, &none);
}

/* Copies the header once, then checks the copy: the answer alone says nothing. PROTOCOL if the memory does
 * not hold this request's blob, whole. */
static vmo_status check_header(vmo_view_t view, struct vmo_range *blob)
{
    struct fill_header header;
    memcpy(&header, vmo_view_data(registry, view), sizeof(header));
    blob->off_bytes = sizeof(header);
    blob->len_bytes = header.len_bytes;
    const uint64_t room = vmo_view_len(registry, view) - sizeof(header);
    return header.request == FILL_REQUEST && header.len_bytes == room ? VMO_OK : VMO_ERR_PROTOCOL;
}

static vmo_status hash_in_place(void)
{
    vmo_view_t view = {0};
    vmo_view_t part = {0};
    struct vmo_range range = {0, 0};
    vmo_status status = vmo_len(registry, memory, &range.len_bytes);
    if (status == VMO_OK) {
        status = vmo_map_ro(registry, memory, range, &view);
    }
    if (status == VMO_OK) {
        status = check_header(view, &range);
    }
    if (status == VMO_OK) {
        status = vmo_slice(registry, view, range, &part);
    }
    if (status == VMO_OK) {
        status = vmo_view_sha256(registry, part, reply.digest);
    }
    if (status == VMO_OK) {
        status = vmo_unmap(registry, part);
    }
    return status == VMO_OK ? vmo_unmap(registry, view) : status;
}

static vmo_status send_reply(void)
{
    struct vmo_counters counters;
    vmo_counters_read(registry, &counters);
    reply.copies = counters.copies;
    reply.control_bytes = counters.control_bytes;
    reply.bulk_bytes = counters.bulk_bytes;
    const struct vmo_message message = {.tag = FILL_TAG_BLOB,
                                        .vmo = memory,
                                        .rights = VMO_RIGHT_READ,
                                        .body = &reply,
                                        .body_bytes = sizeof(reply)};
    return send(&message);
}

static vmo_status receive_seen(void)
{
    vmo_t none = VMO_NONE;
    return receive(FILL_TAG_SEEN, &none);
}

static vmo_status close_all(void)
{
    vmo_status status = vmo_close(registry, memory);
    if (status == VMO_OK) {
        status = vmo_peer_close(registry, parent);
    }
    return status == VMO_OK ? vmo_registry_fini(registry) : status;
}

struct step {
    const char *name;
    vmo_status (*run)(void);
};

static const struct step steps[] = {
    {"open", open_registry},  {"memory", receive_memory}, {"lend", lend},         {"answer", receive_answer},
    {"check", hash_in_place}, {"reply", send_reply},      {"seen", receive_seen}, {"close", close_all},
};

int main(void)
{
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        const vmo_status status = steps[i].run();
        if (status != VMO_OK) {
            report_failure("consumer", steps[i].name, status);
            return 1;
        }
    }
    return 0;
}
