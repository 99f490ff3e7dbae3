/* SPDX-License-Identifier: Apache-2.0 */
/* VMOs without mappings: create, write, read, cap_query (K-15, K-20, K-21, K-31). */
#include <stdio.h>

#include "probe/probe.h"

#define EXPLICIT_SLOT 20
#define COPY 16
#define ID_BYTES 48

/* A case for vmo_write and vmo_read. */
struct copy {
    const char *id, *what;
    uint64_t slot, off, pointer, len;
    bool succeeds;
};

static void copies(uint64_t number, const char *verb, uint64_t slot, const uint8_t *buf)
{
    const uint64_t mem = at(buf);
    const struct copy list[] = {
        {"begin", "16 bytes at 0", slot, 0, mem, COPY, true},
        {"end", "16 bytes at the end", slot, PAGE - COPY, mem, COPY, true},
        {"across-end", "16 bytes across the end", slot, PAGE - COPY + 1, mem, COPY, false},
        {"at-end", "1 byte at the end", slot, PAGE, mem, 1, false},
        {"nothing-at-end", "length 0 at the end", slot, PAGE, mem, 0, false},
        {"nothing-past-end", "length 0 past the end", slot, PAGE + 1, mem, 0, false},
        {"overflow", "offset and length overflow", slot, UINT64_MAX - COPY / 2, mem, COPY, false},
        {"empty-slot", "an empty slot", EMPTY_SLOT, 0, mem, COPY, false},
        {"factory", "the factory", FACTORY, 0, mem, COPY, false},
        {"endpoint", "an endpoint", BOOTSTRAP, 0, mem, COPY, false},
        {"range-first", "past the end, pointer in the kernel half", slot, PAGE, KERNEL_HALF, 1, false},
        {"slot-first", "an empty slot, null pointer", EMPTY_SLOT, 0, 0, 1, false},
        {"null", "null pointer", slot, 0, 0, 1, false},
        {"kernel-half", "pointer at 0x80000000", slot, 0, KERNEL_HALF, 1, false},
        {"crosses-top", "bytes across 0x80000000", slot, 0, KERNEL_HALF - COPY / 2, COPY, false},
        {"null-nothing", "null pointer, length 0", slot, 0, 0, 0, false},
        {"kernel-nothing", "pointer at 0x80000000, length 0", slot, 0, KERNEL_HALF, 0, false},
    };
    for (size_t i = 0; i < COUNT_OF(list); i++) {
        const struct copy *copy = &list[i];
        const int64_t answer = CALL(number, copy->slot, copy->off, copy->pointer, copy->len);
        char id[ID_BYTES];
        (void)snprintf(id, sizeof(id), "K-21.%s-%s", verb, copy->id);
        if (copy->succeeds) {
            row_len(id, probe_call_name(number), copy->what, answer, copy->len);
        } else {
            row(id, probe_call_name(number), copy->what, answer);
        }
    }
}

static void creates(void)
{
    ROW("K-20.len-0", "length 0", NX_SYS_VMO_CREATE, ANY_SLOT, 0);
    if (!probe_is_a1()) { /* a1 would leak an unspecified number of bytes */
        ROW("K-20.more-than-arena", "more than the arena", NX_SYS_VMO_CREATE, ANY_SLOT,
            NX_ARENA_BYTES_A2 + PAGE);
    }
    ROW("K-20.bad-slot", "a slot out of range", NX_SYS_VMO_CREATE, NO_SUCH_SLOT, PAGE);
    row_slot("K-15.lowest", "vmo_create", "the first, of 1 byte", (int64_t)new_vmo(1), FIRST_SLOT);
    ROW("K-20.rounded", "length 0 at 4096 of a vmo of 1 byte", NX_SYS_VMO_WRITE, FIRST_SLOT, PAGE,
        at(pattern()), 0);
    ROW("K-20.rounded-end", "length 0 at 4097 of a vmo of 1 byte", NX_SYS_VMO_WRITE, FIRST_SLOT, PAGE + 1,
        at(pattern()), 0);
}

static void explicit_slots(void)
{
    int64_t answer = CALL(NX_SYS_VMO_CREATE, EXPLICIT_SLOT, PAGE);
    row_if("K-20.explicit", "vmo_create", "slot 20, 4096 bytes", answer == EXPLICIT_SLOT, "asked-slot",
           answer);
    answer = CALL(NX_SYS_VMO_CREATE, EXPLICIT_SLOT, 2 * PAGE);
    row_if("K-20.overwrite", "vmo_create", "slot 20 again, 8192 bytes", answer == EXPLICIT_SLOT, "asked-slot",
           answer);
    ROW("K-20.overwritten", "length 0 at 8192 of slot 20", NX_SYS_VMO_WRITE, EXPLICIT_SLOT, 2 * PAGE,
        at(pattern()), 0);
    row_slot("K-15.next", "vmo_create", "the next after an explicit slot", (int64_t)new_vmo(1),
             FIRST_SLOT + 1);
    close_slots(EXPLICIT_SLOT, EXPLICIT_SLOT);
    close_slots(FIRST_SLOT + 1, FIRST_SLOT + 1);
}

static void queries(void)
{
    struct nx_cap_info info = {.kind = UINT32_MAX, .reserved = UINT32_MAX};
    const int64_t answer = CALL(NX_SYS_CAP_QUERY, FIRST_SLOT, at(&info));
    row("K-31.good", "cap_query", "a vmo of 1 byte", answer);
    row_if("K-31.kind", "cap_query", "kind and the word behind it", info.kind == 1 && info.reserved == 0,
           "kind-1", answer);
    row_if("K-31.size", "cap_query", "size", info.size_bytes == PAGE, "rounded-4096", answer);
    row_if("K-31.base", "cap_query", "physical base", info.base_pa != 0 && info.base_pa % PAGE == 0,
           "page-aligned", answer);
    ROW("K-31.kernel-half", "pointer at 0x80000000", NX_SYS_CAP_QUERY, FIRST_SLOT, KERNEL_HALF);
    ROW("K-31.pointer-first", "an empty slot, pointer at 0x80000000", NX_SYS_CAP_QUERY, EMPTY_SLOT,
        KERNEL_HALF);
    ROW("K-31.empty-slot", "an empty slot", NX_SYS_CAP_QUERY, EMPTY_SLOT, at(&info));
    ROW("K-31.endpoint", "an endpoint", NX_SYS_CAP_QUERY, BOOTSTRAP, at(&info));
}

static void reads(void)
{
    static uint8_t buf[COPY];
    copies(NX_SYS_VMO_READ, "read", FIRST_SLOT, buf);
    const int64_t answer = CALL(NX_SYS_VMO_READ, FIRST_SLOT, PAGE - COPY, at(buf), COPY);
    row_if("K-21.read-back", "vmo_read", "what was written, after the refusals", shows(buf, pattern(), COPY),
           "same-bytes", answer);
}

void probe_vmo(void)
{
    creates();
    explicit_slots();
    copies(NX_SYS_VMO_WRITE, "write", FIRST_SLOT, pattern());
    if (!probe_is_a1()) {
        reads();
        queries();
    }
    close_slots(FIRST_SLOT, FIRST_SLOT);
}
