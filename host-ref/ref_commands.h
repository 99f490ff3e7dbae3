/* SPDX-License-Identifier: Apache-2.0 */
/* The commands. Each takes the words after its own name, and says a line for whatever it refuses. */
#ifndef REF_COMMANDS_H
#define REF_COMMANDS_H

#include "ref_say.h"

enum ref_status ref_cmd_digest(int arg_count, char *const *args);
enum ref_status ref_cmd_challenge(int arg_count, char *const *args);
enum ref_status ref_cmd_verify(int arg_count, char *const *args);
enum ref_status ref_cmd_expected(int arg_count, char *const *args);

#endif
