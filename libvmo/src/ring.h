/* SPDX-License-Identifier: Apache-2.0 */
/* Circular doubly linked lists. A node outside any list links to itself, so removing it again is harmless. */
#ifndef VMO_RING_H
#define VMO_RING_H

#include <stdbool.h>

struct ring {
    struct ring *prev;
    struct ring *next;
};

static inline void ring_init(struct ring *ring)
{
    ring->prev = ring;
    ring->next = ring;
}

static inline bool ring_empty(const struct ring *ring)
{
    return ring->next == ring;
}

static inline void ring_remove(struct ring *node)
{
    node->prev->next = node->next;
    node->next->prev = node->prev;
    ring_init(node);
}

/* Appends a node that is in no list. */
static inline void ring_add(struct ring *ring, struct ring *node)
{
    node->prev = ring->prev;
    node->next = ring;
    ring->prev->next = node;
    ring->prev = node;
}

#endif
