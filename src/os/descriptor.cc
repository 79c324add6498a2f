// open(2) and fstat(2).
#include "os/descriptor.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace warifu::os {

Result<int> open_for_reading(const std::string& path) {
  // Not blocking: a FIFO without a writer would hold the caller for ever.
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) {
    return fail(errno == ENOENT ? Code::kNotFound : Code::kIo,
                "'" + path + "': " + std::strerror(errno));
  }
  struct stat status{};
  if (::fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode)) return descriptor;
  (void)::close(descriptor);
  return fail(Code::kInvalidArgument, "'" + path + "' is no regular file");
}

}  // namespace warifu::os
