/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every order of a few calls of a small stream, each followed by each end: a consumer is expelled, leaves or
 * dies, or the producer closes the stream. The model says what must follow.
 */
#include "stream_model.h"

#define DEPTH_MAX 6
#define PATHS_MAX 8000

struct path {
    uint8_t calls[DEPTH_MAX];
    uint8_t length;
};

static struct path paths[PATHS_MAX];
static uint32_t path_count;
static struct vmo_stream_options options;

static void replay(const struct path *path)
{
    begin(&options, 1);
    for (uint32_t i = 0; i < path->length; i++) {
        assert_true(call(path->calls[i]));
    }
}

/* Finds the orders of up to so many calls that are all granted. */
static void find_paths(uint32_t depth)
{
    path_count = 1;
    paths[0] = (struct path){.length = 0};
    for (uint32_t from = 0; from < path_count; from++) {
        for (uint32_t number = 0;
             paths[from].length < depth && number < OF_CONSUMERS + options.consumers * CALLS; number++) {
            replay(&paths[from]);
            if (call(number)) {
                assert_true(path_count < PATHS_MAX);
                struct path *made = &paths[path_count++];
                *made = paths[from];
                made->calls[made->length++] = (uint8_t)number;
            }
            end();
        }
    }
}

static void in_new_world(void)
{
    assert_int_equal(world_drop(NULL), 0);
    assert_int_equal(world_make(NULL), 0);
}

/* ---- Ends --------------------------------------------------------------------------------------- */

/* Takes every loan that the model allows; it checks each. */
static void loan_all(void)
{
    while (do_loan()) {
        check_held();
    }
}

static void ends_expelled(uint32_t c)
{
    struct vmo_frame frame = {0};
    struct model_consumer *consumer = &model.consumer[c];

    assert_ok(vmo_stream_expel(producer, names[c]));
    AS_B;
    assert_status(vmo_stream_take(consumers[c], 0, &frame), VMO_ERR_EXPELLED);
    for (uint32_t i = 0; i < consumer->holds; i++) {
        assert_status(vmo_stream_release(consumers[c], &consumer->held[i]), VMO_ERR_EXPELLED);
        assert_status(vmo_stream_release(consumers[c], &consumer->held[i]), VMO_ERR_BAD_HANDLE);
    }
    AS_A;
    leave(c);
    loan_all();
    end();
}

static void leaves(uint32_t c)
{
    leave(c);
    loan_all();
    end();
}

/* Each consumer is reported once at most; then nobody holds a buffer up. */
static void dies(uint32_t c)
{
    const uint32_t on_loan = model.loan_count;
    const bool keeps_newest = options.policy == VMO_STREAM_LATEST && model.last;
    uint32_t loaned = 0;
    uint32_t gone = 0;
    vmo_status status = VMO_OK;
    vmo_consumer_t about;
    struct vmo_loan loan;

    (void)c;
    fake_kill_peer(0);
    for (; status != VMO_ERR_BUSY; status = vmo_stream_loan(producer, SOON_NS, &loan, &about)) {
        assert_true(status == VMO_OK || status == VMO_ERR_PEER_GONE);
        gone += status == VMO_ERR_PEER_GONE;
        loaned += status == VMO_OK;
        assert_true(gone <= options.consumers);
    }
    assert_int_equal(on_loan + loaned - 1 + keeps_newest, options.buffers); /* the loop began with an OK */
    assert_ok(vmo_peer_close(world.a, world.to_b));
    assert_ok(vmo_stream_close(producer));
    in_new_world();
}

/* What was published can still be taken, in order; what is held stays. */
static void closes(uint32_t c)
{
    struct vmo_frame frame;

    (void)c;
    assert_ok(vmo_stream_close(producer));
    for (uint32_t i = 0; i < options.consumers; i++) {
        while (next_of(&model.consumer[i]) || model.consumer[i].holds) {
            if (!next_of(&model.consumer[i]) || model.consumer[i].holds == options.hold) {
                assert_true(do_release(i, false));
            } else {
                assert_true(do_take(i));
            }
            check_held();
        }
        AS_B;
        assert_status(vmo_stream_take(consumers[i], SOON_NS, &frame), VMO_ERR_PEER_GONE);
        AS_A;
        leave(i);
    }
}

/* ---- All ---------------------------------------------------------------------------------------- */

static const struct {
    void (*after)(uint32_t consumer);
    bool of_one; /* once for each consumer */
} all_ends[] = {{ends_expelled, true}, {leaves, true}, {dies, false}, {closes, false}};

static uint32_t ended;

static void end_each_path(void)
{
    for (uint32_t e = 0; e < sizeof(all_ends) / sizeof(all_ends[0]); e++) {
        for (uint32_t p = 0; p < path_count; p++) {
            for (uint32_t c = 0; c < (all_ends[e].of_one ? options.consumers : 1); c++) {
                replay(&paths[p]);
                all_ends[e].after(c);
                ended++;
            }
        }
    }
}

static void every_end(void **state)
{
    static const struct vmo_stream_options all[] = {
        {.policy = VMO_STREAM_BACKPRESSURE, .buffers = 1, .consumers = 1, .hold = 1},
        {.policy = VMO_STREAM_BACKPRESSURE, .buffers = 2, .consumers = 1, .hold = 2},
        {.policy = VMO_STREAM_BACKPRESSURE, .buffers = 2, .consumers = 2, .hold = 1},
        {.policy = VMO_STREAM_LATEST, .buffers = 3, .consumers = 1, .hold = 1},
        {.policy = VMO_STREAM_LATEST, .buffers = 4, .consumers = 2, .hold = 1},
    };
    static const uint32_t depths[] = {0, 6, 5}; /* by the number of consumers */

    (void)state;
    for (uint32_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        options = all[i];
        options.looks = 1;
        options.capacity_bytes = PAGE;
        find_paths(depths[options.consumers]);
        end_each_path();
        in_new_world();
    }
    print_message("%u ends\n", ended);
    assert_true(ended > 2000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_end, world_make, world_drop),
    };
    return cmocka_run_group_tests_name("unit/stream_ends", tests, NULL, NULL);
}
