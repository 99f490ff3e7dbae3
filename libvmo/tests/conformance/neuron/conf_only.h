/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONF_ONLY_H
#define CONF_ONLY_H

/* The group that this program runs, or NULL for all. A kernel that never frees memory can run one group in a
 * boot. */
extern const char *const conf_only;

#endif
