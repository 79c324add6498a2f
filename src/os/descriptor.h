// Descriptors that are handed to other processes: files, pipes, files without a name.
//
// Ownership: a Descriptor closes what it holds. Values; any thread.
#pragma once

#include <string>
#include <utility>

#include "base/bytes.h"
#include "base/result.h"

namespace warifu::os {

class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int descriptor) : descriptor_(descriptor) {}
  ~Descriptor() { close(); }
  Descriptor(Descriptor&& other) noexcept : descriptor_(other.release()) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    close();
    descriptor_ = other.release();
    return *this;
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  [[nodiscard]] int get() const { return descriptor_; }
  // The caller closes it.
  int release() { return std::exchange(descriptor_, -1); }
  void close();
  // Back to the first byte of a file.
  void rewind() const;
  // All of it. Errors: kCancelled when it is a pipe that nobody reads any more (SIGPIPE must be
  // ignored), kNoSpace, kIo.
  [[nodiscard]] Result<> write(ByteView bytes) const;

 private:
  int descriptor_ = -1;
};

// Errors: kNotFound naming the file.
[[nodiscard]] Result<Descriptor> open_for_reading(const std::string& path);
// A file in that folder which has no name and is gone when nobody holds it. Errors: kIo.
[[nodiscard]] Result<Descriptor> unnamed_file(const std::string& folder);

struct Pipe {
  Descriptor reading;
  Descriptor writing;
};
// Errors: kIo.
[[nodiscard]] Result<Pipe> make_pipe();

}  // namespace warifu::os
