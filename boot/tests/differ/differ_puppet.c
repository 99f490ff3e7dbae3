/* SPDX-License-Identifier: Apache-2.0 */
/* What init must know of the program that its children run: where its memory is, and what a child of it
 * takes. */
#include "differ/differ_puppet.h"

#include <string.h>

#define ELF_PHOFF 32
#define ELF_PHNUM 56
#define ELF_PHDR_BYTES 56
#define PHDR_TYPE_LOAD 1
#define PHDR_MEMSZ 40

static bool find_card(struct puppet_card *card)
{
    unsigned found = 0;

    for (uint64_t at = 0; at + sizeof *card <= puppet_elf_bytes; at += 8) {
        if (memcmp(puppet_elf + at, PUPPET_MARK, PUPPET_MARK_BYTES) == 0) {
            memcpy(card, puppet_elf + at, sizeof *card);
            found++;
        }
    }
    return found == 1;
}

bool puppet_read(struct model_limits *limits)
{
    struct puppet_card card;
    uint64_t phoff = 0, pages = PUPPET_STACK_PAGES + NX_USER_STACK_EXTRA_PAGES;
    uint16_t phnum = 0;

    memcpy(&phoff, puppet_elf + ELF_PHOFF, sizeof phoff);
    memcpy(&phnum, puppet_elf + ELF_PHNUM, sizeof phnum);
    limits->child_regions = 1; /* the stack */
    for (uint16_t i = 0; i < phnum; i++) {
        const uint8_t *phdr = puppet_elf + phoff + (uint64_t)i * ELF_PHDR_BYTES;
        uint32_t type = 0;
        uint64_t bytes = 0;
        memcpy(&type, phdr, sizeof type);
        memcpy(&bytes, phdr + PHDR_MEMSZ, sizeof bytes);
        limits->child_regions += type == PHDR_TYPE_LOAD;
        pages += type == PHDR_TYPE_LOAD ? (bytes + NX_PAGE_BYTES - 1) / NX_PAGE_BYTES : 0;
    }
    limits->image_bytes = pages * NX_PAGE_BYTES;
    if (!find_card(&card)) {
        return false;
    }
    limits->child = differ_places(card.memory);
    return true;
}
