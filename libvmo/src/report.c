/* SPDX-License-Identifier: Apache-2.0 */
/* Counters and the name of the kernel. */
#include "registry.h"

void vmo_counters_read(const struct vmo_registry *registry, struct vmo_counters *out)
{
    if (registry_is_live(registry) && out != NULL) {
        *out = registry->counters;
    }
}

const char *vmo_platform(const struct vmo_registry *registry)
{
    return registry_is_live(registry) ? registry->info.platform : "";
}
