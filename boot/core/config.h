/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration of this boot, and the facts of its revision of the kernel ABI. */
#ifndef CORE_CONFIG_H
#define CORE_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "nexus_abi.h"

#define CONFIG_SLOTS_MIN 2
#define CONFIG_SLOTS_MAX NX_SLOTS_A2
#define CONFIG_EP_IDS_MAX NX_EP_IDS_A2

enum abi_revision { REVISION_A1 = 1, REVISION_A2 = 2 };

/* Everything that a boot can configure. kernel_config_default sets the defaults; init/bootargs.c applies the
 * boot arguments. */
struct kernel_config {
    enum abi_revision revision;
    char nonce[65];   /* "-" if none was given */
    uint64_t without; /* bit n set: call n answers -38 */
    uint64_t watchdog_ms;
    uint64_t arena_bytes; /* 0: the revision's default */
    uint32_t slots;       /* 0: the revision's default */
    uint32_t ep_ids;      /* 0: the revision's default */
    uint32_t tables;      /* 0: the revision's default */
    uint32_t regions;     /* 0: NX_REGIONS_MAX */
    uint32_t ep_owner;    /* 0: the revision's default */
    bool hashes;          /* the audit hashes images and granted VMOs, and counts who can write them */
};

/*
 * The differences between the revisions of the kernel ABI, from one table in config.c. Other code tests a
 * fact, never the revision.
 */
struct config_facts {
    const char *name;     /* in the audit */
    unsigned calls;       /* the revision's bit in the table of calls (K-05) */
    uint64_t arena_bytes; /* defaults of kernel_config */
    uint32_t slots, ep_ids, ep_owner;
    uint32_t tables;               /* K-17: page tables after init's start, never freed; 0: no bound */
    uint32_t tables_of_space;      /* K-17: page tables of an address space without a mapping */
    uint64_t ipc_max_bytes;        /* payload of a message (K-50) */
    uint64_t recv_flags;           /* flags that a receive accepts (K-52) */
    bool moves_open_endpoints;     /* K-54: a closed endpoint cannot be moved */
    int64_t overlap_error;         /* error for pages already in use (K-13, K-27) */
    uint64_t init_elf_bytes_max;   /* K-13 */
    uint64_t init_image_bytes_max; /* K-13: pages and stack */
    bool init_needs_gp;            /* K-12: an init without the symbol of gp is refused */
    bool bump_arena;               /* K-20: VMO memory is never freed */
    bool images_in_arena;          /* K-20: exec allocates images and stacks from the arena */
    bool create_takes_bytes_first; /* K-20: vmo_create allocates before it checks the slot */
    bool keeps_spaces;             /* K-17: address spaces are never freed */
    bool bounds_regions;           /* K-24: an address space has a bounded number of regions */
    bool owner_limit_is_live;  /* K-56: an owner's limit counts its live endpoints, not all it ever created */
    bool preemptive;           /* K-16 */
    bool child_starts_ready;   /* K-16 */
    bool lone_exit_is_fatal;   /* K-61: panics if a task ends while every other one is blocked */
    bool clobbers_temporaries; /* K-02 */
};

extern struct kernel_config the_config;
extern struct config_facts the_facts;

void kernel_config_default(struct kernel_config *config);

/* The configured size of the arena, or the revision's default. */
uint64_t config_arena_bytes(const struct kernel_config *config);

/* Copies the configuration, fills in the revision's defaults and sets the facts. Panics on a value beyond
 * the kernel's tables. */
void config_init(const struct kernel_config *config);

#endif
