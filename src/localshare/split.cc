// A file into share files and a local record.
#include <algorithm>
#include <filesystem>
#include <utility>

#include "base/units.h"
#include "crypto/drbg.h"
#include "datapath/datapath.h"
#include "localshare/record.h"
#include "localshare/work.h"
#include "store/share_header.h"

namespace warifu::localshare {
namespace {

using sharing::Scheme;
using sharing::ShareIndex;

// Where the given shares of a chunk come from; one object for each worker.
class GivenSource {
 public:
  virtual ~GivenSource() = default;
  [[nodiscard]] virtual Result<> fill(ChunkIndex index, std::span<const MutableBytes> given) = 0;
};

class Generated final : public GivenSource {
 public:
  explicit Generated(os::Random& kernel)
      : drbg_([&kernel](MutableBytes out) { kernel.fill(out); }) {}
  Result<> fill(ChunkIndex, std::span<const MutableBytes> given) override {
    for (const MutableBytes share : given) drbg_.fill(share);
    return {};
  }

 private:
  crypto::Drbg drbg_;
};

// The random file: hash_key:16, then for each chunk its given shares one after the other.
class FromFile final : public GivenSource {
 public:
  FromFile(std::unique_ptr<os::File> file, const sharing::RecordLayout& layout)
      : file_(std::move(file)), layout_(layout) {}
  Result<> fill(ChunkIndex index, std::span<const MutableBytes> given) override {
    std::uint64_t at = mac::kBlockBytes + layout_.lengths({0}, index.value) * given.size();
    for (const MutableBytes share : given) {
      TRY(file_->read_exact_at(at, share));
      at += share.size();
    }
    return {};
  }

 private:
  std::unique_ptr<os::File> file_;
  sharing::RecordLayout layout_;
};

// What all workers of a split read, and their tags; each worker writes tags of its own chunks only.
struct SplitJob {
  SplitJob(ByteView r, const Scheme& with_scheme, const sharing::Chunking& cut)
      : hash_key(r),
        scheme(with_scheme),
        chunking(cut),
        layout(sharing::RecordLayout(cut).below(with_scheme)),
        tags(cut.chunk_count() * sharing::kTagBytes) {}
  mac::Key hash_key;
  Scheme scheme;
  ObjectId object;
  sharing::Chunking chunking;
  sharing::RecordLayout layout;  // of the shares
  secret::Buffer tags;           // in clear they and the file would tell the hash key
};

class SplitWorker final : public Worker {
 public:
  SplitWorker(SplitJob& job, const sharing::Splitter& splitter, const store::ShareLayout& places)
      : job_(job),
        splitter_(splitter),
        places_(places),
        buffers_(1U + job.scheme.shares, limits::kMaxRecordBytes + job.scheme.granule()) {}

  Result<> work(ChunkIndex index) override {
    const datapath::ChunkName name{job_.object, index, job_.chunking.length(index)};
    const std::size_t record_bytes = job_.chunking.record_length(index);
    const MutableBytes record = buffers_.at(0).first(record_bytes);
    TRY(input->read_exact_at(index.value * job_.chunking.chunk_bytes, record.first(name.length)));
    std::vector<MutableBytes> shares;
    for (std::size_t i = 0; i < job_.scheme.shares; ++i) {
      shares.push_back(buffers_.at(1 + i).first(job_.layout.length(index)));
    }
    const auto given = std::span(shares).first(job_.scheme.privacy());
    TRY(source->fill(index, given));
    const sharing::ChunkTag tag = cut(name, record_bytes, shares);
    copy_bytes(job_.tags.bytes().subspan(index.value * sharing::kTagBytes), tag);
    for (std::size_t i = 0; i < shares.size(); ++i) {
      TRY(outputs[i]->write_at(places_.record_offset(index), shares[i]));
    }
    return {};
  }

  std::unique_ptr<os::File> input;
  std::unique_ptr<GivenSource> source;
  std::vector<std::unique_ptr<os::File>> outputs;

 private:
  sharing::ChunkTag cut(const datapath::ChunkName& name, std::size_t record_bytes,
                        const std::vector<MutableBytes>& shares) {
    const MutableBytes record = buffers_.at(0).first(record_bytes);
    if (job_.scheme == Scheme{}) {
      return datapath::cut(job_.hash_key, name, record, shares[0],
                           {.a = {}, .b = shares[1], .c = shares[2]});
    }
    const auto tag =
        sharing::finish_record(job_.hash_key, name.object, name.index, name.length, record);
    const MutableBytes padded = buffers_.at(0).first(job_.scheme.padded(record_bytes));
    std::ranges::fill(padded.subspan(record_bytes), Byte{0});
    const std::size_t privacy = job_.scheme.privacy();
    splitter_.split(padded,
                    std::vector<ByteView>(shares.begin(),
                                          shares.begin() + static_cast<std::ptrdiff_t>(privacy)),
                    std::span(shares).subspan(privacy));
    return tag;
  }

  SplitJob& job_;
  const sharing::Splitter& splitter_;
  const store::ShareLayout& places_;
  Buffers buffers_;
};

class Split {
 public:
  Split(os::System system, const SplitOptions& options) : system_(system), options_(options) {}

  Result<SplitReport> run(const Watch& watch) {
    TRY(open_input());
    TRY(open_random());
    TRY_ASSIGN(splitter_, make_splitter());
    job_ = std::make_unique<SplitJob>(hash_key_.bytes(), options_.scheme, chunking_);
    job_->object = os::random_id<ObjectId>(system_.random);
    for (std::size_t i = 0; i < options_.scheme.shares; ++i) headers_.push_back(header_of(i));
    TRY(store::check_header(headers_[0]));
    const store::ShareLayout places(headers_[0]);
    TRY(make_drafts(places));
    TRY(cut_all(places, watch));
    TRY_ASSIGN(const std::uint64_t now, input_->size());
    if (now != chunking_.object_length.value) {
      return fail(Code::kCorrupt, "'" + options_.file + "' changed its length while it was read");
    }
    TRY(write_headers_and_record());
    return publish(places);
  }

 private:
  Result<> open_input() {
    TRY_ASSIGN(input_, system_.files.open(options_.file, os::OpenMode::kRead));
    TRY_ASSIGN(const std::uint64_t size, input_->size());
    if (size == 0) {
      return fail(Code::kInvalidArgument, "'" + options_.file + "' is empty: nothing to share");
    }
    if (size > limits::kMaxObjectBytes) {
      return fail(Code::kInvalidArgument, "'" + options_.file + "' is larger than 2^50 bytes");
    }
    chunking_.object_length = {size};
    layout_ = sharing::RecordLayout(chunking_).below(options_.scheme);
    return {};
  }

  // The hash key, and the check that a file of random numbers is long enough.
  Result<> open_random() {
    random_bytes_ =
        mac::kBlockBytes + layout_.lengths({0}, layout_.count()) * options_.scheme.privacy();
    hash_key_ = secret::Buffer(mac::kBlockBytes);
    if (options_.random_file.empty()) {
      system_.random.fill(hash_key_.bytes());
      return {};
    }
    TRY_ASSIGN(const auto file, system_.files.open(options_.random_file, os::OpenMode::kRead));
    TRY_ASSIGN(const std::uint64_t there, file->size());
    if (there < random_bytes_) {
      return fail(Code::kInvalidArgument,
                  "'" + options_.random_file + "' is too short: " + std::to_string(random_bytes_) +
                      " random bytes are needed, " + std::to_string(random_bytes_ - there) +
                      " are missing");
    }
    return file->read_exact_at(0, hash_key_.bytes());
  }

  Result<std::unique_ptr<sharing::Splitter>> make_splitter() {
    std::vector<ShareIndex> given;
    for (std::size_t i = 0; i < options_.scheme.privacy(); ++i) {
      given.push_back(static_cast<ShareIndex>(i));
    }
    TRY_ASSIGN(sharing::Splitter splitter, sharing::Splitter::make(options_.scheme, given));
    return std::make_unique<sharing::Splitter>(std::move(splitter));
  }

  [[nodiscard]] bool computational() const {
    return options_.random_file.empty() || options_.random_origin != keypool::Origin::kHardware;
  }

  store::ShareHeader header_of(std::size_t index) {
    store::ShareHeader header;
    header.share = os::random_id<ShareId>(system_.random);
    header.object = job_->object;
    header.scheme = options_.scheme;
    header.index = static_cast<std::uint8_t>(index);
    header.computational = computational();
    if (options_.random_origin) {
      header.entropy_origins =
          static_cast<std::uint16_t>(1U << static_cast<unsigned>(*options_.random_origin));
    }
    header.chunk_count = chunking_.chunk_count();
    header.object_length = chunking_.object_length.value;
    header.full_record_bytes = layout_.full_bytes();
    header.last_record_bytes = layout_.last_bytes();
    header.created = system_.clock.now();
    header.policy = options_.scheme.text() + " (files on media)";
    return header;
  }

  Result<> make_drafts(const store::ShareLayout& places) {
    TRY(system_.files.make_directories(options_.out_dir));
    const std::uint64_t needed = places.file_bytes() * headers_.size();
    TRY_ASSIGN(const std::uint64_t room, system_.files.free_bytes(options_.out_dir));
    if (room < needed) {
      return fail(Code::kNoSpace, "the shares need " + human_bytes(needed) + " in '" +
                                      options_.out_dir + "', " + human_bytes(room) + " are free");
    }
    const std::string stem =
        options_.out_dir + "/" + std::filesystem::path(options_.file).filename().string();
    for (std::size_t i = 0; i < headers_.size(); ++i) {
      TRY_ASSIGN(Draft draft, Draft::create(system_.files, stem + "." + share_name(i) + ".share",
                                            places.file_bytes()));
      drafts_.push_back(std::move(draft));
    }
    TRY_ASSIGN(Draft record, Draft::create(system_.files, stem + ".record", 0));
    drafts_.push_back(std::move(record));
    return {};
  }

  Result<> cut_all(const store::ShareLayout& places, const Watch& watch) {
    std::vector<std::unique_ptr<Worker>> workers;
    const std::size_t count = worker_count(options_.workers, chunking_.chunk_count());
    for (std::size_t i = 0; i < count; ++i) {
      auto worker = std::make_unique<SplitWorker>(*job_, *splitter_, places);
      TRY_ASSIGN(worker->input, system_.files.open(options_.file, os::OpenMode::kRead));
      for (std::size_t share = 0; share < headers_.size(); ++share) {
        TRY_ASSIGN(auto output, drafts_[share].reopen());
        worker->outputs.push_back(std::move(output));
      }
      if (options_.random_file.empty()) {
        worker->source = std::make_unique<Generated>(system_.random);
      } else {
        TRY_ASSIGN(auto file, system_.files.open(options_.random_file, os::OpenMode::kRead));
        worker->source = std::make_unique<FromFile>(std::move(file), layout_);
      }
      workers.push_back(std::move(worker));
    }
    return run_workers(workers, chunking_.chunk_count(), chunking_.object_length.value, watch);
  }

  Result<> write_headers_and_record() {
    for (std::size_t i = 0; i < headers_.size(); ++i) {
      for (std::uint64_t slot = 0; slot < store::kHeaderSlots; ++slot) {
        const Bytes bytes = store::encode_slot({headers_[i], slot + 1, headers_[i].chunk_count});
        TRY(drafts_[i].file().write_at(slot * store::kHeaderBytes, bytes));
      }
    }
    sharing::ObjectTagger tagger(job_->hash_key, job_->object, chunking_);
    for (std::uint64_t i = 0; i < chunking_.chunk_count(); ++i) {
      sharing::ChunkTag tag;
      copy_bytes(tag, job_->tags.bytes().subspan(i * sharing::kTagBytes, sharing::kTagBytes));
      tagger.add(tag);
    }
    LocalRecord record{job_->object, chunking_, std::move(hash_key_), tagger.finish()};
    return drafts_.back().file().write_at(0, encode_record(record).bytes());
  }

  Result<SplitReport> publish(const store::ShareLayout& places) {
    for (Draft& draft : drafts_) draft.sync();
    for (Draft& draft : drafts_) TRY(draft.publish());
    system_.files.sync_dir(options_.out_dir);
    SplitReport report{.object = job_->object,
                       .bytes = chunking_.object_length.value,
                       .share_bytes = places.file_bytes(),
                       .random_bytes = random_bytes_,
                       .computational = computational(),
                       .random = random_text()};
    for (Draft& draft : drafts_) {
      draft.keep();
      report.shares.push_back(draft.path());
    }
    report.record = std::move(report.shares.back());
    report.shares.pop_back();
    return report;
  }

  [[nodiscard]] std::string random_text() const {
    if (options_.random_file.empty()) {
      return "computational: kernel-seeded AES-256-CTR generator";
    }
    const std::string origin = options_.random_origin
                                   ? std::string(keypool::origin_name(*options_.random_origin))
                                   : "not told";
    return (computational() ? "computational: " : "") + std::string("the file '") +
           options_.random_file + "', origin " + origin;
  }

  os::System system_;
  const SplitOptions& options_;
  std::unique_ptr<os::File> input_;
  sharing::Chunking chunking_;
  sharing::RecordLayout layout_;  // of the shares
  std::uint64_t random_bytes_ = 0;
  secret::Buffer hash_key_;
  std::unique_ptr<sharing::Splitter> splitter_;
  std::unique_ptr<SplitJob> job_;
  std::vector<store::ShareHeader> headers_;
  std::vector<Draft> drafts_;  // the shares, then the record
};

}  // namespace

std::string share_name(std::size_t index) {
  return index < 26 ? std::string(1, static_cast<char>('A' + index)) : std::to_string(index + 1);
}

Result<SplitReport> split_file(os::System system, const SplitOptions& options, const Watch& watch) {
  return Split(system, options).run(watch);
}

}  // namespace warifu::localshare
