/* SPDX-License-Identifier: Apache-2.0 */
/* System calls and the ABI revision. Every other file of the probe uses this one. */
#include "probe/probe.h"

static struct probe_revision revision;

struct probe_answer probe_call(uint64_t number, const uint64_t args[6])
{
    static bool turn;
    turn = !turn;
    return turn ? probe_ecall_odd(number, args) : probe_ecall_even(number, args);
}

struct probe_revision probe_ask_revision(void)
{
    const uint64_t flags = NX_MAP_VALID | NX_MAP_READ | NX_MAP_USER;
    revision.as_self = CALL(NX_SYS_AS_SELF, 0);
    revision.map = CALL(NX_SYS_MAP, EMPTY_SLOT, NX_A1_MAP_BASE + 1, 0, flags);
    return revision;
}

bool probe_is_a1(void)
{
    return revision.map != -NX_ENOSYS;
}
