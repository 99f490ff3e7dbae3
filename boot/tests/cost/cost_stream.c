/* SPDX-License-Identifier: Apache-2.0 */
/* The cost of a frame in a stream to another task: both sides' library work, and their yields. */
#include "cost/cost_stream.h"

#include <stdalign.h>
#include <string.h>

#include "cost/cost_call.h"
#include "cost/cost_paths.h"

#define OBJECTS 4
#define PAGE_BYTES 4096
#define STACK_PAGES 4

extern const uint8_t cost_stream_peer_elf[];
extern const uint64_t cost_stream_peer_elf_bytes;

static alignas(16) uint8_t registry_storage[VMO_REGISTRY_BYTES(OBJECTS, OBJECTS, OBJECTS, 1)];
static struct vmo_registry *registry;
static vmo_peer_t peer;

/* A stream for each policy, and the cheapest batch of both sides. */
static struct run {
    alignas(16) uint8_t storage[VMO_STREAM_PRODUCER_BYTES(STREAM_BUFFERS, 1)];
    struct vmo_producer *producer;
    uint64_t instructions;
    uint64_t yields;
} runs[2];

static void must(vmo_status status)
{
    if (status != VMO_OK) {
        cost_refused(vmo_status_name(status));
    }
}

static void start(void)
{
    static const struct vmo_limits limits = {
        .objects = OBJECTS, .mappings = OBJECTS, .views = OBJECTS, .peers = 1};
    const struct vmo_program program = {
        .elf = cost_stream_peer_elf, .elf_bytes = cost_stream_peer_elf_bytes, .stack_pages = STACK_PAGES};

    must(vmo_registry_init(registry_storage, sizeof(registry_storage), &limits, &registry));
    must(vmo_peer_spawn(registry, &program, &peer));
    must(vmo_peer_allow(registry, peer));
}

static void send_all(struct vmo_producer *producer, struct stream_cost *cost)
{
    struct vmo_loan loan;

    for (uint32_t i = 0; i < STREAM_FRAMES && !cost_has_failed(); i++) {
        stream_cost_begin();
        must(vmo_stream_loan(producer, UINT64_MAX, &loan, NULL));
        stream_cost_end(cost, i);
        loan.data[0] = (uint8_t)i;
        stream_cost_begin();
        must(vmo_stream_publish(producer, &loan, 1, i));
        stream_cost_end(cost, i);
    }
}

static uint64_t least_of(const uint64_t *mine, const uint64_t *theirs)
{
    uint64_t least = UINT64_MAX;

    for (uint32_t i = 0; i < STREAM_BATCHES; i++) {
        least = mine[i] + theirs[i] < least ? mine[i] + theirs[i] : least;
    }
    return least;
}

static const struct run *run_of(vmo_stream_policy policy)
{
    const struct vmo_stream_options options = {
        .policy = policy, .buffers = STREAM_BUFFERS, .consumers = 1, .hold = 1, .capacity_bytes = PAGE_BYTES};
    struct run *run = &runs[policy];
    struct stream_cost mine = {{0}, {0}}, theirs = {{0}, {0}};
    struct vmo_incoming report;
    vmo_consumer_t name;

    if (registry == NULL) {
        start();
    }
    if (run->producer != NULL || cost_has_failed()) {
        return run;
    }
    must(vmo_stream_create(registry, &options, run->storage, sizeof(run->storage), &run->producer));
    must(vmo_stream_offer(run->producer, peer, STREAM_TAG, UINT64_MAX, &name));
    send_all(run->producer, &mine);
    if (!cost_has_failed()) {
        must(vmo_recv(registry, peer, &report, UINT64_MAX));
        memcpy(&theirs, report.body, sizeof(theirs));
    }
    run->instructions = least_of(mine.instructions, theirs.instructions) / STREAM_BATCH_FRAMES;
    run->yields = least_of(mine.yields, theirs.yields);
    return run;
}

void cost_take_stream(void)
{
    cost_spend(run_of(VMO_STREAM_BACKPRESSURE)->instructions);
}

void cost_take_stream_yields(void)
{
    cost_spend(run_of(VMO_STREAM_BACKPRESSURE)->yields + cost_of_nothing());
}

void cost_take_stream_latest(void)
{
    cost_spend(run_of(VMO_STREAM_LATEST)->instructions);
}

void cost_take_stream_latest_yields(void)
{
    cost_spend(run_of(VMO_STREAM_LATEST)->yields + cost_of_nothing());
}

/* The peer first: what was sent to it can be given back once it is closed. */
void cost_stream_finish(void)
{
    int32_t status = -1;

    if (registry == NULL || cost_has_failed()) {
        return;
    }
    must(vmo_send(registry, peer, &(struct vmo_message){.tag = STREAM_TAG}, UINT64_MAX));
    must(vmo_peer_wait(registry, peer, UINT64_MAX, &status));
    must(status == 0 ? VMO_OK : VMO_ERR_PROTOCOL);
    must(vmo_peer_close(registry, peer));
    must(vmo_stream_close(runs[0].producer));
    must(vmo_stream_close(runs[1].producer));
    must(vmo_registry_fini(registry));
}
