/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration of this boot, with every "the age's" default filled in. */
#ifndef CORE_CONFIG_H
#define CORE_CONFIG_H

#include "core/kernel.h"
#include "nexus_abi.h"

#define CONFIG_SLOTS_MIN 2
#define CONFIG_SLOTS_MAX NX_SLOTS_A2
#define CONFIG_EP_IDS_MAX NX_EP_IDS_A2
#define CONFIG_SPACES_A1 11 /* K-17 */

extern struct kernel_config the_config;

/* Takes a copy and fills what was left to the age. Panics on a value that the tables cannot hold. */
void config_init(const struct kernel_config *config);

static inline bool config_is_a1(void)
{
    return the_config.age == AGE_A1;
}

#endif
