// Thin wrappers.
#include "os/descriptor.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace warifu::os {

void Descriptor::close() {
  if (descriptor_ >= 0) ::close(descriptor_);
  descriptor_ = -1;
}

void Descriptor::rewind() const {
  (void)::lseek(descriptor_, 0, SEEK_SET);
}

Result<> Descriptor::write(ByteView bytes) const {
  while (!bytes.empty()) {
    const ssize_t wrote = ::write(descriptor_, bytes.data(), bytes.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0 && errno == EPIPE) return fail(Code::kCancelled, "nobody reads any more");
    if (wrote < 0 && errno == ENOSPC) return fail(Code::kNoSpace, "the disk is full");
    if (wrote <= 0) return fail(Code::kIo, std::string("writing failed: ") + std::strerror(errno));
    bytes = bytes.subspan(static_cast<std::size_t>(wrote));
  }
  return {};
}

Result<Descriptor> open_for_reading(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor >= 0) return Descriptor(descriptor);
  return fail(Code::kNotFound, "'" + path + "' cannot be opened: " + std::strerror(errno));
}

Result<Descriptor> unnamed_file(const std::string& folder) {
  const int descriptor = ::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (descriptor >= 0) return Descriptor(descriptor);
  return fail(Code::kIo, "no file can be made in '" + folder + "': " + std::strerror(errno));
}

Result<Pipe> make_pipe() {
  int ends[2] = {-1, -1};
  if (::pipe2(ends, O_CLOEXEC) != 0) return fail(Code::kIo, "no pipe can be made");
  return Pipe{Descriptor(ends[0]), Descriptor(ends[1])};
}

}  // namespace warifu::os
