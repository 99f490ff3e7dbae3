/* SPDX-License-Identifier: Apache-2.0 */
#include "registry.h"

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
    return registry_enter_peer(registry, made, &be, out);
}
