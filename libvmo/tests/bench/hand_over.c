/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What vmo send and vmo recv do, by hand and without libvmo: a file as a memfd that is sealed, its descriptor
 * over a socket, and its SHA-256 on both sides at once. bench_tool.py runs it. hand_over recv SOCKET |
 * hand_over send SOCKET FILE
 */
#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define SEALS (F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_WRITE | F_SEAL_SEAL)
#define DIGEST_BYTES 32

static struct sockaddr_un address_of(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    if (strlen(path) >= sizeof(address.sun_path)) {
        errx(2, "%s: too long", path);
    }
    memcpy(address.sun_path, path, strlen(path) + 1);
    return address;
}

/* Maps and hashes a memfd. */
static void hash(int memory, uint64_t len, uint8_t digest[DIGEST_BYTES])
{
    const void *const bytes = mmap(NULL, len, PROT_READ, MAP_SHARED, memory, 0);

    if (bytes == MAP_FAILED) {
        err(1, "mmap");
    }
    if (EVP_Digest(bytes, len, digest, NULL, EVP_sha256(), NULL) != 1) {
        errx(1, "EVP_Digest");
    }
}

static void print(const uint8_t digest[DIGEST_BYTES], const char *name)
{
    for (int i = 0; i < DIGEST_BYTES; i++) {
        printf("%02x", digest[i]);
    }
    printf("  %s\n", name);
}

/* A message of one length, with a descriptor or without. */
static void tell(int end, uint64_t len, int memory)
{
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = {{0}};
    struct iovec body = {&len, sizeof(len)};
    struct msghdr message = {
        .msg_iov = &body, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)};
    struct cmsghdr *const header = CMSG_FIRSTHDR(&message);

    *header = (struct cmsghdr){
        .cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
    memcpy(CMSG_DATA(header), &memory, sizeof(memory));
    if (sendmsg(end, &message, MSG_NOSIGNAL) != sizeof(len)) {
        err(1, "sendmsg");
    }
}

static int hear(int end, uint64_t *len)
{
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = {{0}};
    struct iovec body = {len, sizeof(*len)};
    struct msghdr message = {
        .msg_iov = &body, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)};
    int memory = -1;

    if (recvmsg(end, &message, MSG_CMSG_CLOEXEC) != sizeof(*len) || CMSG_FIRSTHDR(&message) == NULL) {
        err(1, "recvmsg");
    }
    memcpy(&memory, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(memory));
    return memory;
}

static int fill(const char *name, uint64_t *len)
{
    struct stat seen;
    const int file = open(name, O_RDONLY | O_CLOEXEC);
    const int memory = memfd_create("file", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    if (file < 0 || memory < 0 || fstat(file, &seen) != 0) {
        err(1, "%s", name);
    }
    *len = (uint64_t)seen.st_size;
    if (ftruncate(memory, seen.st_size) != 0) {
        err(1, "ftruncate");
    }
    for (uint64_t done = 0; done < *len;) {
        const ssize_t n = sendfile(memory, file, NULL, *len - done);
        if (n <= 0) {
            err(1, "sendfile");
        }
        done += (uint64_t)n;
    }
    if (fcntl(memory, F_ADD_SEALS, SEALS) != 0) {
        err(1, "F_ADD_SEALS");
    }
    return memory;
}

static void send_file(const char *path, const char *name)
{
    const struct sockaddr_un address = address_of(path);
    const int end = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    uint8_t digest[DIGEST_BYTES], answer[DIGEST_BYTES];
    uint64_t len = 0;

    if (end < 0 || connect(end, (const struct sockaddr *)&address, sizeof(address)) != 0) {
        err(1, "%s", path);
    }
    const int memory = fill(name, &len);
    tell(end, len, memory);
    hash(memory, len, digest);
    if (send(end, digest, sizeof(digest), MSG_NOSIGNAL) != sizeof(digest) ||
        recv(end, answer, sizeof(answer), 0) != sizeof(answer)) {
        err(1, "%s", path);
    }
    if (memcmp(digest, answer, sizeof(digest)) != 0) {
        errx(1, "another digest");
    }
    print(digest, name);
}

static void receive_file(const char *path)
{
    const struct sockaddr_un address = address_of(path);
    const int listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    uint8_t digest[DIGEST_BYTES], sent[DIGEST_BYTES];
    struct stat seen;
    uint64_t len = 0;

    if (listener < 0 || bind(listener, (const struct sockaddr *)&address, sizeof(address)) != 0 ||
        listen(listener, 1) != 0) {
        err(1, "%s", path);
    }
    const int end = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    const int memory = end < 0 ? -1 : hear(end, &len);
    if (memory < 0 || unlink(path) != 0) {
        err(1, "%s", path);
    }
    if (fcntl(memory, F_GET_SEALS) != SEALS || fstat(memory, &seen) != 0 || (uint64_t)seen.st_size < len) {
        errx(1, "not sealed, or too short");
    }
    hash(memory, len, digest);
    if (recv(end, sent, sizeof(sent), 0) != sizeof(sent) || memcmp(sent, digest, sizeof(sent)) != 0) {
        errx(1, "another digest");
    }
    if (send(end, digest, sizeof(digest), MSG_NOSIGNAL) != sizeof(digest)) {
        err(1, "send");
    }
    print(digest, "-");
}

int main(int argc, char **argv)
{
    if (argc == 4 && strcmp(argv[1], "send") == 0) {
        send_file(argv[2], argv[3]);
    } else if (argc == 3 && strcmp(argv[1], "recv") == 0) {
        receive_file(argv[2]);
    } else {
        errx(2, "send SOCKET FILE, or recv SOCKET");
    }
    return 0;
}
