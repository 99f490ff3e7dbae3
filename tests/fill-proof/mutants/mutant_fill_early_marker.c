/* SPDX-License-Identifier: Apache-2.0 */
/* The producer says that it filled the memory before it was lent any. */
#include <stdio.h>
#include <string.h>

#include "vmo/channel.h"

static const char filled[] = "vmo: producer filled memory";

int __real_puts(const char *text);
int __wrap_puts(const char *text);

int __wrap_puts(const char *text)
{
    return strcmp(text, filled) == 0 ? 0 : __real_puts(text);
}

vmo_status __real_vmo_recv(struct vmo_registry *registry, vmo_peer_t peer, struct vmo_incoming *out,
                           uint64_t deadline_ns);
vmo_status __wrap_vmo_recv(struct vmo_registry *registry, vmo_peer_t peer, struct vmo_incoming *out,
                           uint64_t deadline_ns);

vmo_status __wrap_vmo_recv(struct vmo_registry *registry, vmo_peer_t peer, struct vmo_incoming *out,
                           uint64_t deadline_ns)
{
    static int said;
    if (said++ == 0) {
        (void)__real_puts(filled);
    }
    return __real_vmo_recv(registry, peer, out, deadline_ns);
}
