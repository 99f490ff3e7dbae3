/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The budgets of the NEURON backend on a kernel that never frees memory (K-17, K-20), and calls that it must
 * not make. The stub counts leaked memory and calls that would panic a real kernel.
 */
#include <stddef.h>
#include <string.h>

#include "elf64.h"
#include "nx_budget.h"
#include "nx_call.h"
#include "nx_case.h"

#define CHILD_TABLES 5 /* page tables that a child may use for its mappings */
#define MIB UINT64_C(0x100000)

static struct vmo_counters counters;

static struct be_object created(uint64_t bytes)
{
    struct be_object object = BE_NO_OBJECT;

    CHECK_EQ(be_create(bytes, NULL, &object), VMO_OK);
    return object;
}

static vmo_status create(uint64_t bytes)
{
    struct be_object object = BE_NO_OBJECT;

    return be_create(bytes, NULL, &object);
}

static vmo_status spawn(void)
{
    const struct vmo_program program = stub_program(0x10000, PAGE);
    struct be_peer peer;

    return be_spawn(&program, &peer);
}

static vmo_status map(const struct be_object *object, uint64_t bytes, void **at)
{
    return be_map(object, (struct vmo_range){0, bytes}, false, at, &counters);
}

/* Gives this task a VMO that it did not create. */
static struct be_object given(uint64_t bytes)
{
    stub.slots[5] = (struct stub_slot){.kind = STUB_VMO, .size = bytes, .base = UINT64_C(0x90000000)};
    return (struct be_object){.owner = 5, .alias = BE_NONE};
}

static void take_slots(uint32_t leave)
{
    while (stub_used_slots() + leave < stub.slot_count) {
        CHECK(nx_call1(NX_SYS_CAP_CLONE, NX_SLOT_BOOTSTRAP) >= 0);
    }
}

/* ---- The arena ---------------------------------------------------------------------------------- */

static void arena_is_never_crossed(const void *context)
{
    (void)context;
    stub_boot(true, false, 0);
    for (uint64_t bytes = 4 * MIB; bytes >= PAGE; bytes /= 2) {
        while (create(bytes) == VMO_OK) {
        }
        CHECK_EQ(create(bytes), VMO_ERR_NO_MEMORY);
    }
    CHECK(stub.arena_used > 7 * MIB);
    CHECK_EQ(stub.panics, 0);
}

static void refused_create_costs_nothing(const void *context)
{
    (void)context;
    stub_boot(true, false, 0);
    const struct be_object first = created(PAGE);
    take_slots(0);
    const uint64_t used = stub.arena_used;
    for (uint32_t i = 0; i < 3000; i++) {
        CHECK_EQ(create(PAGE), VMO_ERR_NO_SLOTS);
    }
    CHECK_EQ(stub.arena_used, used);
    CHECK_EQ(stub.calls[NX_SYS_VMO_CREATE], 1);
    CHECK_EQ(nx_call1(NX_SYS_CAP_CLOSE, (uint64_t)first.owner), 0);
    CHECK_EQ(create(PAGE), VMO_OK);
}

static void no_budget_on_a2(const void *context)
{
    (void)context;
    stub_boot(false, false, 0);
    CHECK_EQ(create(64 * MIB), VMO_OK);
    CHECK_EQ(stub.calls[NX_SYS_CAP_CLONE], 0); /* a refused create costs a2 nothing */
    for (uint32_t i = 0; i < 60; i++) {
        CHECK_EQ(spawn(), VMO_OK);
    }
}

/* ---- Address spaces ----------------------------------------------------------------------------- */

/* Each child uses all page tables that it may use. */
static uint32_t spawn_all(vmo_status wanted)
{
    uint32_t made = 0;
    vmo_status status = spawn();

    for (; status == VMO_OK; status = spawn()) {
        made++;
        stub.tables_used += CHILD_TABLES;
    }
    CHECK_EQ(status, wanted);
    return made;
}

static void eight_children(const void *context)
{
    (void)context;
    stub_boot(true, false, 0);
    CHECK_EQ(spawn_all(VMO_ERR_UNSUPPORTED), 8);
    CHECK(stub.tables_used <= 204);
    CHECK_EQ(stub.panics, 0);
}

static void maps_leave_fewer_children(const void *context)
{
    void *at = NULL;

    (void)context;
    stub_boot(true, false, 0);
    const struct be_object object = given(8 * MIB);
    for (uint32_t i = 0; i < 10; i++) {
        CHECK_EQ(map(&object, 8 * MIB, &at), VMO_OK);
    }
    CHECK_EQ(spawn_all(VMO_ERR_UNSUPPORTED), 6); /* 196 tables: 41 are mapped, a child takes 23 */
    vmo_status status = VMO_OK;
    for (uint32_t i = 0; status == VMO_OK && i < 100; i++) {
        status = map(&object, 8 * MIB, &at);
    }
    CHECK_EQ(status, VMO_ERR_NO_MEMORY);
    CHECK_EQ(stub.panics, 0);
}

static void maps_alone(const void *context)
{
    const struct be_object *object = &(const struct be_object){.owner = 5, .alias = BE_NONE};
    void *at = NULL;
    vmo_status status = VMO_OK;

    (void)context;
    stub_boot(true, false, 0);
    (void)given(3 * PAGE);
    for (uint32_t i = 0; status == VMO_OK && i < 100000; i++) {
        status = map(object, 3 * PAGE, &at);
    }
    CHECK_EQ(status, VMO_ERR_NO_MEMORY);
    CHECK_EQ(stub.tables_used, 196); /* the whole budget; each table is counted once */
    CHECK_EQ(stub.panics, 0);
}

/* The pages before the refused one stay mapped, with their page tables. */
static void a_map_refused_half_way_counts(const void *context)
{
    const uint64_t nth = *(const uint64_t *)context;
    const uint64_t left = nth == 1 ? 196 : 194;
    void *at = NULL;

    stub_boot(true, false, 0);
    (void)nx_features();
    const struct be_object object = given(3 * PAGE);
    stub_inject(NX_SYS_MAP, (uint32_t)nth, -NX_ENOMEM);
    CHECK_EQ(map(&object, 3 * PAGE, &at), VMO_ERR_NO_MEMORY);
    CHECK(nx_budget_covers((struct nx_cost){.tables = left}));
    CHECK(!nx_budget_covers((struct nx_cost){.tables = left + 1}));
}

static void a_child_maps_the_largest_vmo(const void *context)
{
    void *at = NULL;

    (void)context;
    stub_boot(true, true, 0);
    const struct be_object object = given(8 * MIB);
    CHECK_EQ(map(&object, 8 * MIB, &at), VMO_OK);
    CHECK_EQ(stub.tables_used, CHILD_TABLES);
    CHECK_EQ(map(&object, PAGE, &at), VMO_ERR_NO_MEMORY);
    CHECK_EQ(stub.tables_used, CHILD_TABLES);
}

static void a_refused_exec_counts(const void *context)
{
    (void)context;
    stub_boot(true, false, 0);
    stub_inject(NX_SYS_EXEC, 0, -NX_EINVAL);
    for (uint32_t i = 0; i < 8; i++) {
        CHECK_EQ(spawn(), VMO_ERR_BACKEND);
    }
    CHECK_EQ(spawn(), VMO_ERR_UNSUPPORTED);
    CHECK_EQ(stub.calls[NX_SYS_EXEC], 8);
}

static void a_spawn_without_memory_costs_nothing(const void *context)
{
    (void)context;
    stub_boot(true, false, 0);
    for (uint64_t bytes = 4 * MIB; bytes >= 8 * PAGE; bytes /= 2) {
        while (create(bytes) == VMO_OK) {
        }
    }
    const uint32_t calls = stub_all_calls();
    for (uint32_t i = 0; i < 20; i++) {
        CHECK_EQ(spawn(), VMO_ERR_NO_MEMORY);
    }
    CHECK_EQ(stub_all_calls(), calls);
}

/* Without a slot for the watch a spawn must not begin: endpoint ids and address spaces are never reused. */
static void a_spawn_without_slots_costs_nothing(const void *context)
{
    (void)context;
    stub_boot(*(const bool *)context, false, 0);
    (void)nx_features();
    take_slots(2);
    for (uint32_t i = 0; i < 300; i++) {
        CHECK_EQ(spawn(), VMO_ERR_NO_SLOTS);
    }
    CHECK_EQ(stub.calls[NX_SYS_EP_CREATE], 0);
    CHECK_EQ(stub.calls[NX_SYS_EXEC], 0);
    CHECK_EQ(stub_used_slots(), stub.slot_count - 2);
    CHECK_EQ(nx_call1(NX_SYS_CAP_CLOSE, 4), 0);
    CHECK_EQ(spawn(), VMO_OK);
}

static void tables_of_an_image(const void *context)
{
    struct be_peer peer;

    (void)context;
    stub_boot(true, false, 0);
    CHECK_EQ(nx_leaf_tables(0x10000, PAGE), 1);
    CHECK_EQ(nx_leaf_tables(2 * MIB - PAGE, PAGE), 1);
    CHECK_EQ(nx_leaf_tables(2 * MIB - PAGE, PAGE + 1), 2);
    CHECK_EQ(nx_leaf_tables(0, 6 * MIB), 3);
    CHECK_EQ(nx_tables_of_child(4), 22);
    CHECK_EQ(nx_tables_of_child(1024), 24);
    /* Above 1 GiB a segment also needs a middle table. */
    const struct vmo_program program = stub_program(UINT64_C(0x40000000) + MIB, PAGE);
    uint32_t made = 0;
    while (be_spawn(&program, &peer) == VMO_OK) {
        made++;
    }
    CHECK_EQ(made, 8); /* 24 tables each */
}

/* Segments that share a leaf table count it once. */
static void tables_of_two_segments(const void *context)
{
    const uint64_t second = *(const uint64_t *)context;
    struct be_peer peer;
    uint32_t made = 0;

    stub_boot(true, false, 0);
    const struct vmo_program program = stub_program_of_two(0x10000, second, PAGE);
    while (be_spawn(&program, &peer) == VMO_OK) {
        made++;
    }
    /* Of 196 tables each child uses 23, or 24, or 25 with a middle table. */
    CHECK_EQ(made, second < 2 * MIB ? 8 : second < NX_A1_MAP_BASE ? 8 : 7);
    const struct nx_cost all = {.tables = second < 2 * MIB ? 12 : second < NX_A1_MAP_BASE ? 4 : 21};
    CHECK(nx_budget_covers(all));
    CHECK(!nx_budget_covers((struct nx_cost){.tables = all.tables + 1}));
}

static void user_memory(const void *context)
{
    (void)context;
    stub_boot(true, false, 0);
    CHECK(be_is_user((const void *)(uintptr_t)(NX_USER_TOP - 1), 1));
    CHECK(!be_is_user((const void *)(uintptr_t)(NX_USER_TOP - 1), 2));
    CHECK(!be_is_user((const void *)(uintptr_t)NX_USER_TOP, 1));
    CHECK(!be_is_user((const void *)(uintptr_t)0x80200000, PAGE));
    CHECK(!be_is_user((const void *)UINTPTR_MAX, 2));
    CHECK(!be_is_user((const void *)(uintptr_t)PAGE, UINT64_MAX));
}

/* ---- Children ----------------------------------------------------------------------------------- */

static void reaped_child_costs_no_call(const void *context)
{
    const struct vmo_program program = stub_program(0x10000, PAGE);
    struct be_peer peer;
    int32_t status = 0;

    stub_boot(*(const bool *)context, false, 0);
    CHECK_EQ(be_spawn(&program, &peer), VMO_OK);
    struct be_object object = created(PAGE);
    CHECK(!be_peer_unreaped(&peer));
    stub_end_child();
    CHECK(be_peer_unreaped(&peer));
    CHECK_EQ(be_send(&peer, &object, true, "", 1, UINT64_MAX), VMO_ERR_PEER_GONE);
    CHECK_EQ(stub.calls[NX_SYS_IPC_SEND], 0);
    CHECK_EQ(be_peer_wait(&peer, 0, &status), VMO_OK);
    CHECK(!be_peer_unreaped(&peer));
    const uint32_t calls = stub_all_calls();
    for (uint32_t i = 0; i < 10; i++) {
        CHECK_EQ(be_send(&peer, &object, true, "", 1, UINT64_MAX), VMO_ERR_PEER_GONE);
    }
    CHECK_EQ(stub_all_calls(), calls);
    CHECK_EQ(be_check_destroy(&object), stub.a1 ? VMO_ERR_UNSUPPORTED : VMO_OK); /* it was never sent */
}

/* K-13: the kernels do not check these fields, so the library does. */
static void malformed_programs_are_refused(const void *context)
{
    const size_t places[] = {0, ELF64_AT_CLASS, ELF64_AT_DATA, offsetof(struct elf64_header, type),
                             offsetof(struct elf64_header, machine)};
    struct vmo_program program = stub_program(0x10000, PAGE);
    uint8_t elf[256];
    struct be_peer peer;

    stub_boot(*(const bool *)context, false, 0);
    CHECK(program.elf_bytes <= sizeof(elf));
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        memcpy(elf, program.elf, program.elf_bytes);
        elf[places[i]] ^= 1;
        struct vmo_program other = program;
        other.elf = elf;
        CHECK_EQ(be_spawn(&other, &peer), VMO_ERR_INVALID);
    }
    CHECK_EQ(stub.calls[NX_SYS_EXEC], 0);
}

/* The first receive finds no message. Then the child sends one and ends. */
static void last_message_of_an_ended_child(const void *context)
{
    const struct vmo_program program = stub_program(0x10000, PAGE);
    struct be_peer peer;
    struct be_object object;
    uint8_t bytes[64];
    size_t len = 0;

    stub_boot(*(const bool *)context, false, 0);
    CHECK_EQ(be_spawn(&program, &peer), VMO_OK);
    stub.incoming = STUB_FREE;
    stub_end_child();
    stub_inject(NX_SYS_IPC_RECV, 1, -NX_EAGAIN);
    CHECK_EQ(be_recv(&peer, bytes, sizeof(bytes), &len, &object, UINT64_MAX), VMO_OK);
    stub_check_injected();
    CHECK_EQ(be_recv(&peer, bytes, sizeof(bytes), &len, &object, UINT64_MAX), VMO_ERR_PEER_GONE);
}

/* ---- Running ------------------------------------------------------------------------------------ */

static void with_each_second_segment(void **state)
{
    static const uint64_t seconds[] = {0x20000, 2 * MIB, NX_A1_MAP_BASE};

    (void)state;
    for (size_t i = 0; i < sizeof(seconds) / sizeof(seconds[0]); i++) {
        assert_true(stub_alone(tables_of_two_segments, &seconds[i]));
    }
}

static void at_the_first_or_second_page(void **state)
{
    (void)state;
    assert_true(stub_alone(a_map_refused_half_way_counts, &(uint64_t){1}));
    assert_true(stub_alone(a_map_refused_half_way_counts, &(uint64_t){2}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(arena_is_never_crossed, alone),
        CASE(refused_create_costs_nothing, alone),
        CASE(no_budget_on_a2, alone),
        CASE(eight_children, alone),
        CASE(maps_leave_fewer_children, alone),
        CASE(maps_alone, alone),
        CASE(a_map_refused_half_way_counts, at_the_first_or_second_page),
        CASE(a_child_maps_the_largest_vmo, alone),
        CASE(a_refused_exec_counts, alone),
        CASE(a_spawn_without_memory_costs_nothing, alone),
        CASE(a_spawn_without_slots_costs_nothing, alone_on_both),
        CASE(tables_of_an_image, alone),
        CASE(tables_of_two_segments, with_each_second_segment),
        CASE(user_memory, alone),
        CASE(reaped_child_costs_no_call, alone_on_both),
        CASE(malformed_programs_are_refused, alone_on_both),
        CASE(last_message_of_an_ended_child, alone_on_both),
    };
    return cmocka_run_group_tests_name("neuron/budget", tests, NULL, NULL);
}
