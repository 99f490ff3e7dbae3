/* SPDX-License-Identifier: Apache-2.0 */
/* Peers on NEURON: a child has two endpoints, owned by its parent, and a death watch (K-58, K-62). */
#include <string.h>

#include "backend.h"
#include "elf64.h"
#include "nx_budget.h"
#include "nx_call.h"
#include "nx_in_flight.h"
#include "nx_kept.h"
#include "nx_peer.h"
#include "sizes.h"

#define CHANNEL_DEPTH 8
#define CHANNEL_SLOTS 3 /* of this task: two ends and the watch */
#define WATCH_DEPTH 4
/* The child's slots for its ends: slot 0 is the bootstrap endpoint (K-14), then the lowest free ones (K-15).
 */
#define CHILD_RECEIVE 1
#define CHILD_SEND 2

/* Page tables, guard page and loader, on the kernel that never takes memory back. */
#define SPAWN_SLACK_PAGES 32

#define GIB_BYTES (UINT64_C(1) << 30)
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

/* Adds the cost of a loadable segment: its pages, counted as unaligned, and its page tables. *last_table is
 * the one that the segment before it ended in. False if the kernel's loader would not survive the segment. */
static bool measure_segment(const struct elf64_program_header *segment, size_t elf_bytes,
                            struct nx_cost *cost, uint64_t *last_table)
{
    const struct vmo_range range = {segment->vaddr, segment->memsz};

    if (segment->offset > elf_bytes || !range_within(range, NX_USER_TOP)) {
        return false;
    }
    cost->arena_bytes += (range.len_bytes / NX_PAGE_BYTES + 2) * NX_PAGE_BYTES;
    if (range.len_bytes) {
        const uint64_t end = range.off_bytes + range.len_bytes - 1;
        cost->tables += nx_leaf_tables(range.off_bytes, range.len_bytes) + end / GIB_BYTES;
        cost->tables -= range.off_bytes / NX_SUPERPAGE_BYTES == *last_table;
        *last_table = end / NX_SUPERPAGE_BYTES;
    }
    return true;
}

/* Measures the image; false if the file is no program. The kernel strides by the file's e_phentsize, so
 * accept only the size that this loop strides by. */
static bool measure(const struct vmo_program *program, struct nx_cost *cost)
{
    const uint8_t *elf = program->elf;
    uint64_t phoff = 0;
    uint16_t sizes[2] = {0}; /* e_phentsize, e_phnum */
    uint64_t last_table = UINT64_MAX;

    if (!is_program(program)) {
        return false;
    }
    memcpy(&phoff, elf + offsetof(struct elf64_header, phoff), sizeof(phoff));
    memcpy(sizes, elf + offsetof(struct elf64_header, phentsize), sizeof(sizes));
    if (sizes[0] != PHDR_BYTES || phoff > program->elf_bytes ||
        (uint64_t)sizes[1] * PHDR_BYTES > program->elf_bytes - phoff) {
        return false;
    }
    for (uint16_t i = 0; i < sizes[1]; i++) {
        struct elf64_program_header segment;
        memcpy(&segment, elf + phoff + (size_t)i * PHDR_BYTES, PHDR_BYTES);
        if (segment.type == ELF64_LOAD && !measure_segment(&segment, program->elf_bytes, cost, &last_table)) {
            return false;
        }
    }
    return cost->arena_bytes != 0;
}

/* Checks everything that can be refused before the kernel spends something. */
static vmo_status check_spawn(const struct vmo_program *program, struct nx_cost *cost)
{
    const struct nx_features *has = nx_features();

    if (!measure(program, cost)) {
        return VMO_ERR_INVALID;
    }
    if (!has->init) {
        return VMO_ERR_UNSUPPORTED; /* no endpoint factory (K-14) */
    }
    if (!has->resume && !has->map) {
        return VMO_ERR_UNSUPPORTED; /* the child would stay suspended (K-16) */
    }
    const uint64_t pages = program->stack_pages + NX_USER_STACK_EXTRA_PAGES + SPAWN_SLACK_PAGES;
    cost->arena_bytes += pages * NX_PAGE_BYTES;
    cost->tables += nx_tables_of_child(program->stack_pages);
    if (!nx_budget_covers((struct nx_cost){.tables = cost->tables})) {
        return VMO_ERR_UNSUPPORTED;
    }
    return nx_budget_covers(*cost) ? nx_check_slots(CHANNEL_SLOTS) : VMO_ERR_NO_MEMORY;
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

static vmo_status exec_and_equip(const struct vmo_program *program, struct nx_cost cost, struct be_peer *peer)
{
    nx_touch(program->elf, program->elf_bytes);
    nx_budget_charge(cost);
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
    struct nx_cost cost = {0};
    vmo_status status = check_spawn(program, &cost);
    if (status == VMO_OK) {
        status = create_endpoint(&peer.send);
    }
    if (status == VMO_OK) {
        status = create_endpoint(&peer.receive);
    }
    if (status == VMO_OK) {
        status = exec_and_equip(program, cost, &peer);
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

/* A kept message goes first: its capability may be the last one that keeps memory from its owner. Not
 * inlined: inlined it is larger. */
static __attribute__((noinline)) vmo_status close_channel(struct be_peer *peer)
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
    const vmo_status channel = close_channel(peer);
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

/* A receive waits in the kernel. */
void be_peer_looks(struct be_peer *peer, uint32_t looks)
{
    (void)peer, (void)looks;
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
