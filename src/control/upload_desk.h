// Uploads in pieces, which go on where they stood when a connection was lost.
//
// An upload is begun with its whole length; its pieces come one behind the other, each named by its
// place. What is taken of a piece is counted as it comes, so a piece that is cut off loses what was
// on its way and nothing else, and the sender asks where to go on. Bytes go straight into the
// sealed staging (staging.h): memory does not grow with the file. The key of a staging stands in
// memory alone until finish(), so uploads that are not finished do not survive the process, and
// their files are removed when it starts anew. At most kMostUploads are open; one that nobody has
// touched for kUploadIdle gives its place up. Ids have 128 random bits and are told to the sender
// alone. A genome's index comes before the first piece, and the file's two ends, of which its lead
// is made (genome/lead_maker.h): places count bytes of the file, without its lead. Thread-safe; one
// piece at a time for an upload.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <optional>

#include "control/store_desk.h"
#include "genome/lead_maker.h"

namespace warifu::control {

using UploadId = Id16<struct UploadTag>;

inline constexpr std::size_t kMostUploads = 32;
inline constexpr std::chrono::minutes kUploadIdle{60};
inline constexpr std::size_t kMostUploadedIndex = 64U << 20U;  // kept in memory, of each upload

struct UploadWish {
  std::string person, label, policy;
  std::uint64_t length = 0;  // of the whole file
  catalog::JobPriority priority = catalog::JobPriority::kUsual;
  bool genome = false;   // its index is to come
  std::string assembly;  // of a genome; empty: its references tell
};

// Of a genome: what has to come next.
enum class UploadWants : std::uint8_t { kIndex, kEnds, kPieces };
struct UploadState {
  UploadId upload;
  std::uint64_t received = 0, length = 0;
  UploadWants wants = UploadWants::kPieces;
  std::uint64_t head_bytes = 0, tail_bytes = 0;  // for kEnds: of the file's start and its end
  std::string about;                             // of a genome with its lead: "CRAM of GRCh38, ..."
};

class UploadDesk {
 public:
  // Reads the next bytes of a piece; 0 at its end.
  using Source = std::function<Result<std::size_t>(MutableBytes)>;

  // Removes what uploads of an earlier process have left: staged files that are no job's.
  UploadDesk(StoreDesk& store, SiteContext& site, catalog::Catalog& catalog);

  // Errors: StoreDesk::begin's; kInvalidArgument (no length); kBusy (kMostUploads are open).
  [[nodiscard]] Result<UploadState> begin(const UploadWish& wish);
  // Errors: kNotFound.
  [[nodiscard]] Result<UploadState> state(const UploadId& upload);
  // The piece that begins at `from`, which is where the upload stands. Errors: kNotFound;
  // kAlreadyExists naming the place where it stands; kBusy (another piece is on its way);
  // kInvalidArgument (beyond the length; a genome's index or ends first); kNoSpace, kIo, and those
  // of `source`: what came before stays.
  [[nodiscard]] Result<UploadState> append(const UploadId& upload, std::uint64_t from,
                                           const Source& source);
  // The index file of a genome. Errors: kNotFound; kAlreadyExists (it has one); kCorrupt.
  [[nodiscard]] Result<UploadState> put_index(const UploadId& upload, Bytes index);
  // The file's first head_bytes and, behind them, its last tail_bytes: the lead is made. Errors:
  // kNotFound; kAlreadyExists; kInvalidArgument (the index first; another number of bytes; it is no
  // genome, or its assembly is unknown); kCorrupt; kNoSpace, kIo.
  [[nodiscard]] Result<UploadState> put_ends(const UploadId& upload, ByteView ends);
  // All of it is there: a store job begins. Errors: kNotFound; kInvalidArgument (bytes are
  // missing); kBusy; Upload::finish's.
  [[nodiscard]] Result<StoreTicket> finish(const UploadId& upload);
  // Erased. Errors: kNotFound, kBusy.
  [[nodiscard]] Result<> cancel(const UploadId& upload);

 private:
  struct Open {
    std::unique_ptr<Upload> upload;  // empty while a piece is on its way
    std::uint64_t received = 0, length = 0;
    std::chrono::nanoseconds touched{};
    UploadWants wants = UploadWants::kPieces;
    std::string label, assembly, about;
    std::optional<genome::LeadMaker> lead;
  };
  static UploadState state_of(const UploadId& id, const Open& open);
  void forget_idle();
  // The two below under the lock. Errors: kNotFound; of take, kBusy.
  Result<Open*> find(const UploadId& id);
  static Result<std::unique_ptr<Upload>> take(const UploadId& id, Open& open);
  void give_back(const UploadId& id, std::unique_ptr<Upload> upload, std::uint64_t received);

  StoreDesk& store_;
  os::Clock& clock_;
  os::Random& random_;
  std::mutex mutex_;
  std::map<UploadId, Open> open_;
};

}  // namespace warifu::control
