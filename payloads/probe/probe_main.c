/* SPDX-License-Identifier: Apache-2.0 */
/* The first probe program: all calls. probe2 covers the refusals of ELF files. */
#include "probe/probe.h"

void probe_main(const uint64_t *start);

static void probe_common_parts(void)
{
    probe_cap();
    probe_endpoint();
    probe_ipc();
    probe_ipc_order();
    probe_ipc_move();
    probe_recv_v2();
    probe_child_lifecycle();
    probe_child_names();
    probe_child_waits();
    probe_child_faults();
}

void probe_main(const uint64_t *start)
{
    probe_revision_row();
    probe_start(start);
    probe_console();
    probe_vmo();
    if (probe_is_a1()) {
        probe_map_a1();
        probe_as();
        probe_common_parts();
    } else {
        probe_map_a2();
        probe_as();
        probe_share();
        probe_destroy();
        probe_common_parts();
        probe_child_memory();
        probe_last();
    }
    probe_done();
}
