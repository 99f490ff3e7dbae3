/* SPDX-License-Identifier: Apache-2.0 */
/* The suite as init, which carries its peer's program. */
#include "conformance/conf.h"
#include "conformance/neuron/conf_only.h"

#define PEER_STACK_PAGES 4

/* conf_peer_elf.S */
extern const uint8_t conf_peer_elf[];
extern const uint64_t conf_peer_elf_bytes;

vmo_status conf_port_start_peer(struct vmo_registry *registry, vmo_peer_t *out)
{
    const struct vmo_program program = {
        .elf = conf_peer_elf, .elf_bytes = conf_peer_elf_bytes, .stack_pages = PEER_STACK_PAGES};

    return vmo_peer_spawn(registry, &program, out);
}

int main(void)
{
    return conf_run(conf_only);
}
