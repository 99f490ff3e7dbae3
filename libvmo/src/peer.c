/* SPDX-License-Identifier: Apache-2.0 */
/* Peers, and which of them may get a VMO (R6). */
#include "registry.h"

uint64_t vmo_now_ns(const struct vmo_registry *registry)
{
    (void)registry;
    return be_now_ns();
}

/* Enters a peer if the backend made it. */
static vmo_status enter(const struct vmo_registry *registry, struct peer *peer, vmo_status made,
                        vmo_peer_t *out)
{
    if (made == VMO_OK) {
        peer->allowed = false;
        peer->required_seal = VMO_SEAL_NONE;
        *out =
            (vmo_peer_t){registry_take(&peer->entry, registry_peer_index(registry, peer)), registry->serial};
    }
    return made;
}

vmo_status vmo_peer_spawn(struct vmo_registry *registry, const struct vmo_program *program, vmo_peer_t *out)
{
    if (registry == NULL || program == NULL || program->elf == NULL || !program->elf_bytes ||
        !program->stack_pages || program->stack_pages > 1024 || out == NULL) {
        return VMO_ERR_INVALID;
    }
    struct peer *peer = registry_free_peer(registry);
    return peer != NULL ? enter(registry, peer, be_spawn(program, &peer->be), out) : VMO_ERR_TABLE_FULL;
}

vmo_status vmo_peer_parent(struct vmo_registry *registry, vmo_peer_t *out)
{
    if (registry == NULL || out == NULL) {
        return VMO_ERR_INVALID;
    }
    struct peer *peer = registry_free_peer(registry);
    return peer != NULL ? enter(registry, peer, be_parent(&peer->be), out) : VMO_ERR_TABLE_FULL;
}

vmo_status vmo_peer_open(struct vmo_registry *registry, int descriptor, vmo_peer_t *out)
{
    if (registry == NULL || descriptor < 0 || out == NULL) {
        return VMO_ERR_INVALID;
    }
    struct peer *peer = registry_free_peer(registry);
    return peer != NULL ? enter(registry, peer, be_peer_open(descriptor, &peer->be), out)
                        : VMO_ERR_TABLE_FULL;
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
        registry_release(&found->entry);
    }
    return status;
}
