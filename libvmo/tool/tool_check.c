/* SPDX-License-Identifier: Apache-2.0 */
/* vmo sum --check: the lists of sha256sum(1), BSD-style lines included. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tool_sum.h"

#define HEX_CHARACTERS ((size_t)VMO_SHA256_BYTES * 2)

/* How names follow digests: "HEX  NAME", or "HEX NAME" as some BSDs print. A list has one of them. */
enum spacing { UNKNOWN, TWO, ONE };

struct list {
    const char *name;
    const struct sum_options *options;
    enum spacing spacing;
    uint64_t line;
    uint64_t formatted, misformatted, matched, mismatched, unreadable;
};

struct entry {
    uint8_t digest[VMO_SHA256_BYTES];
    char *name;
};

/* ---- Parsing -------------------------------------------------------------------------------------- */

static int hex_value(char character)
{
    const char lower = (char)(character | 32);

    if (character >= '0' && character <= '9') {
        return character - '0';
    }
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

static bool parse_hex(const char *text, uint8_t digest[VMO_SHA256_BYTES])
{
    for (size_t i = 0; i < VMO_SHA256_BYTES; i++) {
        const int high = hex_value(text[2 * i]);
        const int low = high < 0 ? -1 : hex_value(text[2 * i + 1]);
        if (low < 0) {
            return false;
        }
        digest[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

/* Undoes tool_print_escaped in place. False if the name was not escaped so. */
static bool unescape(char *name)
{
    char *to = name;

    for (const char *from = name; *from != '\0'; from++) {
        if (*from != '\\') {
            *to++ = *from;
            continue;
        }
        from++;
        if (*from != 'n' && *from != 'r' && *from != '\\') {
            return false;
        }
        *to++ = *from == 'n' ? '\n' : *from == 'r' ? '\r' : '\\';
    }
    *to = '\0';
    return true;
}

/* "SHA256 (NAME) = HEX", after "SHA256". */
static bool parse_tagged(char *text, struct entry *entry)
{
    text += *text == ' ';
    if (*text != '(') {
        return false;
    }
    char *const close = strrchr(text, ')');
    if (close == NULL) {
        return false;
    }
    const char *hex = close + 1;
    hex += strspn(hex, " \t");
    if (*hex != '=') {
        return false;
    }
    hex++;
    hex += strspn(hex, " \t");
    entry->name = text + 1;
    *close = '\0';
    return strlen(hex) == HEX_CHARACTERS && parse_hex(hex, entry->digest);
}

/* "HEX  NAME", "HEX *NAME" or "HEX NAME". */
static bool parse_plain(struct list *list, char *text, struct entry *entry)
{
    if (!parse_hex(text, entry->digest)) {
        return false;
    }
    text += HEX_CHARACTERS;
    if (*text != ' ' && *text != '\t') {
        return false;
    }
    text++;
    const bool one = (*text != ' ' && *text != '*') || text[1] == '\0';
    if (one && list->spacing == TWO) {
        return false;
    }
    if (!one && list->spacing == ONE) {
        entry->name = text;
        return true;
    }
    list->spacing = one ? ONE : TWO;
    entry->name = one ? text : text + 1;
    return true;
}

static bool parse(struct list *list, char *text, struct entry *entry)
{
    text += strspn(text, " \t");
    const bool escaped = *text == '\\';
    text += escaped;
    const bool good = strncmp(text, "SHA256", 6) == 0 ? parse_tagged(text + 6, entry)
                      : strlen(text) > HEX_CHARACTERS ? parse_plain(list, text, entry)
                                                      : false;
    return good && entry->name[0] != '\0' && (!escaped || unescape(entry->name));
}

/* ---- Checking ------------------------------------------------------------------------------------- */

static void print_result(const char *name, const char *result)
{
    if (strchr(name, '\n') != NULL) {
        putchar('\\');
        tool_print_escaped(stdout, name);
    } else {
        fputs(name, stdout);
    }
    printf(": %s\n", result);
}

static void check_entry(struct list *list, const struct entry *entry)
{
    const struct sum_options *const options = list->options;
    uint8_t digest[VMO_SHA256_BYTES];
    const int failed = sum_hash_file(entry->name, digest);

    if (failed == ENOENT && options->ignore_missing) {
        return;
    }
    if (failed != 0) {
        list->unreadable++;
        tool_say(tool_file_name(entry->name), "%s", strerror(failed));
        if (!options->status) {
            print_result(entry->name, "FAILED open or read");
        }
        return;
    }
    const bool same = memcmp(digest, entry->digest, sizeof(digest)) == 0;
    list->matched += same;
    list->mismatched += !same;
    if (!options->status && !(same && options->quiet)) {
        print_result(entry->name, same ? "OK" : "FAILED");
    }
}

static void check_line(struct list *list, char *text, size_t len)
{
    struct entry entry;

    list->line++;
    while (len > 0 && text[len - 1] == '\n') {
        text[--len] = '\0';
    }
    if (len > 0 && text[len - 1] == '\r') {
        text[--len] = '\0';
    }
    if (text[0] == '#' || len == 0) {
        return;
    }
    if (parse(list, text, &entry)) {
        list->formatted++;
        check_entry(list, &entry);
        return;
    }
    list->misformatted++;
    if (list->options->warn) {
        tool_say(tool_file_name(list->name), "line %llu is no line of a SHA-256 list",
                 (unsigned long long)list->line);
    }
}

static void warn_count(const struct list *list, uint64_t count, const char *what)
{
    if (count != 0 && !list->options->status) {
        tool_say(tool_file_name(list->name), "%s: %llu", what, (unsigned long long)count);
    }
}

static bool judge(const struct list *list)
{
    const struct sum_options *const options = list->options;

    if (list->formatted == 0) {
        tool_say(tool_file_name(list->name), "has no line of a SHA-256 list");
        return false;
    }
    warn_count(list, list->misformatted, "improperly formatted lines");
    warn_count(list, list->unreadable, "listed files that could not be read");
    warn_count(list, list->mismatched, "digests that do not match");
    const bool none = options->ignore_missing && list->matched == 0;
    if (none && !options->status) {
        tool_say(tool_file_name(list->name), "no file was verified");
    }
    return !none && list->mismatched == 0 && list->unreadable == 0 &&
           (!options->strict || list->misformatted == 0);
}

bool sum_check(const char *name, const struct sum_options *options)
{
    const bool input = strcmp(name, "-") == 0;
    struct list list = {.name = name, .options = options};
    FILE *file = input ? stdin : fopen(name, "re");
    char *text = NULL;
    size_t room = 0;
    ssize_t len = 0;

    if (file == NULL) {
        (void)tool_say_errno(name);
        return false;
    }
    errno = 0;
    while ((len = getline(&text, &room, file)) > 0) {
        check_line(&list, text, (size_t)len);
        errno = 0;
    }
    const int failed = ferror(file) ? errno : 0;
    free(text);
    if (!input) {
        (void)fclose(file); /* it was only read */
    }
    if (failed != 0) {
        tool_say(tool_file_name(name), "%s", strerror(failed));
        return false;
    }
    return judge(&list);
}
