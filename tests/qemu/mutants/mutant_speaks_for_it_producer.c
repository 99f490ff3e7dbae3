/* SPDX-License-Identifier: Apache-2.0 */
/* Prints the consumer's marker in its place, when the consumer would have printed it long ago. */
#include <stdio.h>
#include <string.h>

int __real_puts(const char *text);
int __wrap_puts(const char *text);

int __wrap_puts(const char *text)
{
    if (strcmp(text, "vmo: sha256 ok") == 0) {
        (void)__real_puts("vmo: consumer mapped ok");
    }
    return __real_puts(text);
}
