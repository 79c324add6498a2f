// One line of the audit log, and the walk over all lines of a file.
//
//   file   := line*
//   line   := {"seq":N,"time":"UTC","time_ms":N,"event":"E","fields":{"F":"text",...},
//             "prev":"HASH","hash":"HASH"} LF                     without any white space outside
// texts
//   HASH   := 64 lower-case hexadecimal digits
//   hash   := SHA-256 of the line's bytes before ,"hash":
//   prev   := hash of the line before; 64 zeros in the first line
//   seq    := 1, 2, 3, ...
//
// The line's bytes are what is hashed, so there is no second way to write a record.
#pragma once

#include <functional>

#include "audit/log.h"

namespace warifu::audit {

// The line with its line feed. Errors: kInvalidArgument.
[[nodiscard]] Result<std::string> make_line(const Head& before, os::UnixMs time,
                                            std::string_view event, const Fields& fields);

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
