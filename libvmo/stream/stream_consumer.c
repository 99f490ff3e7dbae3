/* SPDX-License-Identifier: Apache-2.0 */
/* The life of a stream at a consumer: join, leave. It trusts no word of the producer. */
#include <string.h>

#include "stream_take.h"

#define LEAVING_MAGIC UINT32_C(0x534E4F44) /* vmo_stream_leave was refused halfway */

_Static_assert(sizeof(struct vmo_consumer) <= VMO_STREAM_CONSUMER_BYTES,
               "the storage that the header promises");

static bool is_ours(const struct vmo_consumer *consumer, uint32_t magic)
{
    return consumer->magic == magic && stream_token_holds(consumer->token);
}

/* ---- Joining ------------------------------------------------------------------------------------ */

int vmo_stream_is_offer(const struct vmo_incoming *message)
{
    struct stream_offer offer;

    if (message == NULL || message->body_bytes != sizeof(offer) || message->vmo.id == 0) {
        return 0;
    }
    memcpy(&offer, message->body, sizeof(offer));
    return offer.magic == STREAM_MAGIC && offer.part == STREAM_OFFER_POOL;
}

/* Checks the terms against each other. */
static bool terms_hold(const struct stream_offer *offer)
{
    return offer->policy <= VMO_STREAM_LATEST && offer->looks <= VMO_STREAM_LOOKS_MAX &&
           offer->buffers >= 1 && offer->buffers <= VMO_STREAM_BUFFERS_MAX && offer->hold >= 1 &&
           offer->hold <= offer->buffers && offer->seat < VMO_STREAM_CONSUMERS_MAX && offer->start >= 1 &&
           offer->start <= VMO_STREAM_FRAMES_MAX && offer->capacity_bytes >= 1 &&
           offer->capacity_bytes < UINT64_C(1) << STREAM_LENGTH_BITS;
}

/* Checks the pool against the terms. */
static vmo_status check_pool(const struct object *pool, const struct stream_offer *offer, uint64_t entries,
                             uint64_t page_bytes)
{
    const uint64_t behind = stream_control_bytes(entries);

    if (pool->seal == VMO_SEAL_NONE) {
        return VMO_ERR_NOT_SEALED;
    }
    /* The quotient cannot overflow, as a product of two numbers from the producer could. */
    return pool->len_bytes > behind && (pool->len_bytes - behind) % offer->capacity_bytes == 0 &&
                   (pool->len_bytes - behind) / offer->capacity_bytes == offer->buffers &&
                   offer->capacity_bytes % page_bytes == 0
               ? VMO_OK
               : VMO_ERR_PROTOCOL;
}

/* Checks the second message against the first. */
static vmo_status check_page(const struct vmo_registry *registry, const struct vmo_incoming *second,
                             struct stream_offer expected)
{
    struct vmo_ref page;

    expected.part = STREAM_OFFER_PAGE;
    return second->body_bytes == sizeof(expected) && memcmp(second->body, &expected, sizeof(expected)) == 0 &&
                   registry_lookup(registry, second->vmo, &page) &&
                   page.object->len_bytes == registry->info.page_bytes &&
                   registry_rights(&page) == VMO_RIGHTS_ALL
               ? VMO_OK
               : VMO_ERR_PROTOCOL;
}

/* Maps the pool and the page. After a refusal neither is mapped. */
static vmo_status map_both(struct vmo_registry *registry, struct vmo_consumer *consumer, struct object *pool)
{
    const struct vmo_range page = {0, registry->info.page_bytes};
    vmo_status status = vmo_map_ro(registry, consumer->parts[0].vmo, (struct vmo_range){0, pool->len_bytes},
                                   &consumer->parts[0].view);

    if (status != VMO_OK) {
        return status;
    }
    status = vmo_map_rw(registry, consumer->parts[1].vmo, page, &consumer->parts[1].view);
    if (status != VMO_OK) {
        vmo_status undone = vmo_unmap(registry, consumer->parts[0].view);
        undone = undone == VMO_OK ? mapping_drop_unused(registry, pool) : undone;
        return undone == VMO_OK ? status : undone;
    }
    return VMO_OK;
}

/* Takes this side's notifier, if the stream is pollable. */
static vmo_status take_notifier(const struct vmo_registry *registry, struct vmo_consumer *consumer)
{
    struct peer *from = registry_peer(registry, consumer->peer);

    if (consumer->terms.notifier == 0) {
        return VMO_OK;
    }
    return from == NULL ? VMO_ERR_BAD_HANDLE
                        : be_stream_notifier_take(&from->be, consumer->terms.notifier, &consumer->notifier);
}

/* Receives the second message. Its VMO, the page, can have no seal, since the consumer writes it. So what
 * vmo_peer_require demands does not apply. */
static vmo_status receive_page(struct vmo_registry *registry, vmo_peer_t peer, struct vmo_incoming *out,
                               uint64_t deadline_ns)
{
    struct peer *from = registry_peer(registry, peer);

    if (from == NULL) {
        return VMO_ERR_BAD_HANDLE;
    }
    const uint8_t required = from->required_seal;
    from->required_seal = VMO_SEAL_NONE;
    const vmo_status status = vmo_recv(registry, peer, out, deadline_ns);
    from->required_seal = required;
    return status;
}

/* Checks what was offered, receives the second message, and maps both. After a refusal only the offer's VMO
 * is left. */
static vmo_status attach(struct vmo_registry *registry, struct vmo_consumer *consumer, uint64_t deadline_ns)
{
    struct vmo_incoming second;
    struct vmo_ref pool;
    vmo_status status = VMO_ERR_PROTOCOL;

    if (!registry_lookup(registry, consumer->parts[0].vmo, &pool)) {
        return VMO_ERR_BAD_HANDLE;
    }
    if (terms_hold(&consumer->terms)) {
        consumer->mask = stream_ring_entries(consumer->terms.buffers) - 1;
        status = check_pool(pool.object, &consumer->terms, consumer->mask + 1, registry->info.page_bytes);
    }
    if (status == VMO_OK) {
        status = receive_page(registry, consumer->peer, &second, deadline_ns);
    }
    if (status != VMO_OK) {
        return status;
    }
    consumer->parts[1].vmo = second.vmo;
    status = check_page(registry, &second, consumer->terms);
    if (BE_STREAM_NOTIFIES && status == VMO_OK) {
        status = take_notifier(registry, consumer);
    }
    if (status == VMO_OK) {
        status = map_both(registry, consumer, pool.object);
    }
    if (status != VMO_OK && second.vmo.id) {
        const vmo_status closed = vmo_close(registry, second.vmo);
        return closed == VMO_OK ? status : closed;
    }
    return status;
}

vmo_status vmo_stream_join(struct vmo_registry *registry, vmo_peer_t peer, const struct vmo_incoming *offer,
                           void *storage, size_t storage_bytes, uint64_t deadline_ns,
                           struct vmo_consumer **out)
{
    struct vmo_consumer *made = storage;

    if (!registry_is_live(registry) || !vmo_stream_is_offer(offer) || storage == NULL ||
        (uintptr_t)storage % 16 || out == NULL) {
        return VMO_ERR_INVALID;
    }
    if (storage_bytes < VMO_STREAM_CONSUMER_BYTES) {
        return VMO_ERR_STORAGE;
    }
    memset(made, 0, sizeof(*made));
    made->registry = registry;
    made->peer = peer;
    memcpy(&made->terms, offer->body, sizeof(made->terms));
    made->parts[0].vmo = offer->vmo;
    vmo_status status = stream_token_make(&made->token);
    if (status != VMO_OK) {
        return status;
    }
    if (BE_STREAM_NOTIFIES) {
        made->notifier = BE_NONE;
    }
    status = attach(registry, made, deadline_ns);
    if (status != VMO_OK) {
        if (BE_STREAM_NOTIFIES) {
            be_stream_notifier_close(BE_NONE, &made->notifier);
        }
        stream_token_drop(made->token);
        return status;
    }
    made->pool = vmo_view_data(registry, made->parts[0].view);
    made->control = (const void *)(made->pool + made->terms.buffers * made->terms.capacity_bytes);
    made->expelled = &made->control->expelled[made->terms.seat];
    made->page = (void *)vmo_view_data_rw(registry, made->parts[1].view);
    made->cursor = made->terms.start;
    made->magic = STREAM_CONSUMER_MAGIC;
    *out = made;
    return VMO_OK;
}

/* ---- Leaving ------------------------------------------------------------------------------------- */

/* The last words that the page of this consumer gets. */
static void tell_end(struct vmo_consumer *consumer)
{
    for (uint32_t b = 0; b < consumer->terms.buffers; b++) {
        if (consumer->held[b]) {
            stream_release_buffer(consumer, b, consumer->held[b]);
        }
    }
    atomic_store_explicit(&consumer->page->left, 1, memory_order_release);
    atomic_fetch_add_explicit(&consumer->page->bell, 1, memory_order_release);
    be_stream_wake(&consumer->page->bell);
}

vmo_status vmo_stream_fd(const struct vmo_consumer *consumer, int *fd)
{
    if (!BE_STREAM_NOTIFIES) {
        return VMO_ERR_UNSUPPORTED;
    }
    const vmo_status status = fd == NULL ? VMO_ERR_INVALID : stream_check_consumer(consumer);
    if (status != VMO_OK) {
        return status;
    }
    if (consumer->notifier == BE_NONE) {
        return VMO_ERR_UNSUPPORTED;
    }
    *fd = consumer->notifier;
    return VMO_OK;
}

vmo_status vmo_stream_leave(struct vmo_consumer *consumer)
{
    if (consumer == NULL) {
        return VMO_ERR_INVALID;
    }
    if (!is_ours(consumer, STREAM_CONSUMER_MAGIC) && !is_ours(consumer, LEAVING_MAGIC)) {
        return VMO_ERR_BAD_HANDLE;
    }
    if (consumer->magic == STREAM_CONSUMER_MAGIC) {
        tell_end(consumer);
        consumer->magic = LEAVING_MAGIC;
        if (BE_STREAM_NOTIFIES) {
            be_stream_notifier_close(BE_NONE, &consumer->notifier);
        }
    }
    vmo_status status = stream_part_end(consumer->registry, &consumer->parts[0], false);
    if (status == VMO_OK) {
        status = stream_part_end(consumer->registry, &consumer->parts[1], false);
    }
    if (status == VMO_OK) {
        consumer->magic = 0;
        stream_token_drop(consumer->token);
    }
    return status;
}
