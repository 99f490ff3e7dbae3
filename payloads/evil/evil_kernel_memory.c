/* SPDX-License-Identifier: Apache-2.0 */
/* No hazard: a load, a store and a jump to the kernel's code, its memory and its devices. Each must fault. */
#include "evil/evil.h"

#include <string.h>

static void reaches(const uint8_t *child, uint64_t va)
{
    static uint8_t code[CHILD_CODE_BYTES];
    memcpy(code, child, sizeof(code));
    memcpy(code + CHILD_ADDRESS_AT, &va, sizeof(va));
    evil_child_alone(code);
}

int main(void)
{
    static const uint64_t kernel[] = {0x80200000, 0x80400000, 0xC0000000};
    for (unsigned i = 0; i < sizeof(kernel) / sizeof(kernel[0]); i++) {
        reaches(child_loads, kernel[i]);
        reaches(child_stores, kernel[i]);
        reaches(child_jumps, kernel[i]);
    }
    reaches(child_stores, 0xC0001000); /* the finisher would end QEMU */
    return 0;
}
