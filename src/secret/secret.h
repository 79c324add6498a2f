// Secret bytes: locked in memory, left out of core files, wiped on release, never copied by
// accident.
//
// Ownership: Buffer is move-only; a copy has to be written out as copy_of(). Blocks come from
// a process-wide pool of locked blocks so that streaming pads does not map and lock for each frame.
// A failed mlock is fatal (SECURITY: no silent loss of protection) unless allow_unlocked() was
// called at start-up, which `status` shows. Thread-safe: different buffers may be used by different
// threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace warifu::secret {

// Overwrites with zeros in a way that the compiler may not remove.
void wipe(std::span<std::uint8_t> bytes);

// True iff equal; time depends only on the lengths. Unequal lengths are unequal.
[[nodiscard]] bool equal(std::span<const std::uint8_t> a, std::span<const std::uint8_t> b);

// Process hardening for every command that handles secrets: no core files, not dumpable.
void harden_process();

// Accept memory that cannot be locked (RLIMIT_MEMLOCK too small). Call before any Buffer is made.
void allow_unlocked();
// True when some secret memory could not be locked.
[[nodiscard]] bool has_unlocked_memory();

class Buffer {
 public:
  Buffer() = default;
  // `size` zero bytes.
  explicit Buffer(std::size_t size);
  ~Buffer();
  Buffer(Buffer&& other) noexcept;
  Buffer& operator=(Buffer&& other) noexcept;
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;

  // An explicit copy of secret bytes.
  [[nodiscard]] static Buffer copy_of(std::span<const std::uint8_t> bytes);

  [[nodiscard]] std::span<std::uint8_t> bytes() { return {data_, size_}; }
  [[nodiscard]] std::span<const std::uint8_t> bytes() const { return {data_, size_}; }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  // Wipes the bytes beyond `size` and forgets them; `size` must not exceed size().
  void shrink(std::size_t size);

 private:
  std::uint8_t* data_ = nullptr;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

}  // namespace warifu::secret
