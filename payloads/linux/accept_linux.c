/* SPDX-License-Identifier: Apache-2.0 */
/* On Linux the harness starts both programs and connects them. */
#include "connect.h"

#include "linux/linux_task.h"

vmo_status connect_producer(struct vmo_registry *registry, vmo_peer_t *out)
{
    if (linux_task_begin() != 0) {
        return VMO_ERR_BACKEND;
    }
    return vmo_peer_parent(registry, out);
}
