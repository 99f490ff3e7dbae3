/* SPDX-License-Identifier: Apache-2.0 */
/* On NEURON the producer starts the consumer. */
#include "connect.h"

#define CONSUMER_STACK_PAGES 4

/* consumer_elf.S */
extern const uint8_t consumer_elf[];
extern const uint64_t consumer_elf_bytes;

vmo_status connect_consumer(struct vmo_registry *registry, vmo_peer_t *out)
{
    const struct vmo_program program = {
        .elf = consumer_elf, .elf_bytes = consumer_elf_bytes, .stack_pages = CONSUMER_STACK_PAGES};
    return vmo_peer_spawn(registry, &program, out);
}
