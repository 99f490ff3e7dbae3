/* SPDX-License-Identifier: Apache-2.0 */
/* The suite on the fake kernel. The peer is another side of the fake and runs while the suite waits. */
#include <stdalign.h>
#include <stdio.h>
#include <string.h>

#include "conformance/conf.h"
#include "fake_state.h"

#define CRASHED (-22)

static struct conf_port port = {
    .name = "fake",
    .features = HAS_MAP | HAS_UNMAP | HAS_DESTROY | HAS_PEER | HAS_REAP | HAS_TRANSFER | HAS_FILES |
                HAS_FEW_MAPS | HAS_LITTLE_MEMORY | HAS_HOLDERS | HAS_KERNEL_SEALS | HAS_PEER_CREATE |
                HAS_USER_CHECK | HAS_KILL | HAS_NAMES | HAS_MANY,
    .patience_ns = UINT64_C(500000000),
    .children = FAKE_SIDES - 1,
    .full_bytes = UINT64_C(0x800000),
    .bad_memory = FAKE_USER_TOP,
};

static struct peer {
    bool alive;
    bool crash;
    uint32_t side;
} peer;

const struct conf_port *conf_port(void)
{
    return &port;
}

struct conf_held conf_port_held(void)
{
    const struct fake_side *side = &fake.side[fake.now];

    return (struct conf_held){side->slots.live, fake.config.has_unmap ? side->regions.live : 0};
}

uint64_t conf_port_mark(void)
{
    const struct conf_held held = conf_port_held();

    return held.slots + (held.mappings << 16) + ((uint64_t)fake_live().queued << 32);
}

/* Like ABI revision a1: no alias, read, unmap or destroy. */
static bool small_kernel;

void conf_port_between(void)
{
    fake_reset();
    if (small_kernel) {
        struct fake_config *config = fake_config();
        config->has_alias = false;
        config->has_read = false;
        config->has_unmap = false;
        config->has_destroy = false;
        config->check_maps = false;
    }
}

/* ---- The peer ----------------------------------------------------------------------------------- */

static void let_peer_act(void *context)
{
    (void)context;
    if (!peer.alive || fake_side_now() != 0) {
        return;
    }
    fake_side(peer.side);
    const enum conf_step step = conf_peer_step(0);
    fake_side(0);
    if (step == STEP_END) {
        peer.alive = false;
        fake_kill_peer(peer.crash ? CRASHED : conf_peer_status());
    }
}

bool conf_port_bad_program(uint32_t i, struct vmo_program *out)
{
    (void)i, (void)out;
    return false; /* no kernel loads programs here */
}

vmo_status conf_port_start_peer(struct vmo_registry *registry, vmo_peer_t *out)
{
    static alignas(16) uint8_t storage[VMO_REGISTRY_BYTES(PEER_OBJECTS, PEER_OBJECTS, PEER_OBJECTS, 1)];
    static const struct vmo_limits limits = {
        .objects = PEER_OBJECTS, .mappings = PEER_OBJECTS, .views = PEER_OBJECTS, .peers = 1};
    const struct vmo_program program = {"elf", 3, 4};
    struct vmo_registry *peers = NULL;
    vmo_peer_t parent = NO_PEER;

    vmo_status status = vmo_peer_spawn(registry, &program, out);
    if (status != VMO_OK) {
        return status;
    }
    peer = (struct peer){.alive = true, .side = fake.sides - 1};
    fake_side(peer.side);
    status = vmo_registry_init(storage, sizeof(storage), &limits, &peers);
    if (status == VMO_OK) {
        status = vmo_peer_parent(peers, &parent);
    }
    conf_peer_begin(peers, parent);
    fake_side(0);
    fake_on_poll(let_peer_act, NULL);
    return status;
}

void conf_port_drop_peer(bool after_failure)
{
    (void)after_failure;
    peer.alive = false;
}

void conf_port_yield(void) {}

void conf_port_crash(void)
{
    peer.crash = true;
}

/* ---- Files -------------------------------------------------------------------------------------- */

int conf_port_file(const void *bytes, size_t len)
{
    return fake_file_set(bytes, len);
}

void conf_port_truncate(int file, size_t len)
{
    fake_file_truncate(file, len);
}

void conf_port_close_file(int file)
{
    (void)file; /* the bytes belong to the suite */
}

/* conf_fake [small] [group] */
int main(int argc, char **argv)
{
    int next = 1;

    if (next < argc && strcmp(argv[next], "small") == 0) {
        small_kernel = true;
        port.name = "fake-small";
        port.features &= ~(HAS_UNMAP | HAS_DESTROY | HAS_KERNEL_SEALS);
        next++;
    }
    const int status = conf_run(next < argc ? argv[next] : NULL);
    fake_reset();
    return status;
}
