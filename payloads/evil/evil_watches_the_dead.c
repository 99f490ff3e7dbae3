/* SPDX-License-Identifier: Apache-2.0 */
/* K-62: a death watch made after the child's end never answers, so blocking on it blocks alone (K-55). */
#include "evil/evil.h"

int main(void)
{
    const uint64_t pid = evil_start(child_exits);
    evil_let_run();
    const int64_t watch = CALL(NX_SYS_EP_CREATE_FOR, NX_SLOT_FACTORY, pid, 4);
    evil_says("create_for", watch);
    evil_says("poll", evil_recv((uint64_t)watch, NX_IPC_NONBLOCK, 0));
    evil_says("recv", evil_recv((uint64_t)watch, 0, 0));
    SAYS("wait", NX_SYS_WAIT, pid);
    return 0;
}
