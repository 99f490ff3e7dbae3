/* SPDX-License-Identifier: Apache-2.0 */
/* Frames by hand: a ring of shared buffers that trusts both sides, and the copies of the kernel. */
#define _GNU_SOURCE
#include "bench/bench_frames.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "bench/frames_here.h"

#define LINE 64
#define SPIN 2000
#define KERNEL_BUFFER_BYTES (1 << 20)

/* ---- A ring: two counters, each with a word that says somebody sleeps -----------------------------------
 */

struct counter {
    _Alignas(LINE) _Atomic uint32_t value;
    _Atomic uint32_t sleeps;
};

struct ring {
    struct counter sent;
    struct counter returned;
};

static struct ring *ring;
static uint8_t *pool;
static uint32_t looks;

static void wait_past(struct counter *counter, uint32_t seen)
{
    for (uint32_t i = 0; i < looks; i++) {
        if (atomic_load_explicit(&counter->value, memory_order_acquire) != seen) {
            return;
        }
        frame_pause();
    }
    atomic_store(&counter->sleeps, 1);
    while (atomic_load(&counter->value) == seen) {
        (void)syscall(SYS_futex, &counter->value, FUTEX_WAIT, seen, NULL, NULL, 0);
    }
    atomic_store(&counter->sleeps, 0);
}

static void advance(struct counter *counter, uint32_t to)
{
    atomic_store(&counter->value, to);
    if (atomic_load(&counter->sleeps)) {
        (void)syscall(SYS_futex, &counter->value, FUTEX_WAKE, 1, NULL, NULL, 0);
    }
}

static void prepare_ring(void)
{
    ring = frame_memory(sizeof(*ring));
    pool = frame_memory(FRAMES_POOL * frame_run.bytes);
    looks = SPIN;
}

static void prepare_sleeping_ring(void)
{
    prepare_ring();
    looks = 0;
}

static uint8_t *buffer_of(uint64_t number)
{
    return pool + number % FRAMES_POOL * frame_run.bytes;
}

/* Waits until fewer than `most` frames are out. */
static void wait_for_room(uint64_t number, uint32_t most)
{
    uint32_t returned = atomic_load(&ring->returned.value);

    while ((uint32_t)number - returned >= most) {
        wait_past(&ring->returned, returned);
        returned = atomic_load(&ring->returned.value);
    }
}

static void wait_for_frame(uint64_t number)
{
    while (atomic_load(&ring->sent.value) == (uint32_t)number) {
        wait_past(&ring->sent, (uint32_t)number);
    }
}

static void ring_produce(void)
{
    for (uint64_t i = 0; i < frame_run.count; i++) {
        wait_for_room(i, FRAMES_POOL);
        frame_fill(buffer_of(i), i);
        advance(&ring->sent, (uint32_t)i + 1);
    }
    wait_for_room(frame_run.count, 1);
}

static void ring_consume(void)
{
    NEED(mprotect(pool, FRAMES_POOL * frame_run.bytes, PROT_READ) == 0);
    for (uint64_t i = 0; i < frame_run.count; i++) {
        wait_for_frame(i);
        frame_read(buffer_of(i), i);
        advance(&ring->returned, (uint32_t)i + 1);
    }
}

/* One frame at a time: a round trip. */
static void ring_ask(void)
{
    for (uint64_t i = 0; i < frame_run.count; i++) {
        frame_fill(buffer_of(i), i);
        advance(&ring->sent, (uint32_t)i + 1);
        wait_for_room(i + 1, 1);
    }
}

/* ---- Copies of the kernel -------------------------------------------------------------------------------
 */

static int ends[2]; /* the consumer's, the producer's */

static uint8_t *own_memory(void)
{
    uint8_t *at = mmap(NULL, frame_run.bytes, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

    NEED(at != MAP_FAILED);
    return at;
}

static void prepare_pipe(void)
{
    NEED(pipe2(ends, O_CLOEXEC) == 0);
    (void)fcntl(ends[1], F_SETPIPE_SZ, KERNEL_BUFFER_BYTES);
}

static void prepare_unix(void)
{
    const int bytes = KERNEL_BUFFER_BYTES;

    NEED(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    (void)setsockopt(ends[1], SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
}

static void copy_produce(void)
{
    uint8_t *own = own_memory();

    for (uint64_t i = 0; i < frame_run.count; i++) {
        frame_fill(own, i);
        for (size_t off = 0; off < frame_run.bytes;) {
            const ssize_t wrote = write(ends[1], own + off, frame_run.bytes - off);
            NEED(wrote > 0);
            off += (size_t)wrote;
        }
    }
}

static void copy_consume(void)
{
    uint8_t *own = own_memory();

    for (uint64_t i = 0; i < frame_run.count; i++) {
        for (size_t off = 0; off < frame_run.bytes;) {
            const ssize_t got = read(ends[0], own + off, frame_run.bytes - off);
            NEED(got > 0);
            off += (size_t)got;
        }
        frame_read(own, i);
    }
}

/* The ring's counters; the consumer copies out of the producer's memory. */
static void prepare_vm_read(void)
{
    prepare_ring();
    (void)prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0);
}

static void vm_read_consume(void)
{
    uint8_t *own = own_memory();

    for (uint64_t i = 0; i < frame_run.count; i++) {
        const struct iovec to = {own, frame_run.bytes};
        const struct iovec from = {buffer_of(i), frame_run.bytes};
        wait_for_frame(i);
        NEED(process_vm_readv(frame_run.producer, &to, 1, &from, 1, 0) == (ssize_t)frame_run.bytes);
        advance(&ring->returned, (uint32_t)i + 1);
        frame_read(own, i);
    }
}

const struct frame_way frame_ways[] = {
    {"stream", stream_prepare, stream_produce, stream_consume},
    {"stream-sleeping", stream_prepare_sleeping, stream_produce, stream_consume},
    {"publish", stream_prepare_latest, stream_produce_latest, stream_idle},
    {"publish-2", stream_prepare_latest_2, stream_produce_latest, stream_idle},
    {"publish-read", stream_prepare_latest, stream_produce_latest, stream_consume_latest},
    {"publish-read-2", stream_prepare_latest_2, stream_produce_latest, stream_consume_latest},
    {"stream-trip", stream_prepare, stream_ask, stream_answer},
    {"stream-trip-sleeping", stream_prepare_sleeping, stream_ask, stream_answer},
    {"one-shot", one_shot_prepare, one_shot_produce, one_shot_consume},
    {"ring", prepare_ring, ring_produce, ring_consume},
    {"ring-sleeping", prepare_sleeping_ring, ring_produce, ring_consume},
    {"ring-trip", prepare_ring, ring_ask, ring_consume},
    {"futex-trip", prepare_sleeping_ring, ring_ask, ring_consume},
    {"pipe", prepare_pipe, copy_produce, copy_consume},
    {"unix", prepare_unix, copy_produce, copy_consume},
    {"process_vm_readv", prepare_vm_read, ring_produce, vm_read_consume},
    {NULL, NULL, NULL, NULL},
};
