/* SPDX-License-Identifier: Apache-2.0 */
/* Messages and names. */
#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "tool.h"

#define LINE_BYTES 8192 /* longer than any path */

/* Appends one character to a line that has room for it; a control character as \ooo. */
static size_t put(char line[LINE_BYTES], size_t at, char character)
{
    const unsigned char byte = (unsigned char)character;
    const bool control = byte < 32 || byte == 127;

    if (at + 6 > LINE_BYTES) {
        return at;
    }
    if (!control) {
        line[at] = character;
        return at + 1;
    }
    line[at] = '\\';
    line[at + 1] = (char)('0' + (byte >> 6));
    line[at + 2] = (char)('0' + (byte >> 3 & 7));
    line[at + 3] = (char)('0' + (byte & 7));
    return at + 4;
}

static size_t put_text(char line[LINE_BYTES], size_t at, const char *text)
{
    for (; *text != '\0'; text++) {
        at = put(line, at, *text);
    }
    return at;
}

void tool_say(const char *what, const char *why, ...)
{
    char line[LINE_BYTES], text[LINE_BYTES];
    size_t at = 0;
    va_list list;

    va_start(list, why);
    (void)vsnprintf(text, sizeof(text), why, list);
    va_end(list);
    at = put_text(line, at, "vmo: ");
    at = put_text(line, at, *what != '\0' ? what : "''");
    at = put_text(line, at, ": ");
    at = put_text(line, at, text);
    line[at++] = '\n';
    tool_progress_clear();
    (void)fwrite(line, 1, at, stderr);
    (void)fflush(stderr);
}

int tool_say_errno(const char *what)
{
    tool_say(what, "%s", strerror(errno));
    return TOOL_FAILED;
}

/* The library advises programmers. These statuses say something to users, too. */
int tool_say_status(const char *what, vmo_status status)
{
    static const struct {
        vmo_status status;
        const char *text;
    } texts[] = {
        {VMO_ERR_PEER_GONE, "the other side has ended"},
        {VMO_ERR_TIMED_OUT, "the time is over"},
        {VMO_ERR_NOT_SEALED, "the memory is not sealed so that nobody can write it"},
        {VMO_ERR_PROTOCOL, "the other side is no vmo command: it sent a malformed message"},
        {VMO_ERR_TOO_LARGE, "larger than a VMO or the limit of file sizes (ulimit -f) allows"},
        {VMO_ERR_NO_MEMORY, "out of memory"},
        {VMO_ERR_NO_SLOTS, "too many open files (ulimit -n) or mappings"},
        {VMO_ERR_UNSUPPORTED, "this system does not allow it"},
    };
    const char *text = vmo_status_str(status);

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        text = texts[i].status == status ? texts[i].text : text;
    }
    tool_say(what, "%s", text);
    return TOOL_FAILED;
}

int tool_usage(const char *what, const char *why)
{
    tool_say(what, "%s", why);
    return TOOL_USAGE;
}

const char *tool_file_name(const char *file)
{
    return strcmp(file, "-") == 0 ? "standard input" : file;
}

/* ---- Digests as sha256sum(1) prints them ---------------------------------------------------------- */

void tool_print_hex(FILE *to, const uint8_t digest[VMO_SHA256_BYTES])
{
    for (size_t i = 0; i < VMO_SHA256_BYTES; i++) {
        fprintf(to, "%02x", digest[i]);
    }
}

bool tool_name_needs_escape(const char *name)
{
    return strpbrk(name, "\\\n\r") != NULL;
}

void tool_print_escaped(FILE *to, const char *name)
{
    for (; *name != '\0'; name++) {
        switch (*name) {
        case '\n':
            fputs("\\n", to);
            break;
        case '\r':
            fputs("\\r", to);
            break;
        case '\\':
            fputs("\\\\", to);
            break;
        default:
            putc(*name, to);
            break;
        }
    }
}

void tool_print_digest(FILE *to, const uint8_t digest[VMO_SHA256_BYTES], const char *name)
{
    if (tool_name_needs_escape(name)) {
        putc('\\', to);
    }
    tool_print_hex(to, digest);
    fputs("  ", to);
    tool_print_escaped(to, name);
    putc('\n', to);
}
