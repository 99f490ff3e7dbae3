/* SPDX-License-Identifier: Apache-2.0 */
#include "cost/cost_paths.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "cost/cost_call.h"
#include "cost/cost_peer.h"
#include "nexus_abi.h"

#define PAGE_BYTES ((uint64_t)NX_PAGE_BYTES)
#define MIB_BYTES UINT64_C(0x100000)
/* cost_sha256.c's library maps from NX_A1_MAP_BASE upwards. */
#define COST_MAP_BASE (NX_A1_MAP_BASE + UINT64_C(0x8000000))
#define MAP_RW (NX_MAP_VALID | NX_MAP_READ | NX_MAP_WRITE | NX_MAP_USER)
#define PROT_RW (NX_PROT_READ | NX_PROT_WRITE)
#define AS_USER 1
#define ANY_SLOT UINT64_MAX
#define STACK_PAGES 1

/* cost_elves.S */
extern const uint8_t cost_peer_elf[], cost_child_elf[];
extern const uint64_t cost_peer_elf_bytes, cost_child_elf_bytes;

static struct {
    uint64_t nothing; /* see cost_of_nothing */
    uint64_t spent;   /* by the calls of this path so far */
    bool failed;
    unsigned revision;
    uint64_t page, mib; /* slots of VMOs */
    uint64_t self;      /* slot of an endpoint that no other task has */
    uint64_t peer, orders, answers;
    uint64_t space;                     /* an empty address space */
    uint64_t next_page_va, next_mib_va; /* for calls with a fixed address */
    uint64_t next_as_page_va, next_as_mib_va;
} at;

static uint8_t buffer[PAGE_BYTES] __attribute__((aligned(NX_PAGE_BYTES)));

static uint64_t address(const void *object)
{
    return (uint64_t)(uintptr_t)object;
}

/* Makes a call of the path and counts its cost. */
static uint64_t counted(struct cost_call *call)
{
    cost_call(call);
    at.spent += call->end - call->begin - at.nothing;
    if (call->answer < 0) {
        printf("cost: call %" PRIu64 " answered %" PRId64 "\n", call->number, call->answer);
        at.failed = true;
    }
    return (uint64_t)call->answer;
}

/* Makes a call that prepares or cleans up, and does not count its cost. */
static uint64_t uncounted(struct cost_call *call)
{
    const uint64_t spent = at.spent;
    const uint64_t answer = counted(call);
    at.spent = spent;
    return answer;
}

/* ---- Tasks and time -------------------------------------------------------------------------------- */

static void take_getpid(void)
{
    counted(CALL(NX_SYS_GETPID, 0));
}

static void take_yield(void)
{
    counted(CALL(NX_SYS_YIELD, 0));
}

/* The child ends before the yield returns, so no task blocks while it ends (K-61). */
static void take_exec(void)
{
    const uint64_t pid =
        counted(CALL(NX_SYS_EXEC, address(cost_child_elf), cost_child_elf_bytes, STACK_PAGES));
    if (at.revision == ON_A2) {
        counted(CALL(NX_SYS_TASK_RESUME, pid));
    }
    counted(CALL(NX_SYS_YIELD, 0));
    counted(CALL(NX_SYS_WAIT, pid));
}

/* ---- VMOs -------------------------------------------------------------------------------------------- */

static uint64_t create(uint64_t bytes)
{
    return uncounted(CALL(NX_SYS_VMO_CREATE, ANY_SLOT, bytes));
}

/* Releases a VMO made for one path, as far as the revision can. */
static void drop(uint64_t slot)
{
    uncounted(CALL(at.revision == ON_A2 ? NX_SYS_VMO_DESTROY : NX_SYS_CAP_CLOSE, slot));
}

static void take_create_page(void)
{
    drop(counted(CALL(NX_SYS_VMO_CREATE, ANY_SLOT, PAGE_BYTES)));
}

static void take_create_mib(void)
{
    drop(counted(CALL(NX_SYS_VMO_CREATE, ANY_SLOT, MIB_BYTES)));
}

static void take_destroy(void)
{
    counted(CALL(NX_SYS_VMO_DESTROY, create(PAGE_BYTES)));
}

static void take_share_ro(void)
{
    uncounted(CALL(NX_SYS_CAP_CLOSE, counted(CALL(NX_SYS_VMO_SHARE_RO, at.page))));
}

static void take_write(void)
{
    counted(CALL(NX_SYS_VMO_WRITE, at.page, 0, address(buffer), sizeof(buffer)));
}

static void take_read(void)
{
    counted(CALL(NX_SYS_VMO_READ, at.page, 0, address(buffer), sizeof(buffer)));
}

/* ---- Mappings ---------------------------------------------------------------------------------------- */

static void map_pages(uint64_t slot, uint64_t *next_va, uint64_t bytes)
{
    for (uint64_t off = 0; off < bytes; off += PAGE_BYTES) {
        counted(CALL(NX_SYS_MAP, slot, *next_va + off, off, MAP_RW));
    }
    *next_va += bytes;
}

static void take_map_page(void)
{
    map_pages(at.page, &at.next_page_va, PAGE_BYTES);
}

static void take_map_mib(void)
{
    map_pages(at.mib, &at.next_mib_va, MIB_BYTES);
}

static void take_vm_map_page(void)
{
    uncounted(
        CALL(NX_SYS_VM_UNMAP, counted(CALL(NX_SYS_VM_MAP, at.page, 0, PAGE_BYTES, MAP_RW)), PAGE_BYTES));
}

static void take_vm_map_mib(void)
{
    uncounted(CALL(NX_SYS_VM_UNMAP, counted(CALL(NX_SYS_VM_MAP, at.mib, 0, MIB_BYTES, MAP_RW)), MIB_BYTES));
}

static void take_vm_unmap_page(void)
{
    counted(
        CALL(NX_SYS_VM_UNMAP, uncounted(CALL(NX_SYS_VM_MAP, at.page, 0, PAGE_BYTES, MAP_RW)), PAGE_BYTES));
}

static void take_vm_unmap_mib(void)
{
    counted(CALL(NX_SYS_VM_UNMAP, uncounted(CALL(NX_SYS_VM_MAP, at.mib, 0, MIB_BYTES, MAP_RW)), MIB_BYTES));
}

static void as_map(uint64_t slot, uint64_t *next_va, uint64_t bytes)
{
    counted(CALL(NX_SYS_AS_MAP, at.space, slot, *next_va, bytes, PROT_RW, AS_USER));
    *next_va += bytes;
}

static void take_as_map_page(void)
{
    as_map(at.page, &at.next_as_page_va, PAGE_BYTES);
}

static void take_as_map_mib(void)
{
    as_map(at.mib, &at.next_as_mib_va, MIB_BYTES);
}

/* ---- Capabilities ------------------------------------------------------------------------------------ */

static void take_clone_close(void)
{
    counted(CALL(NX_SYS_CAP_CLOSE, counted(CALL(NX_SYS_CAP_CLONE, at.page))));
}

static void take_transfer(void)
{
    counted(CALL(NX_SYS_CAP_TRANSFER, at.peer, at.page, NX_RIGHT_MAP));
}

/* ---- Messages ---------------------------------------------------------------------------------------- */

static void send(uint64_t slot, struct nx_ipc_hdr hdr)
{
    hdr.len = ORDER_BYTES;
    counted(CALL(NX_SYS_IPC_SEND, slot, address(&hdr), address(buffer), ORDER_BYTES, NX_IPC_NONBLOCK));
}

static struct nx_ipc_hdr receive(uint64_t slot)
{
    struct nx_ipc_hdr hdr = {0};
    counted(CALL(NX_SYS_IPC_RECV, slot, address(&hdr), address(buffer), sizeof(buffer), NX_IPC_NONBLOCK));
    return hdr;
}

static void take_message(void)
{
    send(at.self, (struct nx_ipc_hdr){0});
    (void)receive(at.self);
}

/* The next run moves the capability from the slot in which it arrived. */
static void take_handover(void)
{
    send(at.self, (struct nx_ipc_hdr){.src = (uint32_t)at.page, .flags = NX_IPC_HDR_CAP_MOVE});
    at.page = receive(at.self).src;
}

/*
 * Moves a capability to a waiting peer. Counts the send, and everything from the yield to the peer's first
 * instruction after its receive. The peer reads the same hardware counter.
 */
static void take_handover_to_peer(void)
{
    const uint64_t clone = uncounted(CALL(NX_SYS_CAP_CLONE, at.page));
    struct cost_call *yield = CALL(NX_SYS_YIELD, 0);
    uint64_t arrived = 0;
    send(at.orders,
         (struct nx_ipc_hdr){.src = (uint32_t)clone, .type = ORDER_TAKE, .flags = NX_IPC_HDR_CAP_MOVE});
    const uint64_t spent = at.spent;
    uncounted(yield);
    (void)receive(at.answers);
    memcpy(&arrived, buffer, sizeof(arrived));
    at.spent = spent + arrived - yield->begin - at.nothing;
}

const struct cost_path cost_paths[] = {
    {"getpid", ON_BOTH, take_getpid},
    {"yield", ON_BOTH, take_yield},
    {"vmo_create-4K", ON_BOTH, take_create_page},
    {"vmo_create-1M", ON_BOTH, take_create_mib},
    {"vmo_destroy", ON_A2, take_destroy},
    {"share_ro", ON_A2, take_share_ro},
    {"vmo_write-4K", ON_BOTH, take_write},
    {"vmo_read-4K", ON_A2, take_read},
    {"map-4K", ON_A1, take_map_page},
    {"map-1M", ON_A1, take_map_mib},
    {"vm_map-4K", ON_A2, take_vm_map_page},
    {"vm_map-1M", ON_A2, take_vm_map_mib},
    {"vm_unmap-4K", ON_A2, take_vm_unmap_page},
    {"vm_unmap-1M", ON_A2, take_vm_unmap_mib},
    {"as_map-4K", ON_BOTH, take_as_map_page},
    {"as_map-1M", ON_BOTH, take_as_map_mib},
    {"cap_clone+cap_close", ON_BOTH, take_clone_close},
    {"cap_transfer", ON_BOTH, take_transfer},
    {"message", ON_BOTH, take_message},
    {"handover", ON_BOTH, take_handover},
    {"handover-to-peer", ON_BOTH, take_handover_to_peer},
    {"exec+wait", ON_BOTH, take_exec},
    {"sha256-64B", ON_BOTH, cost_take_sha256_block},
    {"sha256-64K", ON_BOTH, cost_take_sha256_64k},
    {"stream-frame", ON_BOTH, cost_take_stream},
    {"stream-yields", ON_BOTH, cost_take_stream_yields},
    {"stream-latest-frame", ON_BOTH, cost_take_stream_latest},
    {"stream-latest-yields", ON_BOTH, cost_take_stream_latest_yields},
    {NULL, 0, NULL},
};

/* ---- Before and after -------------------------------------------------------------------------------- */

/* K-04 */
static unsigned find_revision(void)
{
    struct cost_call as_self = {.number = NX_SYS_AS_SELF};
    cost_call(&as_self);
    return as_self.answer == -NX_ENOSYS ? ON_A1 : ON_A2;
}

static uint64_t endpoint(void)
{
    return uncounted(CALL(NX_SYS_EP_CREATE, NX_SLOT_FACTORY, 1));
}

/* Starts the peer and lets it run until it waits for an order. */
static void start_peer(void)
{
    at.peer = uncounted(CALL(NX_SYS_EXEC, address(cost_peer_elf), cost_peer_elf_bytes, STACK_PAGES));
    at.orders = endpoint();
    at.answers = endpoint();
    uncounted(CALL(NX_SYS_CAP_TRANSFER, at.peer, at.orders, NX_RIGHT_RECV));  /* to PEER_SLOT_ORDERS */
    uncounted(CALL(NX_SYS_CAP_TRANSFER, at.peer, at.answers, NX_RIGHT_SEND)); /* to PEER_SLOT_ANSWERS */
    if (at.revision == ON_A2) {
        uncounted(CALL(NX_SYS_TASK_RESUME, at.peer));
    }
    uncounted(CALL(NX_SYS_YIELD, 0));
}

/* K-02: the kernel may change a0, and revision a1 also t0 to t2 (x5 to x7). a7 is the call's number. */
static void check_registers(uint64_t number)
{
    cost_registers(number);
    for (unsigned i = 1; i < 32; i++) {
        const bool free = i == 10 || (at.revision == ON_A1 && i >= 5 && i <= 7);
        const uint64_t expected = i == 17 ? number : UINT64_C(COST_REGISTER) + i;
        if (!free && cost_registers_after[i] != expected) {
            printf("cost: call %" PRIu64 " changed x%u\n", number, i);
            at.failed = true;
        }
    }
}

/* Every path keeps the registers: a direct return, through the scheduler, and while the peer runs. */
static void check_all_registers(void)
{
    check_registers(NX_SYS_GETPID);
    check_registers(NX_SYS_YIELD);
    send(at.orders, (struct nx_ipc_hdr){.type = ORDER_TAKE});
    check_registers(NX_SYS_YIELD);
    (void)receive(at.answers);
}

void cost_prepare(void)
{
    at.nothing = cost_of_nothing();
    at.revision = find_revision();
    at.page = create(PAGE_BYTES);
    at.mib = create(MIB_BYTES);
    at.self = endpoint();
    at.space = uncounted(CALL(NX_SYS_AS_CREATE, 0));
    at.next_page_va = at.next_as_page_va = COST_MAP_BASE;
    at.next_mib_va = at.next_as_mib_va = COST_MAP_BASE + (uint64_t)NX_SUPERPAGE_BYTES;
    start_peer();
    check_all_registers();
}

void cost_finish(void)
{
    cost_stream_finish();
    send(at.orders, (struct nx_ipc_hdr){.type = ORDER_END});
    uncounted(CALL(NX_SYS_YIELD, 0));
    uncounted(CALL(NX_SYS_WAIT, at.peer));
}

void cost_spend(uint64_t instructions)
{
    at.spent += instructions - at.nothing;
}

void cost_refused(const char *name)
{
    printf("cost: call of the library answered %s\n", name);
    at.failed = true;
}

uint64_t cost_of(const struct cost_path *path)
{
    at.spent = 0;
    path->take();
    return at.spent;
}

unsigned cost_revision(void)
{
    return at.revision;
}

bool cost_has_failed(void)
{
    return at.failed;
}
