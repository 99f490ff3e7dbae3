/* SPDX-License-Identifier: Apache-2.0 */
/* K-65: init faults. */
#include "evil/evil.h"

int main(void)
{
    evil_says("loads from", UNMAPPED);
    evil_says("loaded", *(volatile const uint8_t *)(uintptr_t)UNMAPPED);
    return 0;
}
