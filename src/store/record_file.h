// What a site writes down for ever, as a file of records of one length that only grows: what it
// gave away, what it held.
//
//   file := record*     record := body crc32c:u32
//
// A record is durable before add() returns. One that a crash tore at the end was never relied upon
// and is cut off at the start; any other damage is told, and nothing starts. Garbage that a torn
// write leaves in the record before, within its disk block, cannot be told from damage.
// Thread rule: none of its own; whoever keeps the records holds a mutex.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "os/files.h"

namespace warifu::store {

class RecordFile {
 public:
  struct Format {
    std::size_t body_bytes = 0;
    std::string loss;  // of damage, for people: "what this site has held cannot be told"
  };
  // Takes one body of format.body_bytes; its error ends the opening.
  using Take = std::function<Result<>(ByteView body)>;

  // Opens or makes the file and gives all records, in the order in which they were added. `files`
  // must outlive it. Errors: kCorrupt naming file and byte, kIo, kNoSpace, and `take`'s.
  [[nodiscard]] static Result<RecordFile> open(os::FileSystem& files, const std::string& path,
                                               Format format, const Take& take);
  // Durable on return. `body` has format.body_bytes. Errors: kIo, kNoSpace: it may be there all the
  // same, until the next add().
  [[nodiscard]] Result<> add(ByteView body);

 private:
  RecordFile(std::unique_ptr<os::File> file, std::size_t body_bytes)
      : file_(std::move(file)), body_bytes_(body_bytes) {}
  Result<> load(const std::string& loss, const Take& take);
  [[nodiscard]] std::uint64_t record_bytes() const { return body_bytes_ + sizeof(std::uint32_t); }

  std::unique_ptr<os::File> file_;
  std::size_t body_bytes_;
  std::uint64_t end_ = 0;  // of the whole records
};

}  // namespace warifu::store
