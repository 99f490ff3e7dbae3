/* SPDX-License-Identifier: Apache-2.0 */
/* Answers without filling: writes elsewhere. */
#include <stddef.h>

#include "vmo/vmo.h"

#define MEMORY_BYTES 16384 /* at least the memory of this run */

uint8_t *__real_vmo_view_data_rw(struct vmo_registry *registry, vmo_view_t view);
uint8_t *__wrap_vmo_view_data_rw(struct vmo_registry *registry, vmo_view_t view);

uint8_t *__wrap_vmo_view_data_rw(struct vmo_registry *registry, vmo_view_t view)
{
    static uint8_t elsewhere[MEMORY_BYTES];
    return __real_vmo_view_data_rw(registry, view) == NULL ? NULL : elsewhere;
}
