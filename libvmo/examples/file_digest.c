/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256 of a file or of a range of it, hashed in place. Usage: file_digest path [offset length] */
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <vmo/sha256.h>

static void must(vmo_status status)
{
    if (status != VMO_OK) {
        errx(1, "%s: %s", vmo_status_name(status), vmo_status_str(status));
    }
}

static uint64_t number(const char *text)
{
    char *end = NULL;
    const unsigned long long value = strtoull(text, &end, 10);

    if (end == text || *end != '\0') {
        errx(2, "not a number of bytes: %s", text);
    }
    return value;
}

static void digest(int file, struct vmo_range range, uint8_t out[VMO_SHA256_BYTES])
{
    static _Alignas(16) unsigned char storage[VMO_REGISTRY_BYTES(1, 1, 1, 0)];
    const struct vmo_limits limits = {.objects = 1, .mappings = 1, .views = 1};
    struct vmo_registry *registry = NULL;
    vmo_t vmo;
    vmo_view_t view;

    must(vmo_registry_init(storage, sizeof(storage), &limits, &registry));
    must(vmo_wrap_file(registry, file, range, &vmo));
    must(vmo_map_ro(registry, vmo, (struct vmo_range){0, range.len_bytes}, &view));
    must(vmo_view_sha256(registry, view, out));
    must(vmo_unmap(registry, view));
    must(vmo_close(registry, vmo));
    must(vmo_registry_fini(registry));
}

int main(int argc, char **argv)
{
    uint8_t bytes[VMO_SHA256_BYTES];
    struct stat info;

    if (argc != 2 && argc != 4) {
        errx(2, "use: file_digest path [offset length]");
    }
    const int file = open(argv[1], O_RDONLY | O_CLOEXEC);
    if (file < 0 || fstat(file, &info) != 0) {
        err(1, "%s", argv[1]);
    }
    struct vmo_range range = {0, (uint64_t)info.st_size};
    if (argc == 4) {
        range = (struct vmo_range){number(argv[2]), number(argv[3])};
    }
    digest(file, range, bytes);
    for (size_t i = 0; i < sizeof(bytes); i++) {
        printf("%02x", bytes[i]);
    }
    printf("  %s\n", argv[1]);
    return close(file) != 0;
}
