/* SPDX-License-Identifier: Apache-2.0 */
/*
 * K-26: page tables that small mappings leave make an address unusable for a 2 MiB page. The NEURON backend
 * maps a filler there and tries the next address.
 */
#include "nx_call.h"
#include "nx_case.h"

#define MIB UINT64_C(0x100000)

static struct vmo_counters counters;

static struct be_object created(uint64_t bytes)
{
    struct be_object object = BE_NO_OBJECT;

    CHECK_EQ(be_create(bytes, NULL, &object), VMO_OK);
    return object;
}

static vmo_status map(const struct be_object *object, uint64_t bytes, void **at)
{
    return be_map(object, (struct vmo_range){0, bytes}, false, at, &counters);
}

static void place(uint64_t bytes, uint64_t base)
{
    void *at = NULL;

    stub.next_base = base;
    struct be_object object = created(bytes);
    CHECK_EQ(map(&object, bytes, &at), VMO_OK);
    CHECK_EQ(stub_regions(), 1);
    CHECK_EQ(be_unmap(at, bytes), VMO_OK);
    CHECK_EQ(stub_regions(), 0);
    CHECK_EQ(be_destroy(&object), VMO_OK);
}

/* The physical address is one of 32 multiples of 64 KiB within a unit of 2 MiB. */
static void small_then_large(const void *context)
{
    const uint64_t phase = *(const uint64_t *)context * 16 * PAGE;
    const uint64_t base = UINT64_C(0x90000000);

    stub_boot(false, false, 0);
    place(PAGE, base + phase);
    place(2 * MIB + PAGE, base + phase);
    place(4 * MIB, base + phase);
    place(8 * MIB + PAGE, base + phase + PAGE);
    place(32 * MIB, base);
    CHECK(counters.placement_retries > 0);
}

static void several_unusable_holes(const void *context)
{
    (void)context;
    stub_boot(false, false, 0);
    stub_add_page_tables(5);
    place(4 * MIB, UINT64_C(0x90000000));
    CHECK_EQ(counters.placement_retries, 5);
}

static void too_many_unusable_holes(const void *context)
{
    void *at = NULL;

    (void)context;
    stub_boot(false, false, 0);
    stub_add_page_tables(100);
    const struct be_object object = created(4 * MIB);
    CHECK_EQ(map(&object, 4 * MIB, &at), VMO_ERR_FRAGMENTED);
    CHECK_EQ(counters.placement_retries, 48);
    CHECK_EQ(stub.calls[NX_SYS_VM_MAP], 1 + 1 + 2 * 48); /* probe, first try, fillers, retries */
    CHECK_EQ(stub_regions(), 0);
}

static void map_into_unusable(vmo_status wanted)
{
    void *at = NULL;
    const struct be_object object = created(4 * MIB);

    stub_add_page_tables(3);
    CHECK_EQ(map(&object, 4 * MIB, &at), wanted);
    stub_check_injected();
    CHECK(at == NULL);
}

static void no_region_for_a_filler(const void *context)
{
    (void)context;
    stub_boot(false, false, 0);
    (void)nx_features();
    stub_inject(NX_SYS_VM_MAP, 4, -NX_ENOSPC); /* try, filler, try, filler */
    map_into_unusable(VMO_ERR_NO_SLOTS);
    CHECK_EQ(stub_regions(), 0);
}

static void no_hole_for_a_filler(const void *context)
{
    (void)context;
    stub_boot(false, false, 0);
    (void)nx_features();
    stub_inject(NX_SYS_VM_MAP, 4, -NX_ENOMEM);
    map_into_unusable(VMO_ERR_FRAGMENTED);
    CHECK_EQ(stub_regions(), 0);
}

static void a_filler_stays(const void *context)
{
    (void)context;
    stub_boot(false, false, 0);
    (void)nx_features();
    stub_inject(NX_SYS_VM_UNMAP, 2, -NX_EINVAL);
    map_into_unusable(VMO_ERR_BACKEND);
    CHECK_EQ(stub_regions(), 1); /* this filler */
}

static void without_unmap_no_fillers(const void *context)
{
    (void)context;
    stub_boot(false, false, WITHOUT(NX_SYS_VM_UNMAP));
    map_into_unusable(VMO_ERR_FRAGMENTED);
    CHECK_EQ(counters.placement_retries, 0);
}

static void at_every_phase(void **state)
{
    (void)state;
    for (uint64_t phase = 0; phase < 32; phase++) {
        assert_true(stub_alone(small_then_large, &phase));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(small_then_large, at_every_phase), CASE(several_unusable_holes, alone),
        CASE(too_many_unusable_holes, alone),   CASE(no_region_for_a_filler, alone),
        CASE(no_hole_for_a_filler, alone),      CASE(a_filler_stays, alone),
        CASE(without_unmap_no_fillers, alone),
    };
    return cmocka_run_group_tests_name("neuron/fillers", tests, NULL, NULL);
}
