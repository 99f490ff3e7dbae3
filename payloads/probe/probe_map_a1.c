/* SPDX-License-Identifier: Apache-2.0 */
/* map, which only a1 has (K-22, K-23). a1 cannot unmap. */
#include "probe/probe.h"

#define VA ((uint64_t)NX_A1_MAP_BASE)
#define LAST_PAGE (NX_A1_MAP_END - PAGE)
#define NOT_CANONICAL (UINT64_C(1) << 38)
#define R NX_MAP_READ
#define W NX_MAP_WRITE
#define X NX_MAP_EXEC
#define USABLE ((uint64_t)NX_MAP_VALID | NX_MAP_USER)
#define SIZE (2 * PAGE)
#define MARK_BYTES 16

static volatile uint8_t *page_at(uint64_t va)
{
    return (volatile uint8_t *)(uintptr_t)va;
}

static void refusals(uint64_t vmo)
{
    const struct probe_case list[] = {
        {"K-22.unaligned", "va not aligned", {vmo, VA + 1, 0, USABLE | R}},
        {"K-22.unknown-flag", "flag 256", {vmo, VA, 0, USABLE | R | UNKNOWN_FLAG}},
        {"K-22.unaligned-before-wx", "va not aligned, write and exec", {vmo, VA + 1, 0, USABLE | R | W | X}},
        {"K-22.flag-before-wx", "flag 256, write and exec", {vmo, VA, 0, USABLE | R | W | X | UNKNOWN_FLAG}},
        {"K-22.flag-before-slot", "flag 256, an empty slot", {EMPTY_SLOT, VA, 0, USABLE | R | UNKNOWN_FLAG}},
        {"K-22.wx", "write and exec", {vmo, VA, 0, USABLE | R | W | X}},
        {"K-22.wx-before-valid", "write and exec without valid", {vmo, VA, 0, NX_MAP_USER | R | W | X}},
        {"K-22.canonical-before-wx",
         "va not canonical, write and exec",
         {vmo, NOT_CANONICAL, 0, USABLE | R | W | X}},
        {"K-22.empty-slot", "an empty slot", {EMPTY_SLOT, VA, 0, USABLE | R}},
        {"K-22.factory", "the factory", {FACTORY, VA, 0, USABLE | R}},
        {"K-22.endpoint", "an endpoint", {BOOTSTRAP, VA, 0, USABLE | R}},
        {"K-22.slot-before-valid", "an empty slot without valid", {EMPTY_SLOT, VA, 0, NX_MAP_USER | R}},
        {"K-22.slot-before-rwx",
         "an empty slot, neither read nor write nor exec",
         {EMPTY_SLOT, VA, 0, USABLE}},
        {"K-22.off-at-end", "off at the end", {vmo, VA, SIZE, USABLE | R}},
        {"K-22.off-past-end", "off past the end", {vmo, VA, SIZE + PAGE, USABLE | R}},
        {"K-22.off-before-valid", "off at the end without valid", {vmo, VA, SIZE, NX_MAP_USER | R}},
        {"K-22.canonical-before-off",
         "va not canonical, off at the end",
         {vmo, NOT_CANONICAL, SIZE, USABLE | R}},
        {"K-22.no-valid", "without valid", {vmo, VA, 0, NX_MAP_USER | R}},
        {"K-22.no-rwx", "neither read nor write nor exec", {vmo, VA, 0, USABLE}},
        {"K-22.not-canonical", "va not canonical", {vmo, NOT_CANONICAL, 0, USABLE | R}},
    };
    rows_of(NX_SYS_MAP, list, COUNT_OF(list));
}

/* Maps one page and prints the answer. Returns the page, NULL if the call was refused. */
static volatile uint8_t *row_map(const char *id, const char *what, uint64_t va, const uint64_t rest[3])
{
    const int64_t answer = CALL(NX_SYS_MAP, rest[0], va, rest[1], rest[2]);
    row(id, "map", what, answer);
    return answer == 0 ? page_at(va) : NULL;
}

static const volatile uint8_t *read_and_write_rows(uint64_t vmo)
{
    const volatile uint8_t *first = row_map("K-22.read", "read", VA, (const uint64_t[3]){vmo, 0, USABLE | R});
    const uint8_t mark = 0xA5;
    row_if("K-20.zeroed", "map", "a fresh vmo", shows_zeros(first), "zeroed", 0);
    ROW("K-22.mapped", "va mapped already", NX_SYS_MAP, vmo, VA, 0, USABLE | R);
    ROW("K-22.off-before-mapped", "off at the end, va mapped already", NX_SYS_MAP, vmo, VA, SIZE, USABLE | R);
    volatile uint8_t *second = row_map("K-22.read-write", "the same page once more, read and write",
                                       VA + PAGE, (const uint64_t[3]){vmo, 0, USABLE | R | W});
    put(second, 0, mark);
    row_if("K-22.same-page", "map", "a store through the second, seen through the first",
           shows(first, &mark, 1), "same-bytes", 0);
    (void)CALL(NX_SYS_VMO_WRITE, vmo, 0, at(pattern()), MARK_BYTES);
    row_if("K-21.write-seen", "vmo_write", "seen through a mapping", shows(first, pattern(), MARK_BYTES),
           "same-bytes", 0);
    return first;
}

static void offset(uint64_t vmo)
{
    (void)CALL(NX_SYS_VMO_WRITE, vmo, PAGE, at(pattern() + 1), MARK_BYTES);
    const volatile uint8_t *page = row_map("K-22.off-rounded", "off 4100", VA + 2 * PAGE,
                                           (const uint64_t[3]){vmo, PAGE + 4, USABLE | R});
    row_if("K-22.off-rounded-page", "map", "off 4100 shows the second page",
           shows(page, pattern() + 1, MARK_BYTES), "same-bytes", 0);
}

void probe_map_a1(void)
{
    const uint64_t vmo = new_vmo(SIZE);
    refusals(vmo);
    const volatile uint8_t *first = read_and_write_rows(vmo);
    offset(vmo);
    ROW("K-22.read-exec", "read and exec", NX_SYS_MAP, vmo, VA + 3 * PAGE, 0, USABLE | R | X);
    ROW("K-22.write-alone", "write alone", NX_SYS_MAP, vmo, VA + 4 * PAGE, 0, USABLE | W);
    ROW("K-22.no-user", "without user", NX_SYS_MAP, vmo, VA + 5 * PAGE, 0, NX_MAP_VALID | R);
    ROW("K-23.last-page", "the last page below 0x80000000", NX_SYS_MAP, vmo, LAST_PAGE, 0, USABLE | R);
    ROW("K-41.close-mapped", "a vmo that is mapped", NX_SYS_CAP_CLOSE, vmo);
    row_if("K-41.mapping-stays", "cap_close", "its mapping", shows(first, pattern(), MARK_BYTES),
           "same-bytes", 0);
}
