/* SPDX-License-Identifier: Apache-2.0 */
/* All groups. Groups that use up a table or the memory come last. */
#include "conformance/conf_groups.h"

/* CONF_GROUPS in libvmo-tests.mk lists the same: each runs alone on a kernel that never frees memory. */
const struct conf_group *const conf_groups[] = {
    &conf_life,       &conf_handles,      &conf_bytes,       &conf_views,
    &conf_slices,     &conf_dup,          &conf_wrap,        &conf_descriptors,
    &conf_seals,      &conf_messages,     &conf_channel,     &conf_transfer,
    &conf_claims,     &conf_many,         &conf_ends,        &conf_ends_with_vmos,
    &conf_stream,     &conf_stream_sizes, &conf_fill,        &conf_rounds,
    &conf_full_slots, &conf_full_maps,    &conf_full_memory,
};
const size_t conf_group_count = CONF_CASE_COUNT(conf_groups);
