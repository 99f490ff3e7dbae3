/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Streams against a simple model: every order of loan, publish, drop, take and release for small sizes, and
 * long random runs in which consumers join, leave and are expelled.
 */
#include "stream_model.h"

/* All that a call may change: both sides' storage and the shared memory. */
struct image {
    struct model model;
    uint8_t producer[sizeof(producer_storage)];
    uint8_t consumer[CONSUMERS][VMO_STREAM_CONSUMER_BYTES];
    uint8_t pool[BUFFERS * PAGE];
    uint8_t control[sizeof(struct stream_control) + BUFFERS * sizeof(struct stream_entry)];
    uint8_t pages[CONSUMERS][sizeof(struct stream_page)];
};

static void copy_image(struct image *image, bool save)
{
    const struct {
        void *live;
        void *copy;
        size_t bytes;
    } parts[] = {
        {&model, &image->model, sizeof(model)},
        {producer_storage, image->producer, sizeof(producer_storage)},
        {consumer_storage, image->consumer, sizeof(consumer_storage)},
        {producer->pool, image->pool, model.options.buffers * PAGE},
        {producer->control, image->control, stream_control_bytes(model.ring)},
    };

    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        memcpy(save ? parts[i].copy : parts[i].live, save ? parts[i].live : parts[i].copy, parts[i].bytes);
    }
    for (uint32_t c = 0; c < model.options.consumers; c++) {
        void *page = (void *)(uintptr_t)producer->seats[c].page;
        memcpy(save ? image->pages[c] : page, save ? page : image->pages[c], sizeof(struct stream_page));
    }
}

#define DEPTH_MAX 10 /* of calls */
static struct image images[DEPTH_MAX];
static uint64_t visited;

static void every_order(uint32_t depth)
{
    if (depth == 0) {
        return;
    }
    copy_image(&images[depth - 1], true);
    for (uint32_t number = 0; number < OF_CONSUMERS + model.options.consumers * CALLS; number++) {
        const bool granted = call(number);
        check_held();
        visited++;
        if (granted) {
            every_order(depth - 1);
            copy_image(&images[depth - 1], false);
        }
    }
}

static void all_orders(void **state)
{
    static const uint32_t depths[CONSUMERS + 1] = {0, 10, 8, 6};
    const vmo_stream_policy policies[] = {VMO_STREAM_BACKPRESSURE, VMO_STREAM_LATEST};

    (void)state;
    for (uint32_t p = 0; p < 2; p++) {
        for (uint32_t consumer = 1; consumer <= CONSUMERS; consumer++) {
            for (uint32_t buffers = 1; buffers <= BUFFERS; buffers++) {
                for (uint32_t hold = 1; hold <= 2 && hold <= buffers; hold++) {
                    const struct vmo_stream_options options = {.policy = policies[p],
                                                               .buffers = buffers,
                                                               .consumers = consumer,
                                                               .hold = hold,
                                                               .looks = 1,
                                                               .capacity_bytes = PAGE};
                    if (vmo_stream_producer_bytes(&options) == 0) {
                        continue; /* LATEST needs more buffers */
                    }
                    begin(&options, 1);
                    every_order(depths[consumer]);
                    end();
                }
            }
        }
    }
    print_message("%llu calls\n", (unsigned long long)visited);
    assert_true(visited > 500000);
}

/* ---- Random runs -------------------------------------------------------------------------------- */

static uint32_t seed;

static uint32_t random_below(uint32_t bound)
{
    seed ^= seed << 13;
    seed ^= seed >> 17;
    seed ^= seed << 5;
    return seed % bound;
}

static void random_run(vmo_stream_policy policy, uint64_t first, uint32_t calls)
{
    const struct vmo_stream_options options = {.policy = policy,
                                               .buffers = BUFFERS,
                                               .consumers = policy == VMO_STREAM_LATEST ? 2 : 3,
                                               .hold = policy == VMO_STREAM_LATEST ? 1 : 2,
                                               .looks = 1,
                                               .capacity_bytes = PAGE};

    begin(&options, first);
    for (uint32_t i = 0; i < calls; i++) {
        const uint32_t c = random_below(options.consumers);
        if (!model.consumer[c].joined) {
            if (random_below(8) == 0) {
                join(c);
            }
        } else if (random_below(64) == 0) {
            if (random_below(2)) {
                assert_ok(vmo_stream_expel(producer, names[c]));
                assert_status(vmo_stream_take(consumers[c], 0, &(struct vmo_frame){0}), VMO_ERR_EXPELLED);
            }
            leave(c);
        }
        const uint32_t number = random_below(2) ? random_below(OF_CONSUMERS)
                                                : OF_CONSUMERS + random_below(options.consumers * CALLS);
        if (number < OF_CONSUMERS || model.consumer[(number - OF_CONSUMERS) / CALLS].joined) {
            (void)call(number);
        }
        check_held();
    }
    assert_true(model.last > first + calls / 32);
    end();
}

static void random_orders(void **state)
{
    const uint64_t firsts[] = {1, (UINT64_C(1) << 32) - 500, VMO_STREAM_FRAMES_MAX / 2};

    (void)state;
    seed = 20261126;
    for (size_t i = 0; i < sizeof(firsts) / sizeof(firsts[0]); i++) {
        random_run(VMO_STREAM_BACKPRESSURE, firsts[i], 30000);
        random_run(VMO_STREAM_LATEST, firsts[i], 30000);
    }
}

/* ---- Limits ------------------------------------------------------------------------------------- */

static const struct vmo_stream_options small = {.policy = VMO_STREAM_BACKPRESSURE,
                                                .buffers = 3,
                                                .consumers = 1,
                                                .hold = 2,
                                                .looks = 1,
                                                .capacity_bytes = PAGE};

static void the_last_frame(void **state)
{
    struct vmo_loan loan;
    vmo_consumer_t name;

    (void)state;
    begin(&small, VMO_STREAM_FRAMES_MAX - 1);
    assert_true(do_loan());
    assert_true(do_loan());
    assert_true(do_loan());
    assert_true(do_publish(0));
    assert_true(do_publish(0));
    assert_int_equal(model.last, VMO_STREAM_FRAMES_MAX);
    assert_status(vmo_stream_publish(producer, &model.loans[0], 1, 0), VMO_ERR_TOO_LARGE);
    assert_true(do_drop());
    assert_status(vmo_stream_loan(producer, 0, &loan, NULL), VMO_ERR_TOO_LARGE);
    assert_status(vmo_stream_offer(producer, world.to_b, TAG, SOON_NS, &name), VMO_ERR_TOO_LARGE);
    assert_true(do_take(0));
    assert_true(do_take(0));
    assert_true(do_release(0, false));
    assert_true(do_release(0, false));
    assert_false(do_take(0));
    end();
}

#define IN_WORLD(test) cmocka_unit_test_setup_teardown(test, world_make, world_drop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_WORLD(all_orders),
        IN_WORLD(random_orders),
        IN_WORLD(the_last_frame),
    };
    return cmocka_run_group_tests_name("unit/stream_model", tests, NULL, NULL);
}
