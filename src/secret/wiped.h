// Vectors of secret values, wiped before their memory is given back: when they end and when they
// grow.
//
// For what is secret, comes in any number and stays for seconds, as the bases that reads have at
// single sites: a Buffer (secret.h) cannot grow, and ends the program where its memory cannot be
// locked. This memory is not locked. Thread rule: that of std::vector.
#pragma once

#include <memory>
#include <type_traits>
#include <vector>

#include "secret/secret.h"

namespace warifu::secret {

// `Below`: where the memory comes from; another one for tests only.
template <typename T, template <typename> typename Below = std::allocator>
struct WipingAllocator {
  static_assert(std::is_trivially_copyable_v<T>, "what it points to would not be wiped");
  using value_type = T;
  template <typename Other>
  struct rebind {
    using other = WipingAllocator<Other, Below>;
  };

  WipingAllocator() = default;
  template <typename Other>
  WipingAllocator(const WipingAllocator<Other, Below>& /*other*/) {}

  [[nodiscard]] T* allocate(std::size_t count) { return Below<T>().allocate(count); }
  void deallocate(T* values, std::size_t count) {
    wipe({reinterpret_cast<std::uint8_t*>(values), count * sizeof(T)});
    Below<T>().deallocate(values, count);
  }
  bool operator==(const WipingAllocator&) const = default;
};

template <typename T>
using Wiped = std::vector<T, WipingAllocator<T>>;

}  // namespace warifu::secret
