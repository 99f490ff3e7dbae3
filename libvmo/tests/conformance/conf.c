/* SPDX-License-Identifier: Apache-2.0 */
/* Checks and tools for the cases. */
#include "conformance/conf.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdalign.h>
#include <stdio.h>

#include "conformance/conf_run.h"

struct conf_world world;
const struct vmo_limits conf_limits = {
    .objects = OBJECTS, .mappings = MAPPINGS, .views = VIEWS, .peers = PEERS};

static jmp_buf back;
static struct refusal {
    struct vmo_counters counters;
    uint64_t mark;
} before;

/* ---- Checks ------------------------------------------------------------------------------------- */

bool conf_guarded(void (*run)(void))
{
    if (setjmp(back) != 0) {
        return false;
    }
    run();
    return true;
}

_Noreturn void conf_fail(const char *file, int line, const char *text, uint64_t found, uint64_t wanted)
{
    printf("# %s:%d: %s: found %" PRIu64 " (0x%" PRIx64 "), wanted %" PRIu64 "\n", file, line, text, found,
           found, wanted);
    longjmp(back, 1);
}

void conf_status(const char *file, int line, const char *call, vmo_status found, vmo_status wanted)
{
    if (found != wanted) {
        printf("# %s:%d: %s: %s instead of %s\n", file, line, call, vmo_status_name(found),
               vmo_status_name(wanted));
        longjmp(back, 1);
    }
}

struct vmo_counters conf_counters(void)
{
    struct vmo_counters counters;

    memset(&counters, 0xff, sizeof(counters));
    vmo_counters_read(world.a, &counters);
    return counters;
}

void conf_before(void)
{
    before = (struct refusal){conf_counters(), conf_port_mark()};
}

void conf_after(const char *file, int line, const char *call)
{
    const struct vmo_counters now = conf_counters();

    if (memcmp(&now, &before.counters, sizeof(now)) != 0) {
        printf("# %s was refused, but changed a counter\n", call);
        conf_fail(file, line, "counters", 1, 0);
    }
    if (conf_port_mark() != before.mark) {
        printf("# %s was refused, but changed the task's use of kernel tables\n", call);
        conf_fail(file, line, "held", conf_port_mark(), before.mark);
    }
}

/* ---- Registries --------------------------------------------------------------------------------- */

struct vmo_registry *conf_second(const struct vmo_limits *limits)
{
    static alignas(16) uint8_t storage[VMO_REGISTRY_BYTES(600, 600, 600, 2)];
    struct vmo_registry *registry = NULL;

    OK(vmo_registry_init(storage, sizeof(storage), limits, &registry));
    return registry;
}

void conf_fini(struct vmo_registry *registry)
{
    OK(vmo_registry_fini(registry));
}

/* ---- VMOs --------------------------------------------------------------------------------------- */

vmo_t conf_create(uint64_t len)
{
    vmo_t vmo = VMO_NONE;

    OK(vmo_create(world.a, len, &vmo));
    return vmo;
}

vmo_t conf_filled(uint64_t len)
{
    static uint8_t bytes[PAGE];
    const vmo_t vmo = conf_create(len);

    for (uint64_t off = 0; off < len; off += PAGE) {
        const uint64_t part = len - off < PAGE ? len - off : PAGE;
        for (uint64_t i = 0; i < part; i++) {
            bytes[i] = conf_pattern(off + i);
        }
        OK(vmo_write(world.a, vmo, RANGE(off, part), bytes));
    }
    return vmo;
}

void conf_check_pattern(const uint8_t *bytes, uint64_t off, uint64_t len)
{
    CHECK(bytes != NULL);
    for (uint64_t i = 0; i < len; i++) {
        CHECK_EQ(bytes[i], conf_pattern(off + i));
    }
}

void conf_check_vmo(vmo_t vmo, uint64_t off, uint64_t len)
{
    static uint8_t bytes[PAGE];

    while (len > 0) {
        const uint64_t part = len < PAGE ? len : PAGE;
        OK(vmo_read(world.a, vmo, RANGE(off, part), bytes));
        conf_check_pattern(bytes, off, part);
        off += part;
        len -= part;
    }
}

vmo_view_t conf_map_ro(vmo_t vmo, uint64_t off, uint64_t len)
{
    vmo_view_t view = NO_VIEW;

    OK(vmo_map_ro(world.a, vmo, RANGE(off, len), &view));
    return view;
}

vmo_view_t conf_map_rw(vmo_t vmo, uint64_t off, uint64_t len)
{
    vmo_view_t view = NO_VIEW;

    OK(vmo_map_rw(world.a, vmo, RANGE(off, len), &view));
    return view;
}

/* A VMO that was mapped and cannot be unmapped cannot be destroyed. */
void conf_release_in(struct vmo_registry *registry, vmo_t vmo)
{
    if (can(HAS_DESTROY) && (can(HAS_UNMAP) || !can(HAS_MAP))) {
        OK(vmo_destroy(registry, vmo));
    } else {
        OK(vmo_close(registry, vmo));
    }
}

void conf_release(vmo_t vmo)
{
    conf_release_in(world.a, vmo);
}

void conf_close_forever(vmo_t vmo)
{
    OK(vmo_close(world.a, vmo));
}

static void check_name(void *context, const struct vmo_live *live)
{
    const char *const *name = context;

    CHECK(strcmp(live->name, can(HAS_NAMES) && live->kind != VMO_LIVE_PEER ? *name : "") == 0);
}

void conf_check_names(const char *name)
{
    OK(vmo_registry_each(world.a, check_name, &name));
}

/* ---- The peer ----------------------------------------------------------------------------------- */

uint64_t conf_soon(void)
{
    return vmo_now_ns(world.a) + conf_port()->patience_ns;
}

void conf_send_order(const struct conf_order *order, vmo_t vmo, uint32_t rights)
{
    const struct vmo_message message = {
        .tag = order->op, .vmo = vmo, .rights = rights, .body = order, .body_bytes = sizeof(*order)};

    OK(vmo_send(world.a, world.to_peer, &message, conf_soon()));
}

struct conf_answer conf_recv_answer(void)
{
    struct vmo_incoming incoming = {0};
    struct conf_answer answer;

    OK(vmo_recv(world.a, world.to_peer, &incoming, conf_soon()));
    CHECK_EQ(incoming.vmo.id, VMO_NONE.id);
    CHECK_EQ(incoming.body_bytes, sizeof(answer));
    memcpy(&answer, incoming.body, sizeof(answer));
    return answer;
}

struct conf_answer conf_ask(const char *file, int line, struct conf_order order, vmo_status wanted)
{
    conf_send_order(&order, VMO_NONE, 0);
    const struct conf_answer answer = conf_recv_answer();
    conf_status(file, line, "the peer's answer", (vmo_status)answer.status, wanted);
    return answer;
}

struct conf_answer conf_hand_over(vmo_t vmo, uint32_t rights)
{
    const struct conf_order order = {.op = OP_TAKE};

    conf_send_order(&order, vmo, rights);
    const struct conf_answer answer = conf_recv_answer();
    STATUS((vmo_status)answer.status, VMO_OK);
    return answer;
}

vmo_t conf_recv_vmo(void)
{
    struct vmo_incoming incoming = {0};

    OK(vmo_recv(world.a, world.to_peer, &incoming, conf_soon()));
    CHECK(incoming.vmo.id != VMO_NONE.id);
    return incoming.vmo;
}
