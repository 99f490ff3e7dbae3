/* SPDX-License-Identifier: Apache-2.0 */
/*
 * K-29 in the NEURON backend: a VMO in flight is not destroyed, and the kernel is not asked. The backend and
 * the core run on the host. The kernel is a stub of nx_call that grants and counts all calls.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "elf64.h"
#include "nx_call.h"
#include "nx_in_flight.h"
#include "page.h"

#define USER_MEMORY ((void *)(uintptr_t)0x60000000) /* below NX_USER_TOP */
#define CHILDREN_MAX (NX_CHANNELS - 1)

/* A loadable program of one segment without file bytes. */
static const struct {
    struct elf64_header header;
    struct elf64_program_header segment;
} elf = {{.ident = {0x7f, 'E', 'L', 'F', ELF64_CLASS, ELF64_DATA_LITTLE, ELF64_VERSION},
          .type = ELF64_TYPE_EXEC,
          .machine = ELF64_MACHINE_RISCV,
          .version = ELF64_VERSION,
          .phoff = sizeof(struct elf64_header),
          .phentsize = sizeof(struct elf64_program_header),
          .phnum = 1},
         {.type = ELF64_LOAD, .flags = ELF64_R}};

/* From the linker script of a payload. */
const char __image_start[1] = {0};
const char __image_end[1] = {0};

/* ---- The kernel --------------------------------------------------------------------------------- */

static struct {
    int64_t pid;       /* of this task */
    int64_t next_slot; /* also the next child's pid */
    uint32_t calls;
    uint32_t execs;
} kernel;

struct nx_result nx_call(uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5,
                         uint64_t number)
{
    (void)a0, (void)a1, (void)a3, (void)a4, (void)a5;
    kernel.calls++;
    switch (number) {
    case NX_SYS_GETPID:
        return (struct nx_result){kernel.pid, 0};
    case NX_SYS_MAP:
        return (struct nx_result){-NX_ENOSYS, 0};
    case NX_SYS_EXEC:
        kernel.execs++;
        return (struct nx_result){kernel.next_slot++, 0};
    case NX_SYS_VMO_CREATE:
    case NX_SYS_CAP_CLONE:
    case NX_SYS_EP_CREATE:
    case NX_SYS_EP_CREATE_FOR:
    case NX_SYS_VMO_SHARE_RO:
        return (struct nx_result){kernel.next_slot++, 0};
    case NX_SYS_CAP_TRANSFER: /* the child's slots: 1 for its receiving end, 2 for its sending end */
        return (struct nx_result){a2 == NX_RIGHT_RECV ? 1 : 2, 0};
    default:
        return (struct nx_result){0, 0};
    }
}

/* ---- The task ----------------------------------------------------------------------------------- */

static struct vmo_registry *registry;
static uint32_t children; /* in all cases */

static int task_make(void **state)
{
    static alignas(16) uint8_t storage[VMO_REGISTRY_BYTES(4, 1, 1, 4)];
    static const struct vmo_limits limits = {.objects = 4, .mappings = 1, .views = 1, .peers = 4};

    (void)state;
    kernel.next_slot = 100;
    kernel.execs = 0;
    return vmo_registry_init(storage, sizeof(storage), &limits, &registry) == VMO_OK ? 0 : -1;
}

/* The program must be in user memory (be_is_user). */
static vmo_status try_spawn(vmo_peer_t *peer)
{
    static void *low;

    if (low == NULL) {
        low = mmap(USER_MEMORY, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        assert_ptr_equal(low, USER_MEMORY);
        memcpy(low, &elf, sizeof(elf));
    }
    return vmo_peer_spawn(registry, &(struct vmo_program){low, sizeof(elf), 4}, peer);
}

static vmo_peer_t spawn(void)
{
    vmo_peer_t peer = {0};

    assert_int_equal(try_spawn(&peer), VMO_OK);
    assert_int_equal(vmo_peer_allow(registry, peer), VMO_OK);
    children++;
    return peer;
}

static vmo_t create(void)
{
    vmo_t vmo = VMO_NONE;

    assert_int_equal(vmo_create(registry, PAGE, &vmo), VMO_OK);
    return vmo;
}

static void send_to(vmo_peer_t peer, vmo_t vmo)
{
    const struct vmo_message message = {.vmo = vmo, .rights = VMO_RIGHT_READ};

    assert_int_equal(vmo_send(registry, peer, &message, 0), VMO_OK);
}

static void assert_in_flight(vmo_t vmo)
{
    const uint32_t calls = kernel.calls;

    assert_int_equal(vmo_destroy(registry, vmo), VMO_ERR_STILL_SHARED);
    assert_int_equal(kernel.calls, calls);
}

/* ---- Cases -------------------------------------------------------------------------------------- */

/* When a child closes the channel, its messages stay in its parent's queue. The backend reads the pid once,
 * so this case runs first and in its own process. */
static void in_flight_for_good_to_the_parent(void **state)
{
    const pid_t child = fork();
    vmo_peer_t parent = {0};
    int status = -1;

    assert_true(child >= 0);
    if (child == 0) {
        kernel.pid = NX_PID_INIT + 1;
        bool good = task_make(state) == 0 && vmo_peer_parent(registry, &parent) == VMO_OK &&
                    vmo_peer_allow(registry, parent) == VMO_OK;
        const vmo_t vmo = create();
        const vmo_t other = create();
        send_to(parent, vmo);
        good = good && vmo_destroy(registry, vmo) == VMO_ERR_STILL_SHARED &&
               vmo_peer_close(registry, parent) == VMO_OK &&
               vmo_destroy(registry, vmo) == VMO_ERR_STILL_SHARED && vmo_destroy(registry, other) == VMO_OK;
        _exit(good ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void in_flight_until_the_channel_is_closed(void **state)
{
    const vmo_peer_t peer = spawn();
    const vmo_t vmo = create();
    const vmo_t never_sent = create();

    (void)state;
    send_to(peer, vmo);
    assert_in_flight(vmo);
    assert_int_equal(vmo_destroy(registry, never_sent), VMO_OK);
    assert_int_equal(vmo_peer_close(registry, peer), VMO_OK);
    assert_int_equal(vmo_destroy(registry, vmo), VMO_OK);
}

static void in_flight_until_each_channel_is_closed(void **state)
{
    const vmo_peer_t peers[] = {spawn(), spawn(), spawn()};
    const vmo_t vmo = create();

    (void)state;
    send_to(peers[0], vmo);
    send_to(peers[2], vmo);
    assert_int_equal(vmo_peer_close(registry, peers[1]), VMO_OK);
    assert_int_equal(vmo_peer_close(registry, peers[2]), VMO_OK);
    assert_in_flight(vmo);
    const vmo_peer_t later = spawn(); /* in the registry's entry of a closed one */
    assert_int_equal(vmo_peer_close(registry, later), VMO_OK);
    assert_in_flight(vmo);
    assert_int_equal(vmo_peer_close(registry, peers[0]), VMO_OK);
    assert_int_equal(vmo_destroy(registry, vmo), VMO_OK);
}

/* The watch stays when the channel ends: the child can still be waited for. */
static void child_after_its_channel(void **state)
{
    const vmo_t vmo = create();
    const vmo_peer_t peer = spawn();
    struct be_peer own;
    int32_t status = 99;

    (void)state;
    assert_int_equal(be_spawn(&(struct vmo_program){USER_MEMORY, sizeof(elf), 4}, &own), VMO_OK);
    children++;
    assert_int_equal(be_peer_kill(&own), VMO_ERR_UNSUPPORTED);
    assert_int_equal(be_peer_hangup(&own), VMO_OK);
    assert_int_equal(be_peer_hangup(&own), VMO_OK);
    assert_int_equal(be_peer_wait(&own, 0, &status), VMO_ERR_TIMED_OUT); /* it has not ended yet */
    assert_int_equal(status, 99);
    assert_int_equal(be_peer_close(&own), VMO_OK);
    assert_int_equal(be_peer_wait(&own, 0, &status), VMO_ERR_UNSUPPORTED);
    assert_int_equal(vmo_peer_close(registry, peer), VMO_OK);
    assert_int_equal(vmo_destroy(registry, vmo), VMO_OK);
}

/* One boot has channels for more children than the kernel has endpoint ids. */
static void every_channel_of_a_boot(void **state)
{
    vmo_peer_t peer = {7, 7};
    uint32_t made = 0;

    (void)state;
    for (; try_spawn(&peer) == VMO_OK; made++) {
        const vmo_t vmo = create();
        assert_int_equal(vmo_peer_allow(registry, peer), VMO_OK);
        send_to(peer, vmo);
        assert_in_flight(vmo);
        assert_int_equal(vmo_peer_close(registry, peer), VMO_OK);
        assert_int_equal(vmo_destroy(registry, vmo), VMO_OK);
        peer.id = 7;
    }
    assert_int_equal(children + made, CHILDREN_MAX);
    assert_int_equal(try_spawn(&peer), VMO_ERR_NO_SLOTS);
    assert_int_equal(peer.id, 7);
    assert_int_equal(kernel.execs, made); /* none for the refused spawns */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(in_flight_for_good_to_the_parent),
        cmocka_unit_test_setup(in_flight_until_the_channel_is_closed, task_make),
        cmocka_unit_test_setup(in_flight_until_each_channel_is_closed, task_make),
        cmocka_unit_test_setup(child_after_its_channel, task_make),
        cmocka_unit_test_setup(every_channel_of_a_boot, task_make),
    };
    kernel.pid = NX_PID_INIT;
    return cmocka_run_group_tests_name("neuron/in-flight", tests, NULL, NULL);
}
