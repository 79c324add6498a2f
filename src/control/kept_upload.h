// One upload in pieces, on disk: it outlives the process and a power loss.
//
//   STAGING/ID          the file's chunks, sealed (staging.h); ID will be the store job's
//   STAGING/ID.lead     a genome's lead, once it is known
//   STAGING/ID.new      the same reads in other slices, while they are written
//   STAGING/ID.upload   what is known of the upload, sealed under the site's root key
//
// Invariants: received() counts what is durable, in whole chunks until the file's end is there.
// The record is replaced as a whole, and each change of the upload happens with that: a lead counts
// once the record says so, another file takes the first one's place by the record and is renamed
// behind it. load() finishes or takes back what a crash has cut short. Whoever erases the record
// forgets the key. One thread at a time; the owner locks.
#pragma once

#include <functional>

#include "catalog/records.h"
#include "control/staging.h"

namespace warifu::control {

// Where a genome's index comes from.
enum class IndexFrom : std::uint8_t { kNowhere, kSender, kHere };

// What was made of an upload at the site.
struct PreparedUpload {
  std::uint64_t index_bytes = 0;
  std::uint32_t reads_per_slice = 0;  // 0: the file is as it came
  std::uint64_t records = 0;          // compared before and after; of another file only
  std::uint64_t stored_bytes = 0;     // of the file behind the lead
  std::string original_sha256;        // of another file's original, hexadecimal
};

struct UploadFacts {
  JobId id;
  std::string person, label, policy;
  std::string mark;          // by which the sender knows the file again
  std::uint64_t length = 0;  // of the file as it comes
  catalog::JobPriority priority = catalog::JobPriority::kUsual;
  IndexFrom index = IndexFrom::kNowhere;
  std::string assembly;
  os::UnixMs began, touched;
  std::uint32_t lead_chunks = 0;  // 0: the lead is not there
  std::string about;              // of a genome with its lead: for people
  std::optional<PreparedUpload> prepared;
};

inline constexpr std::size_t kMostUploadMark = 100;  // bytes

class KeptUpload {
 public:
  // Reads the next bytes of a piece; 0 at its end.
  using Source = std::function<Result<std::size_t>(MutableBytes)>;
  struct Home {
    os::System system;
    std::string folder;  // STAGING
    ByteView root_key;
  };

  // Durable when it returns. Errors: kIo, kNoSpace.
  [[nodiscard]] static Result<KeptUpload> create(const Home& home, const UploadFacts& facts);
  // Errors: kNotFound; kCorrupt (a record that cannot be opened, a file of another version); kIo.
  [[nodiscard]] static Result<KeptUpload> load(const Home& home, const JobId& id);

  [[nodiscard]] const UploadFacts& facts() const { return facts_; }
  [[nodiscard]] std::uint64_t received() const { return received_; }
  [[nodiscard]] bool has_all() const { return received_ == facts_.length; }
  // Nothing is missing for the store job.
  [[nodiscard]] bool is_ready() const;

  // The next bytes of the file until the source ends. What it gave is kept in whole chunks, whether
  // it ended well or not. Errors: kInvalidArgument (beyond the length; less than a chunk and not
  // the file's end), kNoSpace, kIo, those of `source`.
  [[nodiscard]] Result<> append(const Source& source);
  // Durable: whole chunks. Errors: kNoSpace, kIo.
  [[nodiscard]] Result<> set_lead(ByteView lead, std::uint32_t chunks, const std::string& about);

  // The file's bytes, in order of place; `from` any. Errors: kCorrupt, kIo.
  [[nodiscard]] Result<> read(std::uint64_t from, MutableBytes out) const;
  // The file from its beginning, for a process that reads it once.
  [[nodiscard]] Source reader() const;

  // The same reads in another file: written to where start_other() says, with its key. Errors: kIo,
  // kNoSpace.
  struct Other {
    secret::Buffer key;
    std::unique_ptr<StagingWriter> writer;  // finish() it
    std::uint64_t length = 0;               // set by whoever has finished it
  };
  [[nodiscard]] Result<Other> start_other();
  [[nodiscard]] Result<> read_other(const Other& other, std::uint64_t from, MutableBytes out) const;
  [[nodiscard]] Source reader_of(const Other& other) const;
  // Lead and, if there is one, the other file take effect together. Errors: kNoSpace, kIo: then the
  // upload is as before.
  [[nodiscard]] Result<> set_prepared(const PreparedUpload& prepared, ByteView lead,
                                      std::uint32_t chunks, const std::string& about,
                                      const Other* other);
  // Unless the record on disk may name it.
  void drop_other();

  // Somebody has dealt with it; `keep`: on the disk as well. Errors: kNoSpace, kIo.
  [[nodiscard]] Result<> touch(os::UnixMs now, bool keep);

  [[nodiscard]] const std::string& folder() const { return home_.folder; }
  [[nodiscard]] ByteView key() const { return key_.bytes(); }
  // Bytes of the file behind the lead.
  [[nodiscard]] std::uint64_t stored_bytes() const;
  // Bytes of the object: with its lead.
  [[nodiscard]] std::uint64_t object_bytes() const;
  // The store job has the files: the record alone goes. Errors: kIo.
  [[nodiscard]] static Result<> forget_record(os::System system, const std::string& folder,
                                              const JobId& id);
  // The key's record first, then the rest; what cannot be removed then goes with the next start.
  // Errors: kIo: the record is there, and the upload as before.
  [[nodiscard]] Result<> erase();
  // All that an upload of that id may have left. Errors: kIo.
  [[nodiscard]] static Result<> erase_traces(os::System system, const std::string& folder,
                                             const JobId& id);

  static constexpr std::string_view kRecordEnding = ".upload";

 private:
  KeptUpload(const Home& home, UploadFacts facts, secret::Buffer key);
  [[nodiscard]] Result<> save();
  // Before files change that a record names which may stand there although its save() failed: the
  // upload's own is written again. Errors: as save().
  [[nodiscard]] Result<> settle();
  [[nodiscard]] Result<> take_place();
  [[nodiscard]] Result<> write_lead(ByteView lead) const;
  Result<> recover();

  Home home_;
  std::string path_;
  UploadFacts facts_;
  secret::Buffer key_;
  std::uint64_t received_ = 0;
  bool is_record_sure_ = true;  // the disk has what facts_ and key_ say
};

}  // namespace warifu::control
