/* SPDX-License-Identifier: Apache-2.0 */
/* Capabilities in init's own table (K-15, K-40, K-41). probe_lifecycle.c covers a child's table. */
#include "probe/probe.h"

#define ASKED_SLOT 30
#define EXPLICIT_SLOT 20

static void clones(uint64_t vmo)
{
    const uint64_t clone = vmo + 1;
    row_slot("K-41.clone", "cap_clone", "a vmo", CALL(NX_SYS_CAP_CLONE, vmo), clone);
    ROW("K-41.clone-works", "a clone, length 0 at the end", NX_SYS_VMO_WRITE, clone, PAGE, at(pattern()), 0);
    ROW("K-41.clone-empty", "an empty slot", NX_SYS_CAP_CLONE, EMPTY_SLOT);
    ROW("K-41.clone-factory", "the factory", NX_SYS_CAP_CLONE, FACTORY);
    ROW("K-41.close", "a clone", NX_SYS_CAP_CLOSE, clone);
    ROW("K-41.close-again", "the same slot", NX_SYS_CAP_CLOSE, clone);
}

static void transfers(uint64_t vmo)
{
    const uint64_t self = NX_PID_INIT, none = vmo + 2;
    row_slot("K-40.self", "cap_transfer", "a vmo to oneself",
             CALL(NX_SYS_CAP_TRANSFER, self, vmo, NX_RIGHT_MAP), vmo + 1);
    row_slot("K-40.rights-0", "cap_transfer", "a vmo with no rights", CALL(NX_SYS_CAP_TRANSFER, self, vmo, 0),
             none);
    const uint64_t endpoint = new_endpoint(1);
    const struct probe_case list[] = {
        {"K-40.narrowed", "with map, from a copy without it", {self, none, NX_RIGHT_MAP}},
        {"K-40.not-held", "a vmo with send", {self, vmo, NX_RIGHT_SEND}},
        {"K-40.unknown-bits", "a vmo with right 16", {self, vmo, NX_RIGHT_MAP | 16}},
        {"K-40.manage", "an endpoint with manage, which is held", {self, endpoint, NX_RIGHT_MANAGE}},
        {"K-40.factory", "the factory with no rights", {self, FACTORY, 0}},
        {"K-40.factory-manage", "the factory with manage", {self, FACTORY, NX_RIGHT_MANAGE}},
        {"K-40.unknown-pid", "to a pid that nobody has", {NO_SUCH_PID, vmo, NX_RIGHT_MAP}},
        {"K-40.empty-slot", "an empty slot", {self, EMPTY_SLOT, 0}},
    };
    rows_of(NX_SYS_CAP_TRANSFER, list, COUNT_OF(list));
    (void)CALL(NX_SYS_EP_CLOSE, endpoint);
    close_slots(vmo + 1, vmo + 3);
    row_slot("K-40.pid-32", "cap_transfer", "to oneself, bit 32 of the pid set",
             CALL(NX_SYS_CAP_TRANSFER, BIT_32 | self, vmo, NX_RIGHT_MAP), vmo + 1);
    row_slot("K-40.rights-32", "cap_transfer", "with map, bit 32 of the rights set",
             CALL(NX_SYS_CAP_TRANSFER, self, vmo, BIT_32 | NX_RIGHT_MAP), vmo + 2);
    row_slot("K-40.rights-63", "cap_transfer", "with no right, bit 63 of the rights set",
             CALL(NX_SYS_CAP_TRANSFER, self, vmo, UINT64_C(1) << 63), vmo + 3);
    close_slots(vmo + 1, vmo + 3);
}

static void chosen_slots(uint64_t vmo)
{
    const uint64_t self = NX_PID_INIT;
    const int64_t answer = CALL(NX_SYS_CAP_TRANSFER_TO, self, vmo, NX_RIGHT_MAP, ASKED_SLOT);
    row_if("K-41.to", "cap_transfer_to", "slot 30 of ones own", answer == ASKED_SLOT, "asked-slot", answer);
    ROW("K-41.to-occupied", "a slot that is occupied", NX_SYS_CAP_TRANSFER_TO, self, vmo, NX_RIGHT_MAP,
        ASKED_SLOT);
    ROW("K-41.to-range", "a slot out of range", NX_SYS_CAP_TRANSFER_TO, self, vmo, NX_RIGHT_MAP,
        NO_SUCH_SLOT);
    close_slots(ASKED_SLOT, ASKED_SLOT);
}

static void full_table(uint64_t vmo)
{
    const bool a1 = probe_is_a1();
    const uint64_t slots = a1 ? NX_SLOTS_A1 : NX_SLOTS_A2;
    const uint64_t count = vmo + 1 + fill_table(vmo);
    row_if("K-15.table", "cap_clone", "until the table is full", count == slots,
           a1 ? "64-slots" : "256-slots", 0);
    ROW("K-15.full-clone", "a full table", NX_SYS_CAP_CLONE, vmo);
    ROW("K-15.full-create", "a full table", NX_SYS_VMO_CREATE, ANY_SLOT, PAGE);
    ROW("K-15.full-endpoint", "a full table", NX_SYS_EP_CREATE, FACTORY, 1);
    if (!a1) {
        ROW("K-15.full-share", "a full table", NX_SYS_VMO_SHARE_RO, vmo);
    }
    ROW("K-40.full", "into a full table", NX_SYS_CAP_TRANSFER, NX_PID_INIT, vmo, NX_RIGHT_MAP);
    const int64_t answer = CALL(NX_SYS_VMO_CREATE, EXPLICIT_SLOT, PAGE);
    row_if("K-20.full-explicit", "vmo_create", "an explicit slot of a full table", answer == EXPLICIT_SLOT,
           "asked-slot", answer);
    close_slots(vmo + 1, count - 1);
}

void probe_cap(void)
{
    const uint64_t vmo = new_vmo(PAGE);
    clones(vmo);
    transfers(vmo);
    if (!probe_is_a1()) {
        chosen_slots(vmo);
    }
    full_table(vmo);
    close_slots(vmo, vmo);
}
