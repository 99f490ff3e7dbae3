/* SPDX-License-Identifier: Apache-2.0 */
/* The peer as a separate task: obeys orders until the order to end, or until its parent is gone. */
#ifndef CONF_PEER_MAIN_H
#define CONF_PEER_MAIN_H

#include "vmo/channel.h"

int conf_peer_main(vmo_status (*connect)(struct vmo_registry *registry, vmo_peer_t *out));

#endif
