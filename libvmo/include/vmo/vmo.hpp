// SPDX-License-Identifier: Apache-2.0
// RAII for vmo.h and channel.h, C++17, header only. Each class owns one handle and moves; a member that can fail
// throws vmo::error. Errors, rights and blocking are those of the C function with the same name.
//
// Handles must end before their registry: declare the registry first. A destructor that the library refuses ends
// the program by std::terminate, since it can neither throw nor ignore the refusal; call close() to handle it.
#ifndef VMO_VMO_HPP
#define VMO_VMO_HPP

#include <cstddef>
#include <cstdint>
#include <exception>
#include <utility>

#include "channel.h"

namespace vmo
{

class error : public std::exception
{
  public:
    explicit error(vmo_status status) noexcept : status_(status)
    {
    }
    vmo_status status() const noexcept
    {
        return status_;
    }
    const char *name() const noexcept
    {
        return vmo_status_name(status_);
    }
    const char *what() const noexcept override
    {
        return vmo_status_str(status_);
    }

  private:
    vmo_status status_;
};

// Throws unless the status is VMO_OK.
inline void check(vmo_status status)
{
    if (status != VMO_OK) {
        throw error(status);
    }
}

// A registry whose storage the library allocates.
class registry
{
  public:
    explicit registry(const vmo_limits &limits)
    {
        check(vmo_registry_new(&limits, &registry_));
    }
    registry(registry &&other) noexcept : registry_(std::exchange(other.registry_, nullptr))
    {
    }
    registry &operator=(registry &&) = delete;
    ~registry()
    {
        close();
    }
    void close()
    {
        if (registry_ != nullptr) {
            check(vmo_registry_free(registry_));
            registry_ = nullptr;
        }
    }
    vmo_registry *get() const noexcept
    {
        return registry_;
    }
    uint64_t now_ns() const noexcept
    {
        return vmo_now_ns(registry_);
    }

  private:
    vmo_registry *registry_ = nullptr;
};

// Owns one handle of the C interface, or none.
template <typename Handle, vmo_status (*end)(vmo_registry *, Handle)> class owner
{
  public:
    owner() noexcept = default;
    owner(vmo_registry *registry, Handle handle) noexcept : registry_(registry), handle_(handle)
    {
    }
    owner(owner &&other) noexcept : registry_(other.registry_), handle_(other.release())
    {
    }
    owner &operator=(owner &&other)
    {
        if (this != &other) {
            close();
            registry_ = other.registry_;
            handle_ = other.release();
        }
        return *this;
    }
    ~owner()
    {
        close();
    }
    // Ends the handle. After an error it is still owned.
    void close()
    {
        if (handle_.id != 0) {
            check(end(registry_, handle_));
            handle_ = Handle{};
        }
    }
    explicit operator bool() const noexcept
    {
        return handle_.id != 0;
    }
    Handle get() const noexcept
    {
        return handle_;
    }
    // Gives the handle to the caller.
    Handle release() noexcept
    {
        return std::exchange(handle_, Handle{});
    }

  protected:
    vmo_registry *registry_ = nullptr;
    Handle handle_ = {};
};

// vmo_view_t: the bytes of a mapped range.
class view : public owner<vmo_view_t, vmo_unmap>
{
  public:
    using owner::owner;
    const uint8_t *data() const noexcept
    {
        return vmo_view_data(registry_, handle_);
    }
    uint8_t *data_rw() noexcept // nullptr for a read-only view
    {
        return vmo_view_data_rw(registry_, handle_);
    }
    size_t size() const noexcept
    {
        return static_cast<size_t>(vmo_view_len(registry_, handle_));
    }
    const uint8_t *begin() const noexcept
    {
        return data();
    }
    const uint8_t *end() const noexcept
    {
        return data() + size();
    }
    view slice(vmo_range range) const
    {
        vmo_view_t out;
        check(vmo_slice(registry_, handle_, range, &out));
        return {registry_, out};
    }
};

// vmo_t: a handle on memory.
class memory : public owner<vmo_t, vmo_close>
{
  public:
    using owner::owner;
    memory(const registry &registry, uint64_t len_bytes, const vmo_create_options *options = nullptr)
    {
        registry_ = registry.get();
        check(vmo_create_with(registry_, len_bytes, options, &handle_));
    }
    memory copy() const
    {
        vmo_t out;
        check(vmo_copy(registry_, handle_, &out));
        return {registry_, out};
    }
    memory dup(uint32_t rights) const
    {
        vmo_t out;
        check(vmo_dup(registry_, handle_, rights, &out));
        return {registry_, out};
    }
    uint64_t size() const
    {
        uint64_t len_bytes;
        check(vmo_len(registry_, handle_, &len_bytes));
        return len_bytes;
    }
    void write(vmo_range range, const void *from)
    {
        check(vmo_write(registry_, handle_, range, from));
    }
    void read(vmo_range range, void *to) const
    {
        check(vmo_read(registry_, handle_, range, to));
    }
    view map_ro(vmo_range range) const
    {
        vmo_view_t out;
        check(vmo_map_ro(registry_, handle_, range, &out));
        return {registry_, out};
    }
    view map_ro() const
    {
        return map_ro({0, size()});
    }
    view map_rw(vmo_range range)
    {
        vmo_view_t out;
        check(vmo_map_rw(registry_, handle_, range, &out));
        return {registry_, out};
    }
    void seal(vmo_seal_strength strength, uint32_t options = 0)
    {
        check(vmo_seal_with(registry_, handle_, strength, options));
    }
    void destroy()
    {
        check(vmo_destroy(registry_, handle_));
        handle_ = {};
    }
};

// vmo_recv's result.
struct incoming {
    memory vmo; // empty for a message without a VMO
    vmo_incoming message;
};

// vmo_peer_t: another task and the channel to it.
class peer : public owner<vmo_peer_t, vmo_peer_close>
{
  public:
    using owner::owner;
    peer(const registry &registry, int descriptor)
    {
        registry_ = registry.get();
        check(vmo_peer_open(registry_, descriptor, &handle_));
    }
    void allow()
    {
        check(vmo_peer_allow(registry_, handle_));
    }
    void require(vmo_seal_strength strength)
    {
        check(vmo_peer_require(registry_, handle_, strength));
    }
    void send(const vmo_message &message, uint64_t deadline_ns)
    {
        check(vmo_send(registry_, handle_, &message, deadline_ns));
    }
    incoming receive(uint64_t deadline_ns)
    {
        vmo_incoming in;
        check(vmo_recv(registry_, handle_, &in, deadline_ns));
        return {memory(registry_, in.vmo), in};
    }
};

} // namespace vmo

#endif
