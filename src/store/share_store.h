// Where share bytes rest: the interface, and the store that keeps one file per share in a
// directory.
//
// Only share records come here: never plaintext, never a pad. A share is either partial (being
// received; resumable) or committed (complete, never changed any more but for its list of
// siblings).
//
// Promises:
// - what ShareWriter::durable_chunks() said survives crash and power loss: a reopened writer stands
//   there or further on, never on records that were not synced;
// - a share is committed as a whole or not at all;
// - a failed sync ends the process (os/files.h).
// Removing a share unlinks its file. That does not erase the medium: a share that must become
// worthless is refreshed at its siblings.
//
// Ownership: writers and readers must not outlive their store. Thread rule: a store may be used by
// several threads at once; a writer by one at a time; ShareReader::read() by several.
#pragma once

#include <functional>
#include <memory>

#include "os/files.h"
#include "store/share_header.h"

namespace warifu::store {

class ShareWriter {
 public:
  virtual ~ShareWriter() = default;
  [[nodiscard]] virtual const ShareHeader& header() const = 0;
  [[nodiscard]] virtual const ShareLayout& layout() const = 0;
  // The chunk that append() takes next; chunk_count() when all are there.
  [[nodiscard]] virtual ChunkIndex next_chunk() const = 0;
  // Leading chunks that are safe on disk, to be acknowledged.
  [[nodiscard]] virtual std::uint64_t durable_chunks() const = 0;

  // The record of next_chunk(). After an error the writer stands where it stood.
  // Errors: kInvalidArgument (length, or all are there), kNoSpace, kIo.
  [[nodiscard]] virtual Result<> append(ByteView record) = 0;
  // Makes all that was appended durable. Errors: kNoSpace, kIo; durable_chunks() is then unchanged.
  [[nodiscard]] virtual Result<> sync() = 0;
  // Goes back: `chunk` (at most next_chunk()) is the next one to append. Errors: kInvalidArgument,
  // kNoSpace, kIo.
  [[nodiscard]] virtual Result<> truncate_to(ChunkIndex chunk) = 0;
  // Syncs and makes the share visible to open(). Afterwards the writer is finished: every later
  // call that changes something is kInvalidArgument. Errors: kInvalidArgument when chunks are
  // missing, kNoSpace, kIo.
  [[nodiscard]] virtual Result<> commit() = 0;
  // Removes what was received. The writer is then finished. Errors: kInvalidArgument, kIo.
  [[nodiscard]] virtual Result<> abandon() = 0;
};

// Told of every damage that is met in a committed share; may be called by any reading thread.
// `why`: an error as a text, with its reason (base/reason.h).
using DamageWatch = std::function<void(const ShareId& share, const std::string& why)>;

class ShareReader {
 public:
  virtual ~ShareReader() = default;
  [[nodiscard]] virtual const ShareHeader& header() const = 0;
  [[nodiscard]] virtual const ShareLayout& layout() const = 0;
  // What is wrong with the header copy that does not count; empty when both are good.
  [[nodiscard]] virtual const std::string& header_damage() const = 0;
  // The records [first, first + count), one behind the other; out.size() must be
  // layout().records_length(first, count). Of a share with checks only what matches them.
  // Errors: kInvalidArgument, kCorrupt naming the record (rotten, or cut short meanwhile), kIo.
  [[nodiscard]] virtual Result<> read(ChunkIndex first, std::uint64_t count, MutableBytes out) = 0;
  // Reads everything that belongs to record `chunk`, the gap behind it too, and checks it;
  // `record` is room for it. Errors: kCorrupt, kIo.
  [[nodiscard]] virtual Result<> verify(ChunkIndex chunk, MutableBytes record) = 0;
};

struct PartialShare {
  ShareHeader header;
  std::uint64_t durable_chunks = 0;
};

// Something in the store that a person has to look at.
struct ShareProblem {
  std::string path;
  std::string reason;   // an error as a text (base/reason.h)
  bool usable = false;  // the share can still be used: only one of two copies is damaged
};

struct ShareListing {
  std::vector<ShareHeader> shares;  // ascending by id
  std::vector<ShareProblem> problems;
};

// A committed share in few words.
struct ShareSummary {
  ShareId share;
  ObjectId object;
  sharing::SharePath path{sharing::ShareIndex::kA};
  std::uint64_t file_bytes = 0;
  bool operator==(const ShareSummary&) const = default;
};

struct Inventory {
  std::vector<ShareSummary> shares;  // ascending by id
  std::vector<ShareProblem> problems;
};

struct StoreTotals {
  std::uint64_t shares = 0;
  std::uint64_t bytes = 0;  // of their files
};

struct PartialListing {
  std::vector<PartialShare> shares;  // ascending by id
  std::vector<ShareProblem> problems;
};

// The end of a share's header.
struct Completion {
  std::vector<Sibling> siblings;
  std::uint16_t entropy_origins = 0;  // where the random numbers of the cut came from
  bool computational = true;
};

class ShareStore {
 public:
  virtual ~ShareStore() = default;

  // Starts a share; nothing of it may be in the store. Errors: kInvalidArgument (header),
  // kAlreadyExists, kNoSpace naming the needed and the free bytes, kIo.
  [[nodiscard]] virtual Result<std::unique_ptr<ShareWriter>> create(const ShareHeader& header) = 0;
  // Goes on with a partial share behind its last durable record. Errors: kNotFound, kAlreadyExists
  // (committed), kBusy (a writer is open), kCorrupt, kNoSpace, kIo.
  [[nodiscard]] virtual Result<std::unique_ptr<ShareWriter>> reopen(const ShareId& share) = 0;
  // A committed share. Errors: kNotFound, kCorrupt naming the file, kIo.
  [[nodiscard]] virtual Result<std::unique_ptr<ShareReader>> open(const ShareId& share) = 0;
  // Removes a share, committed or partial; what is not there is no error. Open readers may go on.
  // Errors: kBusy (a writer is open), kIo.
  [[nodiscard]] virtual Result<> remove(const ShareId& share) = 0;
  // Committed shares, every header read anew. Damaged and foreign files are problems, not errors.
  // For a few shares: of 100,000 it takes seconds. Errors: kIo.
  [[nodiscard]] virtual Result<ShareListing> list() = 0;
  // Committed shares by the names that are in the folder now, and by what their headers said when
  // they were read last: a header is read once, and again when open() has found it damaged or it is
  // damaged in part. So whoever has to be sure of one share opens it. Problems as list() has them.
  // Errors: kIo.
  [[nodiscard]] virtual Result<Inventory> inventory() = 0;
  // Those of one object, as fast with 100,000 others as without: of what inventory() or totals()
  // has made known, the files that are still there. A file that somebody put there by hand counts
  // from the next inventory() on, which the scrubber asks for again and again. Errors: kIo.
  [[nodiscard]] virtual Result<std::vector<ShareSummary>> shares_of(const ObjectId& object) = 0;
  // How many there are, without a look at the folder after the first: a file that somebody removed
  // by hand is counted until the next inventory(). Errors: kIo.
  [[nodiscard]] virtual Result<StoreTotals> totals() = 0;
  [[nodiscard]] virtual Result<PartialListing> list_partial() = 0;
  // Writes into the header of a committed share what is known only once its cut is over; a crash
  // leaves all of the old or all of the new words. Errors: kNotFound, kInvalidArgument, kCorrupt,
  // kNoSpace, kIo.
  [[nodiscard]] virtual Result<> complete(const ShareId& share, const Completion& completion) = 0;
  // Before the first reader. What it calls must outlive them.
  virtual void watch_damage(DamageWatch watch) = 0;
  // Free bytes, less what open writers still have to write. Errors: kIo.
  [[nodiscard]] virtual Result<std::uint64_t> free_bytes() = 0;
};

// Makes the folder `root` when it is not there and locks it. Errors: kBusy when another process
// uses it, kIo. `files` must outlive the store.
[[nodiscard]] Result<std::unique_ptr<ShareStore>> open_directory_store(os::FileSystem& files,
                                                                       const std::string& root);

}  // namespace warifu::store
