/* SPDX-License-Identifier: Apache-2.0 */
/* The groups of cases. */
#ifndef CONF_GROUPS_H
#define CONF_GROUPS_H

#include "conformance/conf.h"

#define CONF_CASE_COUNT(cases) (sizeof(cases) / sizeof(cases)[0])

extern const struct conf_group conf_life, conf_handles, conf_bytes, conf_views, conf_slices, conf_dup,
    conf_wrap, conf_descriptors, conf_seals, conf_messages, conf_channel, conf_transfer, conf_claims,
    conf_many, conf_ends, conf_ends_with_vmos, conf_stream, conf_stream_sizes, conf_fill, conf_rounds,
    conf_full_slots, conf_full_maps, conf_full_memory;

#endif
