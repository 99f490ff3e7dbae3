/* SPDX-License-Identifier: Apache-2.0 */
/* K-65: init exits. */
#include "crt/crt_console.h"
#include "evil/evil.h"

int main(void)
{
    evil_says("exits with", 5);
    console_flush();
    SAYS("exit", NX_SYS_EXIT, 5);
    return 0;
}
