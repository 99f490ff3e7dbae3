/* SPDX-License-Identifier: Apache-2.0 */
/* A VMO of a stream and its view: the pool, or the page of a consumer. */
#ifndef VMO_STREAM_PART_H
#define VMO_STREAM_PART_H

#include <stdbool.h>

#include "vmo/vmo.h"

struct stream_part {
    vmo_t vmo; /* VMO_NONE: there is none */
    vmo_view_t view;
};

/* Unmaps the VMO and closes it; `created`: gives it back to the kernel unless others hold or map it. A second
 * call goes on where the first was refused. */
VMO_CHECK vmo_status stream_part_end(struct vmo_registry *registry, struct stream_part *part, bool created);

#endif
