/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Prints a file if its SHA-256 is the expected one. Usage: checked_copy path sha256
 *
 * Another process may write the file between the check and the use, so neither touches the file: the program
 * copies, seals the copy, then hashes and prints what nobody can change any more.
 */
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <vmo/sha256.h>

static void must(vmo_status status)
{
    if (status != VMO_OK) {
        errx(1, "%s: %s", vmo_status_name(status), vmo_status_str(status));
    }
}

/* A copy of the file that is sealed FOREVER. */
static vmo_t sealed_copy(struct vmo_registry *registry, int file, uint64_t len_bytes)
{
    vmo_t wrapped, copy;

    must(vmo_wrap_file(registry, file, (struct vmo_range){0, len_bytes}, &wrapped));
    must(vmo_copy(registry, wrapped, &copy));
    must(vmo_close(registry, wrapped));
    must(vmo_seal(registry, copy, VMO_SEAL_FOREVER));
    return copy;
}

static int has_digest(struct vmo_registry *registry, vmo_view_t view, const char *expected)
{
    uint8_t bytes[VMO_SHA256_BYTES];
    char text[2 * VMO_SHA256_BYTES + 1];

    must(vmo_view_sha256(registry, view, bytes));
    for (size_t i = 0; i < sizeof(bytes); i++) {
        (void)snprintf(text + 2 * i, 3, "%02x", bytes[i]);
    }
    return strcmp(text, expected) == 0;
}

int main(int argc, char **argv)
{
    static _Alignas(16) unsigned char storage[VMO_REGISTRY_BYTES(2, 2, 2, 0)];
    const struct vmo_limits limits = {.objects = 2, .mappings = 2, .views = 2};
    struct vmo_registry *registry = NULL;
    struct stat info;
    vmo_view_t view;

    if (argc != 3) {
        errx(2, "use: checked_copy path sha256");
    }
    const int file = open(argv[1], O_RDONLY | O_CLOEXEC);
    if (file < 0 || fstat(file, &info) != 0) {
        err(1, "%s", argv[1]);
    }
    must(vmo_registry_init(storage, sizeof(storage), &limits, &registry));
    const vmo_t copy = sealed_copy(registry, file, (uint64_t)info.st_size);
    must(vmo_map_ro(registry, copy, (struct vmo_range){0, (uint64_t)info.st_size}, &view));
    if (!has_digest(registry, view, argv[2])) {
        errx(1, "%s: not the expected SHA-256", argv[1]);
    }
    if (fwrite(vmo_view_data(registry, view), 1, (size_t)info.st_size, stdout) != (size_t)info.st_size) {
        err(1, "standard output");
    }
    must(vmo_unmap(registry, view));
    must(vmo_close(registry, copy));
    must(vmo_registry_fini(registry));
    return close(file) != 0 || fflush(stdout) != 0;
}
