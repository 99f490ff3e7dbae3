// SPDX-License-Identifier: Apache-2.0
// A C++17 program that uses vmo.hpp: each class, a refusal that throws, and handles that end with their scope.
#include <cstdio>
#include <cstring>
#include <sys/socket.h>
#include <type_traits>
#include <vmo/vmo.hpp>

static_assert(!std::is_copy_constructible_v<vmo::memory> && std::is_nothrow_move_constructible_v<vmo::memory>);
static_assert(!std::is_copy_constructible_v<vmo::registry> && !std::is_copy_assignable_v<vmo::view>);

static const char text[] = "through C++";

static bool refuses(const char *name, void (*call)(vmo::memory &), vmo::memory &memory)
{
    try {
        call(memory);
    } catch (const vmo::error &error) {
        return std::strcmp(error.name(), name) == 0 && std::strlen(error.what()) > 0;
    }
    return false;
}

static int use(const vmo::registry &registry)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) != 0) {
        return 1;
    }
    vmo::peer here(registry, ends[0]), there(registry, ends[1]);
    vmo::memory memory(registry, sizeof(text));
    memory.write({0, sizeof(text)}, text);
    vmo::memory changed = memory.copy();
    changed.map_rw({0, 1}).data_rw()[0] = 'T';
    memory.seal(VMO_SEAL_FOREVER);
    if (!refuses("VMO_ERR_SEALED", [](vmo::memory &sealed) { sealed.write({0, 1}, "x"); }, memory)) {
        return 2;
    }
    here.allow();
    there.require(VMO_SEAL_FOREVER);
    vmo_message message{};
    message.vmo = memory.get();
    message.rights = VMO_RIGHT_READ;
    here.send(message, registry.now_ns() + 10000000000);
    vmo::incoming in = there.receive(registry.now_ns() + 10000000000);
    const vmo::view whole = in.vmo.map_ro(), last = whole.slice({8, 4});
    char first[8];
    changed.read({0, sizeof(first)}, first);
    std::printf("%s, %s, %.*s\n", reinterpret_cast<const char *>(whole.begin()), reinterpret_cast<const char *>(last.data()),
                static_cast<int>(sizeof(first) - 1), first);
    in.vmo = changed.dup(VMO_RIGHT_READ); // ends the received handle; its views stay
    changed.close();
    memory = vmo::memory(registry, 1);
    memory.destroy();
    return memory || !in.vmo || whole.size() != sizeof(text) ? 3 : 0;
}

int main()
{
    vmo_limits limits{};
    limits.objects = limits.mappings = limits.views = limits.peers = 4;
    vmo::registry registry(limits);
    const int code = use(registry);
    registry.close(); // throws if a handle were left
    return code;
}
