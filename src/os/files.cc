// Helpers over the seam: atomic replacement and bounded reads.
#include "os/files.h"

namespace warifu::os {

Result<> File::read_exact_at(std::uint64_t offset, MutableBytes out) {
  TRY_ASSIGN(const std::size_t got, read_at(offset, out));
  if (got != out.size()) {
    return fail(Code::kCorrupt, "'" + path() + "' is cut short: wanted " +
                                    std::to_string(out.size()) + " bytes at offset " +
                                    std::to_string(offset) + ", found " + std::to_string(got));
  }
  return {};
}

std::string parent_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

Result<> replace_file(FileSystem& files, const std::string& path, ByteView bytes) {
  const std::string temporary = path + ".new";
  TRY(files.remove(temporary));
  {
    TRY_ASSIGN(const auto file, files.open(temporary, OpenMode::kCreate));
    if (auto written = file->write_at(0, bytes); !written) {
      (void)files.remove(temporary);  // the first error is the one to tell
      return std::unexpected(written.error());
    }
    file->sync();
  }
  TRY(files.rename(temporary, path));
  files.sync_dir(parent_of(path));
  return {};
}

Result<Bytes> read_file(FileSystem& files, const std::string& path, std::uint64_t most) {
  TRY_ASSIGN(const auto file, files.open(path, OpenMode::kRead));
  TRY_ASSIGN(const std::uint64_t size, file->size());
  if (size > most) {
    return fail(Code::kCorrupt, "'" + path + "' has " + std::to_string(size) +
                                    " bytes, more than the " + std::to_string(most) + " allowed");
  }
  Bytes bytes(size);
  TRY(file->read_exact_at(0, bytes));
  return bytes;
}

}  // namespace warifu::os
