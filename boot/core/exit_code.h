/* SPDX-License-Identifier: Apache-2.0 */
/* The exit codes of the guest: EXIT_DONE and so on. */
#ifndef CORE_EXIT_CODE_H
#define CORE_EXIT_CODE_H

enum exit_code {
#define EXIT_CODE(code, outcome, meaning) EXIT_##outcome = code,
#include "core/exit_codes.def"
};

#endif
