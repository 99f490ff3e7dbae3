/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The system calls of a message, by libvmo and by hand, counted exactly: those of the wrapped backend,
 * without what the C library answers itself. No end waits, so waits are counted apart.
 *
 *   test_calls [show]     also prints the calls of each message
 */
#include <stdalign.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/bench.h"
#include "linux/errno/lx_wrap.h"
#include "lx_packet.h"
#include "page.h"
#include "vmo/stream.h"
#include "wire.h"

#define BYTES (2 * PAGE)
#define WARM_UP 32 /* messages until each is like the one before */

/* Most calls that libvmo may make for a message. */
struct bound {
    uint32_t hand; /* what the same costs by hand */
    uint32_t vmo;
};
static const struct bound bounds[BENCH_EXCHANGES] = {
    [BENCH_FRESH] = {17, 20}, [BENCH_GUARDED] = {20, 20}, [BENCH_RESEND] = {10, 8}, [BENCH_POOLED] = {4, 4}};

/* ASan would map stacks of its own (newer ones do by default), and the faults on these would count. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "detect_stack_use_after_return=0";
}

static bool show;
static uint32_t ran;
static bool good = true;

static bool is_system_call(enum row row)
{
    return row != ROW_clock_gettime && row != ROW_sysconf && row != ROW_malloc;
}

static uint32_t calls_of(const struct bench_exchange *exchange)
{
    uint32_t calls = 0;
    uint32_t number = 0;

    exchange->open(BYTES);
    while (number < WARM_UP) {
        for (const struct bench_step *step = exchange->steps; step->name; step++) {
            step->take(number);
        }
        number++;
    }
    for (const struct bench_step *step = exchange->steps; step->name; step++) {
        wrap->count[LANE_PARENT] = 0;
        wrap->armed = true;
        step->take(number);
        wrap->armed = false;
        for (uint32_t i = 0; i < wrap->count[LANE_PARENT]; i++) {
            const enum row row = wrap->trace[LANE_PARENT][i].row;
            calls += is_system_call(row);
            if (show && is_system_call(row)) {
                printf("#   %s: %s\n", step->name, wrap_rows[row].name);
            }
        }
    }
    exchange->close();
    return calls;
}

/* ---- Waiting ------------------------------------------------------------------------------------------- */

static struct vmo_registry *waiting;
static vmo_peer_t to_other;
static int other;

/* A message comes while the receiver sleeps. */
static void send_header(void)
{
    const struct wire header = {.magic = WIRE_MAGIC, .kind = WIRE_DATA};

    wrap_on_wait = NULL;
    NEED(send(other, &header, sizeof(header), 0) == (ssize_t)sizeof(header));
}

/* The calls of a receive that has to wait: its looks, one sleep and one read. */
static void check_waiting(uint32_t looks)
{
    struct vmo_incoming incoming;
    uint32_t count[ROWS] = {0};

    NEED(vmo_peer_looks(waiting, to_other, looks) == VMO_OK);
    wrap_on_wait = send_header;
    wrap->count[LANE_PARENT] = 0;
    wrap->armed = true;
    NEED(vmo_recv(waiting, to_other, &incoming, UINT64_MAX) == VMO_OK);
    wrap->armed = false;
    for (uint32_t i = 0; i < wrap->count[LANE_PARENT]; i++) {
        count[wrap->trace[LANE_PARENT][i].row]++;
    }
    const bool holds = count[ROW_recvmsg] == looks + 1 && count[ROW_ppoll] == 1 && count[ROW_waitid] == 0;
    printf("%s %u - a receive that waits: %u looks, %u sleeps, %u looks asked for\n", holds ? "ok" : "not ok",
           ++ran, count[ROW_recvmsg], count[ROW_ppoll], looks);
    good = good && holds;
}

static void check_waits(void)
{
    static const struct vmo_limits limits = {.objects = 1, .mappings = 1, .views = 1, .peers = 1};
    const struct lx_packet notice = {LX_NOTICE, LX_NONE_FOLLOW};
    struct vmo_incoming incoming;
    int ends[2];

    NEED(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0);
    NEED(vmo_registry_new(&limits, &waiting) == VMO_OK);
    NEED(vmo_peer_open(waiting, ends[0], &to_other) == VMO_OK);
    other = ends[1];
    NEED(send(other, &notice, sizeof(notice), 0) == (ssize_t)sizeof(notice));
    NEED(vmo_recv(waiting, to_other, &incoming, 0) == VMO_ERR_TIMED_OUT);
    check_waiting(1);
    check_waiting(20);
    NEED(vmo_peer_close(waiting, to_other) == VMO_OK && vmo_registry_free(waiting) == VMO_OK);
    NEED(close(other) == 0);
}

/* ---- Streams ------------------------------------------------------------------------------------------- */

#define STREAM_FRAMES 1000

static uint64_t faults(void)
{
    struct rusage usage;

    NEED(getrusage(RUSAGE_SELF, &usage) == 0);
    return (uint64_t)usage.ru_minflt + (uint64_t)usage.ru_majflt;
}

static void pass_frames(struct vmo_producer *producer, struct vmo_consumer *consumer, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        struct vmo_loan loan;
        struct vmo_frame frame;
        NEED(vmo_stream_loan(producer, UINT64_MAX, &loan, NULL) == VMO_OK);
        memset(loan.data, (int)(i & UINT8_MAX), loan.capacity_bytes);
        NEED(vmo_stream_publish(producer, &loan, loan.capacity_bytes, i) == VMO_OK);
        NEED(vmo_stream_take(consumer, UINT64_MAX, &frame) == VMO_OK);
        NEED(frame.tag == i && frame.data[0] == (uint8_t)i);
        NEED(vmo_stream_release(consumer, &frame) == VMO_OK);
    }
}

/* While both sides are busy, a frame costs no system call and no page fault. */
static void check_stream(vmo_stream_policy policy, uint32_t pollable)
{
    static const struct vmo_limits limits = {.objects = 4, .mappings = 4, .views = 4, .peers = 1};
    static alignas(16) uint8_t storage[VMO_STREAM_PRODUCER_BYTES(3, 1)];
    static alignas(16) uint8_t consumer_storage[VMO_STREAM_CONSUMER_BYTES];
    const struct vmo_stream_options options = {
        .policy = policy, .buffers = 3, .consumers = 1, .hold = 1, .pollable = pollable, .capacity_bytes = 1};
    struct vmo_registry *sides[2];
    vmo_peer_t peers[2];
    struct vmo_producer *producer = NULL;
    struct vmo_consumer *consumer = NULL;
    struct vmo_incoming offer;
    vmo_consumer_t name;
    int ends[2];

    NEED(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0);
    for (int i = 0; i < 2; i++) {
        NEED(vmo_registry_new(&limits, &sides[i]) == VMO_OK);
        NEED(vmo_peer_open(sides[i], ends[i], &peers[i]) == VMO_OK);
        NEED(vmo_peer_allow(sides[i], peers[i]) == VMO_OK);
    }
    NEED(vmo_stream_create(sides[0], &options, storage, sizeof(storage), &producer) == VMO_OK);
    NEED(vmo_stream_offer(producer, peers[0], 1, UINT64_MAX, &name) == VMO_OK);
    NEED(vmo_recv(sides[1], peers[1], &offer, UINT64_MAX) == VMO_OK);
    NEED(vmo_stream_join(sides[1], peers[1], &offer, consumer_storage, sizeof(consumer_storage), UINT64_MAX,
                         &consumer) == VMO_OK);
    pass_frames(producer, consumer, 8);
    const uint64_t before = faults();
    wrap->count[LANE_PARENT] = 0;
    wrap->armed = true;
    pass_frames(producer, consumer, STREAM_FRAMES);
    wrap->armed = false;
    const uint64_t faulted = faults() - before;
    const uint32_t calls = wrap->count[LANE_PARENT];
    printf("%s %u - %d busy frames, policy %d, pollable %u: %u system calls, %llu page faults\n",
           calls || faulted ? "not ok" : "ok", ++ran, STREAM_FRAMES, (int)policy, pollable, calls,
           (unsigned long long)faulted);
    good = good && calls == 0 && faulted == 0;
    NEED(vmo_stream_leave(consumer) == VMO_OK && vmo_stream_close(producer) == VMO_OK);
    for (int i = 0; i < 2; i++) {
        NEED(vmo_peer_close(sides[i], peers[i]) == VMO_OK && vmo_registry_free(sides[i]) == VMO_OK);
    }
}

static void check(bool holds, const char *exchange, const char *who, uint32_t calls, uint32_t bound)
{
    printf("%s %u - %s %s: %u calls a message, %u expected\n", holds ? "ok" : "not ok", ++ran, exchange, who,
           calls, bound);
    good = good && holds;
}

int main(int argc, char **argv)
{
    show = argc > 1 && strcmp(argv[1], "show") == 0;
    wrap_open();
    wrap_begin();
    for (int which = 0; which < BENCH_EXCHANGES; which++) {
        const struct bound *bound = &bounds[which];
        const uint32_t hand = calls_of(&bench_hand[which]);
        const uint32_t vmo = calls_of(&bench_vmo[which]);
        check(hand == bound->hand, bench_hand[which].name, "by hand", hand, bound->hand);
        check(vmo == bound->vmo, bench_vmo[which].name, "by libvmo", vmo, bound->vmo);
    }
    check_waits();
    for (uint32_t i = 0; i < 4; i++) {
        check_stream(i / 2 ? VMO_STREAM_LATEST : VMO_STREAM_BACKPRESSURE, i % 2);
    }
    printf("1..%u\n", ran);
    return good ? 0 : 1;
}
