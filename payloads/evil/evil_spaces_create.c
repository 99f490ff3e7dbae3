/* SPDX-License-Identifier: Apache-2.0 */
/* K-17: one address space too many, by as_create. */
#include "evil/evil.h"

#define SPACES_A1 13

int main(void)
{
    int64_t made = 0;
    for (int i = 0; i < SPACES_A1; i++) {
        made += CALL(NX_SYS_AS_CREATE, 0) > 0;
    }
    evil_says("made", made);
    evil_says("one more:", CALL(NX_SYS_AS_CREATE, 0) > 0);
    return 0;
}
