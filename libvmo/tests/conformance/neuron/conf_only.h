/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONF_ONLY_H
#define CONF_ONLY_H

/* The group that this program runs, or NULL for all. One group fits into a kernel that never takes memory
 * back. */
extern const char *const conf_only;

#endif
