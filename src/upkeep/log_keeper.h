// This site's log among witnesses: tells every neighbour what was appended, keeps what neighbours
// tell of theirs, and asks them what they have seen.
//
// A round tells each witness the leaves it lacks and gets a co-signature for the checkpoint of them
// all; nothing is told when nothing was appended, and a witness logs nothing of it, so silence
// stays silence. What travels costs 32 bytes of pad for each record and witness and proves itself
// by the channel's one-time tags. Whoever finds that a witness has seen another log says so in this
// log, in the site's own log file and in status(): it cannot be undone.
//
// Requests (docs/formats/site-requests.md): 70 what was seen of the asker's log, 71 more of it, 72
// leaves of it. Each concerns the asker's own log only.
// Files: FOLDER/audit.key (the signing seed, sealed under the site's root key),
// FOLDER/audit-witness/. Thread-safe; one thread of its own between start() and stop(). `site` must
// outlive it.
#pragma once

#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>

#include "audit/witness.h"
#include "channel/server.h"
#include "control/share_service.h"

namespace warifu::upkeep {

enum class LogMethod : std::uint16_t { kSeen = 70, kOffer = 71, kLeaves = 72 };
[[nodiscard]] constexpr std::uint16_t number(LogMethod method) {
  return static_cast<std::uint16_t>(method);
}

enum class WitnessVerdict : std::uint8_t {
  kUnknown,  // not asked since the start
  kAgrees,
  kDiffers,  // it has seen another log
  kSawMore,  // it has seen records that are not here: this log was cut or is from a backup
  kUnreachable,
};
// "unknown", "agrees", "differs", "saw more", "unreachable".
[[nodiscard]] std::string_view verdict_name(WitnessVerdict verdict);

struct WitnessState {
  WitnessVerdict verdict = WitnessVerdict::kUnknown;
  std::uint64_t size = 0;        // records that it has seen
  os::UnixMs asked;              // when
  std::uint64_t differs_at = 0;  // the first record that is another one; 0 when not known
  std::string problem;
};

class LogKeeper {
 public:
  // `interval` zero: only when asked. Errors: kBusy, kCorrupt naming the file, kNoSpace, kIo.
  [[nodiscard]] static Result<std::unique_ptr<LogKeeper>> open(control::SiteContext& site,
                                                               const std::string& folder,
                                                               std::chrono::seconds interval);
  ~LogKeeper() { stop(); }

  void add_handlers(channel::Server& server);
  void start();
  void stop();

  // Asks every witness and tells it what it lacks; the states afterwards.
  [[nodiscard]] std::map<SiteName, WitnessState> round();
  [[nodiscard]] std::map<SiteName, WitnessState> status() const;
  // The newest checkpoint that this site signs, with the co-signatures there are for it.
  [[nodiscard]] Result<audit::Note> note();
  [[nodiscard]] const crypto::PublicKey& public_key() const { return key_.public_key(); }
  // What this site has seen of other logs.
  [[nodiscard]] std::map<SiteName, audit::Seen> witnessed() { return witness_->all(); }

 private:
  LogKeeper(control::SiteContext& site, crypto::SigningKey key, std::chrono::seconds interval)
      : site_(site), key_(std::move(key)), interval_(interval) {}
  Result<audit::Checkpoint> checkpoint(std::uint64_t size);
  WitnessState visit(const SiteName& witness);
  Result<> tell(const SiteName& witness, WitnessState& state);
  Result<std::uint64_t> first_difference(const SiteName& witness, std::uint64_t size);
  void report(const SiteName& witness, const WitnessState& state);
  void run(const std::stop_token& stop);

  control::SiteContext& site_;
  crypto::SigningKey key_;
  const std::chrono::seconds interval_;
  std::unique_ptr<audit::Witness> witness_;
  std::mutex rounds_;  // one at a time
  mutable std::mutex mutex_;
  std::condition_variable_any wake_;
  std::map<SiteName, WitnessState> states_;
  std::uint64_t cosigned_ = 0;  // size of the checkpoint that lines_ are for
  std::vector<std::string> lines_;
  std::jthread thread_;
};

}  // namespace warifu::upkeep
