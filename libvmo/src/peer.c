/* SPDX-License-Identifier: Apache-2.0 */
/* Peers, and which of them may get a VMO (R6). */
#include "registry.h"

uint64_t vmo_now_ns(const struct vmo_registry *registry)
{
    (void)registry;
    return be_now_ns();
}

/* Enters a peer if the backend made it. The table is not full. */
static vmo_status enter(struct vmo_registry *registry, vmo_status made, const struct be_peer *be,
                        vmo_peer_t *out)
{
    if (made == VMO_OK) {
        struct peer *peer = table_take(&registry->tables[TABLE_PEERS]);
        peer->allowed = false;
        peer->required_seal = VMO_SEAL_NONE;
        peer->be = *be;
        *out = (vmo_peer_t){table_id(&peer->entry), registry->serial};
    }
    return made;
}

vmo_status vmo_peer_spawn(struct vmo_registry *registry, const struct vmo_program *program, vmo_peer_t *out)
{
    struct be_peer be;

    if (registry == NULL || program == NULL || program->elf == NULL || !program->elf_bytes ||
        !be_is_user(program->elf, program->elf_bytes) || !program->stack_pages ||
        program->stack_pages > 1024 || out == NULL) {
        return VMO_ERR_INVALID;
    }
    if (table_full(&registry->tables[TABLE_PEERS])) {
        return VMO_ERR_TABLE_FULL;
    }
    const vmo_status made = be_spawn(program, &be);
    return enter(registry, made, &be, out);
}

vmo_status vmo_peer_parent(struct vmo_registry *registry, vmo_peer_t *out)
{
    struct be_peer be;

    if (registry == NULL || out == NULL) {
        return VMO_ERR_INVALID;
    }
    if (table_full(&registry->tables[TABLE_PEERS])) {
        return VMO_ERR_TABLE_FULL;
    }
    const vmo_status made = be_parent(&be);
    return enter(registry, made, &be, out);
}

vmo_status vmo_peer_open(struct vmo_registry *registry, int descriptor, vmo_peer_t *out)
{
    struct be_peer be;

    if (registry == NULL || descriptor < 0 || out == NULL) {
        return VMO_ERR_INVALID;
    }
    if (table_full(&registry->tables[TABLE_PEERS])) {
        return VMO_ERR_TABLE_FULL;
    }
    const vmo_status made = be_peer_open(descriptor, &be);
    return enter(registry, made, &be, out);
}

vmo_status vmo_peer_require(struct vmo_registry *registry, vmo_peer_t peer, vmo_seal_strength strength)
{
    struct peer *found = registry_peer(registry, peer);

    if (found == NULL) {
        return VMO_ERR_BAD_HANDLE;
    }
    if ((unsigned)strength > VMO_SEAL_FOREVER) {
        return VMO_ERR_INVALID;
    }
    found->required_seal = (uint8_t)strength;
    return VMO_OK;
}

vmo_status vmo_peer_allow(struct vmo_registry *registry, vmo_peer_t peer)
{
    struct peer *found = registry_peer(registry, peer);

    if (found == NULL) {
        return VMO_ERR_BAD_HANDLE;
    }
    found->allowed = true;
    return VMO_OK;
}

vmo_status vmo_peer_allow_shared(struct vmo_registry *registry, vmo_peer_t peer)
{
    struct peer *found = registry_peer(registry, peer);

    if (found == NULL) {
        return VMO_ERR_BAD_HANDLE;
    }
    be_peer_allow_shared(&found->be);
    return VMO_OK;
}

vmo_status vmo_peer_wait(struct vmo_registry *registry, vmo_peer_t peer, uint64_t deadline_ns,
                         int32_t *exit_status)
{
    struct peer *found = registry_peer(registry, peer);

    if (found == NULL) {
        return VMO_ERR_BAD_HANDLE;
    }
    return exit_status != NULL ? be_peer_wait(&found->be, deadline_ns, exit_status) : VMO_ERR_INVALID;
}

vmo_status vmo_peer_close(struct vmo_registry *registry, vmo_peer_t peer)
{
    struct peer *found = registry_peer(registry, peer);

    if (found == NULL) {
        return VMO_ERR_BAD_HANDLE;
    }
    const vmo_status status = be_peer_close(&found->be);
    if (status == VMO_OK) {
        table_give(&registry->tables[TABLE_PEERS], &found->entry);
    }
    return status;
}
