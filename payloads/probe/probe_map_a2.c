/* SPDX-License-Identifier: Apache-2.0 */
/* vm_map and vm_unmap, which only a2 has (K-24, K-25). */
#include "probe/probe.h"

#define WINDOW ((uint64_t)NX_A2_MAP_BASE)
#define R NX_MAP_READ
#define W NX_MAP_WRITE
#define USABLE ((uint64_t)NX_MAP_VALID | NX_MAP_USER)
#define SIZE (2 * PAGE)
#define LARGE (UINT64_C(2) * NX_SUPERPAGE_BYTES)
#define OVERFLOW (UINT64_MAX - PAGE + 1)
#define MARK_BYTES 16

static void refusals(uint64_t vmo)
{
    const struct probe_case list[] = {
        {"K-24.unknown-flag", "flag 256", {vmo, 0, PAGE, USABLE | R | UNKNOWN_FLAG}},
        {"K-24.flag-before-exec", "flag 256, exec", {vmo, 0, PAGE, USABLE | R | NX_MAP_EXEC | UNKNOWN_FLAG}},
        {"K-24.flag-before-slot",
         "flag 256, an empty slot",
         {EMPTY_SLOT, 0, PAGE, USABLE | R | UNKNOWN_FLAG}},
        {"K-24.exec", "exec", {vmo, 0, PAGE, USABLE | R | NX_MAP_EXEC}},
        {"K-24.exec-before-len", "exec, length 0", {vmo, 0, 0, USABLE | R | NX_MAP_EXEC}},
        {"K-24.exec-before-overflow",
         "exec, off and length overflow",
         {vmo, OVERFLOW, SIZE, USABLE | R | NX_MAP_EXEC}},
        {"K-24.len-0", "length 0", {vmo, 0, 0, USABLE | R}},
        {"K-24.len-unaligned", "length not aligned", {vmo, 0, PAGE + 1, USABLE | R}},
        {"K-24.off-unaligned", "off not aligned", {vmo, 1, PAGE, USABLE | R}},
        {"K-24.len-before-slot", "length 0, an empty slot", {EMPTY_SLOT, 0, 0, USABLE | R}},
        {"K-24.off-before-slot", "off not aligned, an empty slot", {EMPTY_SLOT, 1, PAGE, USABLE | R}},
        {"K-24.empty-slot", "an empty slot", {EMPTY_SLOT, 0, PAGE, USABLE | R}},
        {"K-24.factory", "the factory", {FACTORY, 0, PAGE, USABLE | R}},
        {"K-24.endpoint", "an endpoint", {BOOTSTRAP, 0, PAGE, USABLE | R}},
        {"K-24.slot-before-overflow",
         "an empty slot, off and length overflow",
         {EMPTY_SLOT, OVERFLOW, SIZE, USABLE | R}},
        {"K-24.slot-before-no-rw", "an empty slot, neither read nor write", {EMPTY_SLOT, 0, PAGE, USABLE}},
        {"K-24.overflow", "off and length overflow", {vmo, OVERFLOW, SIZE, USABLE | R}},
        {"K-24.past-end", "past the end", {vmo, PAGE, SIZE, USABLE | R}},
        {"K-24.at-end", "off at the end", {vmo, SIZE, PAGE, USABLE | R}},
        {"K-24.past-end-before-no-rw", "past the end, neither read nor write", {vmo, SIZE, PAGE, USABLE}},
        {"K-24.no-rw", "neither read nor write", {vmo, 0, PAGE, USABLE}},
        {"K-24.flags-0", "flags 0", {vmo, 0, PAGE, 0}},
    };
    rows_of(NX_SYS_VM_MAP, list, COUNT_OF(list));
}

/* Runs before any other map, so that the lowest free address is known and never used before (K-26). */
static void large(void)
{
    struct nx_cap_info info = {0};
    const uint64_t vmo = new_vmo(LARGE);
    const int64_t queried = CALL(NX_SYS_CAP_QUERY, vmo, at(&info));
    const int64_t va = CALL(NX_SYS_VM_MAP, vmo, 0, LARGE, USABLE | R);
    const uint64_t ahead = info.base_pa % NX_SUPERPAGE_BYTES;
    const bool good = queried == 0 && va > 0;
    row_if("K-24.large", "vm_map", "4 mib", good && (uint64_t)va % NX_SUPERPAGE_BYTES == ahead,
           "congruent-2mib", va);
    row_if("K-24.large-lowest", "vm_map", "where the 4 mib lie", good && (uint64_t)va == WINDOW + ahead,
           "lowest-congruent", va);
    ROW("K-25.large", "the 4 mib", NX_SYS_VM_UNMAP, (uint64_t)va, LARGE);
    (void)CALL(NX_SYS_VMO_DESTROY, vmo);
}

static volatile uint8_t *page_of(int64_t va)
{
    return va < 0 ? NULL : (volatile uint8_t *)(uintptr_t)va;
}

static bool in_window(int64_t va)
{
    return va >= NX_A2_MAP_BASE && va < (int64_t)NX_A2_MAP_END;
}

/* Prints a map that must succeed, and returns the mapped page. */
static volatile uint8_t *row_window(const char *id, const char *what, const uint64_t args[6])
{
    const int64_t va = probe_call(NX_SYS_VM_MAP, args).a0;
    row_if(id, "vm_map", what, in_window(va), "in-window", va);
    return page_of(va);
}

/* Maps two pages at the window's base and again right after them. */
static void read_and_write_rows(uint64_t vmo)
{
    const int64_t first = CALL(NX_SYS_VM_MAP, vmo, 0, SIZE, USABLE | R);
    const uint8_t mark = 0xA5;
    uint8_t seen = 0;
    row_if("K-24.read", "vm_map", "read", first == (int64_t)WINDOW, "window-base", first);
    row_if("K-20.zeroed", "vm_map", "a fresh vmo", shows_zeros(page_of(first)), "zeroed", first);
    const int64_t second = CALL(NX_SYS_VM_MAP, vmo, 0, SIZE, USABLE | R | W);
    row_if("K-24.read-write", "vm_map", "the same vmo once more, read and write",
           second == (int64_t)(WINDOW + SIZE), "next-hole", second);
    put(page_of(second), 0, mark);
    row_if("K-24.same-page", "vm_map", "a store through the second, seen through the first",
           shows(page_of(first), &mark, 1), "same-bytes", first);
    put(page_of(second), 0, mark + 1);
    (void)CALL(NX_SYS_VMO_WRITE, vmo, 1, at(pattern() + 1), MARK_BYTES - 1);
    row_if("K-21.write-seen", "vmo_write", "seen through a mapping",
           first >= 0 && shows(page_of(first) + 1, pattern() + 1, MARK_BYTES - 1), "same-bytes", first);
    const int64_t answer = CALL(NX_SYS_VMO_READ, vmo, 0, at(&seen), 1);
    row_if("K-21.read-seen", "vmo_read", "sees a store through a mapping", seen == mark + 1, "same-bytes",
           answer);
    (void)CALL(NX_SYS_VMO_WRITE, vmo, 0, at(pattern()), PAGE + MARK_BYTES);
}

/* Maps three more regions. */
static void flags_and_offset(uint64_t vmo)
{
    const volatile uint8_t *page =
        row_window("K-24.off", "the second page alone", (const uint64_t[6]){vmo, PAGE, PAGE, USABLE | R});
    row_if("K-24.off-page", "vm_map", "off 4096 shows the second page",
           shows(page, pattern() + PAGE, MARK_BYTES), "same-bytes", 0);
    page = row_window("K-24.forced", "read without valid and user", (const uint64_t[6]){vmo, 0, PAGE, R});
    row_if("K-24.forced-load", "vm_map", "a load through it", shows(page, pattern(), MARK_BYTES),
           "same-bytes", 0);
    (void)row_window("K-24.write-alone", "write alone", (const uint64_t[6]){vmo, 0, PAGE, USABLE | W});
}

/* Unmaps the two pages at the window's base. Returns the page mapped there afterwards. */
static const volatile uint8_t *unmaps(uint64_t vmo)
{
    const uint64_t nowhere = NX_A2_MAP_END - PAGE;
    const struct probe_case list[] = {
        {"K-25.va-unaligned", "va not aligned", {WINDOW + 1, SIZE}},
        {"K-25.len-unaligned", "length not aligned", {WINDOW, SIZE - 1}},
        {"K-25.len-0", "length 0", {WINDOW, 0}},
        {"K-25.shorter", "one page of two", {WINDOW, PAGE}},
        {"K-25.longer", "three pages of two", {WINDOW, SIZE + PAGE}},
        {"K-25.inside", "the second page of two", {WINDOW + PAGE, PAGE}},
        {"K-25.nothing", "nothing there", {nowhere, PAGE}},
        {"K-25.unaligned-nothing", "nothing there, length not aligned", {nowhere, PAGE - 1}},
        {"K-25.good", "a region", {WINDOW, SIZE}},
        {"K-25.again", "the same once more", {WINDOW, SIZE}},
    };
    rows_of(NX_SYS_VM_UNMAP, list, COUNT_OF(list));
    const int64_t va = CALL(NX_SYS_VM_MAP, vmo, 0, SIZE, USABLE | R);
    row_if("K-24.hole", "vm_map", "into the hole", va == (int64_t)WINDOW, "window-base", va);
    return page_of(va);
}

unsigned fill_regions(uint64_t vmo, int64_t *last)
{
    unsigned count = 0;
    *last = 0;
    while (count < 2 * NX_REGIONS_MAX && (*last = CALL(NX_SYS_VM_MAP, vmo, 0, PAGE, USABLE | R)) >= 0) {
        count++;
    }
    return count;
}

void unmap_pages(uint64_t va, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        (void)CALL(NX_SYS_VM_UNMAP, va + i * PAGE, PAGE);
    }
}

static void region_table(uint64_t vmo, unsigned before)
{
    int64_t last;
    const unsigned count = before + fill_regions(vmo, &last);
    row_if("K-24.table", "vm_map", "until the region table is full", count == NX_REGIONS_MAX, "64-regions",
           last);
    ROW("K-24.full", "a full region table", NX_SYS_VM_MAP, vmo, 0, PAGE, USABLE | R);
    ROW("K-24.full-before-no-rw", "a full region table, neither read nor write", NX_SYS_VM_MAP, vmo, 0, PAGE,
        USABLE);
    ROW("K-24.past-end-before-full", "a full region table, past the end", NX_SYS_VM_MAP, vmo, SIZE, PAGE,
        USABLE | R);
}

void probe_map_a2(void)
{
    const uint64_t vmo = new_vmo(SIZE);
    refusals(vmo);
    large();
    read_and_write_rows(vmo);
    flags_and_offset(vmo);
    const volatile uint8_t *first = unmaps(vmo);
    region_table(vmo, 5);
    ROW("K-41.close-mapped", "a vmo that is mapped", NX_SYS_CAP_CLOSE, vmo);
    row_if("K-41.mapping-stays", "cap_close", "its mapping", shows(first, pattern(), MARK_BYTES),
           "same-bytes", 0);
    ROW("K-25.after-close", "a region whose capability is closed", NX_SYS_VM_UNMAP, WINDOW, SIZE);
    (void)CALL(NX_SYS_VM_UNMAP, WINDOW + SIZE, SIZE);
    unmap_pages(WINDOW + 2 * SIZE, NX_REGIONS_MAX - 2);
}
