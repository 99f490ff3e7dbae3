/* SPDX-License-Identifier: Apache-2.0 */
/* Writes what it releases into a page of its own, and nothing into the return page. */
#include "wrap_stream.h"

uint8_t *__wrap_vmo_view_data_rw(struct vmo_registry *registry, vmo_view_t view)
{
    static uint8_t page[4096] __attribute__((aligned(4096)));
    return __real_vmo_view_data_rw(registry, view) == NULL ? NULL : page;
}
