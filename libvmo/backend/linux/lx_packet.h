/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What travels through a channel, an AF_UNIX socket of type SOCK_SEQPACKET: messages of the core, with at
 * most VMO_MANY_MAX descriptors each, and two packets of the backend's own, distinguished by their length and
 * first word.
 *
 *   grant   carries a transferred descriptor. Both ends count transfers; the count is its name.
 *   notice  says whether descriptors may follow. A receiver that expects none takes a packet with one system
 * call, where it must otherwise look at the packet first (lx_receive.c). A sender gives notice that none
 * follow after some packets without one, and gives notice before the next one that carries one.
 */
#ifndef VMO_LX_PACKET_H
#define VMO_LX_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "vmo/vmo.h"

#define LX_GRANT 0x474F4D56u  /* "VMOG" */
#define LX_NOTICE 0x4E4F4D56u /* "VMON" */

/* A notice's value. */
enum { LX_NONE_FOLLOW = 0, LX_SOME_FOLLOW = 1 };

struct lx_packet {
    uint32_t magic;
    uint32_t value; /* a grant's name, or what a notice says */
};

/* True if the bytes are a packet of this kind. */
static inline bool lx_packet_is(uint32_t magic, const void *bytes, size_t len)
{
    uint32_t found = 0;

    if (len != sizeof(struct lx_packet)) {
        return false;
    }
    memcpy(&found, bytes, sizeof(found));
    return found == magic;
}

static inline uint32_t lx_packet_value(const void *bytes)
{
    struct lx_packet packet;

    memcpy(&packet, bytes, sizeof(packet));
    return packet.value;
}

/* The status for an errno of a call on the channel that is not a matter of its queue. */
vmo_status lx_channel_status(int error);

#endif
