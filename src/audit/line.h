// One line of the audit log, and the walk over all lines of a file.
//
//   file   := old* line*
//   line   := {"seq":N,BODY,"prev":"HASH","hash":"HASH"} LF      without white space outside texts
//   BODY   := "salt":"32 digits","record":RECORD
//           | "erased":"UTC","commitment":"HASH"                 what it was is gone, its leaf is
//           not
//   RECORD := {"time":"UTC","time_ms":N,"event":"E","fields":{"F":"text",...}}
//   old    := {"seq":N,"time":...,"fields":{...},"prev":"HASH","hash":"HASH"} LF       of version 1
//   HASH   := 64 lower-case hexadecimal digits
//
//   commitment := SHA-256 of the salt's 16 bytes and RECORD's; of an old line, of its bytes before
//                 ,"hash":
//   leaf       := SHA-256(00 commitment)                         what the Merkle tree is made of
//   hash       := SHA-256(prev leaf); of an old line its commitment
//   prev       := hash of the line before; 64 zeros in the first line
//   seq        := 1, 2, 3, ...
//
// The bytes of the line are what is hashed, so there is no second way to write a record.
#pragma once

#include <functional>

#include "audit/log.h"

namespace warifu::audit {

// What a line of this version commits to.
[[nodiscard]] Digest commitment_of(ByteView salt, std::string_view record);

// The line with its line feed. Errors: kInvalidArgument.
[[nodiscard]] Result<std::string> make_line(const Head& before, const Salt& salt, os::UnixMs time,
                                            std::string_view event, const Fields& fields);

// The line in whose place this one stands, without what it said. Errors: kInvalidArgument for an
// old line, whose hash is over its text, and for one that is erased already.
[[nodiscard]] Result<std::string> erased_line(std::string_view line, const Head& before);

// A line without its line feed, as the one that follows `before`. Errors: kCorrupt with the reason.
[[nodiscard]] Result<Record> parse_line(std::string_view line, const Head& before);

// The head that the line at the start of `text` claims to follow; it has sequence `sequence`.
[[nodiscard]] Result<Head> head_before(std::string_view text, std::uint64_t sequence);

// How the walk ended.
struct Walk {
  Head head;
  std::uint64_t good_bytes = 0;  // up to here the lines are good
  std::string tail;              // what follows: an unfinished line
};

// Returns false to stop the walk.
using Visitor = std::function<bool(const Record& record, std::uint64_t offset)>;

// Checks the lines from `start` (the end of `before`) on. A last line without line feed, or with
// blocks of zeros (they never reached the disk), is given back as tail.
// Errors: kCorrupt "PATH line N: reason"; kIo.
[[nodiscard]] Result<Walk> walk(os::File& file, const Head& before, std::uint64_t start,
                                const Visitor& visit);

}  // namespace warifu::audit
