/* SPDX-License-Identifier: Apache-2.0 */
/* Create, lengths, limits, close, destroy (R1, R8, R11). */
#include "conformance/conf_groups.h"

static void len_and_size(uint64_t len, uint64_t size)
{
    const vmo_t vmo = conf_create(len);
    uint64_t found_len = 0, found_size = 0;
    uint32_t rights = 0;

    OK(vmo_len(world.a, vmo, &found_len));
    OK(vmo_size(world.a, vmo, &found_size));
    OK(vmo_rights(world.a, vmo, &rights));
    CHECK_EQ(found_len, len);
    CHECK_EQ(found_size, size);
    CHECK_EQ(rights, VMO_RIGHTS_ALL);
    conf_release(vmo);
}

static void one_byte(void)
{
    len_and_size(1, PAGE);
}

static void below_a_page(void)
{
    len_and_size(PAGE - 1, PAGE);
}

static void a_page(void)
{
    len_and_size(PAGE, PAGE);
}

static void above_a_page(void)
{
    len_and_size(PAGE + 1, 2 * PAGE);
}

/* In each of four pages: the first bytes, the middle, the last bytes. */
static void classes_to_four_pages(void)
{
    static const uint64_t offsets[] = {1, 2, PAGE / 2, PAGE - 1, PAGE};

    for (uint64_t page = 0; page < 4; page++) {
        for (size_t i = 0; i < sizeof(offsets) / sizeof(offsets[0]); i++) {
            len_and_size(page * PAGE + offsets[i], (page + 1) * PAGE);
        }
    }
}

static void every_length_to_four_pages(void)
{
    uint64_t found_len = 0, found_size = 0;

    for (uint64_t len = 1; len <= 4 * PAGE; len++) {
        const vmo_t vmo = conf_create(len);
        OK(vmo_len(world.a, vmo, &found_len));
        OK(vmo_size(world.a, vmo, &found_size));
        CHECK_EQ(found_len, len);
        CHECK_EQ(found_size, (len + PAGE - 1) / PAGE * PAGE);
        OK(vmo_destroy(world.a, vmo));
    }
}

static void no_length(void)
{
    vmo_t vmo = {UNTOUCHED, UNTOUCHED};

    REFUSED(vmo_create(world.a, 0, &vmo), VMO_ERR_ZERO_LENGTH);
    CHECK_EQ(vmo.id, UNTOUCHED);
}

static void refuse_length(uint64_t len)
{
    vmo_t vmo = {UNTOUCHED, UNTOUCHED};

    REFUSED(vmo_create(world.a, len, &vmo), VMO_ERR_TOO_LARGE);
    CHECK_EQ(vmo.id, UNTOUCHED);
}

static void length_uint64_max(void)
{
    refuse_length(UINT64_MAX);
}

static void lengths_below_uint64_max(void)
{
    for (uint64_t less = 1; less <= PAGE + 1; less += less < 3 ? 1 : PAGE - 3) {
        refuse_length(UINT64_MAX - less);
    }
    refuse_length(UINT64_MAX - PAGE + 1);
    refuse_length(UINT64_MAX - PAGE);
}

static void lengths_around_int64_max(void)
{
    refuse_length(UINT64_MAX / 2);
    refuse_length(UINT64_MAX / 2 + 1);
    refuse_length(UINT64_MAX / 2 + 2);
    refuse_length((uint64_t)INT64_MAX - PAGE + 1);
}

static struct vmo_registry *limited(uint64_t object_bytes, uint64_t total_bytes)
{
    struct vmo_limits limits = conf_limits;

    limits.object_bytes_max = object_bytes;
    limits.total_bytes_max = total_bytes;
    return conf_second(&limits);
}

static void limit_of_one(void)
{
    struct vmo_registry *registry = limited(2 * PAGE + 5, 0);
    vmo_t vmo = {UNTOUCHED, UNTOUCHED};
    uint64_t size = 0;

    REFUSED(vmo_create(registry, 2 * PAGE + 6, &vmo), VMO_ERR_TOO_LARGE);
    REFUSED(vmo_create(registry, UINT64_MAX, &vmo), VMO_ERR_TOO_LARGE);
    CHECK_EQ(vmo.id, UNTOUCHED);
    OK(vmo_create(registry, 2 * PAGE + 5, &vmo));
    OK(vmo_size(registry, vmo, &size));
    CHECK_EQ(size, 3 * PAGE);
    conf_release_in(registry, vmo);
    conf_fini(registry);
}

static void limit_of_all(void)
{
    struct vmo_registry *registry = limited(0, 3 * PAGE);
    vmo_t two = VMO_NONE, one = VMO_NONE, more = {UNTOUCHED, UNTOUCHED};

    OK(vmo_create(registry, PAGE + 1, &two));
    REFUSED(vmo_create(registry, PAGE + 1, &more), VMO_ERR_QUOTA);
    OK(vmo_create(registry, 1, &one));
    REFUSED(vmo_create(registry, 1, &more), VMO_ERR_QUOTA);
    CHECK_EQ(more.id, UNTOUCHED);
    conf_release_in(registry, two);
    OK(vmo_create(registry, 2 * PAGE, &two)); /* within the limit again */
    conf_release_in(registry, two);
    conf_release_in(registry, one);
    conf_fini(registry);
}

static void table_full(void)
{
    vmo_t vmos[OBJECTS], more = {UNTOUCHED, UNTOUCHED};

    for (uint32_t i = 0; i < OBJECTS; i++) {
        vmos[i] = conf_filled(i + 1);
    }
    REFUSED(vmo_create(world.a, 1, &more), VMO_ERR_TABLE_FULL);
    CHECK_EQ(more.id, UNTOUCHED);
    for (uint32_t i = 0; i < OBJECTS; i++) {
        conf_check_vmo(vmos[i], 0, i + 1);
    }
    conf_release(vmos[3]);
    vmos[3] = conf_filled(9);
    conf_check_vmo(vmos[3], 0, 9);
    for (uint32_t i = 0; i < OBJECTS; i++) {
        conf_release(vmos[i]);
    }
}

static void handles_differ(void)
{
    const vmo_t first = conf_create(1);
    const vmo_t second = conf_create(1);

    CHECK(first.id != second.id);
    CHECK(first.id != VMO_NONE.id && second.id != VMO_NONE.id);
    conf_release(first);
    const vmo_t third = conf_create(1);
    CHECK(third.id != first.id); /* the same entry, another generation */
    uint64_t len = UNTOUCHED;
    REFUSED(vmo_len(world.a, first, &len), VMO_ERR_BAD_HANDLE);
    CHECK_EQ(len, UNTOUCHED);
    conf_release(third);
    conf_release(second);
}

static void null_arguments(void)
{
    vmo_t vmo = VMO_NONE;

    REFUSED(vmo_create(world.a, 1, NULL), VMO_ERR_INVALID);
    REFUSED(vmo_create(NULL, 1, &vmo), VMO_ERR_INVALID);
    vmo = conf_create(1);
    REFUSED(vmo_len(world.a, vmo, NULL), VMO_ERR_INVALID);
    REFUSED(vmo_size(world.a, vmo, NULL), VMO_ERR_INVALID);
    REFUSED(vmo_rights(world.a, vmo, NULL), VMO_ERR_INVALID);
    conf_release(vmo);
}

static void zeroed(void)
{
    uint8_t bytes[64];
    const vmo_t vmo = conf_create(2 * PAGE);

    for (uint64_t off = 0; off < 2 * PAGE; off += sizeof(bytes)) {
        memset(bytes, 0xff, sizeof(bytes));
        OK(vmo_read(world.a, vmo, RANGE(off, sizeof(bytes)), bytes));
        for (size_t i = 0; i < sizeof(bytes); i++) {
            CHECK_EQ(bytes[i], 0);
        }
    }
    conf_release(vmo);
}

static void close_twice(void)
{
    const vmo_t vmo = conf_create(1);

    OK(vmo_close(world.a, vmo));
    REFUSED(vmo_close(world.a, vmo), VMO_ERR_BAD_HANDLE);
}

static void destroy_twice(void)
{
    const vmo_t vmo = conf_create(1);

    OK(vmo_destroy(world.a, vmo));
    REFUSED(vmo_destroy(world.a, vmo), VMO_ERR_BAD_HANDLE);
    REFUSED(vmo_close(world.a, vmo), VMO_ERR_BAD_HANDLE);
}

static void destroy_or_unsupported(void)
{
    const vmo_t vmo = conf_filled(100);

    if (can(HAS_DESTROY)) {
        OK(vmo_destroy(world.a, vmo));
        return;
    }
    REFUSED(vmo_destroy(world.a, vmo), VMO_ERR_UNSUPPORTED);
    conf_check_vmo(vmo, 0, 100);
    OK(vmo_close(world.a, vmo));
}

static void destroy_under_a_view(void)
{
    const vmo_t vmo = conf_filled(100);
    const vmo_view_t view = conf_map_ro(vmo, 10, 50);

    REFUSED(vmo_destroy(world.a, vmo), VMO_ERR_STILL_MAPPED);
    conf_check_pattern(vmo_view_data(world.a, view), 10, 50);
    OK(vmo_unmap(world.a, view));
    conf_check_vmo(vmo, 0, 100);
    conf_release(vmo);
}

static void destroy_drops_kept_mappings(void)
{
    const vmo_t vmo = conf_filled(3 * PAGE);

    OK(vmo_unmap(world.a, conf_map_ro(vmo, 0, PAGE)));
    OK(vmo_unmap(world.a, conf_map_rw(vmo, PAGE, PAGE)));
    OK(vmo_destroy(world.a, vmo));
}

static void destroy_with_another_handle(void)
{
    const vmo_t vmo = conf_filled(100);
    vmo_t other = VMO_NONE;

    OK(vmo_dup(world.a, vmo, VMO_RIGHTS_ALL, &other));
    REFUSED(vmo_destroy(world.a, vmo), VMO_ERR_STILL_SHARED);
    REFUSED(vmo_destroy(world.a, other), VMO_ERR_STILL_SHARED);
    conf_check_vmo(vmo, 0, 100);
    OK(vmo_close(world.a, other));
    conf_release(vmo);
}

static void zero_after_destroy(void)
{
    uint8_t bytes[PAGE];

    for (unsigned round = 0; round < 8; round++) {
        const vmo_t vmo = conf_create(3 * PAGE);
        for (uint64_t off = 0; off < 3 * PAGE; off += PAGE) {
            OK(vmo_read(world.a, vmo, RANGE(off, PAGE), bytes));
            for (uint64_t i = 0; i < PAGE; i++) {
                CHECK_EQ(bytes[i], 0);
            }
        }
        memset(bytes, 0xee, sizeof(bytes));
        for (uint64_t off = 0; off < 3 * PAGE; off += PAGE) {
            OK(vmo_write(world.a, vmo, RANGE(off, PAGE), bytes));
        }
        OK(vmo_destroy(world.a, vmo));
    }
}

static void fini_with_a_vmo(void)
{
    const vmo_t vmo = conf_filled(10);

    REFUSED(vmo_registry_fini(world.a), VMO_ERR_BUSY);
    conf_check_vmo(vmo, 0, 10);
    conf_release(vmo);
}

static void fini_twice(void)
{
    struct vmo_registry *registry = conf_second(&conf_limits);

    OK(vmo_registry_fini(registry));
    REFUSED(vmo_registry_fini(registry), VMO_ERR_INVALID);
    REFUSED(vmo_registry_fini(NULL), VMO_ERR_INVALID);
}

static void registry_limits(void)
{
    static _Alignas(16) uint8_t storage[VMO_REGISTRY_BYTES(1, 1, 1, 0) + 16];
    struct vmo_limits limits = {.objects = 1, .mappings = 1, .views = 1};
    struct vmo_registry *registry = NULL;
    const size_t bytes = vmo_registry_bytes(&limits);

    CHECK(bytes > 0 && bytes <= VMO_REGISTRY_BYTES(1, 1, 1, 0));
    REFUSED(vmo_registry_init(storage, bytes - 1, &limits, &registry), VMO_ERR_STORAGE);
    REFUSED(vmo_registry_init(storage + 8, bytes, &limits, &registry), VMO_ERR_INVALID);
    REFUSED(vmo_registry_init(NULL, bytes, &limits, &registry), VMO_ERR_INVALID);
    REFUSED(vmo_registry_init(storage, bytes, NULL, &registry), VMO_ERR_INVALID);
    REFUSED(vmo_registry_init(storage, bytes, &limits, NULL), VMO_ERR_INVALID);
    limits.objects = 0;
    CHECK_EQ(vmo_registry_bytes(&limits), 0);
    REFUSED(vmo_registry_init(storage, bytes, &limits, &registry), VMO_ERR_INVALID);
    limits.objects = 1048577;
    CHECK_EQ(vmo_registry_bytes(&limits), 0);
    limits = (struct vmo_limits){.objects = 1, .mappings = 1, .views = 1, .peers = 65537};
    CHECK_EQ(vmo_registry_bytes(&limits), 0);
    CHECK(registry == NULL);
}

static void platform_is_named(void)
{
    const char *name = vmo_platform(world.a);

    CHECK(strncmp(conf_port()->name, name, strlen(name)) == 0 && *name);
    CHECK_EQ(*vmo_platform(NULL), 0);
}

static void count_live(void *context, const struct vmo_live *live)
{
    uint32_t *counts = context;

    counts[live->kind]++;
    CHECK(live->kind != VMO_LIVE_VMO || live->handles == (live->size_bytes != 0 ? 2 : 1));
}

/* Views wrapped bytes, since every platform can. */
static void each_live(void)
{
    static const uint8_t bytes[4];
    uint32_t counts[3] = {0, 0, 0};
    const vmo_t vmo = conf_create(1);
    vmo_t twin = VMO_NONE, wrapped = VMO_NONE;
    vmo_view_t view = NO_VIEW;

    OK(vmo_dup(world.a, vmo, VMO_RIGHT_READ, &twin));
    OK(vmo_wrap_bytes(world.a, bytes, sizeof(bytes), &wrapped));
    OK(vmo_map_ro(world.a, wrapped, RANGE(0, 1), &view));
    REFUSED(vmo_registry_fini(world.a), VMO_ERR_BUSY);
    OK(vmo_registry_each(world.a, count_live, counts));
    CHECK_EQ(counts[VMO_LIVE_VMO], 3);
    CHECK_EQ(counts[VMO_LIVE_VIEW], 1);
    CHECK_EQ(counts[VMO_LIVE_PEER], 0);
    REFUSED(vmo_registry_each(world.a, NULL, counts), VMO_ERR_INVALID);
    OK(vmo_unmap(world.a, view));
    OK(vmo_close(world.a, wrapped));
    OK(vmo_close(world.a, twin));
    conf_release(vmo);
    OK(vmo_registry_each(world.a, count_live, counts));
    CHECK_EQ(counts[VMO_LIVE_VMO] + counts[VMO_LIVE_VIEW], 4); /* unchanged: no handle is live */
}

static void name_is_kept(const char *name)
{
    const struct vmo_create_options options = {.name = name};
    vmo_t vmo = VMO_NONE;

    OK(vmo_create_with(world.a, 1, &options, &vmo));
    conf_check_names(name);
    conf_release(vmo);
}

static void names(void)
{
    static const char longest[] = "123456789 123456789 123456789 123456789 123456789 123456789 123";
    vmo_t vmo = VMO_NONE;

    _Static_assert(sizeof(longest) == VMO_NAME_MAX_BYTES + 1, "the longest name");
    name_is_kept("x");
    name_is_kept(" !/~ (deleted)");
    name_is_kept(longest);
    vmo = conf_create(1);
    conf_check_names("vmo");
    conf_release(vmo);
    OK(vmo_create_with(world.a, 1, NULL, &vmo));
    conf_check_names("vmo");
    conf_release(vmo);
}

/* All handles and views of a VMO show its name; a copy is another VMO. */
static void name_of_a_view(void)
{
    const struct vmo_create_options options = {.name = "frames"};
    vmo_t vmo = VMO_NONE, twin = VMO_NONE, copy = VMO_NONE;
    vmo_view_t view = NO_VIEW;

    OK(vmo_create_with(world.a, 1, &options, &vmo));
    OK(vmo_dup(world.a, vmo, VMO_RIGHT_READ, &twin));
    OK(vmo_map_ro(world.a, vmo, RANGE(0, 1), &view));
    conf_check_names("frames");
    OK(vmo_copy(world.a, vmo, &copy));
    OK(vmo_unmap(world.a, view));
    OK(vmo_close(world.a, twin));
    conf_release(vmo);
    conf_check_names("vmo");
    conf_release(copy);
}

static void refuse_options(const struct vmo_create_options *options)
{
    vmo_t vmo = {UNTOUCHED, UNTOUCHED};

    REFUSED(vmo_create_with(world.a, 1, options, &vmo), VMO_ERR_INVALID);
    CHECK_EQ(vmo.id, UNTOUCHED);
}

static void refused_names(void)
{
    static const char *const names[] = {"", "\n", "a\tb", "\x7f", "caf\xc3\xa9"};
    char name[VMO_NAME_MAX_BYTES + 2];

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        refuse_options(&(struct vmo_create_options){.name = names[i]});
    }
    memset(name, 'x', sizeof(name)); /* no NUL within the longest name */
    refuse_options(&(struct vmo_create_options){.name = name});
}

static void refused_options(void)
{
    struct vmo_create_options options = {.flags = 4};
    vmo_t vmo = {UNTOUCHED, UNTOUCHED};

    refuse_options(&options);
    options.flags = 0x80000000u;
    refuse_options(&options);
    options.flags = 0;
    for (size_t i = 0; i < sizeof(options.reserved) / sizeof(options.reserved[0]); i++) {
        options.reserved[i] = 1;
        refuse_options(&options);
        options.reserved[i] = 0;
    }
    REFUSED(vmo_create_with(NULL, 1, &options, &vmo), VMO_ERR_INVALID);
    REFUSED(vmo_create_with(world.a, 1, &options, NULL), VMO_ERR_INVALID);
    REFUSED(vmo_create_with(world.a, 0, &options, &vmo), VMO_ERR_ZERO_LENGTH);
    CHECK_EQ(vmo.id, UNTOUCHED);
}

static void prefault(void)
{
    const struct vmo_create_options options = {.flags = VMO_CREATE_PREFAULT};
    vmo_t vmo = VMO_NONE;
    uint8_t byte = 1;

    OK(vmo_create_with(world.a, 2 * PAGE + 1, &options, &vmo));
    OK(vmo_read(world.a, vmo, RANGE(2 * PAGE, 1), &byte));
    CHECK_EQ(byte, 0);
    conf_release(vmo);
}

static const struct conf_case cases[] = {
    {"one byte takes a page", one_byte, 0},
    {"a page minus a byte takes a page", below_a_page, 0},
    {"a page takes a page", a_page, 0},
    {"a page and a byte take two pages", above_a_page, 0},
    {"boundary lengths up to four pages", classes_to_four_pages, 0},
    {"every length up to four pages", every_length_to_four_pages, HAS_DESTROY},
    {"with all its memory now", prefault, 0},
    {"length 0", no_length, 0},
    {"length UINT64_MAX", length_uint64_max, 0},
    {"lengths just below UINT64_MAX", lengths_below_uint64_max, 0},
    {"lengths around INT64_MAX", lengths_around_int64_max, 0},
    {"the limit of one VMO", limit_of_one, 0},
    {"the limit of all VMOs", limit_of_all, 0},
    {"a full table loses nothing", table_full, 0},
    {"no two handles are equal", handles_differ, 0},
    {"NULL arguments", null_arguments, 0},
    {"new memory reads zero", zeroed, 0},
    {"close twice", close_twice, 0},
    {"destroy twice", destroy_twice, HAS_DESTROY},
    {"destroy, or unsupported", destroy_or_unsupported, 0},
    {"destroy under a view", destroy_under_a_view, HAS_MAP},
    {"destroy drops unused mappings", destroy_drops_kept_mappings, HAS_UNMAP | HAS_DESTROY},
    {"destroy with a second handle", destroy_with_another_handle, 0},
    {"memory created after a destroy reads zero", zero_after_destroy, HAS_DESTROY},
    {"vmo_registry_fini with a live VMO", fini_with_a_vmo, 0},
    {"vmo_registry_fini twice", fini_twice, 0},
    {"limits and storage of a registry", registry_limits, 0},
    {"the platform has a name", platform_is_named, 0},
    {"each live handle is listed", each_live, 0},
    {"names are kept, or dropped by a kernel without names", names, 0},
    {"handles and views show the name, a copy does not", name_of_a_view, HAS_MAP},
    {"refused names", refused_names, 0},
    {"refused options", refused_options, 0},
};
const struct conf_group conf_life = {"life", cases, CONF_CASE_COUNT(cases)};
