/* SPDX-License-Identifier: Apache-2.0 */
/* The ways of vmo bench. Each producer writes every byte of an item, and each consumer reads it. */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <vmo/stream.h>

#include "tool_bench.h"

#define PATIENCE_NS UINT64_C(60000000000)
#define STREAM_BUFFERS 4

uint8_t bench_fill(uint32_t item)
{
    return (uint8_t)(item % 251 + 1);
}

/* By the first items memory, mappings and peers are there. */
static void fill(struct bench_turn *turn, uint32_t item, uint8_t *to)
{
    if (item == BENCH_WARM) {
        turn->began_ns = tool_now_ns();
    }
    memset(to, bench_fill(item), (size_t)turn->bytes);
}

/* The length is a multiple of 8 bytes. */
static void read_item(struct bench_turn *turn, const uint8_t *from)
{
    uint64_t word = 0, sum = 0;

    for (uint64_t at = 0; at < turn->bytes; at += sizeof(word)) {
        memcpy(&word, from + at, sizeof(word));
        sum += word;
    }
    turn->sum += sum;
}

static bool ok(vmo_status status)
{
    if (status != VMO_OK) {
        (void)tool_say_status("bench", status);
    }
    return status == VMO_OK;
}

static uint64_t deadline(const struct bench_turn *turn)
{
    return vmo_now_ns(turn->registry) + PATIENCE_NS;
}

/* ---- VMOs: each item waits for the consumer's answer to the one before ---------------------------- */

static bool send_item(const struct bench_turn *turn, vmo_t vmo)
{
    const struct vmo_message message = {.vmo = vmo, .rights = VMO_RIGHT_READ};
    struct vmo_incoming answer;

    return ok(vmo_send(turn->registry, turn->peer, &message, deadline(turn))) &&
           ok(vmo_recv(turn->registry, turn->peer, &answer, deadline(turn)));
}

static bool produce_fresh(struct bench_turn *turn)
{
    const struct vmo_range whole = {0, turn->bytes};
    bool good = true;
    vmo_t vmo;

    for (uint32_t item = 0; good && item < turn->items; item++) {
        fill(turn, item, turn->buffer);
        good = ok(vmo_create(turn->registry, turn->bytes, &vmo)) &&
               ok(vmo_write(turn->registry, vmo, whole, turn->buffer)) &&
               ok(vmo_seal(turn->registry, vmo, VMO_SEAL_FOREVER)) && send_item(turn, vmo) &&
               ok(vmo_close(turn->registry, vmo));
    }
    return good;
}

static bool produce_resent(struct bench_turn *turn)
{
    const struct vmo_range whole = {0, turn->bytes};
    vmo_view_t view;
    vmo_t vmo;
    bool good = ok(vmo_create(turn->registry, turn->bytes, &vmo)) &&
                ok(vmo_map_rw(turn->registry, vmo, whole, &view)) &&
                ok(vmo_seal(turn->registry, vmo, VMO_SEAL_PEERS));

    for (uint32_t item = 0; good && item < turn->items; item++) {
        fill(turn, item, vmo_view_data_rw(turn->registry, view));
        good = send_item(turn, vmo);
    }
    return good && ok(vmo_unmap(turn->registry, view)) && ok(vmo_close(turn->registry, vmo));
}

/* Reads an item through a view and answers. */
static bool take_item(struct bench_turn *turn, vmo_t vmo)
{
    const struct vmo_message answer = {.vmo = VMO_NONE};
    vmo_view_t view;

    if (!ok(vmo_map_ro(turn->registry, vmo, (struct vmo_range){0, turn->bytes}, &view))) {
        return false;
    }
    read_item(turn, vmo_view_data(turn->registry, view));
    return ok(vmo_unmap(turn->registry, view)) &&
           ok(vmo_send(turn->registry, turn->peer, &answer, deadline(turn)));
}

/* Keeps the first handle of a VMO that is sent again, and with it the mapping. */
static bool consume(struct bench_turn *turn, vmo_seal_strength seal, bool keep)
{
    struct vmo_incoming message;
    vmo_t kept = VMO_NONE;
    bool good = ok(vmo_peer_require(turn->registry, turn->peer, seal));

    for (uint32_t item = 0; good && item < turn->items; item++) {
        good = ok(vmo_recv(turn->registry, turn->peer, &message, deadline(turn))) &&
               take_item(turn, message.vmo);
        if (good && keep && kept.id == 0) {
            kept = message.vmo;
        } else if (good) {
            good = ok(vmo_close(turn->registry, message.vmo));
        }
    }
    return good && (kept.id == 0 || ok(vmo_close(turn->registry, kept)));
}

static bool consume_fresh(struct bench_turn *turn)
{
    return consume(turn, VMO_SEAL_FOREVER, false);
}

static bool consume_resent(struct bench_turn *turn)
{
    return consume(turn, VMO_SEAL_PEERS, true);
}

/* ---- A stream ------------------------------------------------------------------------------------- */

static bool publish(struct bench_turn *turn, struct vmo_producer *producer)
{
    struct vmo_loan loan;
    bool good = true;

    for (uint32_t item = 0; good && item < turn->items; item++) {
        good = ok(vmo_stream_loan(producer, deadline(turn), &loan, NULL));
        if (good) {
            fill(turn, item, loan.data);
            good = ok(vmo_stream_publish(producer, &loan, turn->bytes, item));
        }
    }
    return good;
}

static bool produce_stream(struct bench_turn *turn)
{
    static _Alignas(16) uint8_t storage[VMO_STREAM_PRODUCER_BYTES(STREAM_BUFFERS, 1)];
    const struct vmo_stream_options options = {
        .buffers = STREAM_BUFFERS, .consumers = 1, .hold = 1, .capacity_bytes = turn->bytes};
    struct vmo_producer *producer = NULL;
    vmo_consumer_t name;

    return ok(vmo_stream_create(turn->registry, &options, storage, sizeof(storage), &producer)) &&
           ok(vmo_stream_offer(producer, turn->peer, 0, deadline(turn), &name)) && publish(turn, producer) &&
           ok(vmo_stream_close(producer));
}

static bool take_frames(struct bench_turn *turn, struct vmo_consumer *consumer)
{
    struct vmo_frame frame;
    bool good = true;

    for (uint32_t item = 0; good && item < turn->items; item++) {
        good = ok(vmo_stream_take(consumer, deadline(turn), &frame));
        if (good) {
            read_item(turn, frame.data);
            good = ok(vmo_stream_release(consumer, &frame));
        }
    }
    return good;
}

static bool consume_stream(struct bench_turn *turn)
{
    static _Alignas(16) uint8_t storage[VMO_STREAM_CONSUMER_BYTES];
    struct vmo_consumer *consumer = NULL;
    struct vmo_incoming offer;

    return ok(vmo_recv(turn->registry, turn->peer, &offer, deadline(turn))) &&
           ok(vmo_stream_join(turn->registry, turn->peer, &offer, storage, sizeof(storage), deadline(turn),
                              &consumer)) &&
           take_frames(turn, consumer) && ok(vmo_stream_leave(consumer));
}

/* ---- A pipe, and a socket of AF_UNIX -------------------------------------------------------------- */

static bool produce_bytes(struct bench_turn *turn)
{
    for (uint32_t item = 0; item < turn->items; item++) {
        fill(turn, item, turn->buffer);
        for (uint64_t done = 0; done < turn->bytes;) {
            const ssize_t n = write(turn->end, turn->buffer + done, (size_t)(turn->bytes - done));
            if (n <= 0) {
                (void)tool_say_errno("bench");
                return false;
            }
            done += (uint64_t)n;
        }
    }
    return true;
}

static bool consume_bytes(struct bench_turn *turn)
{
    for (uint32_t item = 0; item < turn->items; item++) {
        for (uint64_t done = 0; done < turn->bytes;) {
            const ssize_t n = read(turn->end, turn->buffer + done, (size_t)(turn->bytes - done));
            if (n <= 0) {
                tool_say("bench", "%s", n < 0 ? strerror(errno) : "the producer has ended");
                return false;
            }
            done += (uint64_t)n;
        }
        read_item(turn, turn->buffer);
    }
    return true;
}

const struct bench_way bench_ways[BENCH_WAYS] = {
    {"pipe", false, true, produce_bytes, consume_bytes},
    {"socket", false, false, produce_bytes, consume_bytes},
    {"fresh", true, false, produce_fresh, consume_fresh},
    {"resend", true, false, produce_resent, consume_resent},
    {"stream", true, false, produce_stream, consume_stream},
};
