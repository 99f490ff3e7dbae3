/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Times a round trip between two processes that wait for each other, by how often a receive looks before it
 * sleeps: the median of the round trips, then of the runs. bench_host.py runs it.
 */
#define _GNU_SOURCE
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/bench.h"
#include "vmo/channel.h"

#define OK(call) NEED((call) == VMO_OK)
#define ROUND_TRIPS 2000
#define RUNS 9

static struct vmo_registry *registry;
static vmo_peer_t peer;

static void begin(int end, uint32_t looks)
{
    static const struct vmo_limits limits = {.objects = 1, .mappings = 1, .views = 1, .peers = 1};

    OK(vmo_registry_new(&limits, &registry));
    OK(vmo_peer_open(registry, end, &peer));
    OK(vmo_peer_looks(registry, peer, looks));
}

static void send_tag(uint32_t tag)
{
    OK(vmo_send(registry, peer, &(struct vmo_message){.tag = tag}, UINT64_MAX));
}

static uint32_t receive_tag(void)
{
    struct vmo_incoming incoming;

    OK(vmo_recv(registry, peer, &incoming, UINT64_MAX));
    return incoming.tag;
}

static _Noreturn void answer(int end, uint32_t looks)
{
    begin(end, looks);
    for (uint32_t i = 0; i < ROUND_TRIPS; i++) {
        send_tag(receive_tag());
    }
    _exit(0);
}

static int by_size(const void *a, const void *b)
{
    const uint64_t first = *(const uint64_t *)a;
    const uint64_t second = *(const uint64_t *)b;

    return (first > second) - (first < second);
}

static uint64_t median_round_trip(uint32_t looks)
{
    static uint64_t taken[ROUND_TRIPS];
    int ends[2];
    int ended = -1;

    NEED(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0);
    const pid_t child = fork();
    NEED(child >= 0);
    if (child == 0) {
        NEED(close(ends[0]) == 0);
        answer(ends[1], looks);
    }
    NEED(close(ends[1]) == 0);
    begin(ends[0], looks);
    for (uint32_t i = 0; i < ROUND_TRIPS; i++) {
        const uint64_t start = vmo_now_ns(registry);
        send_tag(i);
        NEED(receive_tag() == i);
        taken[i] = vmo_now_ns(registry) - start;
    }
    NEED(waitpid(child, &ended, 0) == child && ended == 0);
    OK(vmo_peer_close(registry, peer));
    OK(vmo_registry_free(registry));
    qsort(taken, ROUND_TRIPS, sizeof(taken[0]), by_size);
    return taken[ROUND_TRIPS / 2];
}

int main(void)
{
    static const uint32_t looks[] = {1, 2000};
    uint64_t medians[2][RUNS];

    for (int run = 0; run < RUNS; run++) {
        for (int i = 0; i < 2; i++) {
            medians[i][run] = median_round_trip(looks[i]);
        }
    }
    for (int i = 0; i < 2; i++) {
        qsort(medians[i], RUNS, sizeof(medians[i][0]), by_size);
        printf("a round trip of two processes, %" PRIu32 " looks before a sleep: %" PRIu64 " ns, %" PRIu64
               " to %" PRIu64 "\n",
               looks[i], medians[i][RUNS / 2], medians[i][RUNS / 4], medians[i][RUNS * 3 / 4]);
    }
    return 0;
}
