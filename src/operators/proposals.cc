// One small file, replaced as a whole: a change is there entirely or not at all.
#include "operators/proposals.h"

#include <algorithm>

#include "base/reason.h"
#include "wire/wire.h"

namespace warifu::operators {
namespace {

constexpr std::string_view kMagic = "WRFPROP1";
constexpr std::size_t kMaxText = 4096;
constexpr std::uint64_t kMaxFile = kMaxProposals * (kMaxProposalBody + 4 * kMaxText);

void put(wire::Writer& writer, const Proposal& one) {
  writer.id(one.id);
  writer.u8(static_cast<std::uint8_t>(one.state));
  writer.u16(one.status);
  writer.i64(one.made.value);
  writer.i64(one.expires.value);
  writer.i64(one.decided.value);
  writer.text(one.proposer);
  writer.text(one.decider);
  writer.text(one.act);
  writer.text(one.target);
  writer.blob(one.body);
}

Proposal get(wire::Reader& reader) {
  Proposal one;
  one.id = reader.id<ProposalId>();
  const std::uint8_t state = reader.u8();
  if (state < 1 || state > static_cast<std::uint8_t>(ProposalState::kExpired)) {
    reader.reject("unknown state");
  }
  one.state = static_cast<ProposalState>(state);
  one.status = reader.u16();
  one.made.value = reader.i64();
  one.expires.value = reader.i64();
  one.decided.value = reader.i64();
  one.proposer = reader.text(kMaxText);
  one.decider = reader.text(kMaxText);
  one.act = reader.text(kMaxText);
  one.target = reader.text(kMaxText);
  const ByteView body = reader.blob(kMaxProposalBody);
  one.body.assign(body.begin(), body.end());
  return one;
}

bool is_over(const Proposal& one) {
  return one.state != ProposalState::kOpen && one.state != ProposalState::kApproved;
}

}  // namespace

std::string_view proposal_state_name(ProposalState state) {
  switch (state) {
    case ProposalState::kOpen: return "open";
    case ProposalState::kApproved: return "approved";
    case ProposalState::kDone: return "done";
    case ProposalState::kRejected: return "rejected";
    case ProposalState::kInterrupted: return "interrupted";
    case ProposalState::kExpired: return "expired";
  }
  return "?";
}

Result<std::unique_ptr<Proposals>> Proposals::open(os::System system, std::string path) {
  std::unique_ptr<Proposals> proposals(new Proposals(system, std::move(path)));
  if (!system.files.exists(proposals->path_)) return proposals;
  TRY(proposals->read());
  std::vector<Proposal> next = proposals->all_;
  bool changed = false;
  for (Proposal& one : next) {
    if (one.state != ProposalState::kApproved) continue;
    one.state = ProposalState::kInterrupted;
    changed = true;
  }
  if (changed) TRY(proposals->write(next));
  proposals->all_ = std::move(next);
  return proposals;
}

Result<> Proposals::read() {
  const auto damaged = [&] {
    return fail(Code::kCorrupt, "the record of proposals '" + path_ + "' is damaged");
  };
  TRY_ASSIGN(const Bytes bytes, os::read_file(system_.files, path_, kMaxFile));
  const auto body = wire::before_checksum(bytes);
  if (!body) return damaged();
  wire::Reader reader(*body, "record of proposals");
  if (as_text(reader.raw(kMagic.size())) != kMagic) return damaged();
  const std::uint16_t count = reader.u16();
  for (std::uint16_t i = 0; i < count && reader.good(); ++i) all_.push_back(get(reader));
  if (!reader.finish()) return damaged();
  return {};
}

Result<> Proposals::write(const std::vector<Proposal>& all) const {
  wire::Writer writer;
  writer.raw(as_bytes(kMagic));
  writer.u16(static_cast<std::uint16_t>(all.size()));
  for (const Proposal& one : all) put(writer, one);
  writer.checksum();
  return os::replace_file(system_.files, path_, writer.take());
}

// In memory only: the file says when each one ends.
void Proposals::expire() {
  const os::UnixMs now = system_.clock.now();
  for (Proposal& one : all_) {
    if (one.state == ProposalState::kOpen && now.value >= one.expires.value) {
      one.state = ProposalState::kExpired;
    }
  }
}

bool Proposals::forget_oldest(std::vector<Proposal>& all) {
  const auto oldest = std::ranges::find_if(all, is_over);
  if (oldest == all.end()) return false;
  all.erase(oldest);
  return true;
}

Result<Proposal> Proposals::add(const std::string& proposer, const std::string& act,
                                const std::string& target, ByteView body) {
  if (body.size() > kMaxProposalBody || target.size() > kMaxText) {
    return fail(Code::kInvalidArgument, "the request is too long to be proposed");
  }
  const std::lock_guard lock(mutex_);
  expire();
  std::vector<Proposal> next = all_;
  if (next.size() >= kMaxProposals && !forget_oldest(next)) {
    return fail(Code::kBusy, std::to_string(next.size()) + " proposals wait for a decision already",
                Reason::kProposalsFull);
  }
  const os::UnixMs now = system_.clock.now();
  const auto life = std::chrono::duration_cast<std::chrono::milliseconds>(kProposalLife).count();
  Proposal made{.id = os::random_id<ProposalId>(system_.random),
                .made = now,
                .expires = {now.value + life},
                .decided = {},
                .proposer = proposer,
                .decider = {},
                .act = act,
                .target = target,
                .body = Bytes(body.begin(), body.end())};
  next.push_back(made);
  TRY(write(next));
  all_ = std::move(next);
  return made;
}

std::vector<Proposal> Proposals::list() {
  const std::lock_guard lock(mutex_);
  expire();
  return {all_.rbegin(), all_.rend()};
}

Result<Proposal> Proposals::find(const ProposalId& id) {
  const std::lock_guard lock(mutex_);
  expire();
  const auto found = std::ranges::find(all_, id, &Proposal::id);
  if (found == all_.end()) return fail(Code::kNotFound, "there is no proposal " + id.text());
  return *found;
}

Result<Proposal> Proposals::decide(const ProposalId& id, const std::string& who, ProposalState to) {
  const std::lock_guard lock(mutex_);
  expire();
  std::vector<Proposal> next = all_;
  const auto found = std::ranges::find(next, id, &Proposal::id);
  if (found == next.end()) return fail(Code::kNotFound, "there is no proposal " + id.text());
  if (found->state != ProposalState::kOpen) {
    return fail(Code::kRefused,
                "proposal " + id.text() + " is " + std::string(proposal_state_name(found->state)) +
                    " already",
                Reason::kProposalOver);
  }
  if (to == ProposalState::kApproved && found->proposer == who) {
    return fail(
        Code::kRefused,
        "proposal " + id.text() + " is " + who + "'s own: another operator has to approve it",
        Reason::kOwnProposal);
  }
  found->state = to;
  found->decider = who;
  found->decided = system_.clock.now();
  Proposal decided = *found;
  TRY(write(next));
  all_ = std::move(next);
  return decided;
}

Result<Proposal> Proposals::approve(const ProposalId& id, const std::string& who) {
  return decide(id, who, ProposalState::kApproved);
}

Result<Proposal> Proposals::reject(const ProposalId& id, const std::string& who) {
  return decide(id, who, ProposalState::kRejected);
}

Result<> Proposals::done(const ProposalId& id, int status) {
  const std::lock_guard lock(mutex_);
  std::vector<Proposal> next = all_;
  const auto found = std::ranges::find(next, id, &Proposal::id);
  if (found == next.end()) return fail(Code::kNotFound, "there is no proposal " + id.text());
  found->state = ProposalState::kDone;
  found->status = static_cast<std::uint16_t>(status);
  TRY(write(next));
  all_ = std::move(next);
  return {};
}

}  // namespace warifu::operators
