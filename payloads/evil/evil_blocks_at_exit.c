/* SPDX-License-Identifier: Apache-2.0 */
/* K-61: a child exits while its parent, the only other task, blocks; first without, then with a deadline. */
#include "evil/evil.h"

#define MS UINT64_C(1000000)

int main(void)
{
    const uint64_t first = evil_start(child_exits);
    evil_says("recv", evil_recv(NX_SLOT_BOOTSTRAP, 0, 0));
    SAYS("wait", NX_SYS_WAIT, first);

    const uint64_t second = evil_start(child_exits);
    const uint64_t deadline_ns = (uint64_t)CALL(NX_SYS_NSEC, 0) + MS;
    evil_says("recv until a deadline", evil_recv(NX_SLOT_BOOTSTRAP, 0, deadline_ns));
    SAYS("wait", NX_SYS_WAIT, second);
    return 0;
}
