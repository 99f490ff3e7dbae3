/* SPDX-License-Identifier: Apache-2.0 */
/* Pollable streams of few buffers, and what poll says of their descriptors. */
#ifndef TESTS_STREAM_POLL_H
#define TESTS_STREAM_POLL_H

#include "linux/stream_children.h"

#include <poll.h>

static struct vmo_producer *producer;
static struct vmo_consumer *consumer;
static vmo_consumer_t name;

static inline struct vmo_stream_options options_of(vmo_stream_policy policy, uint32_t pollable)
{
    return (struct vmo_stream_options){.policy = policy,
                                       .buffers = policy == VMO_STREAM_LATEST ? 3 : 2,
                                       .consumers = 1,
                                       .hold = 1,
                                       .looks = 1,
                                       .pollable = pollable,
                                       .capacity_bytes = PAGE};
}

static inline short seen(int fd)
{
    struct pollfd look = {.fd = fd, .events = POLLIN};

    return poll(&look, 1, 0) == 1 ? look.revents : 0;
}

static inline int consumer_fd(void)
{
    int fd = -1;

    assert_ok(vmo_stream_fd(consumer, &fd));
    return fd;
}

static inline int producer_fd(void)
{
    int fd = -1;

    assert_ok(vmo_stream_producer_fd(producer, &fd));
    return fd;
}

static inline void publish(void)
{
    struct vmo_loan loan;

    assert_ok(vmo_stream_loan(producer, 0, &loan, NULL));
    assert_ok(vmo_stream_publish(producer, &loan, 1, 1));
}

#endif
