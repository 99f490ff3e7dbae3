/* SPDX-License-Identifier: Apache-2.0 */
/* Options as getopt_long takes them, with one message for each mistake, the same with each C library. */
#include <stdlib.h>
#include <string.h>

#include "tool.h"

#define SECONDS_MAX UINT64_C(1000000000)
#define NS_PER_SECOND UINT64_C(1000000000)

static const struct tool_option *find_letter(const struct tool_words *words, char letter)
{
    for (const struct tool_option *option = words->options; option->name != NULL; option++) {
        if (option->id == (unsigned char)letter) {
            return option;
        }
    }
    return NULL;
}

static const struct tool_option *find_name(const struct tool_words *words, const char *name, size_t len)
{
    for (const struct tool_option *option = words->options; option->name != NULL; option++) {
        if (strlen(option->name) == len && memcmp(option->name, name, len) == 0) {
            return option;
        }
    }
    return NULL;
}

static int bad(const char *option, const char *why)
{
    (void)tool_usage(option, why);
    return TOOL_BAD;
}

/* The value of an option is the rest of its word or the next word. */
static int with_value(struct tool_words *words, const struct tool_option *option, const char *rest,
                      const char *shown)
{
    if (rest == NULL && words->at >= words->count) {
        return bad(shown, "needs a value");
    }
    words->value = rest != NULL ? rest : words->words[words->at++];
    return option->id;
}

static int next_letter(struct tool_words *words)
{
    const char shown[] = {'-', *words->cluster++, '\0'};
    const struct tool_option *option = find_letter(words, shown[1]);
    const char *rest = *words->cluster != '\0' ? words->cluster : NULL;

    if (rest == NULL || (option != NULL && option->has_value)) {
        words->cluster = NULL;
    }
    if (option == NULL) {
        return bad(shown, "no such option");
    }
    return option->has_value ? with_value(words, option, rest, shown) : option->id;
}

static int next_name(struct tool_words *words, const char *word)
{
    const char *const equals = strchr(word, '=');
    const size_t len = equals != NULL ? (size_t)(equals - word) : strlen(word);
    const struct tool_option *option = find_name(words, word + 2, len - 2);

    if (strcmp(word, "--help") == 0) {
        return TOOL_HELP;
    }
    if (option == NULL) {
        return bad(word, "no such option");
    }
    if (!option->has_value) {
        return equals == NULL ? option->id : bad(word, "this option takes no value");
    }
    return with_value(words, option, equals != NULL ? equals + 1 : NULL, word);
}

int tool_next(struct tool_words *words)
{
    if (words->cluster != NULL) {
        return next_letter(words);
    }
    if (words->at >= words->count) {
        return TOOL_END;
    }
    char *const word = words->words[words->at++];
    words->value = word;
    if (words->ended || word[0] != '-' || word[1] == '\0') {
        return TOOL_OPERAND;
    }
    if (strcmp(word, "--") == 0) {
        words->ended = true;
        return TOOL_DASHES;
    }
    if (word[1] == '-') {
        return next_name(words, word);
    }
    words->cluster = word + 1;
    return next_letter(words);
}

/* Digits up to a bound. Returns the first other character, or NULL if there is no digit or the number is too
 * large. */
static const char *digits(const char *text, uint64_t max, uint64_t *number)
{
    *number = 0;
    if (*text < '0' || *text > '9') {
        return NULL;
    }
    for (; *text >= '0' && *text <= '9'; text++) {
        *number = *number * 10 + (uint64_t)(*text - '0');
        if (*number > max) {
            return NULL;
        }
    }
    return text;
}

bool tool_seconds(const char *option, const char *text, uint64_t *ns)
{
    uint64_t seconds = 0, part = 0;
    const char *end = digits(text, SECONDS_MAX, &seconds);

    if (end != NULL && *end == '.') {
        uint64_t unit = NS_PER_SECOND / 10;
        for (end++; *end >= '0' && *end <= '9'; end++, unit /= 10) {
            part += unit * (uint64_t)(*end - '0');
        }
    }
    if (end == NULL || *end != '\0') {
        tool_say(option, "'%s' is no number of seconds from 0 to %llu", text,
                 (unsigned long long)SECONDS_MAX);
        return false;
    }
    *ns = seconds * NS_PER_SECOND + part;
    return true;
}

bool tool_number(const char *option, const char *text, uint64_t max, uint64_t *number)
{
    const char *end = digits(text, max, number);

    if (end == NULL || *end != '\0' || *number == 0) {
        tool_say(option, "'%s' is no whole number from 1 to %llu", text, (unsigned long long)max);
        return false;
    }
    return true;
}
