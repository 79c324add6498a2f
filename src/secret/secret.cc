// Locked blocks in size classes, kept for reuse after wiping: whole pages, four classes to each
// power of two; and pieces of a page for small secrets, which come by the hundred (keys of
// applications).
#include "secret/secret.h"

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <utility>
#include <vector>

#include "secret/lockable.h"

namespace warifu::secret {
namespace {

std::atomic<bool> unlocked_allowed{false};
std::atomic<bool> unlocked_seen{false};

[[noreturn]] void die(const char* what) {
  std::fprintf(stderr,
               "warifu: fatal: %s; raise the locked-memory limit (ulimit -l), or accept unlocked "
               "secrets with WARIFU_ALLOW_UNLOCKED_MEMORY=1\n",
               what);
  std::abort();
}

std::uint8_t* map_locked(std::size_t capacity) {
  void* block =
      ::mmap(nullptr, capacity, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (block == MAP_FAILED) die("out of memory for secrets");
  if (::mlock(block, capacity) != 0) {
    if (!unlocked_allowed) die("secret memory cannot be locked");
    unlocked_seen = true;
  }
  // A failed advice leaves only the dumpable flag as protection, which harden_process clears too.
  (void)::madvise(block, capacity, MADV_DONTDUMP);
  (void)::madvise(block, capacity, MADV_WIPEONFORK);
  return static_cast<std::uint8_t*>(block);
}

// Free blocks by size class. Leaked on purpose: buffers may outlive static destruction.
class BlockPool {
 public:
  static constexpr std::size_t kPage = 4096;
  static constexpr std::size_t kSmallest = 64;
  static constexpr std::size_t kLargestPiece = kPage / 2;
  static constexpr std::size_t kSlab = 64 * 1024;  // is cut into pieces
  static constexpr std::size_t kKeptPerClass = 32;

  std::uint8_t* take(std::size_t capacity) {
    {
      const std::lock_guard lock(mutex_);
      auto& blocks = free_[class_of(capacity)];
      if (!blocks.empty()) {
        std::uint8_t* block = blocks.back();
        blocks.pop_back();
        return block;
      }
      if (capacity <= kLargestPiece) return cut_slab(capacity, blocks);
    }
    return map_locked(capacity);
  }

  void give_back(std::uint8_t* block, std::size_t capacity) {
    {
      const std::lock_guard lock(mutex_);
      auto& blocks = free_[class_of(capacity)];
      // Pieces stay locked: what was once needed at the same time is the bound.
      if (capacity <= kLargestPiece || blocks.size() < kKeptPerClass) {
        blocks.push_back(block);
        return;
      }
    }
    ::munmap(block, capacity);
  }

 private:
  // Two bits behind the highest one, and its place.
  static std::size_t class_of(std::size_t capacity) {
    const auto top = static_cast<std::size_t>(std::bit_width(capacity)) - 1;
    return top * 4 + ((capacity >> (top - 2)) & 3);
  }
  static std::uint8_t* cut_slab(std::size_t capacity, std::vector<std::uint8_t*>& blocks) {
    std::uint8_t* slab = map_locked(kSlab);
    for (std::size_t at = capacity; at < kSlab; at += capacity) blocks.push_back(slab + at);
    return slab;
  }

  std::mutex mutex_;
  std::array<std::vector<std::uint8_t*>, 256> free_;
};

// A power of two below a page. Above, the next size of the form m * 2^e with m in 4..7, in whole
// pages: a record of 256 KiB and a few bytes must not lock half a megabyte.
std::size_t capacity_for(std::size_t size) {
  if (size <= BlockPool::kLargestPiece) return std::bit_ceil(std::max(size, BlockPool::kSmallest));
  if (size <= 4 * BlockPool::kPage) {
    return (size + BlockPool::kPage - 1) / BlockPool::kPage * BlockPool::kPage;
  }
  const std::size_t step = std::bit_floor(size - 1) / 4;
  return (size + step - 1) / step * step;
}

BlockPool& pool() {
  static auto* instance = new BlockPool;
  return *instance;
}

}  // namespace

bool can_lock(std::size_t bytes) {
  if (bytes == 0 || unlocked_allowed) return true;
  const std::size_t all = capacity_for(bytes);
  void* block = ::mmap(nullptr, all, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (block == MAP_FAILED) return false;
  const bool locked = ::mlock(block, all) == 0;
  ::munmap(block, all);
  return locked;
}

void wipe(std::span<std::uint8_t> bytes) {
  if (!bytes.empty()) ::explicit_bzero(bytes.data(), bytes.size());
}

bool equal(std::span<const std::uint8_t> a, std::span<const std::uint8_t> b) {
  if (a.size() != b.size()) return false;
  volatile std::uint8_t difference = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    difference = static_cast<std::uint8_t>(difference | (a[i] ^ b[i]));
  }
  return difference == 0;
}

void harden_process() {
  const rlimit no_core{0, 0};
  if (::setrlimit(RLIMIT_CORE, &no_core) != 0 || ::prctl(PR_SET_DUMPABLE, 0) != 0) {
    die("core files cannot be switched off");
  }
}

void allow_unlocked() {
  unlocked_allowed = true;
}
bool has_unlocked_memory() {
  return unlocked_seen;
}

Buffer::Buffer(std::size_t size) : size_(size) {
  if (size == 0) return;
  capacity_ = capacity_for(size);
  data_ = pool().take(capacity_);
}

Buffer::~Buffer() {
  if (data_ == nullptr) return;
  // The whole block: shrink() may have hidden nothing, but a class is shared by many sizes.
  wipe({data_, size_});
  pool().give_back(data_, capacity_);
}

Buffer::Buffer(Buffer&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)),
      capacity_(std::exchange(other.capacity_, 0)) {}

Buffer& Buffer::operator=(Buffer&& other) noexcept {
  if (this != &other) {
    Buffer old(std::move(*this));
    data_ = std::exchange(other.data_, nullptr);
    size_ = std::exchange(other.size_, 0);
    capacity_ = std::exchange(other.capacity_, 0);
  }
  return *this;
}

Buffer Buffer::copy_of(std::span<const std::uint8_t> bytes) {
  Buffer copy(bytes.size());
  if (!bytes.empty()) std::memcpy(copy.data_, bytes.data(), bytes.size());
  return copy;
}

void Buffer::shrink(std::size_t size) {
  if (size > size_) die("secret buffer grown by shrink");
  wipe({data_ + size, size_ - size});
  size_ = size;
}

}  // namespace warifu::secret
