/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Wraps the program's own memory and reads it through views, without a copy. Wrapped memory is local: to
 * seal or send it, copy it with vmo_copy.
 */
#include <err.h>
#include <stdio.h>
#include <vmo/vmo.h>

static const char text[] = "header|the part that matters|trailer";

static void must(vmo_status status)
{
    if (status != VMO_OK) {
        errx(1, "%s: %s", vmo_status_name(status), vmo_status_str(status));
    }
}

int main(void)
{
    static _Alignas(16) unsigned char storage[VMO_REGISTRY_BYTES(2, 2, 4, 0)];
    const struct vmo_limits limits = {.objects = 2, .mappings = 2, .views = 4};
    struct vmo_registry *registry = NULL;
    vmo_t wrapped, copy;
    vmo_view_t whole, part;
    struct vmo_counters counters;

    must(vmo_registry_init(storage, sizeof(storage), &limits, &registry));
    must(vmo_wrap_bytes(registry, text, sizeof(text) - 1, &wrapped));
    must(vmo_map_ro(registry, wrapped, (struct vmo_range){0, sizeof(text) - 1}, &whole));
    must(vmo_slice(registry, whole, (struct vmo_range){7, 21}, &part));
    const char *bytes = (const char *)vmo_view_data(registry, part);
    printf("slice: %.*s\n", (int)vmo_view_len(registry, part), bytes);
    printf("in place: %s\n", bytes == text + 7 ? "yes" : "no");

    const vmo_status refused = vmo_seal(registry, wrapped, VMO_SEAL_FOREVER);
    printf("seal of wrapped bytes: %s\n", vmo_status_name(refused));
    must(vmo_copy(registry, wrapped, &copy));
    must(vmo_seal(registry, copy, VMO_SEAL_FOREVER));
    vmo_counters_read(registry, &counters);
    printf("seal of the copy: VMO_OK, copies made: %llu\n", (unsigned long long)counters.copies);

    must(vmo_unmap(registry, part));
    must(vmo_unmap(registry, whole));
    must(vmo_close(registry, copy));
    must(vmo_close(registry, wrapped));
    must(vmo_registry_fini(registry));
    return 0;
}
