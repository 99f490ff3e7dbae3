/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration of this boot, with every "the age's" default filled in. */
#ifndef CORE_CONFIG_H
#define CORE_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "nexus_abi.h"

#define CONFIG_SLOTS_MIN 2
#define CONFIG_SLOTS_MAX NX_SLOTS_A2
#define CONFIG_EP_IDS_MAX NX_EP_IDS_A2
#define CONFIG_SPACES_A1 11 /* K-17 */

enum kernel_age { AGE_A1 = 1, AGE_A2 = 2 };

/* Everything that a boot may choose; filled by init/bootargs.c, defaults by kernel_config_default. */
struct kernel_config {
    enum kernel_age age;
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

extern struct kernel_config the_config;

void kernel_config_default(struct kernel_config *config);

/* Takes a copy and fills what was left to the age. Panics on a value that the tables cannot hold. */
void config_init(const struct kernel_config *config);

static inline bool config_is_a1(void)
{
    return the_config.age == AGE_A1;
}

#endif
