/* SPDX-License-Identifier: Apache-2.0 */
#include "name.h"

#include <stdint.h>

#include "vmo/vmo.h"

bool name_holds(const char *name)
{
    uint32_t len = 0;

    while (len <= VMO_NAME_MAX_BYTES && name[len] >= ' ' && name[len] <= '~') {
        len++;
    }
    return len >= 1 && len <= VMO_NAME_MAX_BYTES && name[len] == '\0';
}
