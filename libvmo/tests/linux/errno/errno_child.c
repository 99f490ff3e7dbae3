/* SPDX-License-Identifier: Apache-2.0 */
/* Stories about children and the parent. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "linux/errno/errno_stories.h"

/* ---- Children ------------------------------------------------------------------------------------------ */

static struct vmo_incoming incoming;

/* The child is cat: it reads this pipe and ends when the story closes it. */
static int childs_input;
#define DESCRIPTORS_AWAY 40 /* above those that the library gets */

static struct vmo_program program(void)
{
    static uint8_t elf[1 << 18];
    const int file = open("/bin/cat", O_RDONLY | O_CLOEXEC);
    const ssize_t len = file >= 0 ? read(file, elf, sizeof(elf)) : -1;

    DEMAND(len > 0 && len < (ssize_t)sizeof(elf));
    (void)close(file);
    return (struct vmo_program){elf, (size_t)len, 1};
}

static void end_child(void)
{
    siginfo_t seen;

    wrap_on_wait = NULL;
    DEMAND(close(childs_input) == 0);
    step_others_acted(childs_input);
    DEMAND(waitid(P_ALL, 0, &seen, WEXITED | WNOWAIT | __WALL) == 0);
}

static vmo_peer_t spawned(void)
{
    const struct vmo_program cat = program();
    vmo_peer_t peer;
    int ends[2];

    DEMAND(pipe2(ends, O_CLOEXEC) == 0 && dup2(ends[0], STDIN_FILENO) == STDIN_FILENO);
    childs_input = fcntl(ends[1], F_DUPFD_CLOEXEC, DESCRIPTORS_AWAY);
    DEMAND(childs_input >= 0 && close(ends[1]) == 0 && (ends[0] == STDIN_FILENO || close(ends[0]) == 0));
    STEP(vmo_peer_spawn, world.a, &cat, &peer);
    return peer;
}

static void child(void)
{
    const vmo_peer_t peer = spawned();
    int32_t status = -1;

    wrap_on_wait = end_child;
    STEP(vmo_peer_wait, world.a, peer, step_soon(), &status);
    DEMAND(status == 0);
    STEP(vmo_peer_close, world.a, peer);
}

/* Kills a live child, a dead one and one that was reaped. */
static void child_killed(void)
{
    const vmo_peer_t peer = spawned();
    struct vmo_identity who;
    int32_t status = 0;
    siginfo_t seen;

    STEP(vmo_peer_identity, world.a, peer, &who);
    STEP(vmo_peer_kill, world.a, peer);
    DEMAND(waitid(P_ALL, 0, &seen, WEXITED | WNOWAIT | __WALL) == 0);
    STEP(vmo_peer_kill, world.a, peer);
    STEP(vmo_peer_identity, world.a, peer, &who);
    DEMAND(who.pid == seen.si_pid);
    STEP(vmo_peer_wait, world.a, peer, step_soon(), &status);
    DEMAND(status == -SIGKILL);
    STEP_ANSWERS(VMO_ERR_UNSUPPORTED, vmo_peer_identity, world.a, peer, &who);
    STEP_ANSWERS(VMO_ERR_UNSUPPORTED, vmo_peer_kill, world.a, peer);
    STEP(vmo_peer_close, world.a, peer);
    DEMAND(close(childs_input) == 0);
}

/* Ends the channel to a child, then waits for the child. */
static void child_hung_up_on(void)
{
    const vmo_peer_t peer = spawned();
    int32_t status = -1;

    STEP(vmo_peer_hangup, world.a, peer);
    STEP_ANSWERS(VMO_ERR_PEER_GONE, vmo_recv, world.a, peer, &incoming, step_soon());
    wrap_on_wait = end_child;
    STEP(vmo_peer_wait, world.a, peer, step_soon(), &status);
    DEMAND(status == 0);
    STEP(vmo_peer_close, world.a, peer);
}

/* The first free descriptors are those that the child needs. */
static void first_child(void)
{
    small_begin();
    child();
    small_end();
}

static void child_ends_during_receive(void)
{
    const vmo_peer_t peer = spawned();
    int32_t status = -1;

    wrap_on_wait = end_child;
    STEP_ANSWERS(VMO_ERR_PEER_GONE, vmo_recv, world.a, peer, &incoming, step_soon());
    STEP(vmo_peer_wait, world.a, peer, step_soon(), &status);
    STEP(vmo_peer_close, world.a, peer);
}

static void child_ends_during_poll(void)
{
    const vmo_peer_t peer = spawned();
    struct vmo_polled all[] = {{peer, VMO_POLL_MESSAGE, 0}};
    int32_t status = -1;

    wrap_on_wait = end_child;
    STEP(vmo_poll, world.a, all, 1, step_soon());
    DEMAND(all[0].found == VMO_POLL_ENDED);
    STEP(vmo_peer_wait, world.a, peer, step_soon(), &status);
    STEP(vmo_peer_close, world.a, peer);
}

static void refused_program(void)
{
    const struct vmo_program cat = program();
    vmo_peer_t peer;

    wrap_refuse(ROW_execveat, EACCES);
    STEP_ANSWERS(VMO_ERR_UNSUPPORTED, vmo_peer_spawn, world.a, &cat, &peer);
}

/* Nothing lists the descriptors that the child must not inherit. */
static void child_without_proc(void)
{
    const struct vmo_program cat = program();
    vmo_peer_t peer;

    wrap_refuse(ROW_close_range, ENOSYS);
    wrap_refuse(ROW_open, ENOENT);
    STEP_ANSWERS(VMO_ERR_UNSUPPORTED, vmo_peer_spawn, world.a, &cat, &peer);
}

/* A socket in the place of a standard stream is moved away. */
static void socket_as_a_stream(void)
{
    vmo_peer_t peer;
    int ends[2];

    small_begin();
    DEMAND(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0 && ends[0] == 0);
    STEP(vmo_peer_open, world.a, ends[0], &peer);
    DEMAND(fcntl(ends[0], F_GETFD) < 0);
    STEP(vmo_peer_close, world.a, peer);
    small_end();
    DEMAND(close(ends[1]) == 0);
}

/* The parent's socket at descriptor 3, inherited. */
static void parent(void)
{
    vmo_peer_t peer;
    int ends[2];

    DEMAND(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0);
    DEMAND(ends[0] == 3 && fcntl(3, F_SETFD, 0) == 0);
    small_begin();
    STEP(vmo_peer_parent, world.a, &peer);
    STEP(vmo_peer_close, world.a, peer);
    small_end();
    DEMAND(close(ends[1]) == 0);
}

static const struct story stories[] = {
    {"a child", child, false, 0},
    {"a first child", first_child, true, 0},
    {"a child that is killed", child_killed, false, 0},
    {"a child that is hung up on", child_hung_up_on, false, 0},
    {"a child ends while its parent receives", child_ends_during_receive, false, 0},
    {"a child ends while its parent polls", child_ends_during_poll, false, 0},
    {"a program that is refused", refused_program, false, 0},
    {"a child without /proc", child_without_proc, false, 0},
    {"the parent", parent, true, 0},
    {"streams closed: a child", first_child, true, ALL_BUT_INPUT_CLOSED},
    {"streams closed: a socket", socket_as_a_stream, true, ALL_CLOSED},
};
const struct story_group child_stories = STORY_GROUP(stories);
