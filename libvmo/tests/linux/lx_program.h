/* SPDX-License-Identifier: Apache-2.0 */
/* Spawning lx_child, for the tests of children. */
#ifndef TESTS_LX_PROGRAM_H
#define TESTS_LX_PROGRAM_H

#include "lx_test.h"

extern struct vmo_program program;

/* Maps lx_child, which lies in the folder of the test program `self`. */
bool program_load(char *self);

/* Spawns lx_child to play this part. */
vmo_peer_t spawned(const char *part);
/* Waits for a child; returns its exit status. */
int32_t waited_for(vmo_peer_t peer);
/* The tag of the child's next message. */
uint32_t reply_tag(vmo_peer_t peer);

#endif
