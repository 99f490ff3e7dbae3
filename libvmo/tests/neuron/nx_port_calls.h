/* SPDX-License-Identifier: Apache-2.0 */
/* Each function of the port on NEURON as a call without arguments, for a table. */
#ifndef NX_PORT_CALLS_H
#define NX_PORT_CALLS_H

#include <string.h>

#include "nx_call.h"
#include "nx_stub.h"

#define BYTES (2 * PAGE)
#define PAGES ((struct vmo_range){0, BYTES})
#define SUPERPAGE ((struct vmo_range){0, NX_SUPERPAGE_BYTES})
#define DEADLINE_NS 100000

/* What the calls work on. */
static struct {
    struct be_object object;
    struct be_peer peer;
    void *at;
    uint8_t bytes[BYTES];
    struct vmo_counters counters;
} it;

static inline vmo_status create(void)
{
    struct be_object made = BE_NO_OBJECT;

    return be_create(PAGE, NULL, &made);
}

static inline vmo_status put(void)
{
    return be_write(&it.object, PAGES, it.bytes);
}

static inline vmo_status get(void)
{
    return be_read(&it.object, PAGES, it.bytes);
}

static inline vmo_status make_alias(void)
{
    return be_make_alias(&it.object);
}

static inline vmo_status seal(void)
{
    vmo_enforcer by = VMO_BY_NOBODY;

    return be_seal(&it.object, VMO_SEAL_FOREVER, &(const struct be_writer){.at = NULL}, &by);
}

static inline vmo_status close_object(void)
{
    return be_close(&it.object);
}

static inline vmo_status check_destroy(void)
{
    return be_check_destroy(&it.object);
}

static inline vmo_status destroy(void)
{
    return be_destroy(&it.object);
}

static inline vmo_status map_read(void)
{
    return be_map(&it.object, PAGES, false, &it.at, &it.counters);
}

static inline vmo_status map_write(void)
{
    return be_map(&it.object, PAGES, true, &it.at, &it.counters);
}

static inline vmo_status unmap(void)
{
    return be_unmap(it.at, PAGE);
}

static inline vmo_status verify(void)
{
    struct be_verified found;

    return be_verify(&it.object, BYTES, VMO_SEAL_PEERS, &found, &it.counters);
}

static inline vmo_status verify_more(void)
{
    struct be_verified found;

    return be_verify(&it.object, BYTES + PAGE, VMO_SEAL_PEERS, &found, &it.counters);
}

static inline vmo_status verify_too_much(void)
{
    struct be_verified found;

    return be_verify(&it.object, UINT64_C(1) << 40, VMO_SEAL_PEERS, &found, &it.counters);
}

static inline vmo_status wrap_file(void)
{
    struct be_object made = BE_NO_OBJECT;

    return be_wrap_file(0, PAGES, &made);
}

static inline vmo_status open_peer(void)
{
    return be_peer_open(0, &it.peer);
}

static inline vmo_status parent(void)
{
    return be_parent(&it.peer);
}

static inline vmo_status spawn(void)
{
    const struct vmo_program program = stub_program(0x10000, PAGE);

    return be_spawn(&program, &it.peer);
}

static inline vmo_status spawn_outside(void)
{
    const struct vmo_program program = stub_program(NX_USER_TOP - PAGE, 2 * PAGE);

    return be_spawn(&program, &it.peer);
}

static inline vmo_status wait_for_it(void)
{
    int32_t status = 0;

    return be_peer_wait(&it.peer, DEADLINE_NS, &status);
}

static inline vmo_status close_peer(void)
{
    return be_peer_close(&it.peer);
}

static inline vmo_status hang_up(void)
{
    return be_peer_hangup(&it.peer);
}

static inline vmo_status kill_peer(void)
{
    return be_peer_kill(&it.peer);
}

static inline vmo_status send_bytes(void)
{
    return be_send(&it.peer, NULL, false, it.bytes, 8, DEADLINE_NS);
}

static inline vmo_status send_object(void)
{
    return be_send(&it.peer, &it.object, true, it.bytes, 8, DEADLINE_NS);
}

static inline vmo_status receive(void)
{
    struct be_object got = BE_NO_OBJECT;
    size_t len = 0;

    return be_recv(&it.peer, it.bytes, 16, &len, &got, DEADLINE_NS);
}

static inline vmo_status receive_alias(void)
{
    stub.incoming = STUB_ALIAS;
    return receive();
}

/* K-53: the kernel delivers the capability of a message even if its bytes are too long. */
static inline vmo_status receive_long(void)
{
    struct be_object got = BE_NO_OBJECT;
    size_t len = 0;

    stub.incoming = STUB_VMO;
    return be_recv(&it.peer, it.bytes, 0, &len, &got, DEADLINE_NS);
}

static inline vmo_status transfer(void)
{
    uint32_t name = 0;

    return be_transfer(&it.object, true, &it.peer, &name);
}

static inline vmo_status transfer_after_hanging_up(void)
{
    CHECK_EQ(be_peer_hangup(&it.peer), VMO_OK);
    return transfer();
}

static inline vmo_status peek_bootstrap(void)
{
    return be_transfer_peek(&it.peer, 0, &it.object);
}

static inline vmo_status peek_outside(void)
{
    return be_transfer_peek(&it.peer, NX_SLOTS_A2, &it.object);
}

#endif
