/* SPDX-License-Identifier: Apache-2.0 */
/* K-60: blocks in wait for a child that faults. */
#include "evil/evil.h"

int main(void)
{
    SAYS("wait", NX_SYS_WAIT, evil_start(child_faults));
    return 0;
}
