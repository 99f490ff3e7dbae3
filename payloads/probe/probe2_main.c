/* SPDX-License-Identifier: Apache-2.0 */
/* The second probe program: ELF files. It is separate because a1 never frees address spaces (K-17). */
#include "probe/probe.h"

void probe_main(const uint64_t *start);

void probe_main(const uint64_t *start)
{
    (void)start;
    probe_revision_row();
    probe_elf();
    probe_done();
}
