/* SPDX-License-Identifier: Apache-2.0 */
/* K-03: one call too many from the same instruction. */
#include "evil/evil.h"

int main(void)
{
    int64_t answered = 0;
    for (int i = 0; i < NX_STORM_LIMIT + 2; i++) {
        answered += CALL(NX_SYS_GETPID, 0) == NX_PID_INIT;
    }
    evil_says("answered", answered);
    SAYS("getpid", NX_SYS_GETPID, 0); /* the console's calls have reset the counter */
    return 0;
}
