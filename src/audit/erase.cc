// Erasing what a record says: the file written anew with one other line, in one step.
#include "audit/line.h"
#include "audit/log.h"

namespace warifu::audit {
namespace {

constexpr std::size_t kBlockBytes = 256 * 1024;

Result<> copy(os::File& from, std::uint64_t begin, std::uint64_t end, os::File& to,
              std::uint64_t at) {
  Bytes block;
  while (begin < end) {
    block.resize(std::min<std::uint64_t>(kBlockBytes, end - begin));
    TRY(from.read_exact_at(begin, block));
    TRY(to.write_at(at, block));
    begin += block.size();
    at += block.size();
  }
  return {};
}

}  // namespace

Result<> Log::erase(std::uint64_t sequence, const std::string& reason) {
  const std::lock_guard lock(mutex_);
  if (sequence == 0 || sequence > head_.sequence) {
    return fail(Code::kInvalidArgument, "there is no record " + std::to_string(sequence));
  }
  // Whether it can be erased is asked before it is said that it was.
  TRY_ASSIGN(const Replacement found, replacement_for(sequence));
  TRY(append_line("record_erased", {{"record", std::to_string(sequence)}, {"reason", reason}}));
  return replace_line(found);
}

Result<Log::Replacement> Log::replacement_for(std::uint64_t sequence) {
  const std::size_t slot = (sequence - 1) / kIndexEvery;
  TRY_ASSIGN(Head before, head_before_slot(slot));
  Replacement found;
  TRY(walk(*file_, before, index_[slot], [&](const Record& record, std::uint64_t offset) {
    found.begin = offset;
    if (record.sequence < sequence) before = {record.sequence, record.hash};
    return record.sequence < sequence;
  }));
  Bytes text(std::min<std::uint64_t>(kMaxLineBytes + 1, end_ - found.begin));
  TRY(file_->read_exact_at(found.begin, text));
  const std::string_view line = as_text(text).substr(0, as_text(text).find('\n'));
  found.end = found.begin + line.size() + 1;
  TRY_ASSIGN(found.line, erased_line(line, before));
  return found;
}

// The new file has everything before it takes the old one's name.
Result<> Log::replace_line(const Replacement& found) {
  const std::string path = file_->path(), fresh_path = path + ".new";
  TRY(system_.files.remove(fresh_path));
  {
    TRY_ASSIGN(const auto fresh, system_.files.open(fresh_path, os::OpenMode::kCreate));
    TRY(copy(*file_, 0, found.begin, *fresh, 0));
    TRY(fresh->write_at(found.begin, as_bytes(found.line)));
    TRY(copy(*file_, found.end, end_, *fresh, found.begin + found.line.size()));
    fresh->sync();
  }
  TRY(system_.files.rename(fresh_path, path));
  system_.files.sync_dir(os::parent_of(path));
  broken_ = true;  // nothing may be written to the file that has lost its name
  TRY_ASSIGN(file_, system_.files.open(path, os::OpenMode::kReadWrite));
  index_.clear();
  tree_ = {};
  TRY(load());
  broken_ = false;
  return {};
}

}  // namespace warifu::audit
