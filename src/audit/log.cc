// Opening with recovery, durable appends, reading, verification.
#include "audit/log.h"

#include <algorithm>

#include "audit/actor.h"
#include "audit/line.h"
#include "base/log.h"

namespace warifu::audit {

Result<std::unique_ptr<Log>> Log::open(const os::System& system, const std::string& path,
                                       const SiteName& site) {
  const std::string lock_folder = path + ".lock";
  TRY(system.files.make_directories(lock_folder));
  auto lock = system.files.lock_directory(lock_folder);
  if (!lock) {
    if (lock.error().code != Code::kBusy) return std::unexpected(lock.error());
    return fail(Code::kBusy, "audit log '" + path + "' is in use by another process");
  }
  TRY_ASSIGN(auto file, system.files.open(path, os::OpenMode::kOpenOrCreate));
  // Always: whoever made it may have died before its name was durable.
  system.files.sync_dir(os::parent_of(path));
  std::unique_ptr<Log> log(new Log(system, std::move(*lock), std::move(file)));
  TRY(log->load());
  if (log->head_.sequence == 0) {
    TRY(log->append_line("log_created", {{"site", site.text()}}));
  } else {
    TRY(log->check_owner(site));
  }
  if (log->torn_bytes_ > 0) {
    TRY(log->append_line("log_recovered", {{"cut_bytes", std::to_string(log->torn_bytes_)}}));
  }
  return log;
}

Result<> Log::load() {
  TRY_ASSIGN(Walk done, walk(*file_, {}, 0, [this](const Record& record, std::uint64_t offset) {
               take(record, offset);
               return true;
             }));
  head_ = done.head;
  end_ = done.good_bytes;
  if (done.tail.empty()) return {};
  const std::string where =
      "audit log '" + file_->path() + "' line " + std::to_string(head_.sequence + 1);
  if (const auto record = parse_line(done.tail, head_)) {
    log_warning(where + " lacked its end after a crash; it is complete and was kept");
    take(*record, end_);
    TRY(file_->write_at(end_ + done.tail.size(), as_bytes("\n")));
    file_->sync();
    head_ = {record->sequence, record->hash};
    end_ += done.tail.size() + 1;
    return {};
  }
  torn_bytes_ = done.tail.size();
  log_warning(where + " is unfinished after a crash: " + std::to_string(torn_bytes_) +
              " bytes cut off; the event was never acknowledged");
  TRY(file_->truncate(end_));
  file_->sync();
  return {};
}

void Log::take(const Record& record, std::uint64_t offset) {
  if (record.sequence % kIndexEvery == 1) index_.push_back(offset);
  tree_.append(record.leaf);
}

Result<> Log::check_owner(const SiteName& site) {
  TRY_ASSIGN(const auto first, read(1, 1));
  const Fields expected = {{"site", site.text()}};
  if (first.at(0).event != "log_created" || first.at(0).fields != expected) {
    return fail(Code::kRefused, "audit log '" + file_->path() + "' belongs to another site than '" +
                                    site.text() + "'");
  }
  return {};
}

Result<> Log::write_durably(std::string_view bytes) {
  auto written = file_->write_at(end_, as_bytes(bytes));
  if (written) {
    file_->sync();
    return {};
  }
  // A part may stand in the file. Take it away, else the next line would be glued to it.
  if (!file_->truncate(end_)) broken_ = true;
  return written;
}

Result<> Log::append_line(std::string_view event, const Fields& fields) {
  if (broken_) {
    return fail(Code::kIo, "audit log '" + file_->path() +
                               "' stopped after a failed write; restart when the disk is repaired");
  }
  Salt salt{};
  system_.random.fill(salt);
  TRY_ASSIGN(const std::string line, make_line(head_, salt, system_.clock.now(), event, fields));
  auto next = parse_line(std::string_view(line).substr(0, line.size() - 1), head_);
  WARIFU_CHECK(next.has_value());
  TRY(write_durably(line));
  take(*next, end_);
  head_ = {next->sequence, next->hash};
  end_ += line.size();
  return {};
}

Result<> Log::append(std::string_view event, const Fields& fields) {
  const std::lock_guard lock(mutex_);
  const std::string& by = ActingOperator::current();
  const bool said =
      std::ranges::any_of(fields, [](const auto& f) { return f.first == "operator"; });
  if (by.empty() || said) return append_line(event, fields);
  Fields all = fields;
  all.emplace_back("operator", by);
  return append_line(event, all);
}

Head Log::head() {
  const std::lock_guard lock(mutex_);
  return head_;
}

Result<std::vector<Record>> Log::read(std::uint64_t from, std::size_t most) {
  const std::lock_guard lock(mutex_);
  return read_locked(from, most);
}

Result<Head> Log::head_before_slot(std::size_t slot) {
  Bytes start(std::min<std::uint64_t>(kMaxLineBytes + 1, end_ - index_[slot]));
  TRY(file_->read_exact_at(index_[slot], start));
  return head_before(as_text(start), slot * kIndexEvery);
}

Result<std::vector<Record>> Log::read_locked(std::uint64_t from, std::size_t most) {
  std::vector<Record> records;
  const std::uint64_t first = std::max<std::uint64_t>(from, 1);
  if (first > head_.sequence || most == 0) return records;
  const std::size_t limit = std::min(most, kMaxRead);
  // The chain is checked again from the nearest indexed record on; its own `prev` opens the walk.
  const std::size_t slot = (first - 1) / kIndexEvery;
  TRY_ASSIGN(const Head before, head_before_slot(slot));
  TRY(walk(*file_, before, index_[slot], [&](const Record& record, std::uint64_t) {
    if (record.sequence >= first) records.push_back(record);
    return records.size() < limit;
  }));
  return records;
}

Result<std::vector<Digest>> Log::read_leaves(std::uint64_t first, std::uint64_t count) {
  TRY_ASSIGN(const std::vector<Record> records, read_locked(first + 1, count));
  std::vector<Digest> leaves;
  for (const Record& record : records) leaves.push_back(record.leaf);
  return leaves;
}

Result<std::vector<Digest>> Log::leaves(std::uint64_t after, std::size_t most) {
  const std::lock_guard lock(mutex_);
  return read_leaves(after, most);
}

Result<Digest> Log::root(std::uint64_t size) {
  const std::lock_guard lock(mutex_);
  if (size > tree_.size()) {
    return fail(Code::kInvalidArgument, "the log has " + std::to_string(tree_.size()) +
                                            " records, not " + std::to_string(size));
  }
  return tree_.root(
      size, [this](std::uint64_t first, std::uint64_t count) { return read_leaves(first, count); });
}

Result<std::vector<Digest>> Log::inclusion(std::uint64_t sequence, std::uint64_t size) {
  const std::lock_guard lock(mutex_);
  if (sequence == 0) return fail(Code::kInvalidArgument, "records are numbered from 1");
  return tree_.inclusion(sequence - 1, size, [this](std::uint64_t first, std::uint64_t count) {
    return read_leaves(first, count);
  });
}

Result<std::vector<Digest>> Log::consistency(std::uint64_t before, std::uint64_t size) {
  const std::lock_guard lock(mutex_);
  return tree_.consistency(before, size, [this](std::uint64_t first, std::uint64_t count) {
    return read_leaves(first, count);
  });
}

Result<Head> verify(os::FileSystem& files, const std::string& path, const Head* witnessed) {
  TRY_ASSIGN(const auto file, files.open(path, os::OpenMode::kRead));
  bool seen = witnessed == nullptr || witnessed->sequence == 0;
  bool differs = false;
  TRY_ASSIGN(const Walk done, walk(*file, {}, 0, [&](const Record& record, std::uint64_t) {
               if (witnessed != nullptr && record.sequence == witnessed->sequence) {
                 seen = true;
                 differs = record.hash != witnessed->hash;
               }
               return true;
             }));
  const auto bad_line = [&](std::uint64_t line, const std::string& why) {
    return fail(Code::kCorrupt, "'" + path + "' line " + std::to_string(line) + ": " + why);
  };
  if (!done.tail.empty()) return bad_line(done.head.sequence + 1, "it is unfinished");
  if (!seen) {
    return bad_line(done.head.sequence + 1, "it is missing; a witness has seen line " +
                                                std::to_string(witnessed->sequence));
  }
  if (differs) return bad_line(witnessed->sequence, "it is not the line that a witness has seen");
  return done.head;
}

}  // namespace warifu::audit
