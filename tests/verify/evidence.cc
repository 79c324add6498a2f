// warifu-verify-evidence: bent grants and evidence at a real gate, as figures.
//
//   warifu-verify-evidence --dir DIR
//
// A person's consent is changed bit by bit, and asked for as what it is not: for another person,
// purpose, place, part, at another time, with another nonce or index. Every one must be refused,
// and every refusal must stand in the gate's log with its own reason. Prints one JSON document for
// tools/verify/consent.py; exit code 1 when something passed or was not told.
#include <fmt/format.h>

#include <functional>
#include <iostream>
#include <map>

#include <boost/json.hpp>

#include "base/log.h"
#include "consent/gate_test_support.h"
#include "tests/verify/flags.h"

namespace warifu::consent {
namespace {

namespace json = boost::json;
using namespace test;

class Bench {
 public:
  explicit Bench(const std::string& dir) : site_("lsa", dir, clock_, options()) {
    keys_ = *site_.gate().enrol(enrolment());
  }

  Grant new_grant(std::uint32_t index = 1) {
    const auto challenge = *site_.gate().issue_nonce(enrolment().card);
    return grant_for(site_.name(), challenge.nonce, {index}, clock_.now());
  }
  Evidence evidence_for(ByteView grant, std::uint32_t index = 1) {
    return {site_.name(), card::CardKind::kOneTimeMacEmulated, tag_for(keys_, index - 1, grant)};
  }
  // The reason that the log has for the refusal; empty: it passed, or the log has none.
  std::string refused(ByteView grant, const Evidence& evidence, const ReleaseRequest& request) {
    const auto before = site_.log().head().sequence;
    if (site_.gate().request_release(grant, evidence, request)) return "";
    if (site_.log().head().sequence != before + 1) return "";
    const auto [event, reason] = site_.last_event();
    return event == "refused" ? reason : "";
  }
  FakeClock& clock() { return clock_; }

 private:
  static GateOptions options() {
    GateOptions options;
    options.failures_allowed = 1'000'000;  // the gate would hold the card back, for another reason
    return options;
  }
  FakeClock clock_;
  TestSite site_;
  card::SiteKeys keys_;
};

json::object row(std::string_view name, std::size_t value, std::size_t goal, std::string note) {
  return {{"name", name}, {"value", value},      {"unit", "refused"},
          {"goal", goal}, {"ok", value == goal}, {"note", std::move(note)}};
}

Bytes flipped(ByteView bytes, std::size_t bit) {
  Bytes bad(bytes.begin(), bytes.end());
  bad[bit / 8] = static_cast<Byte>(bad[bit / 8] ^ (1U << (bit % 8)));
  return bad;
}

json::object every_bit(Bench& bench) {
  const Grant grant = bench.new_grant();
  const Bytes good = *encode_grant(grant);
  const Evidence evidence = bench.evidence_for(good);
  const Bytes proof = encode_evidence(evidence);
  std::map<std::string, std::size_t> reasons;
  std::size_t refused = 0;
  const auto count = [&](const std::string& reason) {
    if (!reason.empty()) ++refused;
    ++reasons[reason.empty() ? "NOT REFUSED OR NOT LOGGED" : reason];
  };
  for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
    count(bench.refused(flipped(good, bit), evidence, request_for(grant)));
  }
  for (std::size_t bit = 0; bit < proof.size() * 8; ++bit) {
    const auto parsed = parse_evidence(flipped(proof, bit));
    count(parsed ? bench.refused(good, *parsed, request_for(grant)) : "unreadable evidence");
  }
  std::string note;
  for (const auto& [reason, times] : reasons) {
    note += fmt::format("{}{} {}", note.empty() ? "" : ", ", reason, times);
  }
  return row("evidence_bits_flipped", refused, (good.size() + proof.size()) * 8, std::move(note));
}

struct Other {
  Reason reason;
  std::function<void(Grant&)> tagged;  // changed before the card has tagged the grant
  std::function<void(ReleaseRequest&, FakeClock&)> asked = {};
};

json::object everything_else(Bench& bench) {
  const auto as_it_is = [](Grant&) {};
  const Other others[] = {
      {Reason::kOtherPerson, as_it_is, [](auto& request, auto&) { request.owner.bytes[0] ^= 1; }},
      {Reason::kUnknownCard, [](Grant& grant) { grant.card.bytes[0] ^= 1; }},
      {Reason::kOtherObject, as_it_is, [](auto& request, auto&) { request.object.bytes[0] ^= 1; }},
      {Reason::kOtherPurpose, as_it_is,
       [](auto& request, auto&) { request.purpose = Purpose::kResearch; }},
      {Reason::kOtherDestination, as_it_is,
       [](auto& request, auto&) { request.destination = site_name("cloud1"); }},
      {Reason::kOtherGrantee, as_it_is,
       [](auto& request, auto&) { request.grantee.name = "Dr. Mori"; }},
      {Reason::kNotThisSite, [](Grant& grant) { grant.sites[0].site = site_name("tommo"); }},
      {Reason::kUnknownNonce, [](Grant& grant) { grant.sites[0].nonce.bytes[15] ^= 1; }},
      {Reason::kNonceExpired, as_it_is, [](auto&, auto& clock) { clock.time_ms += 16 * 60'000; }},
      {Reason::kExpired, [](Grant& grant) { grant.expiry = {grant.not_before.value + 60'001}; },
       [](auto&, auto& clock) { clock.time_ms += 60'000; }},
      {Reason::kNotYet, [](Grant& grant) { grant.not_before = {grant.expiry.value - 1}; }},
      {Reason::kNoKey, [](Grant& grant) { grant.index = {21}; }},
  };
  std::size_t refused = 0;
  std::string wrong;
  for (const Other& other : others) {
    Grant grant = bench.new_grant();
    other.tagged(grant);
    const Bytes bytes = *encode_grant(grant);
    ReleaseRequest request = request_for(grant);
    if (other.asked) other.asked(request, bench.clock());
    const Evidence evidence = bench.evidence_for(bytes);
    const std::string reason = bench.refused(bytes, evidence, request);
    if (reason == reason_name(other.reason)) {
      ++refused;
    } else {
      wrong += fmt::format(" {} instead of {}", reason.empty() ? "nothing" : reason,
                           reason_name(other.reason));
    }
  }
  return row("evidence_for_other_things", refused, std::size(others),
             wrong.empty() ? "person, card, object, purpose, place, grantee, site, nonce, its age, "
                             "time before and after, index: each with its own reason in the log"
                           : "told as" + wrong);
}

}  // namespace

int run(const std::string& dir) {
  Bench bench(dir);
  const json::array results = {every_bit(bench), everything_else(bench)};
  std::cout << json::serialize(json::object{{"results", results}}) << "\n";
  return std::ranges::all_of(results, [](const auto& one) { return one.at("ok").as_bool(); }) ? 0
                                                                                              : 1;
}

}  // namespace warifu::consent

int main(int argc, char** argv) {
  warifu::verify::Flags flags("Bent grants and evidence at a real gate, as figures");
  std::string dir;
  flags.required_text("--dir", dir, "an empty folder");
  if (const auto code = flags.parse(argc, argv)) return *code;
  return warifu::consent::run(dir);
}
