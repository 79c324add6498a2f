// The store that keeps one file per share in a directory.
#include <algorithm>
#include <mutex>
#include <optional>
#include <set>

#include "base/reason.h"
#include "base/units.h"
#include "os/folders.h"
#include "store/directory_writer.h"
#include "store/share_book.h"

namespace warifu::store {
namespace {

constexpr int kReadsBesideWriter = 3;

std::unexpected<Error> no_share(const ShareId& share, const std::string& root) {
  return fail(Code::kNotFound, "share " + share.text() + " is not in '" + root + "'");
}

std::unexpected<Error> has_writer(const ShareId& share) {
  return fail(Code::kBusy, "share " + share.text() + " has a writer already");
}

std::unexpected<Error> no_space(const ShareId& share, const std::string& root, std::uint64_t needed,
                                std::uint64_t free) {
  return fail(Code::kNoSpace, "share " + share.text() + " needs " + std::to_string(needed) +
                                  " bytes (" + human_bytes(needed) + ") in '" + root + "', where " +
                                  std::to_string(free) + " bytes (" + human_bytes(free) +
                                  ") are free");
}

// mutex_ orders everything that touches names or headers of committed shares, and the book of them.
class DirectoryStore final : public ShareStore {
 public:
  DirectoryStore(os::FileSystem& files, std::string root, std::unique_ptr<os::DirectoryLock> lock)
      : files_(files), root_(std::move(root)), lock_(std::move(lock)) {}

  // Removes what a crash inside create() left.
  [[nodiscard]] Result<> clean() {
    TRY_ASSIGN(const auto names, files_.list(root_));
    for (const std::string& name : names) {
      if (share_of_name(name, kNewEnding)) TRY(files_.remove(root_ + "/" + name));
    }
    return {};
  }

  Result<std::unique_ptr<ShareWriter>> create(const ShareHeader& header) override;
  Result<std::unique_ptr<ShareWriter>> reopen(const ShareId& share) override;
  Result<std::unique_ptr<ShareReader>> open(const ShareId& share) override;
  Result<> remove(const ShareId& share) override;
  Result<ShareListing> list() override;
  Result<Inventory> inventory() override;
  Result<std::vector<ShareSummary>> shares_of(const ObjectId& object) override;
  Result<StoreTotals> totals() override;
  Result<PartialListing> list_partial() override;
  Result<> complete(const ShareId& share, const Completion& completion) override;
  void watch_damage(DamageWatch watch) override { watch_ = std::move(watch); }
  Result<std::uint64_t> free_bytes() override;

 private:
  [[nodiscard]] std::string path_of(const ShareId& share, std::string_view ending) const {
    return root_ + "/" + share.text() + std::string(ending);
  }
  // Free bytes for a share that needs `needed` of them and is in the room already.
  // Errors: kNoSpace naming both numbers, kIo.
  [[nodiscard]] Result<> check_room(const ShareId& share, std::uint64_t needed);
  // What cannot be opened is not in the book any more.
  [[nodiscard]] Result<HeaderFile> open_committed(const ShareId& share, os::OpenMode mode);
  // Committed shares by their names, ascending; other files are problems.
  [[nodiscard]] Result<std::vector<ShareId>> named(std::vector<ShareProblem>& problems);
  // The header of that share; why not, or what is wrong with it, is a problem.
  [[nodiscard]] std::optional<ShareHeader> look(const ShareId& share,
                                                std::vector<ShareProblem>& problems);
  // The book as the folder is now.
  [[nodiscard]] Result<> read_book(std::vector<ShareProblem>& problems);
  // The book with all that came and went through this store; only the first time as the folder is.
  [[nodiscard]] Result<> keep_book();
  void add_committed();

  os::FileSystem& files_;
  std::string root_;
  std::unique_ptr<os::DirectoryLock> lock_;
  WriterRoom room_;
  DamageWatch watch_;
  std::mutex mutex_;
  ShareBook book_;
  std::set<ShareId> damaged_;  // in part: these are looked at again
  bool has_book_ = false;
};

Result<std::uint64_t> DirectoryStore::free_bytes() {
  TRY_ASSIGN(const std::uint64_t free, files_.free_bytes(root_));
  const std::uint64_t promised = room_.promised_bytes();
  return free > promised ? free - promised : 0;
}

Result<> DirectoryStore::check_room(const ShareId& share, std::uint64_t needed) {
  TRY_ASSIGN(const std::uint64_t free, files_.free_bytes(root_));
  const std::uint64_t others = room_.promised_bytes() - needed;
  const std::uint64_t left = free > others ? free - others : 0;
  if (needed > left) return no_space(share, root_, needed, left);
  return {};
}

Result<std::unique_ptr<ShareWriter>> DirectoryStore::create(const ShareHeader& header) {
  TRY(check_header(header));
  const std::lock_guard lock(mutex_);
  const std::string partial = path_of(header.share, kPartialEnding);
  const std::string committed = path_of(header.share, kCommittedEnding);
  if (files_.exists(partial) || files_.exists(committed)) {
    return fail(Code::kAlreadyExists,
                "share " + header.share.text() + " is already in '" + root_ + "'");
  }
  const std::uint64_t needed = ShareLayout(header).file_bytes();
  if (!room_.enter(header.share, needed)) return has_writer(header.share);
  RoomPlace place(room_, header.share);
  TRY(check_room(header.share, needed));
  // Under its final name only when the header is safe, so that every .part can be reopened.
  const std::string fresh = path_of(header.share, kNewEnding);
  {
    TRY_ASSIGN(const HeaderFile made, HeaderFile::create(files_, fresh, header));
  }
  if (auto renamed = files_.rename(fresh, partial); !renamed) {
    (void)files_.remove(fresh);  // the first error is the one to tell
    return std::unexpected(renamed.error());
  }
  files_.sync_dir(root_);
  TRY_ASSIGN(HeaderFile file,
             HeaderFile::open(files_, partial, header.share, os::OpenMode::kReadWrite));
  auto writer =
      std::make_unique<DirectoryWriter>(files_, std::move(file), committed, std::move(place));
  TRY(writer->recover());
  return writer;
}

Result<std::unique_ptr<ShareWriter>> DirectoryStore::reopen(const ShareId& share) {
  const std::lock_guard lock(mutex_);
  const std::string partial = path_of(share, kPartialEnding);
  const std::string committed = path_of(share, kCommittedEnding);
  if (files_.exists(committed)) {
    return fail(Code::kAlreadyExists,
                "share " + share.text() + " is already complete in '" + root_ + "'");
  }
  if (!files_.exists(partial)) return no_share(share, root_);
  if (!room_.enter(share, 0)) return has_writer(share);
  RoomPlace place(room_, share);
  TRY_ASSIGN(HeaderFile file, HeaderFile::open(files_, partial, share, os::OpenMode::kReadWrite));
  auto writer =
      std::make_unique<DirectoryWriter>(files_, std::move(file), committed, std::move(place));
  TRY(writer->recover());
  const ShareLayout& layout = writer->layout();
  TRY(check_room(share, layout.file_bytes() - layout.record_offset(writer->next_chunk())));
  return writer;
}

Result<HeaderFile> DirectoryStore::open_committed(const ShareId& share, os::OpenMode mode) {
  auto file = HeaderFile::open(files_, path_of(share, kCommittedEnding), share, mode);
  const Result<> whole = file ? check_complete(*file) : std::unexpected(file.error());
  if (whole) return file;
  book_.drop(share);
  if (whole.error().code == Code::kNotFound) return no_share(share, root_);
  return std::unexpected(whole.error());
}

Result<std::unique_ptr<ShareReader>> DirectoryStore::open(const ShareId& share) {
  const std::lock_guard lock(mutex_);
  TRY_ASSIGN(HeaderFile file, open_committed(share, os::OpenMode::kRead));
  return std::make_unique<DirectoryReader>(std::move(file), watch_);
}

Result<> DirectoryStore::remove(const ShareId& share) {
  const std::lock_guard lock(mutex_);
  if (room_.holds(share)) {
    return fail(Code::kBusy, "share " + share.text() + " has an open writer; abandon it first");
  }
  for (const std::string_view ending : {kCommittedEnding, kPartialEnding, kNewEnding}) {
    TRY(files_.remove(path_of(share, ending)));
  }
  files_.sync_dir(root_);
  add_committed();  // it may be among them
  book_.drop(share);
  return {};
}

Result<std::vector<ShareId>> DirectoryStore::named(std::vector<ShareProblem>& problems) {
  TRY_ASSIGN(const auto names, files_.list(root_));
  std::vector<ShareId> shares;
  for (const std::string& name : names) {
    if (const auto share = share_of_name(name, kCommittedEnding)) {
      shares.push_back(*share);
      continue;
    }
    const bool known =
        name == ".lock" || share_of_name(name, kPartialEnding) || share_of_name(name, kNewEnding);
    if (!known) problems.push_back({root_ + "/" + name, "this is not a file of the share store"});
  }
  return shares;
}

std::optional<ShareHeader> DirectoryStore::look(const ShareId& share,
                                                std::vector<ShareProblem>& problems) {
  const std::string path = path_of(share, kCommittedEnding);
  auto file = open_committed(share, os::OpenMode::kRead);
  if (!file) {
    problems.push_back({path, error_text(file.error())});
    return std::nullopt;
  }
  if (!file->damage().empty()) problems.push_back({path, file->damage(), true});
  return file->header();
}

Result<ShareListing> DirectoryStore::list() {
  const std::lock_guard lock(mutex_);
  ShareListing listing;
  TRY_ASSIGN(const auto shares, named(listing.problems));
  for (const ShareId& share : shares) {
    if (auto header = look(share, listing.problems)) listing.shares.push_back(std::move(*header));
  }
  std::ranges::sort(listing.problems, {}, &ShareProblem::path);
  return listing;
}

void DirectoryStore::add_committed() {
  for (const ShareHeader& header : room_.take_committed()) book_.put(summary_of(header));
}

Result<> DirectoryStore::read_book(std::vector<ShareProblem>& problems) {
  add_committed();
  TRY_ASSIGN(const auto shares, named(problems));
  book_.keep_only(shares);
  for (const ShareId& share : shares) {
    if (book_.has(share) && !damaged_.contains(share)) continue;
    damaged_.erase(share);
    const std::size_t before = problems.size();
    const auto header = look(share, problems);
    if (!header) continue;
    book_.put(summary_of(*header));
    if (problems.size() > before) damaged_.insert(share);
  }
  has_book_ = true;
  return {};
}

Result<Inventory> DirectoryStore::inventory() {
  const std::lock_guard lock(mutex_);
  Inventory inventory;
  TRY(read_book(inventory.problems));
  std::ranges::sort(inventory.problems, {}, &ShareProblem::path);
  inventory.shares = book_.all();
  return inventory;
}

Result<> DirectoryStore::keep_book() {
  std::vector<ShareProblem> problems;
  if (!has_book_) TRY(read_book(problems));
  add_committed();
  return {};
}

Result<std::vector<ShareSummary>> DirectoryStore::shares_of(const ObjectId& object) {
  const std::lock_guard lock(mutex_);
  TRY(keep_book());
  std::vector<ShareSummary> shares = book_.of(object);
  std::erase_if(shares, [&](const ShareSummary& share) {
    if (files_.exists(path_of(share.share, kCommittedEnding))) return false;
    book_.drop(share.share);  // somebody removed it by hand
    return true;
  });
  return shares;
}

Result<StoreTotals> DirectoryStore::totals() {
  const std::lock_guard lock(mutex_);
  TRY(keep_book());
  return book_.totals();
}

Result<PartialListing> DirectoryStore::list_partial() {
  const std::lock_guard lock(mutex_);
  TRY_ASSIGN(const auto names, files_.list(root_));
  PartialListing listing;
  for (const std::string& name : names) {
    const auto share = share_of_name(name, kPartialEnding);
    if (!share) continue;
    // A writer may be at work: it can end the file, or be met in the middle of a header slot.
    const bool at_work = room_.holds(*share);
    auto file = HeaderFile::open(files_, root_ + "/" + name, *share, os::OpenMode::kRead);
    for (int again = 0; !file && at_work && again < kReadsBesideWriter; ++again) {
      file = HeaderFile::open(files_, root_ + "/" + name, *share, os::OpenMode::kRead);
    }
    if (!file) {
      const bool gone = file.error().code == Code::kNotFound;
      if (!at_work && !gone) {
        listing.problems.push_back({root_ + "/" + name, error_text(file.error())});
      }
      continue;
    }
    if (!file->damage().empty() && !at_work) {
      listing.problems.push_back({root_ + "/" + name, file->damage(), true});
    }
    listing.shares.push_back({file->header(), file->durable_chunks()});
  }
  return listing;
}

Result<> DirectoryStore::complete(const ShareId& share, const Completion& completion) {
  const std::lock_guard lock(mutex_);
  TRY_ASSIGN(HeaderFile file, open_committed(share, os::OpenMode::kReadWrite));
  ShareHeader header = file.header();
  header.siblings = completion.siblings;
  header.entropy_origins = completion.entropy_origins;
  header.computational = completion.computational;
  TRY(check_header(header));
  return file.write_both(header, file.durable_chunks());
}

}  // namespace

Result<std::unique_ptr<ShareStore>> open_directory_store(os::FileSystem& files,
                                                         const std::string& root) {
  TRY(os::make_folder(files, root));
  TRY_ASSIGN(auto lock, files.lock_directory(root));
  auto store = std::make_unique<DirectoryStore>(files, root, std::move(lock));
  TRY(store->clean());
  return store;
}

}  // namespace warifu::store
