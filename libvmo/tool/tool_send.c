/* SPDX-License-Identifier: Apache-2.0 */
/* vmo send: hands a file over as a VMO that is sealed for ever. The receiver starts to hash as soon as it has
 * the VMO, so both sides hash in parallel. */
#include <string.h>

#include "tool_handover.h"
#include "tool_socket.h"

static const char help[] =
    "Usage: vmo send [OPTION]... SOCKET FILE\n"
    "Hands FILE, or standard input for '-', to the 'vmo recv' that listens on SOCKET, as memory that nobody\n"
    "can change. Prints its SHA-256 when the receiver has it.\n"
    "\n"
    "      --no-digest       compute and print no SHA-256\n"
    "      --max=BYTES       most memory for FILE (default: half of this machine's)\n"
    "      --timeout=SECONDS fail after this time; until then wait for a receiver\n"
    "      --progress=WHEN   auto (default: on a terminal), always, never\n";

static const struct tool_option known[] = {
    {HANDOVER_NO_DIGEST, "no-digest", false},
    {HANDOVER_MAX, "max", true},
    {HANDOVER_TIMEOUT, "timeout", true},
    {HANDOVER_PROGRESS, "progress", true},
    {0, NULL, false},
};

/* True if the receiver took the file, and read the same bytes. */
static bool receive_answer(const struct handover *handover, const uint8_t digest[VMO_SHA256_BYTES])
{
    struct handover_answer answer;

    if (!handover_receive(handover, HANDOVER_ANSWER, &answer, sizeof(answer), NULL)) {
        return false;
    }
    if (!answer.taken) {
        tool_say(handover->socket, "the receiver failed; it says why");
        return false;
    }
    if (handover->digest && answer.has_digest && memcmp(answer.digest, digest, VMO_SHA256_BYTES) != 0) {
        tool_say(handover->socket, "the receiver read other bytes");
        return false;
    }
    return true;
}

static bool hand_over(const struct handover *handover)
{
    struct tool_file file = {.vmo = VMO_NONE};
    struct handover_file about = {.digest_follows = handover->digest};
    struct handover_digest digest;

    if (!tool_fill(&handover->work, handover->file, VMO_SEAL_FOREVER, &file)) {
        return false;
    }
    about.len_bytes = file.len_bytes;
    about.sparse = file.sparse;
    if (!handover_send(handover, HANDOVER_FILE, &about, sizeof(about), file.vmo)) {
        return false;
    }
    memset(&digest, 0, sizeof(digest));
    if (handover->digest && (!tool_hash(&handover->work, &file, digest.digest) ||
                             !handover_send(handover, HANDOVER_DIGEST, &digest, sizeof(digest), VMO_NONE))) {
        return false;
    }
    if (!receive_answer(handover, digest.digest)) {
        return false;
    }
    if (handover->digest) {
        handover_print(handover, digest.digest, false);
    }
    return true;
}

int tool_send(int count, char **list)
{
    struct tool_words words = {.options = known, .count = count, .words = list};
    struct handover handover = {.digest = true};

    for (int next = tool_next(&words); next != TOOL_END; next = tool_next(&words)) {
        if (next == TOOL_HELP) {
            fputs(help, stdout);
            return TOOL_OK;
        }
        if (next == TOOL_OPERAND && handover.file != NULL) {
            return tool_usage(words.value, "one operand too many");
        }
        if (next == TOOL_OPERAND) {
            *(handover.socket == NULL ? &handover.socket : &handover.file) = words.value;
        } else if (next == TOOL_BAD || (next != TOOL_DASHES && !handover_set(&handover, next, words.value))) {
            return TOOL_USAGE;
        }
    }
    if (handover.file == NULL) {
        return tool_usage(handover.socket == NULL ? "SOCKET" : "FILE", "missing; try 'vmo send --help'");
    }
    if (!tool_is_socket_path(handover.socket)) {
        return TOOL_USAGE;
    }
    if (!handover_begin(&handover)) {
        return TOOL_FAILED;
    }
    const int end = tool_connect(handover.socket, handover.has_timeout);
    if (end < 0 || !handover_open(&handover, end)) {
        return TOOL_FAILED;
    }
    const vmo_status allowed = vmo_peer_allow(handover.work.registry, handover.peer);
    if (allowed != VMO_OK) {
        return tool_say_status(handover.socket, allowed);
    }
    return hand_over(&handover) ? TOOL_OK : TOOL_FAILED;
}
