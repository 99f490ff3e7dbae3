/* SPDX-License-Identifier: Apache-2.0 */
/* Helpers for all parts of the probe: objects, views of memory, messages. */
#include "probe/probe.h"

#define VIEW_VA 0x48000000 /* a1: views go upwards from here, each address used once (K-23) */
#define LATER_NS UINT64_C(300000000)
#define ROUNDS_MIN 64u /* regardless of the clock */
#define ROUNDS_MAX 1000000u
#define OTHERS_NS UINT64_C(5000000)

uint64_t new_vmo(uint64_t bytes)
{
    return (uint64_t)CALL(NX_SYS_VMO_CREATE, ANY_SLOT, bytes);
}

uint64_t new_endpoint(uint64_t depth)
{
    return (uint64_t)CALL(NX_SYS_EP_CREATE, FACTORY, depth);
}

void close_slots(uint64_t first, uint64_t last)
{
    for (uint64_t slot = first; slot <= last && slot < NO_SUCH_SLOT; slot++) { /* -1 is no slot either */
        (void)CALL(NX_SYS_CAP_CLOSE, slot);
    }
}

uint64_t fill_table(uint64_t slot)
{
    uint64_t count = 0;
    while (count < NO_SUCH_SLOT && CALL(NX_SYS_CAP_CLONE, slot) >= 0) {
        count++;
    }
    return count;
}

/* a1: maps at the next address that was never used. */
static int64_t map_next(uint64_t slot, uint64_t off, uint64_t flags)
{
    static uint64_t next_va = VIEW_VA;
    const uint64_t va = next_va;
    next_va += PAGE;
    return CALL(NX_SYS_MAP, slot, va, off, flags) == 0 ? (int64_t)va : -1;
}

volatile uint8_t *view(uint64_t slot, uint64_t off, bool writable)
{
    const uint64_t write = writable ? NX_MAP_WRITE : 0,
                   flags = NX_MAP_VALID | NX_MAP_USER | NX_MAP_READ | write;
    const int64_t va =
        probe_is_a1() ? map_next(slot, off, flags) : CALL(NX_SYS_VM_MAP, slot, off, PAGE, flags);
    return va < 0 ? NULL : (volatile uint8_t *)(uintptr_t)va;
}

void unview(const volatile uint8_t *page)
{
    if (page != NULL && !probe_is_a1()) {
        (void)CALL(NX_SYS_VM_UNMAP, at(page), PAGE);
    }
}

bool shows(const volatile uint8_t *page, const void *bytes, size_t count)
{
    const uint8_t *expected = bytes;
    bool same = page != NULL;
    for (size_t i = 0; same && i < count; i++) {
        same = page[i] == expected[i];
    }
    return same;
}

bool shows_zeros_from(const volatile uint8_t *page, size_t off)
{
    static const uint8_t zeros[PAGE];
    return page != NULL && shows(page + off, zeros, sizeof(zeros) - off);
}

bool shows_zeros(const volatile uint8_t *page)
{
    return shows_zeros_from(page, 0);
}

void put(volatile uint8_t *page, size_t off, uint8_t byte)
{
    if (page != NULL) {
        page[off] = byte;
    }
}

const uint8_t *pattern(void)
{
    static uint8_t bytes[PATTERN_BYTES];
    for (size_t i = 0; bytes[0] == 0 && i < sizeof(bytes); i++) {
        bytes[sizeof(bytes) - 1 - i] = (uint8_t)(1 + i % 251);
    }
    return bytes;
}

int64_t post(uint64_t slot, const struct nx_ipc_hdr *hdr, const void *payload)
{
    return CALL(NX_SYS_IPC_SEND, slot, at(hdr), at(payload), hdr->len, NX_IPC_NONBLOCK, 0);
}

int64_t take(uint64_t slot, struct nx_ipc_hdr *hdr, void *buf, uint64_t max)
{
    return CALL(NX_SYS_IPC_RECV, slot, at(hdr), at(buf), max, NX_IPC_NONBLOCK, 0);
}

uint64_t probe_message_max(void)
{
    return probe_is_a1() ? NX_IPC_MAX_BYTES_A1 : NX_IPC_MAX_BYTES_A2;
}

static int64_t take_v2(uint64_t slot, struct nx_ipc_hdr *hdr, void *buf, uint64_t max, uint64_t *sender_id)
{
    const struct nx_ipc_recv_v2 desc = {.magic = NX_IPC_V2_MAGIC,
                                        .version = NX_IPC_V2_VERSION,
                                        .slot = (uint32_t)slot,
                                        .hdr = at(hdr),
                                        .buf = at(buf),
                                        .max = max,
                                        .sender_id = at(sender_id),
                                        .flags = NX_IPC_NONBLOCK};
    return CALL(NX_SYS_IPC_RECV_V2, at(&desc));
}

static uint64_t now_ns(void)
{
    return (uint64_t)CALL(NX_SYS_NSEC, 0);
}

/* Waits one round by yielding. Returns false when the time is up. */
static bool another_round(unsigned rounds, uint64_t end_ns)
{
    (void)CALL(NX_SYS_YIELD, 0);
    return rounds < ROUNDS_MIN || (rounds < ROUNDS_MAX && now_ns() < end_ns);
}

int64_t take_later(uint64_t slot, struct nx_ipc_hdr *hdr, void *buf, uint64_t max, uint64_t *sender_id)
{
    const uint64_t end_ns = now_ns() + LATER_NS;
    int64_t answer = -NX_EAGAIN;
    for (unsigned i = 0; answer == -NX_EAGAIN && another_round(i, end_ns); i++) {
        answer = sender_id == NULL ? take(slot, hdr, buf, max) : take_v2(slot, hdr, buf, max, sender_id);
    }
    return answer;
}

void let_others_run(void)
{
    const uint64_t end_ns = now_ns() + OTHERS_NS;
    unsigned rounds = 0;
    while (another_round(rounds, end_ns)) {
        rounds++;
    }
}
