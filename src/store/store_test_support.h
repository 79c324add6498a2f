// Small shares for the tests of the store: headers with chunks of 64 bytes and records that can be
// told apart.
#pragma once

#include "store/share_store.h"

namespace warifu::store {

template <typename Id>
Id id_of(Byte first) {
  Id id;
  id.bytes.fill(first);
  return id;
}

// A top share of an object of `length` bytes.
inline ShareHeader small_header(Byte number, std::uint64_t length) {
  ShareHeader header;
  header.share = id_of<ShareId>(number);
  header.object = id_of<ObjectId>(0xee);
  header.owner = id_of<Pseudonym>(0xdd);
  header.path = sharing::SharePath().part(number % 3);
  header.chunk_bytes = 64;
  header.object_length = length;
  header.chunk_count = chunk_count_of(length, header.chunk_bytes);
  const sharing::RecordLayout records =
      sharing::RecordLayout(sharing::Chunking{{length}, header.chunk_bytes}).below(header.scheme);
  header.full_record_bytes = records.full_bytes();
  header.last_record_bytes = records.last_bytes();
  header.created = {1'795'000'000'000};
  header.policy = "2 of (origin, vault, vault)";
  header.check_key.fill(static_cast<Byte>(number ^ 0x5a));
  return header;
}

// The record of a chunk; every one is different.
inline Bytes record_of(const ShareLayout& layout, std::uint64_t chunk, Byte salt = 0) {
  Bytes record(layout.record_length({chunk}));
  for (std::size_t i = 0; i < record.size(); ++i) {
    record[i] = static_cast<Byte>(i * 7 + chunk * 31 + salt + 1);
  }
  return record;
}

// Appends the records up to `end`.
inline Result<> append_until(ShareWriter& writer, std::uint64_t end, Byte salt = 0) {
  while (writer.next_chunk().value < end) {
    TRY(writer.append(record_of(writer.layout(), writer.next_chunk().value, salt)));
  }
  return {};
}

}  // namespace warifu::store
