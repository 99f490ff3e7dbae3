/* SPDX-License-Identifier: Apache-2.0 */
/* The probe's second program: ELF files, which cost a1 address spaces that it never gives back (K-17). */
#include "probe/probe.h"

void probe_main(const uint64_t *start);

void probe_main(const uint64_t *start)
{
    (void)start;
    probe_revision_row();
    probe_elf();
    probe_done();
}
