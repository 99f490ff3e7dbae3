/* SPDX-License-Identifier: Apache-2.0 */
/* Messages on Linux: delivery, deadlines, and the end of the other side. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lx_test.h"

#define MS UINT64_C(1000000)
#define NOBODY 65534

static vmo_status receive(struct vmo_incoming *in, uint64_t deadline_ns)
{
    return vmo_recv(rig.registry, rig.peer, in, deadline_ns);
}

static void message_and_vmo_arrive(void **state)
{
    vmo_peer_t to_near;
    struct vmo_registry *far = far_make(&to_near);
    const vmo_t vmo = filled(2 * PAGE + 5);
    struct vmo_incoming in;
    vmo_view_t view = NO_VIEW;
    uint64_t len = 0;
    uint32_t rights = 0;

    (void)state;
    const struct vmo_message out = {
        .tag = 77, .vmo = vmo, .rights = VMO_RIGHTS_ALL, .body = "body", .body_bytes = 4};
    assert_ok(vmo_send(rig.registry, rig.peer, &out, PAST_NS));
    assert_ok(vmo_recv(far, to_near, &in, PAST_NS));
    assert_int_equal(in.tag, 77);
    assert_int_equal(in.body_bytes, 4);
    assert_memory_equal(in.body, "body", 4);
    assert_ok(vmo_len(far, in.vmo, &len));
    assert_int_equal(len, 2 * PAGE + 5);
    assert_ok(vmo_rights(far, in.vmo, &rights));
    assert_int_equal(rights, VMO_RIGHTS_ALL);
    assert_ok(vmo_map_rw(far, in.vmo, RANGE(0, len), &view));
    assert_pattern(vmo_view_data(far, view), 0, len);
    vmo_view_data_rw(far, view)[0] = 'f';
    uint8_t byte = 0;
    assert_ok(vmo_read(rig.registry, vmo, RANGE(0, 1), &byte));
    assert_int_equal(byte, 'f'); /* both sides share the memory */
    assert_ok(vmo_unmap(far, view));
    assert_refused(vmo_destroy(far, in.vmo), VMO_ERR_RIGHTS);
    assert_ok(vmo_close(far, in.vmo));
    assert_ok(vmo_destroy(rig.registry, vmo)); /* although the channel is still open */
    far_drop(to_near);
}

/* vmo_destroy succeeds while another side holds the memory, and that side keeps it. */
static void holders_keep_a_destroyed_vmo(void **state)
{
    vmo_peer_t to_near;
    const vmo_t vmo = filled(PAGE);
    struct vmo_incoming in;
    vmo_view_t view;

    (void)state;
    const struct vmo_message out = {.vmo = vmo, .rights = VMO_RIGHT_READ};
    assert_ok(vmo_send(rig.registry, rig.peer, &out, PAST_NS));
    struct vmo_registry *far = far_make(&to_near);
    assert_ok(vmo_recv(far, to_near, &in, PAST_NS));
    assert_ok(vmo_map_ro(far, in.vmo, RANGE(0, PAGE), &view));
    assert_ok(vmo_destroy(rig.registry, vmo));
    assert_refused(vmo_destroy(rig.registry, vmo), VMO_ERR_BAD_HANDLE);
    assert_pattern(vmo_view_data(far, view), 0, PAGE);
    assert_ok(vmo_unmap(far, view));
    assert_ok(vmo_close(far, in.vmo));
    far_drop(to_near);
}

/* A queued message keeps a VMO alive after its creator destroyed it. */
static void queued_vmo_outlives_its_creator(void **state)
{
    vmo_peer_t to_near;
    const vmo_t vmo = filled(PAGE);
    struct vmo_incoming in;
    uint8_t bytes[32];

    (void)state;
    const struct vmo_message out = {.vmo = vmo, .rights = VMO_RIGHT_READ};
    assert_ok(vmo_send(rig.registry, rig.peer, &out, PAST_NS));
    assert_ok(vmo_destroy(rig.registry, vmo));
    struct vmo_registry *far = far_make(&to_near);
    assert_ok(vmo_recv(far, to_near, &in, PAST_NS));
    assert_ok(vmo_read(far, in.vmo, RANGE(100, 32), bytes));
    assert_pattern(bytes, 100, 32);
    assert_ok(vmo_close(far, in.vmo));
    far_drop(to_near);
}

/* ---- Deadlines ---------------------------------------------------------------------------------- */

static void passed_deadline_allows_one_try(void **state)
{
    struct vmo_incoming in = {.tag = 5};
    const struct wire wire = wire_data(9);

    (void)state;
    assert_refused(receive(&in, PAST_NS), VMO_ERR_TIMED_OUT);
    assert_int_equal(in.tag, 5);
    far_send(&wire, sizeof(wire), NULL, 0);
    assert_ok(receive(&in, PAST_NS));
    assert_int_equal(in.tag, 9);
}

static void waits_until_the_deadline(void **state)
{
    struct vmo_incoming in;

    (void)state;
    const uint64_t deadline = be_now_ns() + 3 * MS;
    assert_refused(receive(&in, deadline), VMO_ERR_TIMED_OUT);
    assert_true(be_now_ns() >= deadline);
}

static void full_queue_times_out_and_takes_nothing(void **state)
{
    const struct vmo_message message = {.tag = 2};
    struct wire wire;
    uint32_t arrived = 0;

    (void)state;
    const uint32_t sent = fill_queue();
    const vmo_t vmo = filled(PAGE);
    const struct vmo_message with_vmo = {.vmo = vmo, .rights = VMO_RIGHT_READ};
    assert_true(sent > 8);
    assert_refused(vmo_send(rig.registry, rig.peer, &message, be_now_ns() + 2 * MS), VMO_ERR_TIMED_OUT);
    assert_refused(vmo_send(rig.registry, rig.peer, &with_vmo, PAST_NS), VMO_ERR_TIMED_OUT);
    assert_ok(vmo_destroy(rig.registry, vmo)); /* no queued message carries the VMO */
    for (; far_hear(&wire, sizeof(wire), MSG_DONTWAIT) == (ssize_t)sizeof(wire); arrived++) {
        assert_int_equal(wire.tag, 1);
    }
    assert_int_equal(arrived, sent);
    assert_ok(vmo_send(rig.registry, rig.peer, &message, PAST_NS));
    assert_int_equal(far_hear(&wire, sizeof(wire), MSG_DONTWAIT), sizeof(wire));
    assert_int_equal(wire.tag, 2);
}

static volatile sig_atomic_t alarms;

static void on_alarm(int number)
{
    (void)number;
    alarms++;
}

static void signals_do_not_end_the_wait(void **state)
{
    const struct sigaction act = {.sa_handler = on_alarm};
    struct sigaction before;
    const struct itimerval often = {{0, 1000}, {0, 1000}};
    const struct itimerval never = {{0, 0}, {0, 0}};
    struct vmo_incoming in;

    (void)state;
    alarms = 0;
    assert_int_equal(sigaction(SIGALRM, &act, &before), 0);
    assert_int_equal(setitimer(ITIMER_REAL, &often, NULL), 0);
    const uint64_t deadline = be_now_ns() + 30 * MS;
    const vmo_status status = receive(&in, deadline);
    const uint64_t after = be_now_ns();
    assert_int_equal(setitimer(ITIMER_REAL, &never, NULL), 0);
    assert_int_equal(sigaction(SIGALRM, &before, NULL), 0);
    assert_status(status, VMO_ERR_TIMED_OUT);
    assert_true(after >= deadline);
    assert_true(alarms > 0);
}

/* ---- Two processes ------------------------------------------------------------------------------ */

/* Replies to each of three messages with its tag plus one, then exits. */
static int echo(void)
{
    struct wire wire;

    for (uint32_t i = 0; i < 3; i++) {
        if (recv(rig.far, &wire, sizeof(wire), 0) != (ssize_t)sizeof(wire)) {
            return 1;
        }
        wire.tag++;
        if (send(rig.far, &wire, sizeof(wire), MSG_NOSIGNAL) != (ssize_t)sizeof(wire)) {
            return 2;
        }
    }
    return 0;
}

static void waits_for_another_process(void **state)
{
    struct vmo_incoming in;
    int ended = -1;

    (void)state;
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        close(rig.near);
        _exit(echo());
    }
    far_close();
    for (uint32_t tag = 10; tag < 40; tag += 10) {
        assert_ok(vmo_send(rig.registry, rig.peer, &(struct vmo_message){.tag = tag}, soon()));
        assert_ok(receive(&in, soon()));
        assert_int_equal(in.tag, tag + 1);
    }
    assert_status(receive(&in, soon()), VMO_ERR_PEER_GONE); /* reported by the socket alone */
    assert_int_equal(waitpid(child, &ended, 0), child);
    assert_int_equal(ended, 0);
}

/* Sends to a full queue while a child receives. Each send waits until there is room. */
static void waits_for_room(void **state)
{
    struct wire wire;
    const uint32_t more = 2000;
    int ended = -1;

    (void)state;
    const uint32_t sent = fill_queue();
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        uint32_t got = 0;
        close(rig.near);
        while (far_hear(&wire, sizeof(wire), 0) == (ssize_t)sizeof(wire)) {
            got++;
        }
        _exit(got == sent + more ? 0 : 1);
    }
    for (uint32_t i = 0; i < more; i++) {
        assert_ok(vmo_send(rig.registry, rig.peer, &(struct vmo_message){.tag = 1}, soon()));
    }
    far_close();
    assert_int_equal(shutdown(rig.near, SHUT_WR), 0);
    assert_int_equal(waitpid(child, &ended, 0), child);
    assert_int_equal(ended, 0);
}

/* ---- End of the other side ---------------------------------------------------------------------- */

static void closed_end_is_gone(void **state)
{
    struct vmo_incoming in;
    const vmo_t vmo = filled(PAGE);
    const struct vmo_message with_vmo = {.vmo = vmo, .rights = VMO_RIGHT_READ};

    (void)state;
    far_close();
    assert_refused(receive(&in, soon()), VMO_ERR_PEER_GONE);
    assert_refused(receive(&in, PAST_NS), VMO_ERR_PEER_GONE);
    assert_refused(vmo_send(rig.registry, rig.peer, &with_vmo, soon()), VMO_ERR_PEER_GONE);
    vmo_peer_t stale = rig.peer;
    struct vmo_ticket ticket;
    assert_refused(vmo_transfer(rig.registry, vmo, stale, VMO_RIGHT_READ, &ticket), VMO_ERR_PEER_GONE);
    assert_ok(vmo_destroy(rig.registry, vmo));
}

/* The kernel reports ECONNRESET before messages that were queued earlier. */
static void queued_messages_arrive_before_the_end(void **state)
{
    const struct wire words[] = {wire_data(1), wire_data(2)};
    struct vmo_incoming in;

    (void)state;
    for (uint32_t i = 0; i < 5; i++) { /* the far end never reads these messages */
        assert_ok(vmo_send(rig.registry, rig.peer, &(struct vmo_message){.tag = i}, PAST_NS));
    }
    far_send(&words[0], sizeof(words[0]), NULL, 0);
    far_send(&words[1], sizeof(words[1]), NULL, 0);
    far_close();
    assert_ok(receive(&in, PAST_NS));
    assert_int_equal(in.tag, 1);
    assert_ok(receive(&in, PAST_NS));
    assert_int_equal(in.tag, 2);
    assert_refused(receive(&in, PAST_NS), VMO_ERR_PEER_GONE);
}

static void reset_end_refuses_messages(void **state)
{
    (void)state;
    assert_ok(vmo_send(rig.registry, rig.peer, &(struct vmo_message){.tag = 1}, PAST_NS));
    far_close();
    assert_refused(vmo_send(rig.registry, rig.peer, &(struct vmo_message){.tag = 1}, soon()),
                   VMO_ERR_PEER_GONE);
    assert_refused(vmo_send(rig.registry, rig.peer, &(struct vmo_message){.tag = 1}, soon()),
                   VMO_ERR_PEER_GONE);
}

/* ---- Without privileges ------------------------------------------------------------------------- */

/* Drops the privileges of root; does nothing as another user. */
static bool unprivileged(void)
{
    return geteuid() != 0 ||
           (setresgid(NOBODY, NOBODY, NOBODY) == 0 && setresuid(NOBODY, NOBODY, NOBODY) == 0);
}

static int whole_life(void)
{
    vmo_t vmo = VMO_NONE;
    vmo_view_t view = NO_VIEW;

    if (!unprivileged() || vmo_create(rig.registry, 3 * PAGE, &vmo) != VMO_OK ||
        vmo_map_rw(rig.registry, vmo, RANGE(0, PAGE), &view) != VMO_OK ||
        vmo_unmap(rig.registry, view) != VMO_OK || vmo_seal(rig.registry, vmo, VMO_SEAL_PEERS) != VMO_OK ||
        vmo_write(rig.registry, vmo, RANGE(0, 1), "u") != VMO_OK ||
        vmo_seal(rig.registry, vmo, VMO_SEAL_FOREVER) != VMO_OK) {
        return 1;
    }
    const struct vmo_message out = {.vmo = vmo, .rights = VMO_RIGHT_READ};
    return vmo_send(rig.registry, rig.peer, &out, PAST_NS) == VMO_OK ? 0 : 2;
}

static void works_unprivileged(void **state)
{
    vmo_peer_t to_near;
    struct vmo_incoming in;
    uint8_t byte = 0;

    (void)state;
    assert_int_equal(in_child(whole_life), 0);
    struct vmo_registry *far = far_make(&to_near);
    assert_ok(vmo_peer_require(far, to_near, VMO_SEAL_FOREVER));
    assert_ok(vmo_recv(far, to_near, &in, PAST_NS));
    assert_ok(vmo_read(far, in.vmo, RANGE(0, 1), &byte));
    assert_int_equal(byte, 'u');
    assert_ok(vmo_close(far, in.vmo));
    far_drop(to_near);
}

/* Reads every packet, with its descriptors, until the other end closes. */
static int read_all(void)
{
    uint8_t bytes[512];

    while (recv(rig.far, bytes, sizeof(bytes), 0) > 0) {
    }
    return 0;
}

/* The kernel limits a user's descriptors in queued messages. A send waits until a receiver takes some or the
 * deadline passes. */
static int fills_the_queue_with_descriptors(void)
{
    const struct rlimit few = {40, 40};
    vmo_t vmo = VMO_NONE;
    struct vmo_ticket ticket;

    if (setrlimit(RLIMIT_NOFILE, &few) != 0 || !unprivileged()) {
        return 1;
    }
    vmo_status status = vmo_create(rig.registry, PAGE, &vmo);
    const struct vmo_message out = {.vmo = vmo, .rights = VMO_RIGHT_READ};
    for (uint32_t i = 0; i < 200 && status == VMO_OK; i++) {
        status = vmo_send(rig.registry, rig.peer, &out, PAST_NS);
    }
    const uint64_t deadline = be_now_ns() + 3 * MS;
    if (status != VMO_ERR_QUEUE_FULL ||
        vmo_send(rig.registry, rig.peer, &out, deadline) != VMO_ERR_QUEUE_FULL || be_now_ns() < deadline) {
        return 100 + (int)status;
    }
    if (vmo_transfer(rig.registry, vmo, rig.peer, VMO_RIGHT_READ, &ticket) != VMO_ERR_QUEUE_FULL) {
        return 2;
    }
    const pid_t reader = fork();
    if (reader == 0) {
        _exit(read_all());
    }
    return vmo_send(rig.registry, rig.peer, &out, soon()) == VMO_OK && kill(reader, SIGKILL) == 0 &&
                   waitpid(reader, NULL, 0) == reader
               ? 0
               : 3;
}

static void too_many_descriptors_in_flight(void **state)
{
    (void)state;
    skip_under_valgrind();
    assert_int_equal(in_child(fills_the_queue_with_descriptors), 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, rig_make, rig_drop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(message_and_vmo_arrive),
        CASE(holders_keep_a_destroyed_vmo),
        CASE(queued_vmo_outlives_its_creator),
        CASE(passed_deadline_allows_one_try),
        CASE(waits_until_the_deadline),
        CASE(full_queue_times_out_and_takes_nothing),
        CASE(signals_do_not_end_the_wait),
        CASE(waits_for_another_process),
        CASE(waits_for_room),
        CASE(closed_end_is_gone),
        CASE(queued_messages_arrive_before_the_end),
        CASE(reset_end_refuses_messages),
        CASE(works_unprivileged),
        CASE(too_many_descriptors_in_flight),
    };
    return cmocka_run_group_tests_name("lx_channel", tests, NULL, NULL);
}
