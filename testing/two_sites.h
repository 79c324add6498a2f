// Two sites with one link, each on a simulated disk, running the real code of pools, channel,
// intake and reconciling over a simulated line, and watched from outside (testing/site_ledger.h).
//
// A run is a row of acts drawn from its seed: conversations (requests, streams, drawn shares, keys
// of applications, rounds of the intake, reconciling, retiring), two of them interleaved at times,
// under a line that is attacked and disks that lose power at any of their operations; restarts; and
// where the rules say so an end that comes back from a backup. Nonces are the kernel's: they change
// no decision.
//
// Not counted as a use: what a sending end takes to check a greeting that then fails, because
// nothing made from it leaves. For the same reason what a receiving end takes to check a frame that
// then fails may be another range than the sending end's (testing/site_ledger.h). Counted apart
// (`prepared_again`), a limit that docs/threat-model.md tells (W6): what a *restored* receiving end
// had taken before out of a range that the sending end never accepted, a range's hash key or the
// mask of a greeting's proof, and what is used again.
#pragma once

#include "channel/connection.h"
#include "kme/intake.h"
#include "testing/bent_files.h"
#include "testing/sim_clock.h"
#include "testing/sim_disk.h"
#include "testing/sim_line.h"
#include "testing/site_ledger.h"
#include "testing/site_trace.h"

namespace warifu::sim {

enum class Rollback : std::uint8_t { kNone, kOne, kBoth };

struct SiteRules {
  std::uint64_t seed = 1;
  Rollback rollback = Rollback::kNone;
  std::ostream* trace = nullptr;  // gets the whole run in words; must outlive it
  // --- seeded bugs ---
  Lies lies;                        // of both disks
  MarkBends bends;                  // of both sites
  bool marks_not_believed = false;  // nobody learns from a greeting how far the far end is
  bool proofs_not_checked = false;  // an old welcome is as good as a new one
  bool key_not_compared = false;    // the intake believes that both ends hold the same key
};

class TwoSites {
 public:
  explicit TwoSites(const SiteRules& rules);
  ~TwoSites();
  TwoSites(const TwoSites&) = delete;
  TwoSites& operator=(const TwoSites&) = delete;

  // The whole run.
  void live();

  [[nodiscard]] const SiteViolations& violations() const { return violations_; }
  // The last thing that did not go, for whoever looks into a seed.
  [[nodiscard]] const Error& last_error() const { return last_error_; }
  [[nodiscard]] std::uint64_t prepared_again() const { return prepared_again_; }
  [[nodiscard]] std::uint64_t conversations() const { return conversations_; }
  [[nodiscard]] std::uint64_t opened() const { return opened_; }
  [[nodiscard]] std::uint64_t crashes() const { return crashes_; }
  [[nodiscard]] std::uint64_t uses() const { return uses_; }

 private:
  class Device;
  class Watcher;
  // One site: its disk and its process.
  struct Site {
    std::unique_ptr<SimDisk> disk;
    std::unique_ptr<SimDisk> backup;
    std::unique_ptr<os::FileSystem> bent;
    std::optional<SimDisk::Quiet> quiet;  // a crash ends the site; nothing is thrown
    std::unique_ptr<Device> device;
    std::unique_ptr<Watcher> send_watcher, receive_watcher;
    std::unique_ptr<kme::Link> link;  // empty: the site is down
    std::unique_ptr<kme::Intake> intake;
    PadOffset granted;  // how far its receiving pool ever reserved
  };
  enum class Act : std::uint8_t {
    kEcho = 1,
    kStream,
    kShare,
    kApplication,
    kIntake,
    kReconcile,
    kRetire
  };
  // A task of a conversation: one end of one connection.
  struct Part {
    std::size_t site = 0;
    std::uint64_t conversation = 0;
    bool opened = false;
    std::vector<Use> checks;  // taken by the sending end before the connection was open
    // Taken by the receiving end for its last frame, which is not known to be good yet.
    std::optional<Use> frame_check;
  };

  // two_sites.cc
  bool start(std::size_t site);
  void stop(std::size_t site);
  void take_down(std::size_t site);
  void recover(std::size_t site, std::unique_ptr<SimDisk> image);
  void bring_back();
  void drain();
  void left(std::size_t site, bool sending, Use use);
  void enter_received(std::size_t site, Part* part, const Use& use);
  // The last frame of this end was good, if it is up to say so.
  void frame_was_good(Part& part);
  void enter_sent(std::size_t site, const Use& use);
  [[nodiscard]] bool up(std::size_t site) const {
    return sites_[site].link != nullptr && !sites_[site].disk->dead();
  }
  // up(), asked by the line before a frame leaves: what is granted in it is noted first, because
  // its sender may die before the grant is used.
  [[nodiscard]] bool alive(std::size_t site);
  os::System system(std::size_t site);
  bool forge(Bytes& frame, bool from_caller);
  // Whose turn it is, in words.
  [[nodiscard]] std::string who() const;
  void trace_line();

  // two_sites_talk.cc
  void step();
  void converse(std::size_t caller, const std::vector<Act>& acts,
                const std::vector<Act>& beside = {});
  void call(std::size_t part, std::unique_ptr<os::ByteStream> stream, const std::vector<Act>& acts);
  void answer(std::size_t part, std::unique_ptr<os::ByteStream> stream);
  Result<> perform(Act act, channel::Connection& connection, Part& part);
  Result<Bytes> ask(channel::Connection& connection, std::uint16_t method, ByteView body);
  Result<Bytes> ask_intake(channel::Connection& connection, Part& part, kme::IntakeMethod method,
                           ByteView body);
  Result<Bytes> handle(channel::Connection& connection, Part& part, std::uint16_t method,
                       ByteView body);
  Result<> send_stream(Act act, channel::Connection& connection, Part& part);
  Result<Bytes> take_stream(channel::Connection& connection, Part& part, std::uint16_t method,
                            ByteView body);
  static std::string_view act_text(Act act);
  static bool is_stream(Act act) { return act >= Act::kStream && act <= Act::kApplication; }
  [[nodiscard]] bool is_used_up() const;
  void open(Part& part);
  void note_end(const Part& part, const Result<>& how);
  std::vector<Act> draw_acts(bool with_sync);

  SiteRules rules_;
  Dice dice_;
  SimClock clock_;
  SimRandom random_;
  Turns turns_;
  Mischief mischief_;
  Site sites_[2];
  SiteLedger ledgers_[2];  // by the site that sends
  std::vector<Part> parts_;
  std::map<std::uint64_t, std::vector<Bytes>> drawn_;  // by conversation: what the callee drew
  std::map<std::string, Bytes> device_keys_;
  Bytes hello_nonce_, old_welcomes_[2];  // the latter by caller
  SiteViolations violations_;
  SiteTrace trace_;
  Error last_error_;
  bool last_good_ = false;
  bool restored_ = false;  // an end came back from a backup
  std::uint64_t prepared_again_ = 0, conversations_ = 0, opened_ = 0, crashes_ = 0, uses_ = 0;
};

}  // namespace warifu::sim
