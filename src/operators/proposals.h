// Acts that wait for a second operator: what was asked for, by whom, and what became of it.
//
// A proposal is the request itself, byte for byte; what is approved is what was proposed. It is
// durable before its proposer hears of it. An approval is durable before the act begins, and is
// given once: a process that dies in between leaves the proposal `interrupted`, never open, so that
// nothing is done twice; whoever wants it looks what was done and proposes it anew.
//
//   file     := "WRFPROP1" count:u16 proposal* crc32c:u32              numbers little-endian
//   proposal := id:16 state:u8 status:u16 made:i64 expires:i64 decided:i64
//               proposer:text decider:text act:text target:text body:blob
//   text     := length:u16 bytes     blob := length:u32 bytes
//
// The whole file is replaced at each change. Bodies are JSON of the API and hold no secrets: the
// routes that are marked take none. Thread-safe. One object holds a file.
#pragma once

#include <chrono>
#include <mutex>
#include <vector>

#include "base/ids.h"
#include "os/system.h"

namespace warifu::operators {

using ProposalId = Id16<struct ProposalTag>;

inline constexpr std::chrono::hours kProposalLife{72};
inline constexpr std::size_t kMaxProposals = 200;           // of all states
inline constexpr std::size_t kMaxProposalBody = 64 * 1024;  // bytes

enum class ProposalState : std::uint8_t {
  kOpen = 1,
  kApproved = 2,     // a second operator said yes, and it is being done
  kDone = 3,         // it was answered; `status` is the HTTP status
  kRejected = 4,     // by anybody with the role, the proposer too
  kInterrupted = 5,  // the site stopped between approval and answer
  kExpired = 6,
};
[[nodiscard]] std::string_view proposal_state_name(ProposalState state);

struct Proposal {
  ProposalId id;
  ProposalState state = ProposalState::kOpen;
  std::uint16_t status = 0;
  os::UnixMs made, expires, decided;
  std::string proposer, decider;
  std::string act;     // "POST /v1/objects/{object}/delete"
  std::string target;  // "/v1/objects/8736.../delete"
  Bytes body;

  bool operator==(const Proposal&) const = default;
};

class Proposals {
 public:
  // Reads the file, if it is there. Errors: kCorrupt, kIo; kNoSpace when what was under way cannot
  // be marked as interrupted.
  [[nodiscard]] static Result<std::unique_ptr<Proposals>> open(os::System system, std::string path);

  // Durable when it returns. Errors: kInvalidArgument (body too long), kBusy (kMaxProposals are
  // open), kNoSpace, kIo.
  [[nodiscard]] Result<Proposal> add(const std::string& proposer, const std::string& act,
                                     const std::string& target, ByteView body);
  // Newest first.
  [[nodiscard]] std::vector<Proposal> list();
  // Errors: kNotFound.
  [[nodiscard]] Result<Proposal> find(const ProposalId& id);
  // From open to approved, durably and once. Errors: kNotFound; kRefused: by the proposer, or not
  // open any more; kNoSpace, kIo.
  [[nodiscard]] Result<Proposal> approve(const ProposalId& id, const std::string& who);
  [[nodiscard]] Result<Proposal> reject(const ProposalId& id, const std::string& who);
  // What was approved has been answered. Errors: kNotFound, kNoSpace, kIo.
  [[nodiscard]] Result<> done(const ProposalId& id, int status);

 private:
  Proposals(os::System system, std::string path) : system_(system), path_(std::move(path)) {}
  Result<> read();
  Result<> write(const std::vector<Proposal>& all) const;
  Result<Proposal> decide(const ProposalId& id, const std::string& who, ProposalState to);
  void expire();
  [[nodiscard]] static bool forget_oldest(std::vector<Proposal>& all);

  os::System system_;
  std::string path_;
  std::mutex mutex_;
  std::vector<Proposal> all_;  // oldest first
};

}  // namespace warifu::operators
