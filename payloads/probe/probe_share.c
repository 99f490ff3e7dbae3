/* SPDX-License-Identifier: Apache-2.0 */
/* Read-only aliases and destroy, on a2 only (K-28, K-29, K-30). */
#include "probe/probe.h"

#define R NX_MAP_READ
#define W NX_MAP_WRITE
#define USABLE ((uint64_t)NX_MAP_VALID | NX_MAP_USER)
#define MARK_BYTES 16

static void refusals(uint64_t alias)
{
    struct nx_cap_info info;
    const uint64_t space = (uint64_t)CALL(NX_SYS_AS_SELF, 0);
    uint8_t byte = 0;
    ROW("K-28.write", "an alias", NX_SYS_VMO_WRITE, alias, 0, at(&byte), 1);
    ROW("K-28.write-nothing", "an alias, length 0", NX_SYS_VMO_WRITE, alias, 0, at(&byte), 0);
    ROW("K-28.read", "an alias", NX_SYS_VMO_READ, alias, 0, at(&byte), 1);
    ROW("K-28.query", "an alias", NX_SYS_CAP_QUERY, alias, at(&info));
    ROW("K-28.as-map", "an alias", NX_SYS_AS_MAP, space, alias, 0x45000000, PAGE, NX_PROT_READ, 1);
    ROW("K-28.destroy", "an alias", NX_SYS_VMO_DESTROY, alias);
    ROW("K-28.share-alias", "an alias", NX_SYS_VMO_SHARE_RO, alias);
    ROW("K-28.exec", "an alias with exec", NX_SYS_VM_MAP, alias, 0, PAGE, USABLE | R | NX_MAP_EXEC);
}

/* Maps the first page, which must succeed. */
static const volatile uint8_t *row_window(const char *id, const char *what, uint64_t slot, uint64_t flags)
{
    const int64_t va = CALL(NX_SYS_VM_MAP, slot, 0, PAGE, flags);
    const bool inside = va >= NX_A2_MAP_BASE && va < (int64_t)NX_A2_MAP_END;
    row_if(id, "vm_map", what, inside, "in-window", va);
    return inside ? (const volatile uint8_t *)(uintptr_t)va : NULL;
}

static void map_rows(uint64_t owner, uint64_t alias)
{
    const volatile uint8_t *page = row_window("K-28.map-write", "an alias with write", alias, USABLE | R | W);
    unview(page);
    (void)CALL(NX_SYS_VMO_WRITE, owner, 0, at(pattern()), MARK_BYTES);
    page = row_window("K-28.map-flags-0", "an alias with flags 0", alias, 0);
    row_if("K-28.load", "vm_map", "a load through flags 0", shows(page, pattern(), MARK_BYTES), "same-bytes",
           0);
    (void)CALL(NX_SYS_VMO_WRITE, owner, 0, at(pattern() + 1), MARK_BYTES);
    row_if("K-28.owner-writes", "vmo_write", "by the owner, seen through the alias",
           shows(page, pattern() + 1, MARK_BYTES), "same-bytes", 0);
    unview(page);
}

static void copies(uint64_t alias)
{
    const uint8_t byte = 0;
    row_slot("K-28.clone", "cap_clone", "an alias", CALL(NX_SYS_CAP_CLONE, alias), alias + 1);
    ROW("K-28.clone-write", "a clone of an alias", NX_SYS_VMO_WRITE, alias + 1, 0, at(&byte), 1);
    row_slot("K-28.transfer", "cap_transfer", "an alias to oneself",
             CALL(NX_SYS_CAP_TRANSFER, NX_PID_INIT, alias, NX_RIGHT_MAP), alias + 2);
    ROW("K-28.transfer-write", "an alias that was transferred", NX_SYS_VMO_WRITE, alias + 2, 0, at(&byte), 1);
    close_slots(alias + 1, alias + 2);
}

void probe_share(void)
{
    const uint64_t owner = new_vmo(PAGE), alias = owner + 1;
    row_slot("K-28.share", "vmo_share_ro", "a vmo", CALL(NX_SYS_VMO_SHARE_RO, owner), alias);
    refusals(alias);
    map_rows(owner, alias);
    copies(alias);
    ROW("K-28.empty-slot", "an empty slot", NX_SYS_VMO_SHARE_RO, EMPTY_SLOT);
    ROW("K-28.endpoint", "an endpoint", NX_SYS_VMO_SHARE_RO, BOOTSTRAP);
    ROW("K-29.alias", "while an alias exists", NX_SYS_VMO_DESTROY, owner);
    close_slots(owner, owner);
    const volatile uint8_t *page =
        row_window("K-28.outlives", "an alias whose owner closed its capability", alias, USABLE | R);
    row_if("K-28.outlives-load", "vm_map", "a load through it", shows(page, pattern() + 1, MARK_BYTES),
           "same-bytes", 0);
    unview(page);
    close_slots(alias, alias);
}

/* Reads by vmo_read, because a mapping would prevent a destroy. */
static bool reads_zeros(uint64_t vmo)
{
    static uint8_t page[PAGE];
    page[0] = 1;
    return CALL(NX_SYS_VMO_READ, vmo, 0, at(page), PAGE) == (int64_t)PAGE && shows_zeros(page);
}

void probe_destroy(void)
{
    const uint64_t vmo = new_vmo(PAGE);
    const int64_t clone = CALL(NX_SYS_CAP_CLONE, vmo);
    (void)CALL(NX_SYS_VMO_WRITE, vmo, 0, at(pattern()), PAGE);
    ROW("K-29.clone", "while a clone exists", NX_SYS_VMO_DESTROY, vmo);
    const volatile uint8_t *page = view(vmo, 0, false);
    ROW("K-29.caps-first", "while a clone and a region exist", NX_SYS_VMO_DESTROY, vmo);
    (void)CALL(NX_SYS_CAP_CLOSE, (uint64_t)clone);
    ROW("K-29.region", "while a region covers it", NX_SYS_VMO_DESTROY, vmo);
    ROW("K-29.kept", "length 0 at the end, after the refusals", NX_SYS_VMO_READ, vmo, PAGE, at(pattern()), 0);
    unview(page);
    ROW("K-29.good", "nothing else holds it", NX_SYS_VMO_DESTROY, vmo);
    ROW("K-29.slot", "the slot after a destroy", NX_SYS_CAP_CLOSE, vmo);
    ROW("K-29.again", "the slot after a destroy", NX_SYS_VMO_DESTROY, vmo);
    const uint64_t whole = new_vmo(PAGE);
    const int64_t bare = CALL(NX_SYS_CAP_TRANSFER, NX_PID_INIT, whole, 0);
    close_slots(whole, whole);
    ROW("K-29.no-rights", "the last capability, without rights", NX_SYS_VMO_DESTROY, (uint64_t)bare);
    const uint64_t next = new_vmo(PAGE);
    row_if("K-30.zeroed", "vmo_create", "the size of a destroyed vmo", reads_zeros(next), "zeroed", 0);
    (void)CALL(NX_SYS_VMO_DESTROY, next);
    close_slots(FIRST_SLOT, FIRST_SLOT + 1);
}
