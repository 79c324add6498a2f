// Partial files, errno texts and interruption.
#include "output.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <system_error>
#include <utility>

#include "error.h"

namespace warifu::make_cram {
namespace {

volatile std::sig_atomic_t interrupted = 0;

void on_interrupt(int /*signal*/) {
  interrupted = 1;
}

}  // namespace

std::string describe_errno(int code) {
  return code == 0 ? "the library gave no reason" : std::generic_category().message(code);
}

PartialFile::PartialFile(std::string role, std::string path)
    : role_(std::move(role)), path_(std::move(path)), partial_path_(path_ + ".partial") {
  std::error_code code;
  const auto status = std::filesystem::status(path_, code);
  if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status)) {
    fail("{} {}: it exists and is not a regular file", role_, path_);
  }
  const int fd = ::open(partial_path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (fd < 0) fail("{} {}: cannot create it: {}", role_, partial_path_, describe_errno(errno));
  ::close(fd);
}

PartialFile::~PartialFile() {
  if (!committed_) ::unlink(partial_path_.c_str());
}

std::uint64_t PartialFile::size() const {
  std::error_code code;
  const auto size = std::filesystem::file_size(partial_path_, code);
  if (code) fail("{} {}: {}", role_, partial_path_, code.message());
  return size;
}

void PartialFile::commit() {
  const int fd = ::open(partial_path_.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) fail("{} {}: {}", role_, partial_path_, describe_errno(errno));
  const int synced = ::fsync(fd);
  const int code = errno;
  ::close(fd);
  if (synced != 0) fail("{} {}: fsync failed: {}", role_, partial_path_, describe_errno(code));
  if (std::rename(partial_path_.c_str(), path_.c_str()) != 0) {
    fail("{} {}: cannot rename {} to it: {}", role_, path_, partial_path_, describe_errno(errno));
  }
  committed_ = true;
}

void install_interrupt_handlers() {
  struct sigaction action{};
  action.sa_handler = on_interrupt;
  action.sa_flags = SA_RESTART;
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaction(signal, &action, nullptr);
  // A write over a size limit must fail with EFBIG and be reported, not end the process.
  action.sa_handler = SIG_IGN;
  sigaction(SIGXFSZ, &action, nullptr);
}

void check_interrupted() {
  if (interrupted != 0) fail("interrupted by a signal; partial files are removed");
}

}  // namespace warifu::make_cram
