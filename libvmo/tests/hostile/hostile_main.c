/* SPDX-License-Identifier: Apache-2.0 */
/* Init: the producer of every stream, honest or not, and the consumer of a producer that dies. */
#include "hostile/hostile.h"

#include <stdalign.h>

#define OBJECTS 12
#define PEERS 3
#define STACK_PAGES 4

/* hostile_peer_elf.S */
extern const uint8_t hostile_peer_elf[];
extern const uint64_t hostile_peer_elf_bytes;

static alignas(16) uint8_t registry_storage[VMO_REGISTRY_BYTES(OBJECTS, OBJECTS, OBJECTS, PEERS)];
static alignas(16) uint8_t producer_storage[VMO_STREAM_PRODUCER_BYTES(8, 3)];
static alignas(16) uint8_t consumer_storage[VMO_STREAM_CONSUMER_BYTES];
static struct vmo_registry *registry;
static vmo_peer_t honest; /* these two live to the end */
static vmo_peer_t hostile;

/* ---- Children ----------------------------------------------------------------------------------- */

static vmo_peer_t spawn(void)
{
    const struct vmo_program program = {
        .elf = hostile_peer_elf, .elf_bytes = (size_t)hostile_peer_elf_bytes, .stack_pages = STACK_PAGES};
    vmo_peer_t peer;

    MUST_OK(vmo_peer_spawn(registry, &program, &peer));
    MUST_OK(vmo_peer_allow(registry, peer));
    return peer;
}

static void order(vmo_peer_t peer, uint32_t tag)
{
    MUST_OK(vmo_send(registry, peer, &(struct vmo_message){.tag = tag}, UINT64_MAX));
}

static uint32_t answer(vmo_peer_t peer, uint32_t tag)
{
    struct vmo_incoming message;
    uint32_t value = 0;

    MUST_OK(vmo_recv(registry, peer, &message, UINT64_MAX));
    MUST(message.tag == tag && message.body_bytes == sizeof(value));
    memcpy(&value, message.body, sizeof(value));
    return value;
}

static void reap(vmo_peer_t peer, const char *who)
{
    int32_t status = -1;

    MUST_OK(vmo_peer_wait(registry, peer, UINT64_MAX, &status));
    printf("hostile: %s status=%ld\n", who, (long)status);
    MUST_OK(vmo_peer_close(registry, peer));
}

/* ---- An honest producer ------------------------------------------------------------------------- */

static struct vmo_producer *create(vmo_stream_policy policy)
{
    const struct vmo_stream_options options = frame_options(policy);
    struct vmo_producer *producer = NULL;

    MUST_OK(vmo_stream_create(registry, &options, producer_storage, sizeof(producer_storage), &producer));
    return producer;
}

static vmo_consumer_t offer(struct vmo_producer *producer, vmo_peer_t peer, uint32_t tag)
{
    vmo_consumer_t name;

    MUST_OK(vmo_stream_offer(producer, peer, tag, UINT64_MAX, &name));
    return name;
}

/* Publishes all frames to the reader and to one that does what the tag says, then ends the stream. */
static void beside_one(const char *name, vmo_stream_policy policy, uint32_t tag, vmo_peer_t peer)
{
    begin(name, policy);
    struct vmo_producer *producer = create(policy);
    const vmo_consumer_t reader = offer(producer, honest, TAG_READ);
    const vmo_consumer_t liar = offer(producer, peer, tag);
    struct beside beside = {.registry = registry,
                            .producer = producer,
                            .honest = reader,
                            .liar = liar,
                            .liars_peer = peer,
                            .tag = tag,
                            .offers = tag == TAG_OVERWRITE ? 7 : 0,
                            .patience_ns = patience_ns()};
    if (tag == TAG_TWICE) {
        (void)answer(peer, TAG_READY);
        beside.liar = offer(producer, peer, tag);
        (void)answer(peer, TAG_READY);
    }
    publish_beside(&beside, FRAMES);
    MUST_OK(vmo_stream_close(producer));
    printf("hostile: producer slow=%u timed_out=%u false=%u gone=%u left=%u late_us=%llu wrong=%s\n",
           (unsigned)beside.slow, (unsigned)beside.timed_out, (unsigned)beside.false_words,
           (unsigned)beside.gone, (unsigned)beside.left, us(beside.late_ns),
           beside.wrong == NULL ? "nothing" : beside.wrong);
    (void)answer(honest, TAG_DONE);
}

/* The flood's messages have filled the channel: none is lost, and none was swallowed by a wait. */
static void drain_flood(void)
{
    struct vmo_incoming message;
    uint32_t words = 0;
    uint32_t count = 0;

    order(hostile, TAG_STOP);
    do {
        MUST_OK(vmo_recv(registry, hostile, &message, UINT64_MAX));
        MUST(message.body_bytes == sizeof(words));
        memcpy(&words, message.body, sizeof(words));
        MUST(words == count || message.tag == TAG_DONE);
        count += message.tag == TAG_WORD;
    } while (message.tag == TAG_WORD);
    MUST(message.tag == TAG_DONE);
    printf("hostile: flood sent=%u received=%u\n", (unsigned)words, (unsigned)count);
}

static void beside_liars(vmo_stream_policy policy)
{
    static const struct {
        const char *name;
        uint32_t tag;
    } cases[] = {{"overwrites its page", TAG_OVERWRITE},
                 {"never reads", TAG_NEVER},
                 {"holds all", TAG_HOLD},
                 {"claims all", TAG_CLAIM}};

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        beside_one(cases[i].name, policy, cases[i].tag, hostile);
        order(hostile, TAG_STOP);
        (void)answer(hostile, TAG_DONE);
    }
    beside_one("floods", policy, TAG_FLOOD, hostile);
    drain_flood();
    beside_one("joins twice", policy, TAG_TWICE, hostile);
    (void)answer(hostile, TAG_DONE);
    for (uint32_t tag = TAG_EXIT; tag <= TAG_FAULT; tag++) {
        const vmo_peer_t mortal = spawn();
        beside_one(tag == TAG_EXIT ? "exits holding all" : "faults holding all", policy, tag, mortal);
        reap(mortal, "mortal");
    }
}

/* ---- A producer that lies, stops or dies -------------------------------------------------------- */

/* Overwrites the control block until the consumer is done. */
static void lie_to_the_consumer(vmo_stream_policy policy)
{
    struct vmo_incoming message;

    begin("overwrites its control block", policy);
    struct vmo_producer *producer = create(policy);
    (void)offer(producer, honest, TAG_CONTROL);
    while (vmo_recv(registry, honest, &message, 0) == VMO_ERR_TIMED_OUT) {
        overwrite_control((void *)producer->control, frame_options(policy).buffers);
    }
    MUST(message.tag == TAG_DONE);
    MUST_OK(vmo_stream_close(producer));
}

static const char *const stops[] = {"stops before the entry", "stops before its sequence",
                                    "stops before `published`", "stops before the bell"};
static const char *const dies[] = {"dies before the entry", "dies before its sequence",
                                   "dies before `published`", "dies before the bell"};

/* Stops after so many stores of a publish, and never comes back. */
static void stop_publishing(vmo_stream_policy policy, uint32_t stores)
{
    begin(stops[stores], policy);
    struct vmo_producer *producer = create(policy);
    (void)offer(producer, honest, TAG_STALL);
    publish_until(registry, producer, policy, stores);
    (void)answer(honest, TAG_DONE);
    MUST_OK(vmo_stream_close(producer));
}

/* The producer is a child, and this task reads. */
static void outlive_the_producer(vmo_stream_policy policy, uint32_t stores)
{
    const uint8_t body[2] = {(uint8_t)stores, policy == VMO_STREAM_LATEST};
    const struct vmo_message die = {.tag = TAG_DIE, .body = body, .body_bytes = sizeof(body)};
    struct vmo_consumer *consumer = NULL;
    struct vmo_incoming message;

    begin(dies[stores], policy);
    const vmo_peer_t mortal = spawn();
    MUST_OK(vmo_send(registry, mortal, &die, UINT64_MAX));
    MUST_OK(vmo_recv(registry, mortal, &message, UINT64_MAX));
    MUST_OK(vmo_stream_join(registry, mortal, &message, consumer_storage, sizeof(consumer_storage),
                            UINT64_MAX, &consumer));
    const struct reading reading = read_frames(registry, consumer, patience_ns());
    print_reading("reader", &reading);
    MUST_OK(vmo_stream_leave(consumer));
    reap(mortal, "mortal");
}

int main(void)
{
    static const struct vmo_limits limits = {
        .objects = OBJECTS, .mappings = OBJECTS, .views = OBJECTS, .peers = PEERS};

    MUST_OK(vmo_registry_init(registry_storage, sizeof(registry_storage), &limits, &registry));
    honest = spawn();
    hostile = spawn();
    for (vmo_stream_policy policy = VMO_STREAM_BACKPRESSURE; policy <= VMO_STREAM_LATEST; policy++) {
        beside_liars(policy);
        for (uint32_t round = 0; round < DOUBT_ROUNDS; round++) {
            lie_to_the_consumer(policy);
        }
        for (uint32_t stores = 0; stores <= STORES; stores++) {
            stop_publishing(policy, stores);
            if (!is_a1()) { /* a child makes no VMO there (K-20), and init must not end (K-65) */
                outlive_the_producer(policy, stores);
            }
        }
    }
    order(honest, TAG_END);
    order(hostile, TAG_END);
    reap(honest, "honest");
    reap(hostile, "liar");
    MUST_OK(vmo_registry_fini(registry));
    printf("hostile: done\n");
    return 0;
}
