/* SPDX-License-Identifier: Apache-2.0 */
/* K-61: blocks in wait for a child, the only other task, that exits. */
#include "evil/evil.h"

int main(void)
{
    SAYS("wait", NX_SYS_WAIT, evil_start(child_exits));
    return 0;
}
