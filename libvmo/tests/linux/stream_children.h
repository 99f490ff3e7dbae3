/* SPDX-License-Identifier: Apache-2.0 */
/* Streams between processes: children with a registry of their own, and frames whose content is known. */
#ifndef TESTS_STREAM_CHILDREN_H
#define TESTS_STREAM_CHILDREN_H

#include "linux/lx_test.h"

#include <signal.h>
#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "stream_frames.h"
#include "stream_seats.h"

#define TAG 9
#define CHILDREN 2
#define MS_NS UINT64_C(1000000)
#define WATCHDOG_S 600

static alignas(16) uint8_t producer_storage[VMO_STREAM_PRODUCER_BYTES(8, 4)];
static alignas(16) uint8_t consumer_storage[VMO_STREAM_CONSUMER_BYTES];
static alignas(16) uint8_t registry_storage[VMO_REGISTRY_BYTES(64, 64, 64, 4)];
static const struct vmo_limits limits = {.objects = 64, .mappings = 64, .views = 64, .peers = 4};
static uint64_t frames = 100000;

/* In a child: a failure ends it with a line and exit status 1. */
#define DEMAND(condition)                                                                                    \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            (void)fprintf(stderr, "child, line %d: %s\n", __LINE__, #condition);                             \
            _exit(1);                                                                                        \
        }                                                                                                    \
    } while (0)

/* ---- Children ----------------------------------------------------------------------------------- */

struct child {
    pid_t pid;
    vmo_peer_t peer; /* the parent's */
};

static struct vmo_registry *registry; /* of this process */
static struct child children[CHILDREN];
static vmo_peer_t to_parent; /* a child's */

static inline uint64_t after_ms(uint64_t ms)
{
    return vmo_now_ns(registry) + ms * MS_NS;
}

static inline void child_main(int socket, int other, void (*body)(void))
{
    (void)alarm(WATCHDOG_S);
    (void)close(other);
    DEMAND(vmo_registry_init(registry_storage, sizeof(registry_storage), &limits, &registry) == VMO_OK);
    DEMAND(vmo_peer_open(registry, socket, &to_parent) == VMO_OK);
    DEMAND(vmo_peer_allow(registry, to_parent) == VMO_OK);
    body();
    _exit(0);
}

/* Starts the children, then makes this process's registry with a peer for each. */
static inline void start(void (*first)(void), void (*second)(void))
{
    void (*const bodies[CHILDREN])(void) = {first, second};
    int near[CHILDREN];

    (void)fflush(NULL);
    for (uint32_t i = 0; i < CHILDREN && bodies[i] != NULL; i++) {
        int ends[2];
        assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
        children[i].pid = fork();
        assert_true(children[i].pid >= 0);
        if (children[i].pid == 0) {
            for (uint32_t before = 0; before < i; before++) {
                (void)close(near[before]);
            }
            child_main(ends[1], ends[0], bodies[i]);
        }
        (void)close(ends[1]);
        near[i] = ends[0];
    }
    assert_ok(vmo_registry_init(registry_storage, sizeof(registry_storage), &limits, &registry));
    for (uint32_t i = 0; i < CHILDREN && bodies[i] != NULL; i++) {
        assert_ok(vmo_peer_open(registry, near[i], &children[i].peer));
        assert_ok(vmo_peer_allow(registry, children[i].peer));
    }
}

/* Waits for a child; returns its exit status, or minus the signal that ended it. */
static inline int reap(uint32_t which)
{
    int status = 0;

    assert_int_equal(waitpid(children[which].pid, &status, 0), children[which].pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static inline void finish(uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        assert_ok(vmo_peer_close(registry, children[i].peer));
    }
    assert_ok(vmo_registry_fini(registry));
}

/* ---- Frames ------------------------------------------------------------------------------------- */

static inline struct vmo_consumer *join(void)
{
    struct vmo_consumer *consumer = NULL;
    struct vmo_incoming offer;

    DEMAND(vmo_recv(registry, to_parent, &offer, after_ms(60000)) == VMO_OK && vmo_stream_is_offer(&offer));
    DEMAND(vmo_stream_join(registry, to_parent, &offer, consumer_storage, sizeof(consumer_storage),
                           after_ms(60000), &consumer) == VMO_OK);
    return consumer;
}

static inline struct vmo_producer *create(vmo_stream_policy policy, vmo_consumer_t names[], uint32_t count)
{
    const struct vmo_stream_options options = frame_options(policy);
    struct vmo_producer *producer = NULL;

    assert_ok(vmo_stream_create(registry, &options, producer_storage, sizeof(producer_storage), &producer));
    for (uint32_t i = 0; i < count; i++) {
        assert_ok(vmo_stream_offer(producer, children[i].peer, TAG, after_ms(60000), &names[i]));
    }
    return producer;
}

/* Takes every frame to the end of the stream. */
static inline void read_all(void)
{
    struct vmo_consumer *consumer = join();
    const struct reading reading = read_frames(registry, consumer, 60000 * MS_NS);

    if (reading.wrong != NULL) {
        (void)fprintf(stderr, "child: %s\n", reading.wrong);
    }
    DEMAND(reading.wrong == NULL && reading.end == VMO_ERR_PEER_GONE);
    DEMAND(vmo_stream_leave(consumer) == VMO_OK);
    DEMAND(reading.taken + reading.lost == frames);
}

#endif
