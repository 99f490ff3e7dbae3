/* SPDX-License-Identifier: Apache-2.0 */
/* Each function refuses each kind of bad handle and changes nothing (R8). */
#include "conformance/conf_groups.h"

static vmo_t bad;            /* the handle under test, as a VMO */
static vmo_t good;           /* a VMO that must not change */
static vmo_view_t good_view; /* a view of borrowed bytes that must not change */

#define BAD_VMO bad
#define BAD_VIEW ((vmo_view_t){bad.id, bad.registry})
#define BAD_PEER ((vmo_peer_t){bad.id, bad.registry})

/* Each calls one function with the bad handle. */

static void try_len(void)
{
    uint64_t out = UNTOUCHED;
    REFUSED(vmo_len(world.a, BAD_VMO, &out), VMO_ERR_BAD_HANDLE);
    CHECK_EQ(out, UNTOUCHED);
}

static void try_size(void)
{
    uint64_t out = UNTOUCHED;
    REFUSED(vmo_size(world.a, BAD_VMO, &out), VMO_ERR_BAD_HANDLE);
    CHECK_EQ(out, UNTOUCHED);
}

static void try_rights(void)
{
    uint32_t out = 99;
    REFUSED(vmo_rights(world.a, BAD_VMO, &out), VMO_ERR_BAD_HANDLE);
    CHECK_EQ(out, 99);
}

static void try_close(void)
{
    REFUSED(vmo_close(world.a, BAD_VMO), VMO_ERR_BAD_HANDLE);
}

static void try_destroy(void)
{
    REFUSED(vmo_destroy(world.a, BAD_VMO), VMO_ERR_BAD_HANDLE);
}

static void try_read(void)
{
    uint8_t byte = 0xee;
    REFUSED(vmo_read(world.a, BAD_VMO, RANGE(0, 1), &byte), VMO_ERR_BAD_HANDLE);
    REFUSED(vmo_read(world.a, BAD_VMO, RANGE(0, 0), NULL), VMO_ERR_BAD_HANDLE);
    CHECK_EQ(byte, 0xee);
}

static void try_write(void)
{
    const uint8_t byte = 0xee;
    REFUSED(vmo_write(world.a, BAD_VMO, RANGE(0, 1), &byte), VMO_ERR_BAD_HANDLE);
    REFUSED(vmo_write(world.a, BAD_VMO, RANGE(0, 0), NULL), VMO_ERR_BAD_HANDLE);
}

static void try_map_ro(void)
{
    vmo_view_t out = {UNTOUCHED, UNTOUCHED};
    REFUSED(vmo_map_ro(world.a, BAD_VMO, RANGE(0, 1), &out), VMO_ERR_BAD_HANDLE);
    CHECK_EQ(out.id, UNTOUCHED);
}

static void try_map_rw(void)
{
    vmo_view_t out = {UNTOUCHED, UNTOUCHED};
    REFUSED(vmo_map_rw(world.a, BAD_VMO, RANGE(0, 1), &out), VMO_ERR_BAD_HANDLE);
    CHECK_EQ(out.id, UNTOUCHED);
}

static void try_dup(void)
{
    vmo_t out = {UNTOUCHED, UNTOUCHED};
    REFUSED(vmo_dup(world.a, BAD_VMO, VMO_RIGHT_READ, &out), VMO_ERR_BAD_HANDLE);
    CHECK_EQ(out.id, UNTOUCHED);
}

static void try_copy(void)
{
    vmo_t out = {UNTOUCHED, UNTOUCHED};
    REFUSED(vmo_copy(world.a, BAD_VMO, &out), VMO_ERR_BAD_HANDLE);
    CHECK_EQ(out.id, UNTOUCHED);
}

static void try_seal(void)
{
    REFUSED(vmo_seal(world.a, BAD_VMO, VMO_SEAL_PEERS), VMO_ERR_BAD_HANDLE);
    REFUSED(vmo_seal(world.a, BAD_VMO, VMO_SEAL_FOREVER), VMO_ERR_BAD_HANDLE);
}

static void try_seal_of(void)
{
    vmo_seal_strength out = VMO_SEAL_FOREVER;
    REFUSED(vmo_seal_of(world.a, BAD_VMO, &out), VMO_ERR_BAD_HANDLE);
    CHECK_EQ(out, VMO_SEAL_FOREVER);
}

static void try_seal_enforced_by(void)
{
    vmo_enforcer out = VMO_BY_KERNEL;
    REFUSED(vmo_seal_enforced_by(world.a, BAD_VMO, &out), VMO_ERR_BAD_HANDLE);
    CHECK_EQ(out, VMO_BY_KERNEL);
}

static void try_slice(void)
{
    vmo_view_t out = {UNTOUCHED, UNTOUCHED};
    REFUSED(vmo_slice(world.a, BAD_VIEW, RANGE(0, 1), &out), VMO_ERR_BAD_HANDLE);
    CHECK_EQ(out.id, UNTOUCHED);
}

static void try_unmap(void)
{
    REFUSED(vmo_unmap(world.a, BAD_VIEW), VMO_ERR_BAD_HANDLE);
}

static void try_view_data(void)
{
    CHECK(vmo_view_data(world.a, BAD_VIEW) == NULL);
}

static void try_view_data_rw(void)
{
    CHECK(vmo_view_data_rw(world.a, BAD_VIEW) == NULL);
}

static void try_view_len(void)
{
    CHECK_EQ(vmo_view_len(world.a, BAD_VIEW), 0);
}

static void try_view_sha256(void)
{
    uint8_t digest[VMO_SHA256_BYTES] = {7};
    REFUSED(vmo_view_sha256(world.a, BAD_VIEW, digest), VMO_ERR_BAD_HANDLE);
    CHECK_EQ(digest[0], 7);
}

static void try_allow(void)
{
    REFUSED(vmo_peer_allow(world.a, BAD_PEER), VMO_ERR_BAD_HANDLE);
}

static void try_allow_shared(void)
{
    REFUSED(vmo_peer_allow_shared(world.a, BAD_PEER), VMO_ERR_BAD_HANDLE);
}

static void try_looks(void)
{
    REFUSED(vmo_peer_looks(world.a, BAD_PEER, 1), VMO_ERR_BAD_HANDLE);
}

static void try_require(void)
{
    REFUSED(vmo_peer_require(world.a, BAD_PEER, VMO_SEAL_PEERS), VMO_ERR_BAD_HANDLE);
}

static void try_wait(void)
{
    int32_t status = 99;
    REFUSED(vmo_peer_wait(world.a, BAD_PEER, FAR_NS, &status), VMO_ERR_BAD_HANDLE);
    CHECK_EQ(status, 99);
}

static void try_peer_kill(void)
{
    REFUSED(vmo_peer_kill(world.a, BAD_PEER), VMO_ERR_BAD_HANDLE);
}

static void try_peer_hangup(void)
{
    REFUSED(vmo_peer_hangup(world.a, BAD_PEER), VMO_ERR_BAD_HANDLE);
}

static void try_peer_close(void)
{
    REFUSED(vmo_peer_close(world.a, BAD_PEER), VMO_ERR_BAD_HANDLE);
}

static void try_send(void)
{
    const struct vmo_message message = {.body = "x", .body_bytes = 1};
    REFUSED(vmo_send(world.a, BAD_PEER, &message, FAR_NS), VMO_ERR_BAD_HANDLE);
}

static void try_recv(void)
{
    struct vmo_incoming incoming = {.tag = 99};
    REFUSED(vmo_recv(world.a, BAD_PEER, &incoming, FAR_NS), VMO_ERR_BAD_HANDLE);
    CHECK_EQ(incoming.tag, 99);
}

static void try_transfer(void)
{
    struct vmo_ticket ticket = {.name = 99};
    REFUSED(vmo_transfer(world.a, good, BAD_PEER, VMO_RIGHT_READ, &ticket), VMO_ERR_BAD_HANDLE);
    CHECK_EQ(ticket.name, 99);
}

static void try_accept(void)
{
    const struct vmo_ticket ticket = {.len_bytes = 1, .name = 5, .rights = VMO_RIGHT_READ};
    vmo_t out = {UNTOUCHED, UNTOUCHED};
    REFUSED(vmo_accept(world.a, BAD_PEER, &ticket, &out), VMO_ERR_BAD_HANDLE);
    CHECK_EQ(out.id, UNTOUCHED);
}

/* ---- Kinds of bad handles ----------------------------------------------------------------------- */

static const uint8_t borrowed[3] = {1, 2, 3};

static void begin(void)
{
    vmo_t wrapped = VMO_NONE;

    good = conf_filled(50);
    OK(vmo_wrap_bytes(world.a, borrowed, sizeof(borrowed), &wrapped));
    good_view = conf_map_ro(wrapped, 0, sizeof(borrowed));
    OK(vmo_close(world.a, wrapped));
}

static void end(void)
{
    CHECK(memcmp(vmo_view_data(world.a, good_view), borrowed, sizeof(borrowed)) == 0);
    OK(vmo_unmap(world.a, good_view));
    conf_check_vmo(good, 0, 50);
    conf_release(good);
}

/* A closed handle, whose entry has another VMO now. */
static vmo_t stale_vmo(vmo_t *again)
{
    vmo_t closed = VMO_NONE;

    OK(vmo_wrap_bytes(world.a, borrowed, 1, &closed));
    OK(vmo_close(world.a, closed));
    OK(vmo_wrap_bytes(world.a, borrowed, 1, again));
    return closed;
}

static vmo_t stale_view(void)
{
    vmo_view_t closed = NO_VIEW;

    OK(vmo_slice(world.a, good_view, RANGE(0, 1), &closed));
    OK(vmo_unmap(world.a, closed));
    return (vmo_t){closed.id, closed.registry};
}

/* Handles of another registry; their indices and generations are also in use in this one. */
static vmo_t other_vmo;
static vmo_view_t other_view;

static struct vmo_registry *open_other(void)
{
    struct vmo_registry *other = conf_second(&conf_limits);

    OK(vmo_wrap_bytes(other, borrowed, 1, &other_vmo));
    OK(vmo_map_ro(other, other_vmo, RANGE(0, 1), &other_view));
    return other;
}

static void close_other(struct vmo_registry *other)
{
    OK(vmo_unmap(other, other_view));
    OK(vmo_close(other, other_vmo));
    conf_fini(other);
}

static void each_kind(void (*try)(void), bool view)
{
    vmo_t again = VMO_NONE;

    begin();
    bad = VMO_NONE;
    try();
    bad = (vmo_t){UINT64_MAX, UINT64_MAX};
    try();
    bad = (vmo_t){UNTOUCHED, UNTOUCHED};
    try();
    bad = (vmo_t){0, good.registry}; /* index -1 */
    try();
    bad = stale_vmo(&again);
    try();
    OK(vmo_close(world.a, again));
    if (view) {
        bad = stale_view();
        try();
    }
    const vmo_t live = view ? (vmo_t){good_view.id, good_view.registry} : good;
    bad = (vmo_t){live.id + 1, live.registry}; /* the next entry, free */
    try();
    bad = (vmo_t){live.id + (UINT64_C(1) << 32), live.registry}; /* a later generation */
    try();
    struct vmo_registry *other = open_other();
    bad = view ? (vmo_t){other_view.id, other_view.registry} : other_vmo;
    try();
    close_other(other);
    end();
}

#define EACH_VMO(name)                                                                                       \
    static void name(void)                                                                                   \
    {                                                                                                        \
        each_kind(try_##name, false);                                                                        \
    }
#define EACH_VIEW(name)                                                                                      \
    static void name(void)                                                                                   \
    {                                                                                                        \
        each_kind(try_##name, true);                                                                         \
    }

EACH_VMO(len)
EACH_VMO(size)
EACH_VMO(rights)
EACH_VMO(close)
EACH_VMO(destroy)
EACH_VMO(read)
EACH_VMO(write)
EACH_VMO(map_ro)
EACH_VMO(map_rw)
EACH_VMO(dup)
EACH_VMO(copy)
EACH_VMO(seal)
EACH_VMO(seal_of)
EACH_VMO(seal_enforced_by)
EACH_VIEW(slice)
EACH_VIEW(unmap)
EACH_VIEW(view_data)
EACH_VIEW(view_data_rw)
EACH_VIEW(view_len)
EACH_VIEW(view_sha256)
EACH_VIEW(allow)
EACH_VIEW(allow_shared)
EACH_VIEW(looks)
EACH_VIEW(require)
EACH_VIEW(wait)
EACH_VIEW(peer_kill)
EACH_VIEW(peer_hangup)
EACH_VIEW(peer_close)
EACH_VIEW(send)
EACH_VIEW(recv)
EACH_VIEW(transfer)
EACH_VIEW(accept)

static void no_registry(void)
{
    uint64_t len = UNTOUCHED;

    begin();
    REFUSED(vmo_len(NULL, good, &len), VMO_ERR_BAD_HANDLE);
    REFUSED(vmo_close(NULL, good), VMO_ERR_BAD_HANDLE);
    REFUSED(vmo_unmap(NULL, good_view), VMO_ERR_BAD_HANDLE);
    REFUSED(vmo_peer_close(NULL, NO_PEER), VMO_ERR_BAD_HANDLE);
    CHECK(vmo_view_data(NULL, good_view) == NULL);
    CHECK_EQ(len, UNTOUCHED);
    end();
}

static const struct conf_case cases[] = {
    {"vmo_len", len, 0},
    {"vmo_size", size, 0},
    {"vmo_rights", rights, 0},
    {"vmo_close", close, 0},
    {"vmo_destroy", destroy, 0},
    {"vmo_read", read, 0},
    {"vmo_write", write, 0},
    {"vmo_map_ro", map_ro, 0},
    {"vmo_map_rw", map_rw, 0},
    {"vmo_dup", dup, 0},
    {"vmo_copy", copy, 0},
    {"vmo_seal", seal, 0},
    {"vmo_seal_of", seal_of, 0},
    {"vmo_seal_enforced_by", seal_enforced_by, 0},
    {"vmo_slice", slice, 0},
    {"vmo_unmap", unmap, 0},
    {"vmo_view_data", view_data, 0},
    {"vmo_view_data_rw", view_data_rw, 0},
    {"vmo_view_len", view_len, 0},
    {"vmo_view_sha256", view_sha256, 0},
    {"vmo_peer_allow", allow, 0},
    {"vmo_peer_allow_shared", allow_shared, 0},
    {"vmo_peer_looks", looks, 0},
    {"vmo_peer_require", require, 0},
    {"vmo_peer_wait", wait, 0},
    {"vmo_peer_kill", peer_kill, 0},
    {"vmo_peer_hangup", peer_hangup, 0},
    {"vmo_peer_close", peer_close, 0},
    {"vmo_send", send, 0},
    {"vmo_recv", recv, 0},
    {"vmo_transfer", transfer, 0},
    {"vmo_accept", accept, 0},
    {"NULL for the registry", no_registry, 0},
};
const struct conf_group conf_handles = {"handles", cases, CONF_CASE_COUNT(cases)};
