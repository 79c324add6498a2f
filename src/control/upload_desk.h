// Uploads in pieces, which go on where they stood when a connection was lost, when the site's
// process has died or when the power has failed.
//
// An upload is begun with its whole length; its pieces come one behind the other, each named by its
// place. They go straight into the sealed staging (kept_upload.h): memory does not grow with the
// file. What is told as received is durable, in whole chunks until the end of the file is there; a
// piece that is cut off loses what was on its way, and the sender asks where to go on. At most
// kMostUploads are open; one that nobody has touched for `[uploads] keep` is erased, also by
// itself, but not within kUploadGrace of the site's start. Of a genome either its index and the
// file's two ends come before the first piece (places count bytes of the file, without its lead);
// until its lead is made of them they are in memory alone, and are asked for again after a restart.
// Or the site makes the index when all is there, and other slices if that is wished
// (upload_prepare.h): one upload after the other.
//
// An upload's id becomes its job's: whoever does not know whether finish() came through asks again.
// Thread-safe; one piece at a time for an upload; one thread of its own between start() and stop().
#pragma once

#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <thread>

#include "control/kept_upload.h"
#include "control/store_desk.h"
#include "control/upload_prepare.h"
#include "genome/lead_maker.h"

namespace warifu::control {

inline constexpr std::size_t kMostUploads = 32;
inline constexpr std::chrono::hours kUploadGrace{1};
inline constexpr std::size_t kMostUploadedIndex = 64U << 20U;  // kept in memory, of each upload

struct UploadWish {
  std::string person, label, policy;
  std::string mark;          // by which the sender knows the file again; may be empty
  std::uint64_t length = 0;  // of the whole file
  catalog::JobPriority priority = catalog::JobPriority::kUsual;
  IndexFrom index = IndexFrom::kNowhere;  // kNowhere: no genome, or one without regions
  std::string assembly;                   // of a genome; empty: its references tell
};

// What has to come next.
enum class UploadWants : std::uint8_t { kIndex, kEnds, kPieces, kPrepare, kFinish };
struct UploadState {
  UploadFacts facts;
  std::uint64_t received = 0;
  UploadWants wants = UploadWants::kPieces;
  std::uint64_t head_bytes = 0, tail_bytes = 0;  // for kEnds: of the file's start and its end
  os::UnixMs until;                              // erased then, if nobody touches it before
  bool is_cram = false;                          // as far as its first bytes tell
  struct Preparing {
    std::string step;  // "waiting", "digest", "reslice", "prove", "index"
    std::uint64_t done = 0, total = 0;
  };
  std::optional<Preparing> preparing;
  std::optional<Error> trouble;             // why it could not be prepared
  std::optional<LackingReference> lacking;  // for kFinish: told before a share moves
};

class UploadDesk {
 public:
  using Source = KeptUpload::Source;

  // Takes up what an earlier process has left; removes staged files that are neither an upload's
  // nor a job's.
  UploadDesk(StoreDesk& store, SiteContext& site, catalog::Catalog& catalog);
  ~UploadDesk() { stop(); }
  UploadDesk(const UploadDesk&) = delete;
  UploadDesk& operator=(const UploadDesk&) = delete;

  void start();
  // What is being prepared gives up; uploads stay. Idempotent.
  void stop();

  // Errors: StoreDesk::admit's; kInvalidArgument (no length); kBusy (kMostUploads are open).
  [[nodiscard]] Result<UploadState> begin(const UploadWish& wish);
  // Errors: kNotFound.
  [[nodiscard]] Result<UploadState> state(const JobId& upload);
  // Those that are open, oldest first; `person` empty: of everybody.
  [[nodiscard]] std::vector<UploadState> list(const std::string& person);
  // The piece that begins at `from`, which is where the upload stands. Errors: kNotFound;
  // kAlreadyExists naming the place where it stands; kBusy (another piece is on its way);
  // kInvalidArgument (beyond the length; less than a chunk and not the end; a genome's index or
  // ends first); kNoSpace, kIo, and those of `source`: what came before stays.
  [[nodiscard]] Result<UploadState> append(const JobId& upload, std::uint64_t from,
                                           const Source& source);
  // The index file of a genome. Errors: kNotFound; kAlreadyExists (it has one); kBusy; kCorrupt.
  [[nodiscard]] Result<UploadState> put_index(const JobId& upload, Bytes index);
  // The file's first head_bytes and, behind them, its last tail_bytes: the lead is made. Errors:
  // kNotFound; kAlreadyExists; kInvalidArgument (the index first; another number of bytes; it is no
  // genome, or its assembly is unknown); kBusy; kCorrupt; kNoSpace, kIo.
  [[nodiscard]] Result<UploadState> put_ends(const JobId& upload, ByteView ends);
  // The index is made here, out of all that has come. Comes back at once; state() tells how it goes
  // on. Errors: kNotFound; kInvalidArgument (bytes are missing; its index was not wished from
  // here; slices; kind of file); kAlreadyExists (it is prepared); kBusy.
  [[nodiscard]] Result<UploadState> prepare(const JobId& upload, const PrepareWish& wish);
  // All of it is there: a store job begins; again: the same answer, without what was said of
  // references. Errors: kNotFound;
  // kInvalidArgument (bytes or its index are missing); kBusy; those of start_store().
  [[nodiscard]] Result<StoreTicket> finish(const JobId& upload);
  // Erased; what is being prepared ends first. Errors: kNotFound, kBusy, kIo.
  [[nodiscard]] Result<> cancel(const JobId& upload);

 private:
  struct Preparing {
    PrepareWish wish;
    std::atomic<bool> stop = false;
    UploadState::Preparing shown{.step = "waiting"};
    bool drop = false;  // erased when it has ended
  };
  struct Open {
    std::shared_ptr<KeptUpload> kept;
    bool busy = false;      // kept is somebody's, outside of the lock
    UploadState state;      // as it was when kept was given back
    bool looked = false;    // what kind of file it is
    bool compared = false;  // its sequences with the site's references
    std::optional<genome::LeadMaker> lead;
    std::shared_ptr<Preparing> preparing;
    os::UnixMs saved;  // of the last touch on disk
  };
  class Taken;

  void take_up(catalog::Catalog& catalog);
  // The ones below under the lock.
  Result<Open*> find(const JobId& id);
  Result<Open*> find_idle(const JobId& id);
  [[nodiscard]] UploadState state_of(const Open& open) const;
  void note(Open& open) const;
  void touch(Open& open);
  void sweep();
  [[nodiscard]] os::UnixMs deadline_of(const Open& open) const;
  void erase(std::map<JobId, Open>::iterator it);
  [[nodiscard]] Result<StoreTicket> ticket_of_job(const JobId& id);

  void run(const std::stop_token& stop);
  void prepare_next(std::unique_lock<std::mutex>& lock);

  StoreDesk& store_;
  SiteContext& site_;
  KeptUpload::Home home_;
  os::UnixMs started_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::map<JobId, Open> open_;
  std::vector<JobId> queue_;  // to be prepared
  std::jthread thread_;
};

}  // namespace warifu::control
