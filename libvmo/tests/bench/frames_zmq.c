/* SPDX-License-Identifier: Apache-2.0 */
/* Frames by ZeroMQ: PUSH and PULL over ipc. */
#include "bench/bench_frames.h"

#include <stdio.h>
#include <unistd.h>

#include <zmq.h>

#define NAME_BYTES 64

static void *open_socket(int type, int queue)
{
    const int most = FRAMES_POOL;
    void *context = zmq_ctx_new();
    void *made = zmq_socket(context, type);

    NEED(made != NULL && zmq_setsockopt(made, queue, &most, sizeof(most)) == 0);
    return made;
}

static void endpoint(char *out)
{
    (void)snprintf(out, NAME_BYTES, "ipc://@vmo-bench-%d", (int)frame_run.producer);
}

static void produce(void)
{
    char name[NAME_BYTES];
    void *to = open_socket(ZMQ_PUSH, ZMQ_SNDHWM);

    endpoint(name);
    NEED(zmq_connect(to, name) == 0);
    for (uint64_t i = 0; i < frame_run.count; i++) {
        zmq_msg_t message;
        NEED(zmq_msg_init_size(&message, frame_run.bytes) == 0);
        frame_fill(zmq_msg_data(&message), i);
        NEED(zmq_msg_send(&message, to, 0) == (int)frame_run.bytes);
    }
}

static void consume(void)
{
    char name[NAME_BYTES];
    void *from = open_socket(ZMQ_PULL, ZMQ_RCVHWM);
    zmq_msg_t message;

    endpoint(name);
    NEED(zmq_bind(from, name) == 0 && zmq_msg_init(&message) == 0);
    for (uint64_t i = 0; i < frame_run.count; i++) {
        NEED(zmq_msg_recv(&message, from, 0) == (int)frame_run.bytes);
        frame_read(zmq_msg_data(&message), i);
    }
}

const struct frame_way frame_ways[] = {
    {"zmq", NULL, produce, consume},
    {NULL, NULL, NULL, NULL},
};
