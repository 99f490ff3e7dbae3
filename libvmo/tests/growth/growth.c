/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes each call a few times with many live objects, under callgrind; test_growth.py reads its counts.
 *   growth_fake LIVE ENTRIES
 *   growth_linux LIVE ENTRIES
 * Each side has LIVE VMOs and tables of ENTRIES entries.
 *
 * Half of our VMOs wrap bytes, since these need no kernel resources. These, and at most 8192 of the others,
 * are mapped.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <valgrind/callgrind.h>

#include "growth.h"

#define PAGE 4096
#define REPEATS 16
#define MAPPED_MAX 8192
#define SOON UINT64_MAX

struct vmo_registry *ours, *theirs;
vmo_peer_t child, parent;
static uint8_t bytes[PAGE];

void require(bool condition, const char *what)
{
    if (!condition) {
        (void)fprintf(stderr, "growth: failed: %s\n", what);
        exit(1);
    }
}

/* False in the first round, which makes growing tables large enough for the second. */
static bool counting;

static void toggle(void)
{
    if (counting) {
        CALLGRIND_TOGGLE_COLLECT;
    }
}

/* Writes the counts since the last call of finish, under this name. */
static void finish(const char *name)
{
    if (counting) {
        CALLGRIND_DUMP_STATS_AT(name);
    }
}

/* Counts the instructions of one call. */
#define COUNTED(call)                                                                                        \
    do {                                                                                                     \
        toggle();                                                                                            \
        const vmo_status status_ = (call);                                                                   \
        toggle();                                                                                            \
        require(status_ == VMO_OK, #call);                                                                   \
    } while (0)
#define REPEAT(name, call)                                                                                   \
    do {                                                                                                     \
        for (uint32_t i = 0; i < REPEATS; i++) {                                                             \
            COUNTED(call);                                                                                   \
        }                                                                                                    \
        finish(name);                                                                                        \
    } while (0)

/* Makes the live VMOs and frees some entries among them, so that no table is completely full. */
static void fill(uint32_t live)
{
    static vmo_t holes[REPEATS];
    vmo_t vmo;
    vmo_view_t view;

    for (uint32_t i = 0; i < live; i++) {
        const bool wrapped = i % 2 == 0;
        OK(wrapped ? vmo_wrap_bytes(ours, bytes, PAGE, &vmo) : vmo_create(ours, PAGE, &vmo));
        if (wrapped || i < 2 * MAPPED_MAX) {
            OK(vmo_map_ro(ours, vmo, (struct vmo_range){0, PAGE}, &view));
        }
        OK(vmo_wrap_bytes(theirs, bytes, PAGE, &vmo));
        if (i >= live / 2 && i - live / 2 < REPEATS) {
            OK(vmo_wrap_bytes(ours, bytes, PAGE, &holes[i - live / 2]));
        }
    }
    for (uint32_t i = 0; i < REPEATS && i < live - live / 2; i++) {
        OK(vmo_close(ours, holes[i]));
    }
}

static vmo_status receive(vmo_t *out)
{
    struct vmo_incoming incoming;
    const vmo_status status = vmo_recv(theirs, parent, &incoming, SOON);

    *out = incoming.vmo;
    return status;
}

/* Counts vmo_send, then vmo_recv. */
static void hand_over(const vmo_t *vmos, vmo_t *received)
{
    for (int pass = 0; pass < 2; pass++) {
        for (uint32_t i = 0; i < REPEATS; i++) {
            const struct vmo_message message = {.vmo = vmos[i], .rights = VMO_RIGHT_READ};
            if (pass == 0) {
                COUNTED(vmo_send(ours, child, &message, SOON));
            } else {
                OK(vmo_send(ours, child, &message, SOON));
            }
            growth_side(1);
            if (pass == 1) {
                COUNTED(receive(&received[i]));
            } else {
                OK(receive(&received[i]));
            }
            OK(pass == 0 ? vmo_close(theirs, received[i]) : VMO_OK);
            growth_side(0);
        }
        finish(pass == 0 ? "send" : "receive");
    }
}

/* Counts vmo_transfer, then vmo_accept. */
static void transfer_and_accept(const vmo_t *vmos)
{
    for (int pass = 0; pass < 2; pass++) {
        for (uint32_t i = 0; i < REPEATS; i++) {
            struct vmo_ticket ticket;
            vmo_t accepted;
            if (pass == 0) {
                COUNTED(vmo_transfer(ours, vmos[i], child, VMO_RIGHT_READ, &ticket));
            } else {
                OK(vmo_transfer(ours, vmos[i], child, VMO_RIGHT_READ, &ticket));
            }
            growth_side(1);
            if (pass == 1) {
                COUNTED(vmo_accept(theirs, parent, &ticket, &accepted));
            } else {
                OK(vmo_accept(theirs, parent, &ticket, &accepted));
            }
            OK(vmo_close(theirs, accepted));
            growth_side(0);
        }
        finish(pass == 0 ? "transfer" : "accept");
    }
}

static void measure(void)
{
    const struct vmo_range page = {0, PAGE};
    vmo_t vmos[REPEATS], more[REPEATS], received[REPEATS];
    vmo_view_t views[REPEATS], parts[REPEATS];
    vmo_peer_t peer;

    REPEAT("create", vmo_create(ours, PAGE, &vmos[i]));
    REPEAT("dup", vmo_dup(ours, vmos[i], VMO_RIGHT_READ, &more[i]));
    for (uint32_t i = 0; i < REPEATS; i++) {
        /* The kernel allocates the pages here, so that it is not counted. */
        OK(vmo_write(ours, vmos[i], (struct vmo_range){0, 1}, bytes));
    }
    REPEAT("map-miss", vmo_map_ro(ours, vmos[i], page, &views[i]));
    REPEAT("slice", vmo_slice(ours, views[i], (struct vmo_range){0, 1}, &parts[i]));
    REPEAT("unmap-slice", vmo_unmap(ours, parts[i]));
    REPEAT("unmap", vmo_unmap(ours, views[i]));
    REPEAT("map-hit", vmo_map_ro(ours, vmos[i], page, &views[i]));
    for (uint32_t i = 0; i < REPEATS; i++) {
        OK(vmo_unmap(ours, views[i]));
    }
    REPEAT("close-dup", vmo_close(ours, more[i]));
    REPEAT("destroy", vmo_destroy(ours, vmos[i]));
    for (uint32_t i = 0; i < REPEATS; i++) {
        OK(vmo_create(ours, PAGE, &vmos[i]));
    }
    hand_over(vmos, received);
    growth_side(1);
    REPEAT("close-received", vmo_close(theirs, received[i]));
    growth_side(0);
    transfer_and_accept(vmos);
    REPEAT("seal", vmo_seal(ours, vmos[i], VMO_SEAL_FOREVER));
    REPEAT("close", vmo_close(ours, vmos[i]));
    const int end = growth_new_end();
    COUNTED(growth_new_peer(end, &peer));
    finish("peer");
    COUNTED(vmo_peer_close(ours, peer));
    finish("peer_close");
}

int main(int argc, char **argv)
{
    require(argc == 3, "usage: growth_fake|growth_linux LIVE ENTRIES");
    const uint32_t live = (uint32_t)strtoul(argv[1], NULL, 10);
    growth_open((uint32_t)strtoul(argv[2], NULL, 10));
    fill(live);
    measure();
    counting = true;
    CALLGRIND_START_INSTRUMENTATION;
    measure();
    CALLGRIND_STOP_INSTRUMENTATION;
    return 0;
}
