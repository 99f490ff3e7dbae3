/* SPDX-License-Identifier: Apache-2.0 */
/* A child process fills a VMO, seals it and sends it; its parent reads it in place. */
#include <err.h>
#include <sys/socket.h>
#include <unistd.h>
#include <vmo/channel.h>

static void must(vmo_status status)
{
    if (status != VMO_OK) {
        errx(1, "%s: %s", vmo_status_name(status), vmo_status_str(status));
    }
}

int main(void)
{
    static _Alignas(16) unsigned char storage[VMO_REGISTRY_BYTES(1, 1, 1, 1)];
    const struct vmo_range all = {0, 6};
    struct vmo_registry *registry = NULL;
    struct vmo_message out = {.rights = VMO_RIGHT_READ};
    struct vmo_incoming in;
    vmo_peer_t peer;
    vmo_view_t view;
    int ends[2] = {-1, -1};
    const pid_t child = socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) == 0 ? fork() : -1;
    must(vmo_registry_init(storage, sizeof(storage), &(struct vmo_limits){1, 1, 1, 1, 0, 0}, &registry));
    must(vmo_peer_open(registry, ends[child != 0], &peer));
    if (child == 0) {
        must(vmo_create(registry, all.len_bytes, &out.vmo));
        must(vmo_write(registry, out.vmo, all, "hello\n"));
        must(vmo_seal(registry, out.vmo, VMO_SEAL_FOREVER));
        must(vmo_peer_allow(registry, peer));
        must(vmo_send(registry, peer, &out, vmo_now_ns(registry) + 10000000000));
        return 0;
    }
    must(vmo_recv(registry, peer, &in, vmo_now_ns(registry) + 10000000000));
    must(vmo_map_ro(registry, in.vmo, all, &view));
    return write(1, vmo_view_data(registry, view), all.len_bytes) < 0;
}
