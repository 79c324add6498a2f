// The memory of the emulated card: one file, replaced as a whole.
//
//   file    := body crc32c(body):u32                                      little-endian
//   body    := "WCS1" version:u16=1 active:u8 tries:u8 card:16 pin next:u32 left:u32
//              sites:u8 zero:u8 objects:u16 site* object*
//   pin     := length:u8 digits, zero padded to 12
//   site    := name:16 key{left}            key := r:16 s:16, for next, next + 1, ...
//   object  := id:16 r:16 tag:16 chunks:u64 length:u64
//
// The file stands for the memory of a chip that nobody can read: PIN and keys are in it in clear.
// A salted PIN would not help, since whoever reads the file reads the keys as well. Mode 0600.
// Replacing a file does not erase the old blocks of a disk; a chip erases its keys.
#pragma once

#include <string>
#include <vector>

#include "card/values.h"
#include "os/files.h"

namespace warifu::card {

struct CardState {
  bool is_active = false;
  Byte tries = kPinTries;
  CardId card;
  secret::Buffer pin{1 + kMaxPinBytes};
  KeyRange keys;  // first = next index, count = keys left
  std::vector<SiteKeys> sites;
  secret::Buffer objects;  // whole records of ObjectRecord::kBytes

  [[nodiscard]] CardState clone() const;
  [[nodiscard]] std::size_t object_count() const { return objects.size() / ObjectRecord::kBytes; }
  // The record of an object as it lies in `objects`; empty when there is none.
  [[nodiscard]] ByteView find_object(ByteView id16) const;
};

// Errors: kNotFound; kCorrupt naming the file and what is wrong with it; kIo.
[[nodiscard]] Result<CardState> read_card_state(os::FileSystem& files, const std::string& path);

// Durable when it returns. On error the file still holds the state before.
[[nodiscard]] Result<> write_card_state(os::FileSystem& files, const std::string& path,
                                        const CardState& state);

}  // namespace warifu::card
