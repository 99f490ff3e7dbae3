/* SPDX-License-Identifier: Apache-2.0 */
/* The exchanges by libvmo. */
#include <stdalign.h>
#include <string.h>
#include <sys/socket.h>

#include "bench/bench.h"
#include "vmo/channel.h"

#define ENTRIES 16
#define OK(call) NEED((call) == VMO_OK)

static size_t len;
static alignas(16) uint8_t storage[2][VMO_REGISTRY_BYTES(ENTRIES, ENTRIES, ENTRIES, 1)];
static struct vmo_registry *near, *far;
static vmo_peer_t to_far, to_near;
static vmo_t ours, theirs;
static vmo_view_t our_view, their_view;
static vmo_t pool[BENCH_POOL], held[BENCH_POOL];
static vmo_view_t our_views[BENCH_POOL], their_views[BENCH_POOL];
static uint32_t index_heard;

static struct vmo_range whole(void)
{
    return (struct vmo_range){0, len};
}

static void open_ends(size_t bytes, vmo_seal_strength required)
{
    static const struct vmo_limits limits = {
        .objects = ENTRIES, .mappings = ENTRIES, .views = ENTRIES, .peers = 1};
    int ends[2];

    len = bytes;
    NEED(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0);
    OK(vmo_registry_init(storage[0], sizeof(storage[0]), &limits, &near));
    OK(vmo_registry_init(storage[1], sizeof(storage[1]), &limits, &far));
    OK(vmo_peer_open(near, ends[0], &to_far));
    OK(vmo_peer_open(far, ends[1], &to_near));
    OK(vmo_peer_allow(near, to_far));
    OK(vmo_peer_require(far, to_near, required));
}

static void close_ends(void)
{
    OK(vmo_peer_close(near, to_far));
    OK(vmo_peer_close(far, to_near));
    OK(vmo_registry_fini(near));
    OK(vmo_registry_fini(far));
}

static void send_tag(struct vmo_registry *from, vmo_peer_t to, uint32_t tag, vmo_t vmo, uint32_t rights)
{
    const struct vmo_message message = {.tag = tag, .vmo = vmo, .rights = rights};

    OK(vmo_send(from, to, &message, 0));
}

static vmo_t receive_tag(struct vmo_registry *at, vmo_peer_t from, uint32_t tag)
{
    struct vmo_incoming incoming;

    OK(vmo_recv(at, from, &incoming, 0));
    NEED(incoming.tag == tag);
    return incoming.vmo;
}

static void acknowledge(uint32_t number)
{
    send_tag(far, to_near, number, VMO_NONE, 0);
}

static void hear_acknowledgement(uint32_t number)
{
    (void)receive_tag(near, to_far, number);
}

/* ---- Fresh --------------------------------------------------------------------------------------------- */

static void open_fresh(size_t bytes)
{
    open_ends(bytes, VMO_SEAL_FOREVER);
}

static void fresh_create(uint32_t number)
{
    (void)number;
    OK(vmo_create(near, len, &ours));
}

static void fresh_map(uint32_t number)
{
    OK(vmo_map_rw(near, ours, whole(), &our_view));
    bench_fill(vmo_view_data_rw(near, our_view), len, number);
    OK(vmo_unmap(near, our_view));
}

static void fresh_seal(uint32_t number)
{
    (void)number;
    OK(vmo_seal(near, ours, VMO_SEAL_FOREVER));
}

static void fresh_send(uint32_t number)
{
    send_tag(near, to_far, number, ours, VMO_RIGHT_READ);
}

static void receive(uint32_t number)
{
    theirs = receive_tag(far, to_near, number);
}

static void read_mapped(uint32_t number)
{
    OK(vmo_map_ro(far, theirs, whole(), &their_view));
    bench_check(vmo_view_data(far, their_view), len, number);
    OK(vmo_unmap(far, their_view));
}

static void close_received(uint32_t number)
{
    (void)number;
    OK(vmo_close(far, theirs));
}

static void fresh_close(uint32_t number)
{
    (void)number;
    OK(vmo_close(near, ours));
}

/* ---- Resend: the receiver holds what came before, so it finds it again ------------------------------------
 */

static void resend_send(uint32_t number)
{
    const uint32_t index = number % BENCH_POOL;

    bench_fill(vmo_view_data_rw(near, our_views[index]), len, number);
    send_tag(near, to_far, number, pool[index], VMO_RIGHT_READ);
}

static void open_resend(size_t bytes)
{
    open_ends(bytes, VMO_SEAL_PEERS);
    for (uint32_t i = 0; i < BENCH_POOL; i++) {
        OK(vmo_create(near, len, &pool[i]));
        OK(vmo_map_rw(near, pool[i], whole(), &our_views[i]));
        OK(vmo_seal(near, pool[i], VMO_SEAL_PEERS));
        resend_send(i);
        held[i] = receive_tag(far, to_near, i);
    }
}

static void close_resend(void)
{
    for (uint32_t i = 0; i < BENCH_POOL; i++) {
        OK(vmo_close(far, held[i]));
        OK(vmo_unmap(near, our_views[i]));
        OK(vmo_close(near, pool[i]));
    }
    close_ends();
}

/* ---- Pool ---------------------------------------------------------------------------------------------- */

static void open_pool(size_t bytes)
{
    open_resend(bytes);
    for (uint32_t i = 0; i < BENCH_POOL; i++) {
        OK(vmo_map_ro(far, held[i], whole(), &their_views[i]));
    }
}

static void close_pool(void)
{
    for (uint32_t i = 0; i < BENCH_POOL; i++) {
        OK(vmo_unmap(far, their_views[i]));
    }
    close_resend();
}

static void pool_send(uint32_t number)
{
    const uint32_t index = number % BENCH_POOL;

    bench_fill(vmo_view_data_rw(near, our_views[index]), len, number);
    send_tag(near, to_far, number, VMO_NONE, 0);
}

static void pool_receive(uint32_t number)
{
    (void)receive_tag(far, to_near, number);
    index_heard = number % BENCH_POOL;
}

static void pool_read(uint32_t number)
{
    bench_check(vmo_view_data(far, their_views[index_heard]), len, number);
}

const struct bench_exchange bench_vmo[BENCH_EXCHANGES] = {
    {"fresh",
     open_fresh,
     close_ends,
     {{"create", fresh_create},
      {"map and fill", fresh_map},
      {"seal FOREVER", fresh_seal},
      {"send", fresh_send},
      {"receive", receive},
      {"map and read", read_mapped},
      {"close received", close_received},
      {"close", fresh_close},
      {"acknowledge", acknowledge},
      {"hear it", hear_acknowledgement}}},
    {"guarded",
     open_fresh,
     close_ends,
     {{"create", fresh_create},
      {"map and fill", fresh_map},
      {"seal FOREVER", fresh_seal},
      {"send", fresh_send},
      {"receive", receive},
      {"map and read", read_mapped},
      {"close received", close_received},
      {"close", fresh_close},
      {"acknowledge", acknowledge},
      {"hear it", hear_acknowledgement}}},
    {"resend",
     open_resend,
     close_resend,
     {{"fill and send", resend_send},
      {"receive", receive},
      {"map and read", read_mapped},
      {"close received", close_received},
      {"acknowledge", acknowledge},
      {"hear it", hear_acknowledgement},
      {NULL, NULL}}},
    {"pool",
     open_pool,
     close_pool,
     {{"fill and send", pool_send},
      {"receive", pool_receive},
      {"read", pool_read},
      {"acknowledge", acknowledge},
      {"hear it", hear_acknowledgement},
      {NULL, NULL}}},
};
