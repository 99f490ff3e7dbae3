/* SPDX-License-Identifier: Apache-2.0 */
/* Descriptors: a VMO as one, and one as a VMO, in a second registry of the same task (R5, R6). */
#include "conformance/conf_groups.h"

#define LEN (2 * PAGE)

static struct vmo_registry *second;
static vmo_t vmo, twin;
static int fd;

/* A VMO in both registries, with these rights in the second. */
static void begin(uint32_t rights)
{
    const struct vmo_import_options options = {.rights = rights};

    second = conf_second(&conf_limits);
    vmo = conf_filled(LEN);
    OK(vmo_export_fd(world.a, vmo, rights, &fd));
    OK(vmo_import_fd(second, fd, &options, &twin));
    conf_port_close_file(fd);
}

static void end(void)
{
    OK(vmo_close(second, twin));
    conf_fini(second);
    conf_release(vmo);
}

static void check_twin(uint64_t off, uint64_t len)
{
    uint8_t bytes[LEN];

    OK(vmo_read(second, twin, RANGE(off, len), bytes));
    conf_check_pattern(bytes, off, len);
}

static void export_or_unsupported(void)
{
    const vmo_t one = conf_create(PAGE);

    fd = -77;
    if (can(HAS_DESCRIPTORS)) {
        OK(vmo_export_fd(world.a, one, VMO_RIGHT_READ, &fd));
        conf_port_close_file(fd);
    } else {
        STATUS(vmo_export_fd(world.a, one, VMO_RIGHT_READ, &fd), VMO_ERR_UNSUPPORTED);
        CHECK_EQ(fd, -77);
    }
    conf_release(one);
}

static void import_or_unsupported(void)
{
    vmo_t out = {UNTOUCHED, UNTOUCHED};

    /* no file of memory */
    REFUSED(vmo_import_fd(world.a, -1, NULL, &out),
            can(HAS_DESCRIPTORS) ? VMO_ERR_INVALID : VMO_ERR_UNSUPPORTED);
    CHECK_EQ(out.id, UNTOUCHED);
}

static void two_registries_read(void)
{
    uint64_t len = 0, size = 0;
    uint32_t rights = 0;

    begin(VMO_RIGHT_READ);
    OK(vmo_len(second, twin, &len));
    OK(vmo_size(second, twin, &size));
    OK(vmo_rights(second, twin, &rights));
    CHECK_EQ(len, LEN);
    CHECK_EQ(size, LEN);
    CHECK_EQ(rights, VMO_RIGHT_READ);
    check_twin(0, LEN);
    OK(vmo_write(world.a, vmo, RANGE(7, 1), "x")); /* the same memory */
    uint8_t byte = 0;
    OK(vmo_read(second, twin, RANGE(7, 1), &byte));
    CHECK_EQ(byte, 'x');
    STATUS(vmo_write(second, twin, RANGE(0, 1), "x"), VMO_ERR_RIGHTS);
    STATUS(vmo_seal(second, twin, VMO_SEAL_PEERS), VMO_ERR_RIGHTS);
    STATUS(vmo_destroy(second, twin), VMO_ERR_RIGHTS);
    end();
}

static void two_registries_write(void)
{
    begin(VMO_RIGHTS_ALL);
    OK(vmo_write(second, twin, RANGE(9, 1), "y"));
    uint8_t byte = 0;
    OK(vmo_read(world.a, vmo, RANGE(9, 1), &byte));
    CHECK_EQ(byte, 'y');
    REFUSED(vmo_seal(world.a, vmo, VMO_SEAL_PEERS), VMO_ERR_BUSY);
    REFUSED(vmo_seal(world.a, vmo, VMO_SEAL_FOREVER), VMO_ERR_BUSY);
    end();
}

static void memory_outlives_the_exporter(void)
{
    begin(VMO_RIGHT_READ);
    OK(vmo_close(world.a, vmo));
    check_twin(0, LEN);
    OK(vmo_close(second, twin));
    conf_fini(second);
}

static void seals_are_seen(void)
{
    static const vmo_seal_strength strengths[] = {VMO_SEAL_NONE, VMO_SEAL_PEERS, VMO_SEAL_FOREVER};

    second = conf_second(&conf_limits);
    vmo = conf_filled(LEN);
    for (uint32_t i = 0; i < 3; i++) {
        vmo_seal_strength seal = VMO_SEAL_NONE;
        vmo_enforcer by = VMO_BY_NOBODY;
        vmo_t out = {UNTOUCHED, UNTOUCHED};
        if (i) {
            OK(vmo_seal(world.a, vmo, strengths[i]));
        }
        OK(vmo_export_fd(world.a, vmo, VMO_RIGHT_READ, &fd));
        struct vmo_import_options options = {.seal = i + 1};
        REFUSED(vmo_import_fd(second, fd, &options, &out), i + 1 > 2 ? VMO_ERR_INVALID : VMO_ERR_NOT_SEALED);
        CHECK_EQ(out.id, UNTOUCHED);
        options.seal = i;
        OK(vmo_import_fd(second, fd, &options, &twin));
        OK(vmo_seal_of(second, twin, &seal));
        OK(vmo_seal_enforced_by(second, twin, &by));
        CHECK_EQ(seal, i);
        CHECK_EQ(by, i ? VMO_BY_KERNEL : VMO_BY_NOBODY);
        check_twin(0, LEN);
        OK(vmo_close(second, twin));
        conf_port_close_file(fd);
    }
    conf_fini(second);
    conf_close_forever(vmo);
}

static void refuse_export(vmo_t of, uint32_t rights, vmo_status wanted)
{
    fd = -77;
    REFUSED(vmo_export_fd(world.a, of, rights, &fd), wanted);
    CHECK_EQ(fd, -77);
}

static void export_arguments(void)
{
    static const uint8_t bytes[4];
    vmo_t wrapped = VMO_NONE, part = VMO_NONE;

    vmo = conf_filled(LEN);
    REFUSED(vmo_export_fd(world.a, vmo, VMO_RIGHT_READ, NULL), VMO_ERR_INVALID);
    refuse_export(vmo, 0, VMO_ERR_INVALID);
    refuse_export(vmo, VMO_RIGHT_WRITE, VMO_ERR_INVALID);
    refuse_export(vmo, 4 | VMO_RIGHT_READ, VMO_ERR_INVALID);
    OK(vmo_dup(world.a, vmo, VMO_RIGHT_READ, &part));
    refuse_export(part, VMO_RIGHTS_ALL, VMO_ERR_RIGHTS);
    OK(vmo_close(world.a, part));
    refuse_export(part, VMO_RIGHT_READ, VMO_ERR_BAD_HANDLE);
    OK(vmo_wrap_bytes(world.a, bytes, sizeof(bytes), &wrapped));
    refuse_export(wrapped, VMO_RIGHT_READ, VMO_ERR_UNSUPPORTED);
    OK(vmo_close(world.a, wrapped));
    OK(vmo_seal(world.a, vmo, VMO_SEAL_PEERS));
    refuse_export(vmo, VMO_RIGHTS_ALL, VMO_ERR_SEALED);
    conf_release(vmo);
}

static void refuse_import(const struct vmo_import_options *options, vmo_status wanted)
{
    vmo_t out = {UNTOUCHED, UNTOUCHED};

    REFUSED(vmo_import_fd(world.a, fd, options, &out), wanted);
    CHECK_EQ(out.id, UNTOUCHED);
}

static void import_arguments(void)
{
    vmo = conf_filled(LEN);
    OK(vmo_export_fd(world.a, vmo, VMO_RIGHT_READ, &fd));
    REFUSED(vmo_import_fd(world.a, fd, NULL, NULL), VMO_ERR_INVALID);
    refuse_import(&(struct vmo_import_options){.flags = 2}, VMO_ERR_INVALID);
    refuse_import(&(struct vmo_import_options){.reserved = {[4] = 1}}, VMO_ERR_INVALID);
    refuse_import(&(struct vmo_import_options){.rights = VMO_RIGHT_WRITE}, VMO_ERR_INVALID);
    refuse_import(&(struct vmo_import_options){.seal = 3}, VMO_ERR_INVALID);
    refuse_import(&(struct vmo_import_options){.rights = VMO_RIGHTS_ALL}, VMO_ERR_RIGHTS);
    conf_port_close_file(fd);
    refuse_import(NULL, VMO_ERR_INVALID);
    conf_release(vmo);
}

static void import_over_the_limit(void)
{
    struct vmo_limits limits = conf_limits;
    vmo_t one = VMO_NONE, out = {UNTOUCHED, UNTOUCHED};

    limits.total_bytes_max = LEN;
    second = conf_second(&limits);
    vmo = conf_filled(LEN);
    OK(vmo_export_fd(world.a, vmo, VMO_RIGHT_READ, &fd));
    OK(vmo_create(second, 1, &one));
    REFUSED(vmo_import_fd(second, fd, NULL, &out), VMO_ERR_QUOTA);
    CHECK_EQ(out.id, UNTOUCHED);
    OK(vmo_close(second, one));
    OK(vmo_import_fd(second, fd, NULL, &out));
    OK(vmo_close(second, out));
    conf_port_close_file(fd);
    conf_fini(second);
    conf_release(vmo);
}

static void import_is_handed_on(void)
{
    begin(VMO_RIGHT_READ);
    int again = -1;
    vmo_t third = VMO_NONE;
    OK(vmo_export_fd(second, twin, VMO_RIGHT_READ, &again));
    OK(vmo_import_fd(world.a, again, NULL, &third));
    conf_port_close_file(again);
    conf_check_vmo(third, 0, LEN);
    OK(vmo_close(world.a, third));
    end();
}

/* ---- Kinds of memory ---------------------------------------------------------------------------- */

/* Where there are huge pages, the size is in units of them; where there are none, the refusal names that. */
static void huge_pages_or_refused(void)
{
    const struct vmo_create_options options = {.flags = VMO_CREATE_HUGE};
    uint64_t size = 0;

    vmo = (vmo_t){UNTOUCHED, UNTOUCHED};

    REFUSED(vmo_create_with(world.a, 1, &options, NULL), VMO_ERR_INVALID);
    if (!can(HAS_DESCRIPTORS)) {
        REFUSED(vmo_create_with(world.a, 1, &options, &vmo), VMO_ERR_UNSUPPORTED);
        CHECK_EQ(vmo.id, UNTOUCHED);
        return;
    }
    conf_before();
    const vmo_status status = vmo_create_with(world.a, 1, &options, &vmo);
    if (status != VMO_OK) { /* the pool is empty, or this kernel has no huge pages */
        conf_after(__FILE__, __LINE__, "vmo_create_with");
        CHECK(status == VMO_ERR_NO_MEMORY || status == VMO_ERR_UNSUPPORTED);
        CHECK_EQ(vmo.id, UNTOUCHED);
        return;
    }
    OK(vmo_size(world.a, vmo, &size));
    CHECK(size > PAGE && (size & (size - 1)) == 0);
    OK(vmo_destroy(world.a, vmo));
}

/* ---- Peers -------------------------------------------------------------------------------------- */

static vmo_status poll_one(uint32_t wanted, uint64_t deadline_ns, uint32_t *found)
{
    struct vmo_polled one = {world.to_peer, wanted, 77};
    const vmo_status status = vmo_poll(world.a, &one, 1, deadline_ns);

    *found = one.found;
    return status;
}

static void poll_or_unsupported(void)
{
    const struct conf_order order = {.op = OP_ECHO, .arg = 12};
    uint32_t found = 0;

    if (!can(HAS_DESCRIPTORS)) {
        REFUSED(poll_one(VMO_POLL_MESSAGE, 0, &found), VMO_ERR_UNSUPPORTED);
        CHECK_EQ(found, 77);
        return;
    }
    REFUSED(poll_one(VMO_POLL_MESSAGE, 0, &found), VMO_ERR_TIMED_OUT);
    CHECK_EQ(found, 77);
    OK(poll_one(VMO_POLL_MESSAGE | VMO_POLL_ROOM, VMO_FOREVER_NS, &found));
    CHECK_EQ(found, VMO_POLL_ROOM);
    conf_send_order(&order, VMO_NONE, 0);
    OK(poll_one(VMO_POLL_MESSAGE, VMO_FOREVER_NS, &found));
    CHECK_EQ(found, VMO_POLL_MESSAGE);
    CHECK_EQ(conf_recv_answer().value, 12);
}

static void poll_arguments(void)
{
    struct vmo_polled one = {world.to_peer, 8, 77};

    REFUSED(vmo_poll(world.a, &one, 1, 0), VMO_ERR_INVALID);
    REFUSED(vmo_poll(world.a, &one, 0, 0), VMO_ERR_INVALID);
    REFUSED(vmo_poll(world.a, NULL, 1, 0), VMO_ERR_INVALID);
    REFUSED(vmo_poll(world.a, &one, VMO_POLL_MAX + 1, 0), VMO_ERR_TOO_LARGE);
    one.peer = NO_PEER;
    REFUSED(vmo_poll(world.a, &one, 1, 0), VMO_ERR_BAD_HANDLE);
    CHECK_EQ(one.found, 77);
}

static void peer_fd_or_unsupported(void)
{
    int before = -77;

    REFUSED(vmo_peer_fd(world.a, world.to_peer, NULL), VMO_ERR_INVALID);
    REFUSED(vmo_peer_fd(world.a, NO_PEER, &before), VMO_ERR_BAD_HANDLE);
    if (can(HAS_DESCRIPTORS)) {
        OK(vmo_peer_fd(world.a, world.to_peer, &before));
        CHECK(before >= 3);
    } else {
        REFUSED(vmo_peer_fd(world.a, world.to_peer, &before), VMO_ERR_UNSUPPORTED);
        CHECK_EQ(before, -77);
    }
}

static void identity_or_unsupported(void)
{
    struct vmo_identity who = {.pid = -77};

    REFUSED(vmo_peer_identity(world.a, world.to_peer, NULL), VMO_ERR_INVALID);
    REFUSED(vmo_peer_identity(world.a, NO_PEER, &who), VMO_ERR_BAD_HANDLE);
    if (can(HAS_REAP)) { /* the peer was spawned */
        OK(vmo_peer_identity(world.a, world.to_peer, &who));
        CHECK_EQ(who.source, VMO_IDENTITY_SPAWNED);
        CHECK(who.pid > 0);
        CHECK_EQ(who.uid, VMO_IDENTITY_UNKNOWN);
    } else { /* this process made both ends of the socket */
        REFUSED(vmo_peer_identity(world.a, world.to_peer, &who), VMO_ERR_UNSUPPORTED);
        CHECK_EQ(who.pid, -77);
    }
}

static const struct conf_case cases[] = {
    {"export, or unsupported", export_or_unsupported, 0},
    {"import, or unsupported", import_or_unsupported, 0},
    {"two registries: READ", two_registries_read, HAS_DESCRIPTORS},
    {"two registries: READ and WRITE", two_registries_write, HAS_DESCRIPTORS},
    {"two registries: the exporter closes", memory_outlives_the_exporter, HAS_DESCRIPTORS},
    {"import: seals are seen", seals_are_seen, HAS_DESCRIPTORS},
    {"export: arguments", export_arguments, HAS_DESCRIPTORS},
    {"import: arguments", import_arguments, HAS_DESCRIPTORS},
    {"import: over the limit of all VMOs", import_over_the_limit, HAS_DESCRIPTORS},
    {"import: handed on", import_is_handed_on, HAS_DESCRIPTORS},
    {"huge pages, or refused", huge_pages_or_refused, 0},
    {"poll, or unsupported", poll_or_unsupported, HAS_PEER},
    {"poll: arguments", poll_arguments, HAS_PEER},
    {"the descriptor of a peer, or unsupported", peer_fd_or_unsupported, HAS_PEER},
    {"identity, or unsupported", identity_or_unsupported, HAS_PEER},
};
const struct conf_group conf_descriptors = {"descriptors", cases, CONF_CASE_COUNT(cases)};
