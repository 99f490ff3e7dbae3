/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONF_ONLY_H
#define CONF_ONLY_H

/* The group that this program runs; NULL: all of them. What an age never gives back is then enough for one.
 */
extern const char *const conf_only;

#endif
