/* SPDX-License-Identifier: Apache-2.0 */
#include "vmo/vmo.h"

uint32_t vmo_version(void)
{
    return VMO_VERSION;
}
