/* SPDX-License-Identifier: Apache-2.0 */
/* K-61: blocks in wait for a child that exits, and is the last other task. */
#include "evil/evil.h"

int main(void)
{
    SAYS("wait", NX_SYS_WAIT, evil_start(child_exits));
    return 0;
}
