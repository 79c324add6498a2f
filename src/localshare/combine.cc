// Share files into the file, verified chunk by chunk and as a whole before it gets its name.
#include <algorithm>
#include <map>
#include <mutex>
#include <utility>

#include "localshare/record.h"
#include "localshare/work.h"
#include "store/share_header.h"

namespace warifu::localshare {
namespace {

using sharing::ShareIndex;

// So many choices of shares are tried for one chunk before it is given up.
constexpr int kMostChoices = 2000;

struct OpenShare {
  std::string path;
  store::ShareHeader header;
};

Result<OpenShare> open_share(os::FileSystem& files, const std::string& path) {
  TRY_ASSIGN(const auto file, files.open(path, os::OpenMode::kRead));
  std::optional<store::HeaderSlot> newest;
  Error problem{Code::kCorrupt, ""};
  for (std::uint64_t slot = 0; slot < store::kHeaderSlots; ++slot) {
    Bytes bytes(store::kHeaderBytes);
    TRY(file->read_exact_at(slot * store::kHeaderBytes, bytes));
    auto parsed = store::parse_slot(bytes, path);
    if (!parsed) {
      problem = parsed.error();
    } else if (!newest || parsed->sequence > newest->sequence) {
      newest = *parsed;
    }
  }
  if (!newest) return std::unexpected(problem);
  const std::uint64_t wanted = store::ShareLayout(newest->header).file_bytes();
  TRY_ASSIGN(const std::uint64_t size, file->size());
  if (size != wanted || newest->durable_chunks != newest->header.chunk_count) {
    return fail(Code::kCorrupt, "share file '" + path + "' " +
                                    (size < wanted ? "is cut short: " : "is not whole: ") +
                                    std::to_string(size) + " of " + std::to_string(wanted) +
                                    " bytes");
  }
  return OpenShare{path, newest->header};
}

// Every share against the record and against the first one.
Result<> check_shares(const std::vector<OpenShare>& shares, const LocalRecord& record) {
  std::map<std::uint8_t, const OpenShare*> seen;
  for (const OpenShare& share : shares) {
    const store::ShareHeader& header = share.header;
    if (header.object != record.object) {
      return fail(Code::kInvalidArgument, "'" + share.path + "' is a share of object " +
                                              header.object.text() + ", the record is of " +
                                              record.object.text());
    }
    if (!header.path.is_top()) {
      return fail(Code::kInvalidArgument,
                  "'" + share.path + "' is a share of a share; combine works on whole cuts only");
    }
    if (header.object_length != record.chunking.object_length.value ||
        header.chunk_bytes != record.chunking.chunk_bytes) {
      return fail(Code::kCorrupt, "'" + share.path + "' and the record differ about the length");
    }
    const store::ShareHeader& first = shares.front().header;
    if (header.scheme != first.scheme || header.generation != first.generation) {
      return fail(Code::kInvalidArgument, "'" + share.path + "' and '" + shares.front().path +
                                              "' are of different cuts of the object");
    }
    const auto [it, fresh] = seen.emplace(header.path.index(), &share);
    if (!fresh) {
      return fail(Code::kInvalidArgument, "'" + it->second->path + "' and '" + share.path +
                                              "' are both share " +
                                              share_name(header.path.index()));
    }
  }
  const sharing::Scheme& scheme = shares.front().header.scheme;
  if (shares.size() < scheme.threshold) {
    return fail(Code::kInvalidArgument,
                "shares of a " + scheme.text() + " cut: " + std::to_string(scheme.threshold) +
                    " are needed, " + std::to_string(shares.size()) + " given");
  }
  return {};
}

// What all workers use; what they find is guarded.
struct Job {
  Job(const std::vector<OpenShare>& open, const LocalRecord& local)
      : shares(open),
        record(local),
        hash_key(local.hash_key.bytes()),
        scheme(open.front().header.scheme),
        places(open.front().header),
        tags(local.chunking.chunk_count() * sharing::kTagBytes) {}
  const std::vector<OpenShare>& shares;
  const LocalRecord& record;
  mac::Key hash_key;
  sharing::Scheme scheme;
  store::ShareLayout places;
  secret::Buffer tags;
  std::mutex mutex;
  std::map<std::size_t, ChunkIndex> wrong;  // by number in `shares`: the first chunk where seen

  void blame(std::size_t share, ChunkIndex chunk) {
    const std::lock_guard lock(mutex);
    const auto [it, fresh] = wrong.emplace(share, chunk);
    if (!fresh) it->second = std::min(it->second, chunk);
  }
};

class CombineWorker final : public Worker {
 public:
  explicit CombineWorker(Job& job)
      : job_(job), buffers_(job.shares.size(), limits::kMaxRecordBytes + job.scheme.granule()) {
    for (std::size_t i = 0; i < job.scheme.threshold; ++i) choice_.push_back(i);
  }

  Result<> work(ChunkIndex index) override {
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      TRY(inputs[i]->read_exact_at(job_.places.record_offset(index), share(i, index)));
    }
    TRY_ASSIGN(const sharing::VerifiedChunk chunk, restore(index));
    for (std::size_t i = 0; i < inputs.size(); ++i) compare(i, index, chunk);
    copy_bytes(job_.tags.bytes().subspan(index.value * sharing::kTagBytes), chunk.tag());
    return output->write_at(index.value * job_.record.chunking.chunk_bytes, chunk.data());
  }

  std::vector<std::unique_ptr<os::File>> inputs;
  std::unique_ptr<os::File> output;

 private:
  MutableBytes share(std::size_t i, ChunkIndex index) {
    return buffers_.at(i).first(job_.places.record_length(index));
  }

  // The record that `choice` gives, without the zeros that a scheme wants behind it.
  Result<sharing::VerifiedChunk> try_choice(const std::vector<std::size_t>& choice,
                                            ChunkIndex index) {
    std::vector<ShareIndex> from;
    std::vector<ByteView> views;
    for (const std::size_t i : choice) {
      from.push_back(static_cast<ShareIndex>(job_.shares[i].header.path.index()));
      views.push_back(share(i, index));
    }
    TRY_ASSIGN(const sharing::Joiner joiner, sharing::Joiner::make(job_.scheme, from));
    const std::size_t bytes = job_.record.chunking.record_length(index);
    secret::Buffer record(job_.scheme.padded(bytes));
    joiner.join(views, record.bytes());
    record.shrink(bytes);
    return sharing::verify_record(job_.hash_key, job_.record.object, index,
                                  job_.record.chunking.length(index), std::move(record));
  }

  // By the present choice, else by any other; a choice that works is kept.
  Result<sharing::VerifiedChunk> restore(ChunkIndex index) {
    auto chunk = try_choice(choice_, index);
    if (chunk || chunk.error().code != Code::kCorrupt) return chunk;
    std::vector<bool> chosen(job_.shares.size());
    std::fill_n(chosen.begin(), job_.scheme.threshold, true);
    int tries = 0;
    do {
      std::vector<std::size_t> choice;
      for (std::size_t i = 0; i < chosen.size(); ++i) {
        if (chosen[i]) choice.push_back(i);
      }
      auto other = try_choice(choice, index);
      if (other) {
        choice_ = std::move(choice);
        return other;
      }
    } while (++tries < kMostChoices && std::prev_permutation(chosen.begin(), chosen.end()));
    return fail(Code::kCorrupt, give_up_text(index));
  }

  [[nodiscard]] std::string give_up_text(ChunkIndex index) const {
    std::string names;
    for (const OpenShare& share : job_.shares) names += (names.empty() ? "" : ", ") + share.path;
    return "chunk " + std::to_string(index.value) +
           " does not match its tag under the record's key: one of " + names +
           " (or the record) is wrong" +
           (job_.shares.size() == job_.scheme.threshold ? "; give one more share to learn which"
                                                        : ", and no choice of them is right");
  }

  // Blames a share that is not needed and does not fit the verified chunk: in the place of one of
  // the chosen it must give the same bytes.
  void compare(std::size_t i, ChunkIndex index, const sharing::VerifiedChunk& chunk) {
    if (std::ranges::find(choice_, i) != choice_.end()) return;
    std::vector<std::size_t> choice = choice_;
    choice.front() = i;
    const auto other = try_choice(choice, index);
    if (!other || !secret::equal(other->data(), chunk.data())) job_.blame(i, index);
  }

  Job& job_;
  Buffers buffers_;
  std::vector<std::size_t> choice_;  // numbers of shares
};

Result<LocalRecord> read_record(os::FileSystem& files, const std::string& path) {
  TRY_ASSIGN(const auto file, files.open(path, os::OpenMode::kRead));
  TRY_ASSIGN(const std::uint64_t size, file->size());
  if (size != kLocalRecordBytes) {
    return fail(Code::kCorrupt, "'" + path + "' is no local record: it has " +
                                    std::to_string(size) + " bytes instead of 72");
  }
  secret::Buffer bytes(kLocalRecordBytes);
  TRY(file->read_exact_at(0, bytes.bytes()));
  return parse_record(bytes.bytes(), path);
}

Result<> check_all_tags(Job& job, const std::string& record_path) {
  sharing::ObjectTagger tagger(job.hash_key, job.record.object, job.record.chunking);
  for (std::uint64_t i = 0; i < job.record.chunking.chunk_count(); ++i) {
    sharing::ChunkTag tag;
    copy_bytes(tag, job.tags.bytes().subspan(i * sharing::kTagBytes, sharing::kTagBytes));
    tagger.add(tag);
  }
  if (secret::equal(tagger.finish(), job.record.tag)) return {};
  return fail(Code::kCorrupt, "the tag over all chunks is not the one in '" + record_path + "'");
}

}  // namespace

Result<CombineReport> combine_files(os::System system, const CombineOptions& options,
                                    const Watch& watch) {
  TRY_ASSIGN(const LocalRecord record, read_record(system.files, options.record));
  std::vector<OpenShare> shares;
  for (const std::string& path : options.shares) {
    TRY_ASSIGN(OpenShare share, open_share(system.files, path));
    shares.push_back(std::move(share));
  }
  if (shares.empty()) return fail(Code::kInvalidArgument, "no share is given");
  TRY(check_shares(shares, record));
  const std::uint64_t length = record.chunking.object_length.value;
  TRY_ASSIGN(Draft draft, Draft::create(system.files, options.out, length));
  Job job(shares, record);
  std::vector<std::unique_ptr<Worker>> workers;
  const std::size_t count = worker_count(options.workers, record.chunking.chunk_count());
  for (std::size_t i = 0; i < count; ++i) {
    auto worker = std::make_unique<CombineWorker>(job);
    for (const OpenShare& share : shares) {
      TRY_ASSIGN(auto input, system.files.open(share.path, os::OpenMode::kRead));
      worker->inputs.push_back(std::move(input));
    }
    TRY_ASSIGN(worker->output, draft.reopen());
    workers.push_back(std::move(worker));
  }
  TRY(run_workers(workers, record.chunking.chunk_count(), length, watch));
  TRY(check_all_tags(job, options.record));
  draft.sync();
  TRY(draft.publish());
  system.files.sync_dir(os::parent_of(options.out));
  draft.keep();
  CombineReport report{.object = record.object,
                       .bytes = length,
                       .scheme = job.scheme,
                       .computational = shares.front().header.computational};
  for (const auto& [number, chunk] : job.wrong) {
    report.wrong.push_back(
        {shares[number].path, share_name(shares[number].header.path.index()), chunk});
  }
  return report;
}

}  // namespace warifu::localshare
