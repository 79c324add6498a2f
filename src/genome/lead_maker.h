// The lead of a file from its index and its two ends: all of it that must be read is here, so the
// file may be anywhere. The index's own parser and header.h's read it, nothing decodes a record.
//
// Ownership: a LeadMaker keeps the index. Use by one thread.
#pragma once

#include "genome/lead.h"

namespace warifu::genome {

struct MadeLead {
  Bytes bytes;  // whole chunks
  std::uint32_t chunks = 0;
  std::string about;  // "CRAM of GRCh38, 25 references": for people
};

class LeadMaker {
 public:
  // `name` is the file's, for messages. Errors: kCorrupt (it is no index, or not one of a file of
  // so many bytes; a header of more than kMaxHeaderText); kNotFound (it tells nothing of where the
  // header ends).
  [[nodiscard]] static Result<LeadMaker> open(Bytes index, std::uint64_t file_bytes,
                                              std::string name);

  // Bytes at the file's start and end that make() wants.
  [[nodiscard]] std::uint64_t head_bytes() const { return head_bytes_; }
  [[nodiscard]] std::uint64_t tail_bytes() const { return tail_bytes_; }

  // `assembly`: empty to tell it by the references. `records_digest`: zero, or Lead's. Errors:
  // kInvalidArgument (not as many bytes; no genome file, or an index of
  // another kind of file; its assembly is unknown); kCorrupt.
  [[nodiscard]] Result<MadeLead> make(ByteView head, ByteView tail, const std::string& assembly,
                                      const std::array<Byte, 32>& records_digest = {}) const;

 private:
  LeadMaker() = default;
  Bytes index_;
  IndexKind kind_ = IndexKind::kCrai;
  ByteRange header_;
  std::uint64_t file_bytes_ = 0, head_bytes_ = 0, tail_bytes_ = 0;
  std::string name_;
};

// Whether a file that begins so is CRAM or BGZF: a genome's, or compressed text of any kind.
[[nodiscard]] bool looks_like_genome(ByteView first);

}  // namespace warifu::genome
