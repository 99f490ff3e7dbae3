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
#define CONFIG_SPACES_A1 11 /* K-17 */

enum abi_revision { REVISION_A1 = 1, REVISION_A2 = 2 };

/* Everything that a boot may choose; filled by init/bootargs.c, defaults by kernel_config_default. */
struct kernel_config {
    enum abi_revision revision;
    char nonce[65];   /* "-" when none was given */
    uint64_t without; /* bit n set: call n answers -38 */
    uint64_t watchdog_ms;
    uint64_t arena_bytes; /* 0: the age's */
    uint32_t slots;       /* 0: the age's */
    uint32_t ep_ids;      /* 0: the age's */
    uint32_t spaces;      /* 0: the age's */
    uint32_t regions;     /* 0: the ages' */
    uint32_t ep_owner;    /* 0: the age's */
};

/*
 * What differs between the revisions: one table in config.c, taken once. Everything else asks for a fact
 * and never for the revision.
 */
struct config_facts {
    const char *name;     /* in the audit */
    unsigned calls;       /* the revision's bit in the table of calls (K-05) */
    uint64_t arena_bytes; /* defaults of kernel_config */
    uint32_t slots, ep_ids, spaces, ep_owner;
    uint64_t ipc_max_bytes;        /* payload of a message (K-50) */
    uint64_t recv_flags;           /* that a receive knows (K-52) */
    int64_t overlap_error;         /* of pages that are taken already (K-13, K-27) */
    uint64_t init_elf_bytes_max;   /* K-13 */
    uint64_t init_image_bytes_max; /* K-13: pages and stack */
    bool init_needs_gp;            /* K-12: refuses an init without the symbol of gp */
    bool bump_arena;               /* K-20: gives no VMO's memory back */
    bool images_in_arena;          /* K-20: images and stacks of exec come out of the arena */
    bool create_takes_bytes_first; /* K-20: vmo_create looks at the slot when the bytes are gone */
    bool keeps_spaces;             /* K-17: address spaces are never given back */
    bool bounds_regions;           /* K-24: an address space has a bounded number of regions */
    bool owner_limit_is_live;      /* K-56: an owner's limit is of living endpoints, not of all it made */
    bool preemptive;               /* K-16 */
    bool child_starts_ready;       /* K-16 */
    bool lone_exit_is_fatal;       /* K-61: panics when a task ends while every other one is blocked */
    bool clobbers_temporaries;     /* K-02 */
};

extern struct kernel_config the_config;
extern struct config_facts the_facts;

void kernel_config_default(struct kernel_config *config);

/* The size of the arena that the configuration asks for, or its revision's. */
uint64_t config_arena_bytes(const struct kernel_config *config);

/* Takes a copy, fills what was left to the revision, and sets the facts. Panics on a value that the
 * tables cannot hold. */
void config_init(const struct kernel_config *config);

#endif
