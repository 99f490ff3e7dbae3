/* SPDX-License-Identifier: Apache-2.0 */
/* Peers on NEURON: a child has two endpoints, owned by its parent, and a death watch (K-58, K-62). */
#include <string.h>

#include "backend.h"
#include "elf64.h"
#include "nx_call.h"
#include "nx_in_flight.h"
#include "nx_kept.h"
#include "nx_peer.h"

#define CHANNEL_DEPTH 8
#define WATCH_DEPTH 4
/* The child's slots for its ends: slot 0 is the bootstrap endpoint (K-14), then the lowest free ones (K-15).
 */
#define CHILD_RECEIVE 1
#define CHILD_SEND 2

/* Page tables, guard page and loader, on the kernel that never takes memory back. */
#define SPAWN_SLACK_PAGES 32

#define PHDR_BYTES sizeof(struct elf64_program_header)

/* ---- Memory of a program ------------------------------------------------------------------------ */

/* Checks for an executable little-endian RISC-V ELF64, since the kernels' loaders do not (K-13). */
static bool is_program(const struct vmo_program *program)
{
    static const uint8_t ident[] = {0x7F, 'E', 'L', 'F', ELF64_CLASS, ELF64_DATA_LITTLE, ELF64_VERSION};
    /* e_type, e_machine, e_version */
    static const uint8_t kind[] = {ELF64_TYPE_EXEC, 0, ELF64_MACHINE_RISCV, 0, ELF64_VERSION, 0, 0, 0};
    const uint8_t *elf = program->elf;

    return program->elf_bytes >= sizeof(struct elf64_header) && memcmp(elf, ident, sizeof(ident)) == 0 &&
           memcmp(elf + offsetof(struct elf64_header, type), kind, sizeof(kind)) == 0;
}

/* Pages of the loadable segments, each counted as unaligned; 0 if this is no program. The kernel strides by
 * the file's e_phentsize, so accept only the size that this loop strides by. Refuse a segment that begins
 * outside the file: the loader does not survive it. */
static uint64_t image_pages(const struct vmo_program *program)
{
    const uint8_t *elf = program->elf;
    uint64_t phoff = 0;
    uint16_t sizes[2] = {0}; /* e_phentsize, e_phnum */
    uint64_t pages = 0;

    if (!is_program(program)) {
        return 0;
    }
    memcpy(&phoff, elf + offsetof(struct elf64_header, phoff), sizeof(phoff));
    memcpy(sizes, elf + offsetof(struct elf64_header, phentsize), sizeof(sizes));
    if (sizes[0] != PHDR_BYTES || phoff > program->elf_bytes ||
        (uint64_t)sizes[1] * PHDR_BYTES > program->elf_bytes - phoff) {
        return 0;
    }
    for (uint16_t i = 0; i < sizes[1]; i++) {
        const uint8_t *phdr = elf + phoff + (size_t)i * PHDR_BYTES;
        uint32_t type = 0;
        uint64_t off = 0;
        uint64_t mem_bytes = 0;
        memcpy(&type, phdr, sizeof(type));
        memcpy(&off, phdr + offsetof(struct elf64_program_header, offset), sizeof(off));
        memcpy(&mem_bytes, phdr + offsetof(struct elf64_program_header, memsz), sizeof(mem_bytes));
        if (type == ELF64_LOAD) {
            if (off > program->elf_bytes || mem_bytes > NX_USER_TOP) {
                return 0;
            }
            pages += mem_bytes / NX_PAGE_BYTES + 2;
        }
    }
    return pages;
}

static vmo_status check_program(const struct vmo_program *program)
{
    const uint64_t pages = image_pages(program);

    if (pages == 0) {
        return VMO_ERR_INVALID;
    }
    if (!nx_features()->init) {
        return VMO_ERR_UNSUPPORTED; /* no endpoint factory (K-14) */
    }
    if (!nx_budget_space()) {
        return VMO_ERR_UNSUPPORTED;
    }
    const uint64_t all = pages + program->stack_pages + NX_USER_STACK_EXTRA_PAGES + SPAWN_SLACK_PAGES;
    return nx_budget_arena(all * NX_PAGE_BYTES) ? VMO_OK : VMO_ERR_NO_MEMORY;
}

/* ---- Making and ending -------------------------------------------------------------------------- */

static vmo_status create_endpoint(int32_t *slot)
{
    const int64_t answer = nx_call2(NX_SYS_EP_CREATE, NX_SLOT_FACTORY, CHANNEL_DEPTH);

    if (answer < 0) {
        return answer == -NX_ENOSPC ? VMO_ERR_NO_SLOTS : VMO_ERR_BACKEND;
    }
    *slot = (int32_t)answer;
    return VMO_OK;
}

static vmo_status close_end(uint64_t number, int32_t *slot)
{
    if (*slot == BE_NONE) {
        return VMO_OK;
    }
    const int64_t answer = nx_call1(number, (uint64_t)*slot);
    *slot = BE_NONE;
    return answer == 0 || (number == NX_SYS_EP_CLOSE && (answer == -NX_EPERM || answer == -NX_ESRCH))
               ? VMO_OK
               : VMO_ERR_BACKEND;
}

/* Closes a peer's ends with this call. The owner of a channel closes the endpoints, which drops their
 * messages and frees the slots even if the kernel returns an error (K-57). A child closes only its
 * capabilities, and its messages stay queued. */
static vmo_status close_ends(uint64_t number, struct be_peer *peer)
{
    const vmo_status send = close_end(number, &peer->send);
    const vmo_status receive = close_end(number, &peer->receive);

    return send != VMO_OK ? send : receive;
}

static vmo_status close_watch(struct be_peer *peer)
{
    return close_end(NX_SYS_CAP_CLOSE, &peer->watch); /* the child's own endpoint */
}

/* Makes the watch of a child that has not run yet, gives it its ends of the channel, then starts it. */
static vmo_status equip(struct be_peer *peer)
{
    const uint64_t pid = (uint64_t)peer->pid;
    const int64_t watch = nx_call3(NX_SYS_EP_CREATE_FOR, NX_SLOT_FACTORY, pid, WATCH_DEPTH);

    if (watch < 0) {
        return watch == -NX_ENOSPC ? VMO_ERR_NO_SLOTS : VMO_ERR_BACKEND;
    }
    peer->watch = (int32_t)watch;
    if (nx_call3(NX_SYS_CAP_TRANSFER, pid, (uint64_t)peer->send, NX_RIGHT_RECV) != CHILD_RECEIVE ||
        nx_call3(NX_SYS_CAP_TRANSFER, pid, (uint64_t)peer->receive, NX_RIGHT_SEND) != CHILD_SEND) {
        return VMO_ERR_BACKEND;
    }
    if (nx_features()->resume && nx_call1(NX_SYS_TASK_RESUME, pid) != 0) {
        return VMO_ERR_BACKEND;
    }
    return VMO_OK;
}

static vmo_status exec_and_equip(const struct vmo_program *program, struct be_peer *peer)
{
    const int64_t pid = nx_call4(NX_SYS_EXEC, nx_address(program->elf), program->elf_bytes,
                                 program->stack_pages, 0 /* gp: K-12's default */);

    if (pid <= NX_PID_INIT) {
        return pid == -NX_ENOMEM ? VMO_ERR_NO_MEMORY : VMO_ERR_BACKEND;
    }
    peer->pid = (int32_t)pid;
    return equip(peer);
}

vmo_status be_spawn(const struct vmo_program *program, struct be_peer *out)
{
    static uint32_t channels; /* to children, ever */
    struct be_peer peer = {.pid = BE_NONE, .send = BE_NONE, .receive = BE_NONE, .watch = BE_NONE};

    if (channels == NX_CHANNELS - 1) {
        return VMO_ERR_NO_SLOTS; /* only on a kernel with more endpoint ids than the contract states */
    }
    vmo_status status = check_program(program);
    if (status == VMO_OK) {
        status = create_endpoint(&peer.send);
    }
    if (status == VMO_OK) {
        status = create_endpoint(&peer.receive);
    }
    if (status == VMO_OK) {
        status = exec_and_equip(program, &peer);
    }
    if (status != VMO_OK) {
        const vmo_status closed = close_ends(NX_SYS_EP_CLOSE, &peer);
        const vmo_status unwatched = close_watch(&peer);
        return closed != VMO_OK ? closed : unwatched != VMO_OK ? unwatched : status;
    }
    peer.channel = ++channels;
    *out = peer;
    return VMO_OK;
}

vmo_status be_parent(struct be_peer *out)
{
    if (nx_features()->init) {
        return VMO_ERR_UNSUPPORTED;
    }
    *out = (struct be_peer){.pid = BE_NONE,
                            .send = CHILD_SEND,
                            .receive = CHILD_RECEIVE,
                            .watch = BE_NONE,
                            .channel = NX_TO_PARENT};
    return VMO_OK;
}

vmo_status be_peer_open(int descriptor, struct be_peer *out)
{
    (void)descriptor, (void)out;
    return VMO_ERR_UNSUPPORTED; /* this kernel has no descriptors */
}

static vmo_status drop_kept(uint32_t channel)
{
    struct be_object object = nx_kept_take(channel);

    return be_close(&object);
}

/* A kept message goes first: its capability may be the last one that keeps memory from its owner. */
vmo_status be_peer_hangup(struct be_peer *peer)
{
    const vmo_status dropped = drop_kept(peer->channel);

    if (peer->channel == NX_TO_PARENT) {
        const vmo_status closed = close_ends(NX_SYS_CAP_CLOSE, peer);
        return dropped != VMO_OK ? dropped : closed;
    }
    const vmo_status status = close_ends(NX_SYS_EP_CLOSE, peer);
    if (status == VMO_OK) {
        nx_note_closed(peer->channel);
    }
    return dropped != VMO_OK ? dropped : status;
}

vmo_status be_peer_close(struct be_peer *peer)
{
    const vmo_status channel = be_peer_hangup(peer);
    const vmo_status watch = close_watch(peer);

    return channel != VMO_OK ? channel : watch;
}

vmo_status be_peer_kill(const struct be_peer *peer)
{
    (void)peer;
    return VMO_ERR_UNSUPPORTED; /* no call of this kernel ends another task */
}

/* ---- Waiting ------------------------------------------------------------------------------------ */

bool nx_peer_ended(const struct be_peer *peer)
{
    struct nx_ipc_hdr hdr = {0};
    uint8_t byte = 0;

    if (peer->channel == NX_TO_PARENT) {
        return false;
    }
    return peer->watch == BE_NONE || nx_call((uint64_t)peer->watch, nx_address(&hdr), nx_address(&byte),
                                             sizeof(byte), NX_IPC_NONBLOCK, 0, NX_SYS_IPC_RECV)
                                             .a0 == -NX_ESRCH;
}

/* Each peer gets a capability of its own. */
void be_peer_allow_shared(struct be_peer *peer)
{
    (void)peer;
}

bool be_peer_unreaped(const struct be_peer *peer)
{
    return peer->watch != BE_NONE && nx_peer_ended(peer);
}

uint64_t be_now_ns(void)
{
    return (uint64_t)nx_call0(NX_SYS_NSEC);
}

vmo_status nx_pause(uint64_t deadline_ns)
{
    if (be_now_ns() >= deadline_ns) {
        return VMO_ERR_TIMED_OUT;
    }
    return nx_call0(NX_SYS_YIELD) >= 0 ? VMO_OK : VMO_ERR_BACKEND;
}

vmo_status be_peer_wait(struct be_peer *peer, uint64_t deadline_ns, int32_t *exit_status)
{
    if (peer->pid == BE_NONE || peer->watch == BE_NONE) {
        return VMO_ERR_UNSUPPORTED;
    }
    while (!nx_peer_ended(peer)) {
        const vmo_status status = nx_pause(deadline_ns);
        if (status != VMO_OK) {
            return status;
        }
    }
    const struct nx_result reaped = nx_call((uint64_t)peer->pid, 0, 0, 0, 0, 0, NX_SYS_WAIT);
    if (reaped.a0 != peer->pid) {
        return VMO_ERR_BACKEND;
    }
    *exit_status = (int32_t)reaped.a1;
    return close_end(NX_SYS_CAP_CLOSE, &peer->watch);
}
