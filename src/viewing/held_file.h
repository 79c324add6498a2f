// A file that exists in locked memory only: not on a disk, not in swap, not in core files, wiped
// when it goes; and the memory that all of them together may take.
//
// Why a memfd and not secret::Buffer: the process that reads genome files makes an index of a
// descriptor only, and a view that the locked-memory limit has no room for must be refused, where a
// Buffer ends the program. Ownership: the budget must outlive its files; a HeldFile is move-only.
// Thread rule: one thread fills it; once sealed any number may read.
#pragma once

#include <atomic>
#include <memory>

#include "os/descriptor.h"

namespace warifu::viewing {

class Budget {
 public:
  // `unlocked`: memory that cannot be locked is accepted (as for all secrets of this site).
  Budget(std::uint64_t bytes, bool unlocked) : bytes_(bytes), unlocked_(unlocked) {}

  // False: there is not so much left.
  [[nodiscard]] bool take(std::uint64_t bytes);
  void give_back(std::uint64_t bytes) { used_ -= bytes; }
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }
  [[nodiscard]] std::uint64_t used() const { return used_; }
  [[nodiscard]] bool may_be_unlocked() const { return unlocked_; }

 private:
  std::uint64_t bytes_;
  bool unlocked_;
  std::atomic<std::uint64_t> used_ = 0;
};

class HeldFile {
 public:
  HeldFile() = default;
  ~HeldFile();
  HeldFile(HeldFile&& other) noexcept;
  HeldFile& operator=(HeldFile&& other) noexcept;
  HeldFile(const HeldFile&) = delete;
  HeldFile& operator=(const HeldFile&) = delete;

  // Errors: kIo.
  [[nodiscard]] static Result<HeldFile> make(Budget& budget);
  // Takes and locks so much now; what is left of it goes back when the file is sealed. Errors:
  // kNoSpace, saying whether the budget or the machine's locked-memory limit is at its end.
  [[nodiscard]] Result<> reserve(std::uint64_t bytes);
  // Errors: as reserve().
  [[nodiscard]] Result<> append(ByteView bytes);
  // No byte of it changes from here on, whoever has a descriptor.
  [[nodiscard]] Result<> seal();
  [[nodiscard]] ByteView bytes() const { return {data_, size_}; }
  // Of its own, at the first byte, for reading: to be handed to another process. Errors: kIo.
  [[nodiscard]] Result<os::Descriptor> descriptor() const;

 private:
  Result<> grow(std::size_t least, std::size_t wanted);
  void wipe();

  Budget* budget_ = nullptr;
  os::Descriptor file_;
  Byte* data_ = nullptr;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;  // of the file, mapped and locked
};

}  // namespace warifu::viewing
