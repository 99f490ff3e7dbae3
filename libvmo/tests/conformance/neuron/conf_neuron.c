/* SPDX-License-Identifier: Apache-2.0 */
/* The port to NEURON, for init and its peers. */
#include "conformance/conf_port.h"

#include "nx_call.h"

#define SPAWNS_A1 8 /* the library's limit (K-17) */
#define REGIONS_MAX 64

const struct conf_port *conf_port(void)
{
    static struct conf_port port;
    const struct nx_features *has = nx_features();

    if (port.name == NULL) {
        port.name = has->map && !has->vm_map ? "a1" : "a2";
        port.features =
            HAS_REAP | HAS_TRANSFER | HAS_LITTLE_MEMORY | HAS_HOLDERS | HAS_LOADER | HAS_USER_CHECK;
        port.features |= has->vm_map || has->map ? HAS_MAP : 0;
        port.features |= has->vm_map && has->vm_unmap ? HAS_UNMAP | HAS_FEW_MAPS : 0;
        port.features |= has->destroy ? HAS_DESTROY : 0;
        port.features |=
            has->resume || has->map ? HAS_PEER : 0; /* without resume a child stays suspended (K-16) */
        port.features |= has->share_ro ? HAS_KERNEL_SEALS : 0;
        port.features |= has->destroy || has->vm_map ? HAS_PEER_CREATE : 0;
        port.patience_ns = UINT64_C(500000000); /* guest time, which -icount keeps free of the host */
        port.spawns = has->vm_map ? 0 : SPAWNS_A1;
        port.children = has->map ? SPAWNS_A1 : 0;
        port.bad_memory = 0x80200000; /* the kernel's image */
        port.full_bytes = has->map ? UINT64_C(0x80000) : UINT64_C(0x1000000);
    }
    return &port;
}

static int64_t clone_bootstrap(void)
{
    return nx_call1(NX_SYS_CAP_CLONE, NX_SLOT_BOOTSTRAP);
}

static void close_slot(int64_t slot)
{
    if (slot >= 0) {
        (void)nx_call1(NX_SYS_CAP_CLOSE, (uint64_t)slot);
    }
}

/* Counts the clones that fit. */
static uint64_t free_slots(void)
{
    static int64_t clones[NX_SLOTS_A2];
    uint64_t found = 0;

    while (found < NX_SLOTS_A2 && (clones[found] = clone_bootstrap()) >= 0) {
        found++;
    }
    for (uint64_t i = 0; i < found; i++) {
        close_slot(clones[i]);
    }
    return found;
}

static int64_t map_page(int64_t slot)
{
    return nx_call4(NX_SYS_VM_MAP, (uint64_t)slot, 0, NX_PAGE_BYTES,
                    NX_MAP_VALID | NX_MAP_READ | NX_MAP_USER);
}

/* Counts the mappings of one page that fit. */
static uint64_t free_regions(void)
{
    int64_t maps[REGIONS_MAX];
    uint64_t found = 0;

    if (!nx_features()->vm_map || !nx_features()->vm_unmap) {
        return 0;
    }
    const int64_t page = nx_call2(NX_SYS_VMO_CREATE, UINT64_MAX, NX_PAGE_BYTES);
    while (found < REGIONS_MAX && (maps[found] = map_page(page)) > 0) {
        found++;
    }
    for (uint64_t i = 0; i < found; i++) {
        (void)nx_call2(NX_SYS_VM_UNMAP, (uint64_t)maps[i], NX_PAGE_BYTES);
    }
    if (page >= 0 && nx_call1(NX_SYS_VMO_DESTROY, (uint64_t)page) == 0) {
        return found;
    }
    close_slot(page);
    return found;
}

struct conf_held conf_port_held(void)
{
    const uint64_t regions = free_regions();

    return (struct conf_held){NX_SLOTS_A2 - free_slots(), regions ? REGIONS_MAX - regions : 0};
}

/* The lowest free slot, which changes with each slot taken (K-15). */
uint64_t conf_port_mark(void)
{
    const int64_t lowest = clone_bootstrap();

    close_slot(lowest);
    return (uint64_t)lowest;
}

void conf_port_between(void) {}

void conf_port_drop_peer(bool after_failure)
{
    (void)after_failure;
}

void conf_port_yield(void)
{
    (void)nx_call0(NX_SYS_YIELD); /* refused, it only costs another look */
}

void conf_port_crash(void)
{
    __asm__ volatile("sb zero, 0(zero)" ::: "memory");
}

int conf_port_file(const void *bytes, size_t len)
{
    (void)bytes, (void)len;
    return -1;
}

void conf_port_truncate(int file, size_t len)
{
    (void)file, (void)len;
}

void conf_port_close_file(int file)
{
    (void)file;
}
