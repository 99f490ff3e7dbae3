/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the puppet's ELF file: the address of its memory, and the resources that a child takes. */
#include "differ/differ_puppet.h"

#include <string.h>

#include "elf64.h"

static bool find_card(struct puppet_card *card)
{
    unsigned found = 0;
    for (uint64_t at = 0; at + sizeof(*card) <= puppet_elf_bytes; at += 8) {
        if (memcmp(puppet_elf + at, PUPPET_MARK, PUPPET_MARK_BYTES) == 0) {
            memcpy(card, puppet_elf + at, sizeof(*card));
            found++;
        }
    }
    return found == 1;
}

bool puppet_read(struct model_limits *limits)
{
    struct puppet_card card;
    struct elf64_header header;
    uint64_t pages = PUPPET_STACK_PAGES + NX_USER_STACK_EXTRA_PAGES;
    memcpy(&header, puppet_elf, sizeof(header));
    limits->child_regions = 1; /* the stack */
    for (uint16_t i = 0; i < header.phnum; i++) {
        struct elf64_program_header segment;
        memcpy(&segment, puppet_elf + header.phoff + i * sizeof(segment), sizeof(segment));
        if (segment.type == ELF64_LOAD) {
            limits->child_regions++;
            pages += (segment.memsz + NX_PAGE_BYTES - 1) / NX_PAGE_BYTES;
        }
    }
    limits->image_bytes = pages * NX_PAGE_BYTES;
    if (!find_card(&card)) {
        return false;
    }
    limits->child = differ_places(card.memory);
    return true;
}
