/* SPDX-License-Identifier: Apache-2.0 */
#include "core/config.h"

#include "core/checked.h"
#include "core/panic.h"

struct kernel_config the_config;
struct config_facts the_facts;

static const struct config_facts revisions[] = {
    [REVISION_A1] = {.name = "a1",
                     .calls = REVISION_A1,
                     .arena_bytes = NX_ARENA_BYTES_A1,
                     .slots = NX_SLOTS_A1,
                     .ep_ids = NX_EP_IDS_A1,
                     .tables = NX_HEAP_TABLES_A1 - NX_BOOT_TABLES_A1,
                     .tables_of_space = NX_SPACE_TABLES_A1,
                     .ep_owner = NX_EP_OWNER_A1,
                     .ipc_max_bytes = NX_IPC_MAX_BYTES_A1,
                     .recv_flags = NX_IPC_NONBLOCK | NX_IPC_TRUNCATE,
                     .overlap_error = -NX_EINVAL,
                     .init_elf_bytes_max = 2500000,
                     .init_image_bytes_max = 4 * 1024 * 1024,
                     .init_needs_gp = true,
                     .bump_arena = true,
                     .images_in_arena = true,
                     .create_takes_bytes_first = true,
                     .keeps_spaces = true,
                     .child_starts_ready = true,
                     .lone_exit_is_fatal = true,
                     .clobbers_temporaries = true},
    [REVISION_A2] = {.name = "a2",
                     .calls = REVISION_A2,
                     .arena_bytes = NX_ARENA_BYTES_A2,
                     .slots = NX_SLOTS_A2,
                     .ep_ids = NX_EP_IDS_A2,
                     .ep_owner = NX_EP_OWNER_A2,
                     .ipc_max_bytes = NX_IPC_MAX_BYTES_A2,
                     .recv_flags = NX_IPC_NONBLOCK | NX_IPC_TRUNCATE | NX_IPC_EOF,
                     .moves_open_endpoints = true,
                     .overlap_error = -NX_EEXIST,
                     .init_elf_bytes_max = UINT64_MAX,
                     .init_image_bytes_max = UINT64_MAX,
                     .bounds_regions = true,
                     .owner_limit_is_live = true,
                     .preemptive = true},
};

void kernel_config_default(struct kernel_config *config)
{
    *config = (struct kernel_config){.revision = REVISION_A2, .nonce = "-", .watchdog_ms = 4000};
}

uint64_t config_arena_bytes(const struct kernel_config *config)
{
    return config->arena_bytes != 0 ? config->arena_bytes : revisions[config->revision].arena_bytes;
}

static void fill(uint32_t *value, uint32_t default_value)
{
    if (*value == 0) {
        *value = default_value;
    }
}

void config_init(const struct kernel_config *config)
{
    the_config = *config;
    the_facts = revisions[config->revision];
    the_config.arena_bytes = config_arena_bytes(config);
    fill(&the_config.slots, the_facts.slots);
    fill(&the_config.ep_ids, the_facts.ep_ids);
    fill(&the_config.regions, NX_REGIONS_MAX);
    fill(&the_config.tables, the_facts.tables);
    fill(&the_config.ep_owner, the_facts.ep_owner);

    if (the_config.slots < CONFIG_SLOTS_MIN || the_config.slots > CONFIG_SLOTS_MAX) {
        kernel_panic("slots out of bounds", the_config.slots);
    }
    if (the_config.ep_ids > CONFIG_EP_IDS_MAX) {
        kernel_panic("ep_ids out of bounds", the_config.ep_ids);
    }
    if (the_config.regions > NX_REGIONS_MAX) {
        kernel_panic("regions out of bounds", the_config.regions);
    }
    if (!page_aligned(the_config.arena_bytes)) {
        kernel_panic("arena_bytes is not whole pages", the_config.arena_bytes);
    }
}
