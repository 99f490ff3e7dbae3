/* SPDX-License-Identifier: Apache-2.0 */
#include "core/config.h"

#include "core/checked.h"
#include "core/panic.h"

struct kernel_config the_config;

void kernel_config_default(struct kernel_config *config)
{
    *config = (struct kernel_config){.age = AGE_A2, .nonce = "-", .watchdog_ms = 4000};
}

void config_init(const struct kernel_config *config)
{
    the_config = *config;
    const bool a1 = config_is_a1();
    if (the_config.arena_bytes == 0)
        the_config.arena_bytes = a1 ? NX_ARENA_BYTES_A1 : NX_ARENA_BYTES_A2;
    if (the_config.slots == 0)
        the_config.slots = a1 ? NX_SLOTS_A1 : NX_SLOTS_A2;
    if (the_config.ep_ids == 0)
        the_config.ep_ids = a1 ? NX_EP_IDS_A1 : NX_EP_IDS_A2;
    if (the_config.spaces == 0)
        the_config.spaces = a1 ? CONFIG_SPACES_A1 : 0;
    if (the_config.regions == 0)
        the_config.regions = NX_REGIONS_MAX;
    if (the_config.ep_owner == 0)
        the_config.ep_owner = a1 ? NX_EP_OWNER_A1 : NX_EP_OWNER_A2;

    if (the_config.slots < CONFIG_SLOTS_MIN || the_config.slots > CONFIG_SLOTS_MAX)
        kernel_panic("slots out of bounds", the_config.slots);
    if (the_config.ep_ids > CONFIG_EP_IDS_MAX)
        kernel_panic("ep_ids out of bounds", the_config.ep_ids);
    if (the_config.regions > NX_REGIONS_MAX)
        kernel_panic("regions out of bounds", the_config.regions);
    if (!page_aligned(the_config.arena_bytes))
        kernel_panic("arena_bytes is not whole pages", the_config.arena_bytes);
}
