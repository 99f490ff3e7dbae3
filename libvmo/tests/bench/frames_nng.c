/* SPDX-License-Identifier: Apache-2.0 */
/* Frames by nng: push and pull over ipc. */
#include "bench/bench_frames.h"

#include <stdio.h>

#include <nng/nng.h>
#include <nng/protocol/pipeline0/pull.h>
#include <nng/protocol/pipeline0/push.h>

#define NAME_BYTES 64

static void endpoint(char *out)
{
    (void)snprintf(out, NAME_BYTES, "abstract://vmo-bench-%d", (int)frame_run.producer);
}

static void produce(void)
{
    char name[NAME_BYTES];
    nng_socket to;

    endpoint(name);
    NEED(nng_push0_open(&to) == 0 && nng_socket_set_int(to, NNG_OPT_SENDBUF, FRAMES_POOL) == 0);
    NEED(nng_dial(to, name, NULL, NNG_FLAG_NONBLOCK) == 0);
    for (uint64_t i = 0; i < frame_run.count; i++) {
        nng_msg *message = NULL;
        NEED(nng_msg_alloc(&message, frame_run.bytes) == 0);
        frame_fill(nng_msg_body(message), i);
        NEED(nng_sendmsg(to, message, 0) == 0);
    }
}

static void consume(void)
{
    char name[NAME_BYTES];
    nng_socket from;

    endpoint(name);
    NEED(nng_pull0_open(&from) == 0 && nng_socket_set_size(from, NNG_OPT_RECVMAXSZ, 0) == 0);
    NEED(nng_socket_set_int(from, NNG_OPT_RECVBUF, FRAMES_POOL) == 0);
    NEED(nng_listen(from, name, NULL, 0) == 0);
    for (uint64_t i = 0; i < frame_run.count; i++) {
        nng_msg *message = NULL;
        NEED(nng_recvmsg(from, &message, 0) == 0);
        frame_read(nng_msg_body(message), i);
        nng_msg_free(message);
    }
}

const struct frame_way frame_ways[] = {
    {"nng", NULL, produce, consume},
    {NULL, NULL, NULL, NULL},
};
