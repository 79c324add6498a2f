// memfd, mmap, mlock.
#include "viewing/held_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/bytes.h"
#include "base/units.h"
#include "secret/secret.h"

namespace warifu::viewing {
namespace {

constexpr std::size_t kPage = 4096;
constexpr std::size_t kLeast = 64 * 1024;

std::unexpected<Error> system_error(const std::string& what) {
  return fail(Code::kIo, what + ": " + std::strerror(errno));
}

std::size_t in_pages(std::size_t bytes) {
  return (bytes + kPage - 1) / kPage * kPage;
}

}  // namespace

bool Budget::take(std::uint64_t bytes) {
  std::uint64_t used = used_;
  while (bytes <= bytes_ && used <= bytes_ - bytes) {
    if (used_.compare_exchange_weak(used, used + bytes)) return true;
  }
  return false;
}

Result<HeldFile> HeldFile::make(Budget& budget) {
  HeldFile file;
  file.budget_ = &budget;
  file.file_ = os::Descriptor(::memfd_create("view", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (file.file_.get() < 0) return system_error("no memory for a view");
  return file;
}

HeldFile::~HeldFile() {
  wipe();
}

HeldFile::HeldFile(HeldFile&& other) noexcept
    : budget_(std::exchange(other.budget_, nullptr)),
      file_(std::move(other.file_)),
      data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)),
      capacity_(std::exchange(other.capacity_, 0)) {}

HeldFile& HeldFile::operator=(HeldFile&& other) noexcept {
  if (this == &other) return *this;
  wipe();
  budget_ = std::exchange(other.budget_, nullptr);
  file_ = std::move(other.file_);
  data_ = std::exchange(other.data_, nullptr);
  size_ = std::exchange(other.size_, 0);
  capacity_ = std::exchange(other.capacity_, 0);
  return *this;
}

void HeldFile::wipe() {
  if (data_ != nullptr) {
    secret::wipe({data_, capacity_});
    (void)::munmap(data_, capacity_);
    budget_->give_back(capacity_);
  }
  data_ = nullptr;
  size_ = 0;
  capacity_ = 0;
  file_.close();
}

// The pages stay where they are: they belong to the file, and the mapping alone is made larger. As
// much as is wanted, or at least so much.
Result<> HeldFile::grow(std::size_t least, std::size_t wanted) {
  least = in_pages(least);
  wanted = std::max(in_pages(wanted), least);
  if (!budget_->take(wanted - capacity_)) {
    wanted = least;
    if (!budget_->take(wanted - capacity_)) {
      return fail(Code::kNoSpace,
                  "views may take " + human_bytes(budget_->bytes()) +
                      " of locked memory together ([htsget] memory), and " +
                      human_bytes(budget_->used()) +
                      " are taken: end another view, ask for less, or raise [htsget] memory");
    }
  }
  const std::size_t more = wanted - capacity_;
  const auto back = [&](std::unexpected<Error> error) {
    budget_->give_back(more);
    return error;
  };
  if (::ftruncate(file_.get(), static_cast<off_t>(wanted)) != 0) {
    return back(system_error("no memory for a view"));
  }
  void* mapped = data_ == nullptr
                     ? ::mmap(nullptr, wanted, PROT_READ | PROT_WRITE, MAP_SHARED, file_.get(), 0)
                     : ::mremap(data_, capacity_, wanted, MREMAP_MAYMOVE);
  if (mapped == MAP_FAILED) {
    return back(fail(Code::kNoSpace,
                     "the machine has no locked memory left for a view: raise the locked-memory "
                     "limit (ulimit -l, LimitMEMLOCK), or end another view"));
  }
  data_ = static_cast<Byte*>(mapped);
  capacity_ = wanted;
  (void)::madvise(data_, capacity_, MADV_DONTDUMP);
  (void)::madvise(data_, capacity_, MADV_DONTFORK);
  if (::mlock(data_, capacity_) != 0 && !budget_->may_be_unlocked()) {
    return fail(Code::kNoSpace,
                "memory for a view cannot be locked: raise the locked-memory limit (ulimit -l, "
                "LimitMEMLOCK), or end another view");
  }
  return {};
}

Result<> HeldFile::reserve(std::uint64_t bytes) {
  if (bytes <= capacity_) return {};
  const std::size_t all = std::min<std::uint64_t>(bytes, SIZE_MAX / 2);
  return grow(all, all);
}

Result<> HeldFile::append(ByteView bytes) {
  if (bytes.empty()) return {};
  if (bytes.size() > capacity_ - size_) {
    TRY(grow(size_ + bytes.size(), std::max(capacity_ + capacity_ / 4, kLeast)));
  }
  copy_bytes(MutableBytes(data_ + size_, bytes.size()), bytes);
  size_ += bytes.size();
  return {};
}

Result<> HeldFile::seal() {
  // Whoever reads the descriptor sees `size_` bytes; the mapping keeps its last, empty page.
  if (::ftruncate(file_.get(), static_cast<off_t>(size_)) != 0) {
    return system_error("memory of a view");
  }
  const std::size_t kept = in_pages(size_);
  if (kept < capacity_) {
    if (::munmap(data_ + kept, capacity_ - kept) != 0) return system_error("memory of a view");
    budget_->give_back(capacity_ - kept);
    capacity_ = kept;
    if (kept == 0) data_ = nullptr;
  }
  if (::fcntl(file_.get(), F_ADD_SEALS,
              F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL) != 0) {
    return system_error("sealing the memory of a view");
  }
  return {};
}

Result<os::Descriptor> HeldFile::descriptor() const {
  return os::open_for_reading("/proc/self/fd/" + std::to_string(file_.get()));
}

}  // namespace warifu::viewing
