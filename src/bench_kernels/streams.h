// Memory for measurements: long streams on huge pages, no two of which begin at the same place
// within 4 KiB (processors take loads and stores whose low 12 address bits agree for dependent).
//
// Owned by one measurement; not thread-safe. Holds no secrets.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace warifu::bench_kernels {

class Streams {
 public:
  // `count` streams of `bytes`, filled with varied content. ok() is false when there is no memory.
  Streams(std::size_t count, std::size_t bytes);
  ~Streams();
  Streams(const Streams&) = delete;
  Streams& operator=(const Streams&) = delete;

  [[nodiscard]] bool ok() const { return memory_ != nullptr; }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }
  [[nodiscard]] std::size_t count() const { return starts_.size(); }
  [[nodiscard]] std::uint8_t* operator[](std::size_t i) const { return starts_[i]; }

 private:
  void* memory_ = nullptr;
  std::size_t mapped_ = 0;
  std::size_t bytes_;
  std::vector<std::uint8_t*> starts_;
};

}  // namespace warifu::bench_kernels
