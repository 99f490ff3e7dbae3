/* SPDX-License-Identifier: Apache-2.0 */
/* K-61: a child faults while its parent, the only other task, blocks. */
#include "evil/evil.h"

int main(void)
{
    const uint64_t pid = evil_start(child_faults);
    evil_says("recv", evil_recv(NX_SLOT_BOOTSTRAP, 0, 0));
    SAYS("wait", NX_SYS_WAIT, pid);
    return 0;
}
