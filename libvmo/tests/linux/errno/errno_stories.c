/* SPDX-License-Identifier: Apache-2.0 */
/* The stories: each function of the API that calls the kernel, in each state in which it makes other calls.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdalign.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "linux/errno/lx_step.h"

static const struct vmo_limits small = {.objects = 4, .mappings = 2, .views = 4, .peers = 2};
static alignas(16) uint8_t small_storage[VMO_REGISTRY_BYTES(4, 2, 4, 2)];

/* ---- Bytes --------------------------------------------------------------------------------------------- */

static uint8_t pattern_at(uint64_t off)
{
    return (uint8_t)(off * 7 + off / PAGE * 13 + 1);
}

static const uint8_t *pattern(void)
{
    static uint8_t bytes[LEN];

    for (uint64_t i = 0; i < LEN; i++) {
        bytes[i] = pattern_at(i);
    }
    return bytes;
}

static bool same(const uint8_t *bytes)
{
    return bytes != NULL && memcmp(bytes, pattern(), LEN) == 0;
}

static bool holds_pattern(struct vmo_registry *registry, vmo_t vmo)
{
    uint8_t bytes[LEN];

    return vmo_read(registry, vmo, RANGE(0, LEN), bytes) == VMO_OK && same(bytes);
}

static vmo_t filled(void)
{
    vmo_t vmo = VMO_NONE;

    SURE(vmo_create(world.a, LEN, &vmo));
    SURE(vmo_write(world.a, vmo, RANGE(0, LEN), pattern()));
    return vmo;
}

/* ---- Registries and VMOs ------------------------------------------------------------------------------- */

static void registry(void)
{
    STEP(vmo_registry_init, small_storage, sizeof(small_storage), &small, &world.a);
    STEP(vmo_registry_fini, world.a);
    world.a = NULL;
}

static void allocated_registry(void)
{
    STEP(vmo_registry_new, &small, &world.a);
    STEP(vmo_registry_free, world.a);
    world.a = NULL;
}

static void one_vmo(void)
{
    vmo_t vmo = VMO_NONE, other = VMO_NONE;
    vmo_view_t ro, rw, orphan;
    uint8_t bytes[LEN];

    STEP(vmo_create, world.a, LEN, &vmo);
    STEP(vmo_write, world.a, vmo, RANGE(0, LEN), pattern());
    memset(bytes, 0, sizeof(bytes));
    STEP(vmo_read, world.a, vmo, RANGE(0, LEN), bytes);
    DEMAND(same(bytes));
    STEP(vmo_map_ro, world.a, vmo, RANGE(0, LEN), &ro);
    STEP(vmo_map_rw, world.a, vmo, RANGE(0, LEN), &rw);
    DEMAND(same(vmo_view_data(world.a, ro)));
    STEP(vmo_unmap, world.a, ro);
    STEP(vmo_unmap, world.a, rw);
    STEP(vmo_destroy, world.a, vmo);
    STEP(vmo_create, world.a, LEN, &other);
    STEP(vmo_map_rw, world.a, other, RANGE(0, LEN), &orphan);
    STEP(vmo_close, world.a, other);
    STEP(vmo_unmap, world.a, orphan);
}

/* Notes the name of the only VMO. */
static void note_name(void *context, const struct vmo_live *live)
{
    char *name = context;

    if (live->kind == VMO_LIVE_VMO) {
        (void)strcpy(name, live->name);
    }
}

/* A name that the kernel does not show is reported as none. */
static void named_vmo(void)
{
    const struct vmo_create_options options = {.name = "frames"};
    char name[VMO_NAME_MAX_BYTES + 1];
    vmo_t vmo = VMO_NONE;

    STEP(vmo_create_with, world.a, LEN, &options, &vmo);
    STEP(vmo_registry_each, world.a, note_name, name);
    DEMAND(strcmp(name, "frames") == 0 || (wrap->fired && wrap->plan.row == ROW_readlink && name[0] == '\0'));
    STEP(vmo_close, world.a, vmo);
}

/* The table has two entries, and each page needs a mapping. */
static void evictions(void)
{
    vmo_t vmo = VMO_NONE;
    vmo_view_t view;

    SURE(vmo_registry_init(small_storage, sizeof(small_storage), &small, &world.a));
    STEP(vmo_create, world.a, 4 * PAGE, &vmo);
    for (uint64_t page = 0; page < 4; page++) {
        STEP(vmo_map_ro, world.a, vmo, RANGE(page * PAGE, PAGE), &view);
        STEP(vmo_unmap, world.a, view);
    }
    STEP(vmo_close, world.a, vmo);
    SURE(vmo_registry_fini(world.a));
    world.a = NULL;
}

static void trimmed(void)
{
    vmo_t vmo = VMO_NONE;
    vmo_view_t view;

    SURE(vmo_create(world.a, 4 * PAGE, &vmo));
    for (uint64_t page = 0; page < 4; page++) {
        SURE(vmo_map_ro(world.a, vmo, RANGE(page * PAGE, PAGE), &view));
        SURE(vmo_unmap(world.a, view));
    }
    STEP(vmo_keep_limits, world.a, 2, UINT64_MAX);
    STEP(vmo_trim, world.a);
    STEP(vmo_keep_limits, world.a, 0, 0);
    STEP(vmo_map_rw, world.a, vmo, RANGE(0, PAGE), &view);
    STEP(vmo_unmap, world.a, view);
    STEP(vmo_destroy, world.a, vmo);
}

/* ---- Seals --------------------------------------------------------------------------------------------- */

static vmo_t sealing;

/* A seal that was refused has not taken the creator's way to write. */
static void creator_writes(void)
{
    vmo_seal_strength seal;

    SURE(vmo_write(world.a, sealing, RANGE(0, LEN), pattern()));
    DEMAND(holds_pattern(world.a, sealing));
    SURE(vmo_seal_of(world.a, sealing, &seal));
    DEMAND(seal != VMO_SEAL_FOREVER);
}

static void seal_step(vmo_seal_strength strength)
{
    world.unchanged = creator_writes;
    STEP(vmo_seal, world.a, sealing, strength);
    world.unchanged = NULL;
}

static void sealed_for_peers(void)
{
    vmo_view_t ro, rw;
    uint8_t bytes[LEN];

    sealing = filled();
    seal_step(VMO_SEAL_PEERS);
    STEP(vmo_write, world.a, sealing, RANGE(0, LEN), pattern());
    STEP(vmo_read, world.a, sealing, RANGE(0, LEN), bytes);
    DEMAND(same(bytes));
    STEP(vmo_map_ro, world.a, sealing, RANGE(0, LEN), &ro);
    STEP(vmo_map_rw, world.a, sealing, RANGE(0, LEN), &rw);
    vmo_view_data_rw(world.a, rw)[0] ^= 1;
    DEMAND(vmo_view_data(world.a, ro)[0] == (pattern_at(0) ^ 1));
    STEP(vmo_unmap, world.a, ro);
    STEP(vmo_unmap, world.a, rw);
    STEP(vmo_destroy, world.a, sealing);
}

static void sealed_for_ever(void)
{
    vmo_view_t view;
    uint8_t bytes[LEN];

    sealing = filled();
    SURE(vmo_map_rw(world.a, sealing, RANGE(0, LEN), &view)); /* leaves an unused mapping */
    SURE(vmo_unmap(world.a, view));
    seal_step(VMO_SEAL_FOREVER);
    STEP(vmo_read, world.a, sealing, RANGE(0, LEN), bytes);
    DEMAND(same(bytes));
    STEP(vmo_map_ro, world.a, sealing, RANGE(0, LEN), &view);
    DEMAND(same(vmo_view_data(world.a, view)));
    STEP(vmo_unmap, world.a, view);
    STEP(vmo_close, world.a, sealing);
}

static void sealed_twice(void)
{
    sealing = filled();
    seal_step(VMO_SEAL_PEERS);
    STEP(vmo_write, world.a, sealing, RANGE(0, LEN), pattern());
    seal_step(VMO_SEAL_FOREVER);
    DEMAND(holds_pattern(world.a, sealing));
    STEP(vmo_close, world.a, sealing);
}

/* ---- Wrapped memory ------------------------------------------------------------------------------------ */

static int file_of_pattern(void)
{
    const int file = memfd_create("file", MFD_CLOEXEC);

    DEMAND(file >= 0 && write(file, pattern(), LEN) == (ssize_t)LEN);
    return file;
}

static void wrapped_file(void)
{
    vmo_t wrapped = VMO_NONE, copy = VMO_NONE;
    vmo_view_t view;
    uint8_t bytes[LEN];
    const int file = file_of_pattern();

    STEP(vmo_wrap_file, world.a, file, RANGE(0, LEN), &wrapped);
    STEP(vmo_read, world.a, wrapped, RANGE(0, LEN), bytes);
    DEMAND(same(bytes));
    STEP(vmo_map_ro, world.a, wrapped, RANGE(0, LEN), &view);
    DEMAND(same(vmo_view_data(world.a, view)));
    STEP(vmo_copy, world.a, wrapped, &copy);
    DEMAND(holds_pattern(world.a, copy));
    STEP(vmo_unmap, world.a, view);
    STEP(vmo_close, world.a, wrapped);
    STEP(vmo_destroy, world.a, copy);
    DEMAND(close(file) == 0);
}

static void wrapped_bytes(void)
{
    vmo_t wrapped = VMO_NONE, copy = VMO_NONE;

    STEP(vmo_wrap_bytes, world.a, pattern(), LEN, &wrapped);
    STEP(vmo_copy, world.a, wrapped, &copy);
    DEMAND(holds_pattern(world.a, copy));
    STEP(vmo_close, world.a, wrapped);
    STEP(vmo_close, world.a, copy);
}

/* A filter refuses process_vm_readv. */
static void copied_by_pipe(void)
{
    vmo_t wrapped = VMO_NONE;
    uint8_t bytes[LEN];

    wrap_refuse(ROW_process_vm_readv, EPERM);
    sealing = filled();
    SURE(vmo_seal(world.a, sealing, VMO_SEAL_PEERS));
    STEP(vmo_write, world.a, sealing, RANGE(0, LEN), pattern());
    DEMAND(holds_pattern(world.a, sealing));
    STEP(vmo_wrap_bytes, world.a, pattern(), LEN, &wrapped);
    memset(bytes, 0, sizeof(bytes));
    STEP(vmo_read, world.a, wrapped, RANGE(0, LEN), bytes);
    DEMAND(same(bytes));
    STEP(vmo_close, world.a, wrapped);
    STEP(vmo_destroy, world.a, sealing);
}

/* No memory is left for the pages of a VMO that is written through its mapping. */
static void written_without_memory(void)
{
    sealing = filled();
    SURE(vmo_seal(world.a, sealing, VMO_SEAL_PEERS));
    wrap_refuse(ROW_fallocate, ENOSPC);
    STEP(vmo_write, world.a, sealing, RANGE(0, LEN), pattern());
    STEP(vmo_destroy, world.a, sealing);
}

/* Without another registry, so that the first free descriptors are this one's. */
static void alone(void (*tell)(void))
{
    SURE(vmo_registry_init(small_storage, sizeof(small_storage), &small, &world.a));
    tell();
    wrap_refuse(ROW_process_vm_readv, 0);
    SURE(vmo_registry_fini(world.a));
    world.a = NULL;
}

static void one_vmo_alone(void)
{
    alone(one_vmo);
}

static void copied_alone(void)
{
    alone(copied_by_pipe);
}

/* ---- Messages ------------------------------------------------------------------------------------------ */

static struct vmo_incoming incoming;

static void send_tag(uint32_t tag, vmo_t vmo, uint32_t rights)
{
    const struct vmo_message message = {
        .tag = tag, .vmo = vmo, .rights = rights, .body = "body", .body_bytes = 4};

    STEP(vmo_send, world.a, world.to_b, &message, step_soon());
}

static void receive_tag(uint32_t tag)
{
    STEP(vmo_recv, world.b, world.to_a, &incoming, step_soon());
    DEMAND(incoming.tag == tag && incoming.body_bytes == 4 && memcmp(incoming.body, "body", 4) == 0);
}

/* Nothing came twice. */
static void queue_is_empty(void)
{
    DEMAND(vmo_recv(world.b, world.to_a, &incoming, 0) == VMO_ERR_TIMED_OUT);
}

static void messages(void)
{
    for (uint32_t tag = 1; tag <= 3; tag++) {
        send_tag(tag, VMO_NONE, 0);
    }
    for (uint32_t tag = 1; tag <= 3; tag++) {
        receive_tag(tag);
        DEMAND(vmo_rights(world.b, incoming.vmo, &(uint32_t){0}) == VMO_ERR_BAD_HANDLE);
    }
    queue_is_empty();
}

/* Sends the VMO between two messages, so that a lost or doubled one is seen. */
static vmo_t hand_over(vmo_t vmo, uint32_t rights)
{
    send_tag(1, VMO_NONE, 0);
    send_tag(2, vmo, rights);
    send_tag(3, VMO_NONE, 0);
    receive_tag(1);
    receive_tag(2);
    const vmo_t theirs = incoming.vmo;
    receive_tag(3);
    queue_is_empty();
    DEMAND(holds_pattern(world.b, theirs));
    return theirs;
}

static void sent_to_read(void)
{
    const vmo_t vmo = filled();
    const vmo_t theirs = hand_over(vmo, VMO_RIGHT_READ);
    vmo_view_t view;

    STEP(vmo_map_ro, world.b, theirs, RANGE(0, LEN), &view);
    DEMAND(same(vmo_view_data(world.b, view)));
    STEP(vmo_unmap, world.b, view);
    STEP(vmo_close, world.b, theirs);
    STEP(vmo_destroy, world.a, vmo);
}

/* Where no description can be opened for the peer, it shares the creator's. */
static void sent_to_share(void)
{
    SURE(vmo_peer_allow_shared(world.a, world.to_b));
    const vmo_t vmo = filled();
    const vmo_t theirs = hand_over(vmo, VMO_RIGHT_READ);
    STEP(vmo_close, world.b, theirs);
    const vmo_t writable = hand_over(vmo, VMO_RIGHTS_ALL);
    STEP(vmo_write, world.b, writable, RANGE(0, LEN), pattern());
    STEP(vmo_close, world.b, writable);
    STEP(vmo_destroy, world.a, vmo);
}

static void sent_to_write(void)
{
    const vmo_t vmo = filled();
    const vmo_t theirs = hand_over(vmo, VMO_RIGHTS_ALL);
    vmo_view_t view;

    STEP(vmo_map_rw, world.b, theirs, RANGE(0, LEN), &view);
    DEMAND(same(vmo_view_data(world.b, view)));
    vmo_view_data_rw(world.b, view)[5] = 99;
    STEP(vmo_unmap, world.b, view);
    STEP(vmo_write, world.b, theirs, RANGE(5, 1), pattern() + 5);
    DEMAND(holds_pattern(world.a, vmo));
    STEP(vmo_close, world.b, theirs);
    STEP(vmo_close, world.a, vmo);
}

static void sent_sealed(void)
{
    const vmo_t vmo = filled();

    SURE(vmo_peer_require(world.b, world.to_a, VMO_SEAL_PEERS));
    SURE(vmo_seal(world.a, vmo, VMO_SEAL_PEERS));
    const vmo_t theirs = hand_over(vmo, VMO_RIGHT_READ);
    STEP(vmo_close, world.b, theirs);
    SURE(vmo_seal(world.a, vmo, VMO_SEAL_FOREVER));
    const vmo_t again = hand_over(vmo, VMO_RIGHT_READ);
    STEP(vmo_close, world.b, again);
    STEP(vmo_close, world.a, vmo);
}

/* A peer reads, and the creator seals for ever. */
static void sealed_after_sending(void)
{
    vmo_enforcer by = VMO_BY_NOBODY;

    sealing = filled();
    const vmo_t theirs = hand_over(sealing, VMO_RIGHT_READ);
    seal_step(VMO_SEAL_PEERS);
    SURE(vmo_seal_enforced_by(world.a, sealing, &by));
    if (by == VMO_BY_KERNEL) {
        seal_step(VMO_SEAL_FOREVER);
    } else { /* the kernel did not say whether the peer can write */
        DEMAND(vmo_seal(world.a, sealing, VMO_SEAL_FOREVER) != VMO_ERR_BACKEND);
    }
    DEMAND(holds_pattern(world.b, theirs));
    STEP(vmo_close, world.b, theirs);
    STEP(vmo_close, world.a, sealing);
}

/* ---- Waiting ------------------------------------------------------------------------------------------- */

static void send_once(void)
{
    const struct vmo_message message = {.tag = 7, .body = "body", .body_bytes = 4};

    wrap_on_wait = NULL;
    SURE(vmo_send(world.a, world.to_b, &message, 0));
    step_others_acted(-1);
}

static void receive_waits(void)
{
    wrap_on_wait = send_once;
    receive_tag(7);
    queue_is_empty();
}

static void receive_all(void)
{
    wrap_on_wait = NULL;
    while (vmo_recv(world.b, world.to_a, &incoming, 0) == VMO_OK) {
    }
    step_others_acted(-1);
}

static void send_waits(void)
{
    const struct vmo_message message = {.tag = 6};

    while (vmo_send(world.a, world.to_b, &message, 0) == VMO_OK) {
    }
    wrap_on_wait = receive_all;
    send_tag(8, VMO_NONE, 0);
    receive_tag(8);
    queue_is_empty();
}

/* ---- Transfers ----------------------------------------------------------------------------------------- */

static void accept_step(const struct vmo_ticket *ticket)
{
    vmo_t theirs = VMO_NONE;

    STEP(vmo_accept, world.b, world.to_a, ticket, &theirs);
    DEMAND(holds_pattern(world.b, theirs));
    STEP(vmo_close, world.b, theirs);
}

static void transfers(void)
{
    struct vmo_ticket tickets[3];
    const vmo_t vmo = filled();

    for (size_t i = 0; i < 3; i++) {
        STEP(vmo_transfer, world.a, vmo, world.to_b, VMO_RIGHT_READ, &tickets[i]);
    }
    accept_step(&tickets[1]); /* parks the first */
    accept_step(&tickets[0]);
    send_tag(1, VMO_NONE, 0);
    receive_tag(1); /* parks the third */
    accept_step(&tickets[2]);
    STEP(vmo_close, world.a, vmo);
}

static void transfer_to_write(void)
{
    struct vmo_ticket ticket;
    const vmo_t vmo = filled();

    STEP(vmo_transfer, world.a, vmo, world.to_b, VMO_RIGHTS_ALL, &ticket);
    accept_step(&ticket);
    STEP(vmo_destroy, world.a, vmo);
}

/* The peer is closed while a transfer is parked and another is queued. */
static void transfers_left(void)
{
    struct vmo_ticket tickets[2];
    const vmo_t vmo = filled();
    vmo_peer_t near, far;
    int ends[2];

    DEMAND(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0);
    STEP(vmo_peer_open, world.a, ends[0], &near);
    STEP(vmo_peer_open, world.b, ends[1], &far);
    SURE(vmo_peer_allow(world.a, near));
    STEP(vmo_transfer, world.a, vmo, near, VMO_RIGHT_READ, &tickets[0]);
    STEP(vmo_transfer, world.a, vmo, near, VMO_RIGHT_READ, &tickets[1]);
    vmo_t theirs = VMO_NONE;
    STEP(vmo_accept, world.b, far, &tickets[1], &theirs);
    STEP(vmo_transfer, world.a, vmo, near, VMO_RIGHT_READ, &tickets[1]);
    STEP(vmo_peer_close, world.b, far);
    STEP(vmo_peer_close, world.a, near);
    DEMAND(holds_pattern(world.b, theirs));
    STEP(vmo_close, world.b, theirs);
    STEP(vmo_close, world.a, vmo);
}

/* ---- Children ------------------------------------------------------------------------------------------ */

/* cat reads this until it is closed, so that the child ends when the story says so. */
static int childs_input;
#define DESCRIPTORS_AWAY 40 /* far from those that the library gets */

static struct vmo_program program(void)
{
    static uint8_t elf[1 << 18];
    const int file = open("/bin/cat", O_RDONLY | O_CLOEXEC);
    const ssize_t len = file >= 0 ? read(file, elf, sizeof(elf)) : -1;

    DEMAND(len > 0 && len < (ssize_t)sizeof(elf));
    (void)close(file);
    return (struct vmo_program){elf, (size_t)len, 1};
}

static void end_child(void)
{
    siginfo_t seen;

    wrap_on_wait = NULL;
    DEMAND(close(childs_input) == 0);
    step_others_acted(childs_input);
    DEMAND(waitid(P_ALL, 0, &seen, WEXITED | WNOWAIT | __WALL) == 0);
}

static vmo_peer_t spawned(void)
{
    const struct vmo_program cat = program();
    vmo_peer_t peer;
    int ends[2];

    DEMAND(pipe2(ends, O_CLOEXEC) == 0 && dup2(ends[0], STDIN_FILENO) == STDIN_FILENO);
    childs_input = fcntl(ends[1], F_DUPFD_CLOEXEC, DESCRIPTORS_AWAY);
    DEMAND(childs_input >= 0 && close(ends[1]) == 0 && (ends[0] == STDIN_FILENO || close(ends[0]) == 0));
    STEP(vmo_peer_spawn, world.a, &cat, &peer);
    return peer;
}

static void child(void)
{
    const vmo_peer_t peer = spawned();
    int32_t status = -1;

    wrap_on_wait = end_child;
    STEP(vmo_peer_wait, world.a, peer, step_soon(), &status);
    DEMAND(status == 0);
    STEP(vmo_peer_close, world.a, peer);
}

/* The first free descriptors are those that the child needs. */
static void first_child(void)
{
    SURE(vmo_registry_init(small_storage, sizeof(small_storage), &small, &world.a));
    child();
    SURE(vmo_registry_fini(world.a));
    world.a = NULL;
}

static void child_ends_while_heard(void)
{
    const vmo_peer_t peer = spawned();
    int32_t status = -1;

    wrap_on_wait = end_child;
    STEP_ANSWERS(VMO_ERR_PEER_GONE, vmo_recv, world.a, peer, &incoming, step_soon());
    STEP(vmo_peer_wait, world.a, peer, step_soon(), &status);
    STEP(vmo_peer_close, world.a, peer);
}

static void refused_program(void)
{
    const struct vmo_program cat = program();
    vmo_peer_t peer;

    wrap_refuse(ROW_execveat, EACCES);
    STEP_ANSWERS(VMO_ERR_UNSUPPORTED, vmo_peer_spawn, world.a, &cat, &peer);
}

/* Nothing lists the descriptors that the child must not inherit. */
static void child_without_proc(void)
{
    const struct vmo_program cat = program();
    vmo_peer_t peer;

    wrap_refuse(ROW_close_range, ENOSYS);
    wrap_refuse(ROW_open, ENOENT);
    STEP_ANSWERS(VMO_ERR_UNSUPPORTED, vmo_peer_spawn, world.a, &cat, &peer);
}

/* A socket in the place of a standard stream is moved away. */
static void socket_as_a_stream(void)
{
    vmo_peer_t peer;
    int ends[2];

    SURE(vmo_registry_init(small_storage, sizeof(small_storage), &small, &world.a));
    DEMAND(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0 && ends[0] == 0);
    STEP(vmo_peer_open, world.a, ends[0], &peer);
    DEMAND(fcntl(ends[0], F_GETFD) < 0);
    STEP(vmo_peer_close, world.a, peer);
    SURE(vmo_registry_fini(world.a));
    world.a = NULL;
    DEMAND(close(ends[1]) == 0);
}

/* The parent's socket at descriptor 3, inherited. */
static void parent(void)
{
    vmo_peer_t peer;
    int ends[2];

    DEMAND(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0);
    DEMAND(ends[0] == 3 && fcntl(3, F_SETFD, 0) == 0);
    SURE(vmo_registry_init(small_storage, sizeof(small_storage), &small, &world.a));
    STEP(vmo_peer_parent, world.a, &peer);
    STEP(vmo_peer_close, world.a, peer);
    SURE(vmo_registry_fini(world.a));
    world.a = NULL;
    DEMAND(close(ends[1]) == 0);
}

#define EARLY 7 /* all standard streams are closed */

const struct story stories[] = {
    {"a registry", registry, true, 0},
    {"an allocated registry", allocated_registry, true, 0},
    {"one VMO", one_vmo, false, 0},
    {"a named VMO", named_vmo, false, 0},
    {"evictions", evictions, true, 0},
    {"trimmed", trimmed, false, 0},
    {"sealed PEERS", sealed_for_peers, false, 0},
    {"sealed FOREVER", sealed_for_ever, false, 0},
    {"sealed PEERS, then FOREVER", sealed_twice, false, 0},
    {"a wrapped file", wrapped_file, false, 0},
    {"wrapped bytes", wrapped_bytes, false, 0},
    {"copied by a pipe", copied_by_pipe, false, 0},
    {"written without memory", written_without_memory, false, 0},
    {"messages", messages, false, 0},
    {"sent to read", sent_to_read, false, 0},
    {"sent to write", sent_to_write, false, 0},
    {"sent to share", sent_to_share, false, 0},
    {"sent sealed", sent_sealed, false, 0},
    {"sealed after sending", sealed_after_sending, false, 0},
    {"a receiver waits", receive_waits, false, 0},
    {"a sender waits", send_waits, false, 0},
    {"transfers", transfers, false, 0},
    {"a transfer to write", transfer_to_write, false, 0},
    {"transfers left behind", transfers_left, false, 0},
    {"a child", child, false, 0},
    {"a first child", first_child, true, 0},
    {"a child that ends while it is heard", child_ends_while_heard, false, 0},
    {"a program that is refused", refused_program, false, 0},
    {"a child without /proc", child_without_proc, false, 0},
    {"the parent", parent, true, 0},
    {"streams closed: a registry", registry, true, EARLY},
    {"streams closed: a VMO", one_vmo_alone, true, EARLY},
    {"streams closed: copied by a pipe", copied_alone, true, EARLY},
    {"streams closed: a child", first_child, true, EARLY - 1},
    {"streams closed: a socket", socket_as_a_stream, true, EARLY},
};
const size_t story_count = sizeof(stories) / sizeof(stories[0]);
