/* SPDX-License-Identifier: Apache-2.0 */
/* Slices of views, kept mappings, and hashing in place (R4, R9, R10). */
#include "conformance/conf_groups.h"

#define LEN (2 * PAGE + 100)
#define VIEW_OFF 50
#define VIEW_LEN (2 * PAGE)

static vmo_t vmo;
static vmo_view_t view;

static void begin(void)
{
    vmo = conf_filled(LEN);
    view = conf_map_ro(vmo, VIEW_OFF, VIEW_LEN);
}

static void end(void)
{
    conf_check_pattern(vmo_view_data(world.a, view), VIEW_OFF, VIEW_LEN);
    OK(vmo_unmap(world.a, view));
    conf_release(vmo);
}

static vmo_view_t cut(vmo_view_t of, uint64_t off, uint64_t len)
{
    vmo_view_t part = NO_VIEW;

    OK(vmo_slice(world.a, of, RANGE(off, len), &part));
    CHECK_EQ(vmo_view_len(world.a, part), len);
    CHECK(vmo_view_data(world.a, part) == vmo_view_data(world.a, of) + off);
    return part;
}

static void of_a_view(void)
{
    begin();
    const vmo_view_t part = cut(view, PAGE - 10, 20);
    conf_check_pattern(vmo_view_data(world.a, part), VIEW_OFF + PAGE - 10, 20);
    CHECK(vmo_view_data_rw(world.a, part) == NULL);
    OK(vmo_unmap(world.a, part));
    end();
}

static void of_a_slice(void)
{
    begin();
    const vmo_view_t part = cut(view, 100, PAGE);
    const vmo_view_t inner = cut(part, 100, 100);
    const vmo_view_t innermost = cut(inner, 99, 1);
    conf_check_pattern(vmo_view_data(world.a, innermost), VIEW_OFF + 299, 1);
    OK(vmo_unmap(world.a, part));
    OK(vmo_unmap(world.a, inner));
    conf_check_pattern(vmo_view_data(world.a, innermost), VIEW_OFF + 299, 1);
    OK(vmo_unmap(world.a, innermost));
    end();
}

static void whole(void)
{
    begin();
    const vmo_view_t part = cut(view, 0, VIEW_LEN);
    conf_check_pattern(vmo_view_data(world.a, part), VIEW_OFF, VIEW_LEN);
    OK(vmo_unmap(world.a, part));
    end();
}

static void refuse(vmo_view_t of, uint64_t off, uint64_t len, vmo_status wanted)
{
    vmo_view_t part = {UNTOUCHED, UNTOUCHED};

    REFUSED(vmo_slice(world.a, of, RANGE(off, len), &part), wanted);
    CHECK_EQ(part.id, UNTOUCHED);
}

/* A slice cannot extend past its view, although the VMO does. */
static void past_the_view(void)
{
    begin();
    refuse(view, VIEW_LEN, 1, VMO_ERR_BOUNDS);
    refuse(view, 0, VIEW_LEN + 1, VMO_ERR_BOUNDS);
    refuse(view, VIEW_LEN - 1, 2, VMO_ERR_BOUNDS);
    refuse(view, VIEW_LEN + 1, 0, VMO_ERR_BOUNDS);
    end();
}

static void past_the_slice(void)
{
    begin();
    const vmo_view_t part = cut(view, 10, 10);
    refuse(part, 10, 1, VMO_ERR_BOUNDS);
    refuse(part, 0, 11, VMO_ERR_BOUNDS);
    refuse(part, 5, 6, VMO_ERR_BOUNDS);
    OK(vmo_unmap(world.a, part));
    end();
}

static void wrap_around(void)
{
    begin();
    refuse(view, UINT64_MAX, 1, VMO_ERR_BOUNDS);
    refuse(view, UINT64_MAX - 3, 8, VMO_ERR_BOUNDS);
    refuse(view, 1, UINT64_MAX, VMO_ERR_BOUNDS);
    refuse(view, 0, UINT64_MAX, VMO_ERR_BOUNDS);
    end();
}

static void no_bytes(void)
{
    begin();
    refuse(view, 0, 0, VMO_ERR_ZERO_LENGTH);
    refuse(view, VIEW_LEN, 0, VMO_ERR_ZERO_LENGTH);
    REFUSED(vmo_slice(world.a, view, RANGE(0, 1), NULL), VMO_ERR_INVALID);
    end();
}

static void outlives_its_view(void)
{
    begin();
    const vmo_view_t part = cut(view, 7, 70);
    OK(vmo_unmap(world.a, view));
    conf_check_pattern(vmo_view_data(world.a, part), VIEW_OFF + 7, 70);
    view = conf_map_ro(vmo, VIEW_OFF, VIEW_LEN);
    OK(vmo_unmap(world.a, part));
    end();
}

static void writable(void)
{
    begin();
    const vmo_view_t rw = conf_map_rw(vmo, 0, LEN);
    const vmo_view_t part = cut(rw, PAGE, 16);
    CHECK(vmo_view_data_rw(world.a, part) != NULL);
    vmo_view_data_rw(world.a, part)[15] = 0x42;
    CHECK_EQ(((const volatile uint8_t *)vmo_view_data(world.a, view))[PAGE + 15 - VIEW_OFF], 0x42);
    vmo_view_data_rw(world.a, part)[15] = conf_pattern(PAGE + 15);
    OK(vmo_unmap(world.a, part));
    OK(vmo_unmap(world.a, rw));
    end();
}

static void makes_no_mapping(void)
{
    begin();
    const struct vmo_counters then = conf_counters();
    const uint64_t mark = conf_port_mark();
    const vmo_view_t part = cut(view, 0, 5);
    const struct vmo_counters now = conf_counters();
    CHECK(memcmp(&then, &now, sizeof(now)) == 0);
    CHECK_EQ(conf_port_mark(), mark);
    OK(vmo_unmap(world.a, part));
    end();
}

/* ---- Reused mappings ---------------------------------------------------------------------------- */

static void second_view_reuses_the_mapping(void)
{
    begin();
    const struct vmo_counters then = conf_counters();
    const vmo_view_t again = conf_map_ro(vmo, VIEW_OFF, VIEW_LEN);
    const vmo_view_t within = conf_map_ro(vmo, PAGE, 10);
    const struct vmo_counters now = conf_counters();
    CHECK_EQ(now.map_hits, then.map_hits + 2);
    CHECK_EQ(now.map_misses, then.map_misses);
    CHECK(vmo_view_data(world.a, again) == vmo_view_data(world.a, view));
    OK(vmo_unmap(world.a, again));
    OK(vmo_unmap(world.a, within));
    end();
}

static void kept_after_unmap(void)
{
    begin();
    const uint8_t *at = vmo_view_data(world.a, view);
    OK(vmo_unmap(world.a, view));
    const struct vmo_counters then = conf_counters();
    view = conf_map_ro(vmo, VIEW_OFF, VIEW_LEN);
    CHECK_EQ(conf_counters().map_hits, then.map_hits + 1);
    CHECK_EQ(conf_counters().map_misses, then.map_misses);
    CHECK(vmo_view_data(world.a, view) == at);
    end();
}

/* A read-only and a writable view never share a mapping. */
static void kinds_never_share_a_mapping(void)
{
    begin();
    const struct vmo_counters then = conf_counters();
    const vmo_view_t rw = conf_map_rw(vmo, VIEW_OFF, VIEW_LEN);
    CHECK_EQ(conf_counters().map_misses, then.map_misses + 1);
    CHECK(vmo_view_data_rw(world.a, rw) != NULL);
    CHECK(vmo_view_data_rw(world.a, view) == NULL);
    const vmo_view_t again = conf_map_ro(vmo, VIEW_OFF, VIEW_LEN);
    CHECK(vmo_view_data_rw(world.a, again) == NULL);
    CHECK(vmo_view_data(world.a, again) == vmo_view_data(world.a, view));
    OK(vmo_unmap(world.a, again));
    OK(vmo_unmap(world.a, rw));
    end();
}

static void counted_when_evicted(void)
{
    begin();
    const vmo_t more = conf_create((MAPPINGS + 1) * PAGE);
    const struct vmo_counters then = conf_counters();
    for (uint64_t page = 0; page < MAPPINGS + 1; page++) {
        OK(vmo_unmap(world.a, conf_map_ro(more, page * PAGE, 1)));
    }
    const struct vmo_counters now = conf_counters();
    CHECK_EQ(now.map_misses, then.map_misses + MAPPINGS + 1);
    CHECK(now.map_evictions >= then.map_evictions + 2); /* the view uses one entry */
    if (can(HAS_UNMAP)) {
        CHECK_EQ(now.abandoned_bytes, 0);
    } else {
        CHECK(now.abandoned_bytes >= 2 * PAGE);
    }
    conf_release(more);
    end();
}

/* ---- Hashing ------------------------------------------------------------------------------------ */

static void hashed_in_place(void)
{
    uint8_t whole_digest[VMO_SHA256_BYTES], digest[VMO_SHA256_BYTES];
    struct vmo_sha256 hash;

    begin();
    const struct vmo_counters then = conf_counters();
    OK(vmo_view_sha256(world.a, view, whole_digest));
    CHECK_EQ(conf_counters().copies, then.copies);
    vmo_sha256_init(&hash);
    for (uint64_t i = 0; i < VIEW_LEN; i++) {
        const uint8_t byte = conf_pattern(VIEW_OFF + i);
        vmo_sha256_update(&hash, &byte, 1);
    }
    vmo_sha256_final(&hash, digest);
    CHECK(memcmp(digest, whole_digest, sizeof(digest)) == 0);
    end();
}

static void hash_of_a_known_message(void)
{
    static const uint8_t abc[] = {0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea, 0x41, 0x41, 0x40,
                                  0xde, 0x5d, 0xae, 0x22, 0x23, 0xb0, 0x03, 0x61, 0xa3, 0x96, 0x17,
                                  0x7a, 0x9c, 0xb4, 0x10, 0xff, 0x61, 0xf2, 0x00, 0x15, 0xad};
    uint8_t digest[VMO_SHA256_BYTES];
    vmo_t wrapped = VMO_NONE;

    OK(vmo_wrap_bytes(world.a, "xabcx", 5, &wrapped));
    const vmo_view_t its = conf_map_ro(wrapped, 1, 3);
    OK(vmo_view_sha256(world.a, its, digest));
    CHECK(memcmp(digest, abc, sizeof(abc)) == 0);
    REFUSED(vmo_view_sha256(world.a, its, NULL), VMO_ERR_INVALID);
    OK(vmo_unmap(world.a, its));
    OK(vmo_close(world.a, wrapped));
}

static const struct conf_case cases[] = {
    {"of a view", of_a_view, HAS_MAP},
    {"of a slice of a slice", of_a_slice, HAS_MAP},
    {"of the whole view", whole, HAS_MAP},
    {"past the view", past_the_view, HAS_MAP},
    {"past the slice", past_the_slice, HAS_MAP},
    {"that wraps around", wrap_around, HAS_MAP},
    {"of an empty range", no_bytes, HAS_MAP},
    {"outlives its view", outlives_its_view, HAS_MAP},
    {"writable", writable, HAS_MAP},
    {"makes no mapping", makes_no_mapping, HAS_MAP},
    {"a second view of the same range reuses the mapping", second_view_reuses_the_mapping, HAS_MAP},
    {"a mapping is kept after unmap", kept_after_unmap, HAS_MAP},
    {"read-only and writable views never share a mapping", kinds_never_share_a_mapping, HAS_MAP},
    {"evictions are counted", counted_when_evicted, HAS_MAP},
    {"hashed in place", hashed_in_place, HAS_MAP},
    {"the hash of a known message", hash_of_a_known_message, 0},
};
const struct conf_group conf_slices = {"slices", cases, CONF_CASE_COUNT(cases)};
