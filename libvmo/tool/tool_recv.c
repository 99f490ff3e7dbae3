/* SPDX-License-Identifier: Apache-2.0 */
/* vmo recv: takes a file from vmo send. Only memory that the kernel has sealed for ever is accepted. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tool_handover.h"
#include "tool_socket.h"

static const char help[] =
    "Usage: vmo recv [OPTION]... SOCKET [-o FILE]\n"
    "Listens on SOCKET, which it makes and removes, and receives one file from 'vmo send' without a copy.\n"
    "Checks and prints its SHA-256.\n"
    "\n"
    "  -o, --output=FILE     write the bytes to FILE; '-' is standard output, and the SHA-256 then goes to\n"
    "                        standard error\n"
    "      --no-digest       compute and print no SHA-256\n"
    "      --timeout=SECONDS fail after this time\n"
    "      --progress=WHEN   auto (default: on a terminal), always, never\n";

static const struct tool_option known[] = {
    {'o', "output", true},
    {HANDOVER_NO_DIGEST, "no-digest", false},
    {HANDOVER_TIMEOUT, "timeout", true},
    {HANDOVER_PROGRESS, "progress", true},
    {0, NULL, false},
};

/* ---- The output ----------------------------------------------------------------------------------- */

static bool to_standard_output(const struct handover *handover)
{
    return handover->file != NULL && strcmp(handover->file, "-") == 0;
}

static bool write_to(const struct handover *handover, const struct tool_file *file, int to)
{
    struct stat seen;

    if (fstat(to, &seen) != 0) {
        (void)tool_say_errno(handover->file);
        return false;
    }
    return tool_write_out(&handover->work, file, to, handover->file, S_ISREG(seen.st_mode));
}

static bool write_file(const struct handover *handover, const struct tool_file *file)
{
    if (handover->file == NULL) {
        return true;
    }
    if (to_standard_output(handover)) {
        return tool_write_out(&handover->work, file, STDOUT_FILENO, "standard output", false);
    }
    const int to = open(handover->file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, 0666);
    if (to < 0) {
        (void)tool_say_errno(handover->file);
        return false;
    }
    const bool good = write_to(handover, file, to);
    if (close(to) != 0 && good) {
        (void)tool_say_errno(handover->file);
        return false;
    }
    return good;
}

/* ---- The hand-over -------------------------------------------------------------------------------- */

/* Checks the sender's claims. False after a message. */
static bool check_claims(const struct handover *handover, const struct handover_file *about, vmo_t vmo)
{
    uint64_t len_bytes = 0;

    if (vmo.id != 0) {
        const vmo_status status = vmo_len(handover->work.registry, vmo, &len_bytes);
        if (status != VMO_OK) {
            (void)tool_say_status(handover->socket, status);
            return false;
        }
    }
    if (about->len_bytes > len_bytes || (about->len_bytes == 0) != (vmo.id == 0)) {
        tool_say(handover->socket, "the sender claims a false length");
        return false;
    }
    return true;
}

/* Hashes the file, and compares with the sender's digest if there is one. */
static bool check_digest(const struct handover *handover, const struct handover_file *about,
                         const struct tool_file *file, struct handover_answer *answer)
{
    struct handover_digest sent;

    answer->has_digest = handover->digest;
    if (handover->digest && !tool_hash(&handover->work, file, answer->digest)) {
        return false;
    }
    if (!about->digest_follows) {
        return true;
    }
    if (!handover_receive(handover, HANDOVER_DIGEST, &sent, sizeof(sent), NULL)) {
        return false;
    }
    if (handover->digest && memcmp(sent.digest, answer->digest, VMO_SHA256_BYTES) != 0) {
        tool_say(handover->socket, "the sender's SHA-256 is that of other bytes");
        return false;
    }
    return true;
}

static bool take(const struct handover *handover, const struct handover_file *about, vmo_t vmo)
{
    const struct tool_file file = {.vmo = vmo, .len_bytes = about->len_bytes, .sparse = about->sparse != 0};
    struct handover_answer answer;

    memset(&answer, 0, sizeof(answer));
    const bool good = check_claims(handover, about, vmo) && check_digest(handover, about, &file, &answer) &&
                      write_file(handover, &file);
    answer.taken = good;
    if (!handover_send(handover, HANDOVER_ANSWER, &answer, sizeof(answer), VMO_NONE) || !good) {
        return false;
    }
    if (handover->digest) {
        handover_print(handover, answer.digest, to_standard_output(handover));
    }
    return true;
}

/* ---- Senders -------------------------------------------------------------------------------------- */

/* True once the peer has a message; false if it left without one. */
static vmo_status wait_for_message(const struct handover *handover, bool *left)
{
    struct vmo_polled polled = {.peer = handover->peer, .wanted = VMO_POLL_MESSAGE};
    const vmo_status status = vmo_poll(handover->work.registry, &polled, 1, handover->work.deadline_ns);

    *left = status == VMO_OK && !(polled.found & VMO_POLL_MESSAGE);
    return status;
}

/* Takes connections until a sender has a file. One that leaves before, because it was interrupted or could
 * not read its file, is no reason to fail. */
static bool wait_for_sender(struct handover *handover, int listener)
{
    for (bool left = true; left;) {
        const int end = tool_accept(handover->socket, listener);
        if (end < 0 || !handover_open(handover, end)) {
            return false;
        }
        vmo_status status = vmo_peer_require(handover->work.registry, handover->peer, VMO_SEAL_FOREVER);
        if (status == VMO_OK) {
            status = wait_for_message(handover, &left);
        }
        if (status == VMO_OK && left) {
            tool_say(handover->socket, "a sender left without a file; waiting for another");
            status = vmo_peer_close(handover->work.registry, handover->peer);
        }
        if (status != VMO_OK) {
            (void)tool_say_status(handover->socket, status);
            return false;
        }
    }
    return true;
}

static bool receive(struct handover *handover)
{
    struct handover_file about;
    vmo_t vmo = VMO_NONE;
    const int listener = tool_listen(handover->socket);
    const bool came = listener >= 0 && wait_for_sender(handover, listener);

    tool_remove_socket();
    if (listener >= 0) {
        (void)close(listener);
    }
    return came && handover_receive(handover, HANDOVER_FILE, &about, sizeof(about), &vmo) &&
           take(handover, &about, vmo);
}

int tool_recv(int count, char **list)
{
    struct tool_words words = {.options = known, .count = count, .words = list};
    struct handover handover = {.digest = true};

    for (int next = tool_next(&words); next != TOOL_END; next = tool_next(&words)) {
        if (next == TOOL_HELP) {
            fputs(help, stdout);
            return TOOL_OK;
        }
        if (next == TOOL_OPERAND && handover.socket != NULL) {
            return tool_usage(words.value, "one operand too many");
        }
        if (next == TOOL_OPERAND) {
            handover.socket = words.value;
        } else if (next == 'o') {
            handover.file = words.value;
        } else if (next == TOOL_BAD || (next != TOOL_DASHES && !handover_set(&handover, next, words.value))) {
            return TOOL_USAGE;
        }
    }
    if (handover.socket == NULL) {
        return tool_usage("SOCKET", "missing; try 'vmo recv --help'");
    }
    if (!tool_is_socket_path(handover.socket)) {
        return TOOL_USAGE;
    }
    return handover_begin(&handover) && receive(&handover) ? TOOL_OK : TOOL_FAILED;
}
