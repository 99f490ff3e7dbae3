/* SPDX-License-Identifier: Apache-2.0 */
/* Runs each case in its world, and prints TAP. */
#include <inttypes.h>
#include <stdalign.h>
#include <stdio.h>

#include "conformance/conf.h"
#include "conformance/conf_run.h"

/* Reasons why a case cannot run, one for each missing feature, in the order of the HAS_ bits. */
static const char *const reasons[HAS_COUNT] = {
    "memory cannot be mapped",
    "memory cannot be unmapped",
    "memory cannot be freed",
    "no peer can be started",
    "a peer cannot be waited for",
    "there is no vmo_transfer",
    "there are no files",
    "the suite cannot use up the mappings",
    "the suite cannot use up the memory",
    "the kernel enforces no seal",
    "a peer cannot create VMOs",
    "the kernel does not report other holders",
    "a child cannot transfer to its parent",
    "no kernel loads a peer's program",
    "a bad pointer faults in the caller",
    "a peer cannot be killed",
    "the kernel keeps no names",
    "there are no descriptors",
    "a message carries one VMO at most",
};

static uint32_t spawned;
static bool has_peer;
static bool peer_was_closed;
static struct conf_held held_bare;   /* before the peer was started */
static struct conf_held held_before; /* before the case */
static struct conf_held peer_before;

/* ---- The world of a case ------------------------------------------------------------------------ */

static void open_world(void)
{
    static alignas(16) uint8_t storage[VMO_REGISTRY_BYTES(OBJECTS, MAPPINGS, VIEWS, PEERS)];

    OK(vmo_registry_init(storage, sizeof(storage), &conf_limits, &world.a));
}

static vmo_status start_peer(struct conf_held bare)
{
    const vmo_status status = conf_port_start_peer(world.a, &world.to_peer);

    held_bare = bare;
    has_peer = status == VMO_OK;
    return status;
}

vmo_status conf_try_peer(void)
{
    return start_peer(held_before);
}

static void open_peer(void)
{
    CHECK(conf_port()->spawns == 0 || spawned < conf_port()->spawns);
    spawned++;
    OK(start_peer(conf_port_held()));
    OK(vmo_peer_allow(world.a, world.to_peer));
    CHECK_EQ(ASK(VMO_OK, .op = OP_ECHO, .arg = 4711).value, 4711);
}

static void close_peer(void)
{
    const struct conf_order end = {.op = OP_END};
    int32_t status = -1;

    has_peer = false;
    conf_send_order(&end, VMO_NONE, 0);
    if (can(HAS_REAP)) {
        OK(vmo_peer_wait(world.a, world.to_peer, conf_soon(), &status));
        CHECK_EQ(status, 0);
    }
    OK(vmo_peer_close(world.a, world.to_peer));
    conf_port_drop_peer(false);
}

void conf_peer_closed(void)
{
    conf_port_drop_peer(false);
    has_peer = false;
    peer_was_closed = true;
}

void conf_new_peer(void)
{
    if (has_peer) {
        close_peer();
    }
    open_peer();
}

static void close_world(void)
{
    if (has_peer) {
        close_peer();
    }
    OK(vmo_registry_fini(world.a));
    world.a = NULL;
}

/* ---- Leaks -------------------------------------------------------------------------------------- */

/* Fills the registry's tables to check that each entry is free, then empties them. */
static void check_tables(void)
{
    static const uint8_t byte = 1;
    vmo_t vmos[2 * OBJECTS];
    vmo_view_t views[VIEWS];
    vmo_t more = VMO_NONE;

    for (uint32_t i = 0; i < OBJECTS; i++) {
        OK(vmo_wrap_bytes(world.a, &byte, 1, &vmos[i]));
    }
    for (uint32_t i = OBJECTS; i < 2 * OBJECTS; i++) {
        OK(vmo_dup(world.a, vmos[0], VMO_RIGHT_READ, &vmos[i]));
    }
    STATUS(vmo_dup(world.a, vmos[0], VMO_RIGHT_READ, &more), VMO_ERR_TABLE_FULL);
    for (uint32_t i = 0; i < VIEWS; i++) {
        OK(vmo_map_ro(world.a, vmos[i], RANGE(0, 1), &views[i]));
    }
    for (uint32_t i = 0; i < VIEWS; i++) {
        OK(vmo_unmap(world.a, views[i]));
    }
    for (uint32_t i = 0; i < 2 * OBJECTS; i++) {
        OK(vmo_close(world.a, vmos[i]));
    }
}

static struct conf_held peer_held(void)
{
    const struct conf_answer answer = ASK(VMO_OK, .op = OP_COUNT);
    return (struct conf_held){answer.value, answer.len};
}

static void note_held(void)
{
    held_before = conf_port_held();
    if (has_peer) {
        peer_before = peer_held();
    }
}

static void check_held(void)
{
    const struct conf_held now = conf_port_held();
    const struct conf_held *then = peer_was_closed ? &held_bare : &held_before;

    check_tables();
    CHECK_EQ(now.slots, then->slots);
    CHECK_EQ(now.mappings, then->mappings);
    if (has_peer) {
        const struct conf_held peer = peer_held();
        CHECK_EQ(peer.slots, peer_before.slots);
        CHECK_EQ(peer.mappings, peer_before.mappings);
    }
}

/* ---- Running ------------------------------------------------------------------------------------ */

static const struct conf_case *current;

/* Makes the world and the peer if they are missing; they stay until a case fails or closes the peer. */
static void run_in_world(void)
{
    if (world.a == NULL) {
        conf_port_between();
        open_world();
    }
    if ((current->needs & HAS_PEER) && !has_peer) {
        open_peer();
    }
    peer_was_closed = false;
    note_held();
    current->run();
    check_held();
    if (peer_was_closed) {
        close_world();
    }
}

/* After a failure the world is dropped, with its handles and its peer. */
static void drop_world(void)
{
    if (has_peer) {
        conf_port_drop_peer(true);
        has_peer = false;
    }
    world.a = NULL;
}

static const char *missing(uint32_t needs)
{
    for (uint32_t bit = 0; bit < HAS_COUNT; bit++) {
        if ((needs & 1u << bit) && !can(1u << bit)) {
            return reasons[bit];
        }
    }
    return NULL;
}

static bool run_case(const char *group, const struct conf_case *each, uint32_t *ran)
{
    const char *reason = missing(each->needs);

    if (reason != NULL) {
        printf("# cannot: %s: %s - %s\n", group, each->name, reason);
        return true;
    }
    current = each;
    ++*ran;
    const bool good = conf_guarded(run_in_world);
    if (!good) {
        drop_world();
    }
    printf("%s %" PRIu32 " - %s: %s\n", good ? "ok" : "not ok", *ran, group, each->name);
    return good;
}

int conf_run(const char *only)
{
    uint32_t ran = 0;
    bool good = true;

    printf("TAP version 13\n# platform %s\n", conf_port()->name);
    for (size_t g = 0; g < conf_group_count; g++) {
        const struct conf_group *group = conf_groups[g];
        if (only != NULL && strcmp(only, group->name) != 0) {
            continue;
        }
        for (size_t i = 0; i < group->count; i++) {
            good = run_case(group->name, &group->cases[i], &ran) && good;
        }
        if (world.a != NULL) {
            good = conf_guarded(close_world) && good; /* each group starts with a new world */
        }
    }
    printf("1..%" PRIu32 "\n# conformance: end\n", ran);
    return good ? 0 : 1;
}
