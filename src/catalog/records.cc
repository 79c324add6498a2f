// Names of states, checks of records, and which shares hold data.
#include "catalog/records.h"

#include <algorithm>
#include <array>

namespace warifu::catalog {
namespace {

constexpr std::array<std::string_view, 4> kObjectStates = {"storing", "committed", "failed",
                                                           "deleted"};
constexpr std::array<std::string_view, 3> kCardRecordStates = {"pending", "on_card", "unknown"};
constexpr std::array<std::string_view, 2> kCardOrderKinds = {"withdraw", "revoke"};
constexpr std::array<std::string_view, 5> kShareStates = {"planned", "writing", "durable",
                                                          "delete_pending", "deleted"};
constexpr std::array<std::string_view, 10> kJobKinds = {
    "store",  "reshare", "restore", "repair",      "move",
    "delete", "rebuild", "refresh", "site_repair", "site_drain"};
constexpr std::array<std::string_view, 6> kJobStates = {"waiting_key", "running", "paused",
                                                        "done",        "failed",  "cancelled"};
constexpr std::array<std::string_view, 3> kJobPriorities = {"low", "usual", "urgent"};
constexpr std::array<std::string_view, 4> kGrantStates = {"given", "used_up", "expired",
                                                          "withdrawn"};

constexpr std::array<std::string_view, 5> kEnrolmentStates = {"waiting", "begun", "done", "expired",
                                                              "cancelled"};
constexpr std::array<std::string_view, 6> kRequestStates = {"asked",   "given",     "refused",
                                                            "expired", "withdrawn", "cancelled"};

template <std::size_t N, typename Value>
std::string_view name_in(const std::array<std::string_view, N>& names, Value value) {
  const auto at = static_cast<std::size_t>(value);
  WARIFU_CHECK(at < N);
  return names[at];
}

template <typename Value, std::size_t N>
std::optional<Value> value_in(const std::array<std::string_view, N>& names, std::string_view name) {
  const auto found = std::ranges::find(names, name);
  if (found == names.end()) return std::nullopt;
  return static_cast<Value>(found - names.begin());
}

Result<> bad(std::string_view what, std::string_view why) {
  return fail(Code::kInvalidArgument, std::string(what) + " " + std::string(why));
}

// Names end up on screens and in logs: nothing that moves a cursor.
Result<> check_text(std::string_view what, std::string_view text, std::size_t most) {
  if (text.size() > most) return bad(what, "has more than " + std::to_string(most) + " bytes");
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  if (std::ranges::any_of(text, is_control)) return bad(what, "has control characters");
  return {};
}

Result<> check_name(std::string_view what, std::string_view text) {
  if (text.empty()) return bad(what, "is empty");
  return check_text(what, text, kMaxNameBytes);
}

// Texts of programs may have several lines; a NUL would end them early in other tools.
Result<> check_size(std::string_view what, std::string_view text, std::size_t most) {
  if (text.size() > most) return bad(what, "has more than " + std::to_string(most) + " bytes");
  if (text.find('\0') != std::string_view::npos) return bad(what, "has a zero byte");
  return {};
}

Result<> check_blob(std::string_view what, const Bytes& bytes) {
  if (bytes.size() <= kMaxBlobBytes) return {};
  return bad(what, "has more than " + std::to_string(kMaxBlobBytes) + " bytes");
}

Result<> check_person_id(std::string_view person_id) {
  const auto allowed = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  };
  if (person_id.empty() || person_id.size() > kMaxPersonIdBytes ||
      !std::ranges::all_of(person_id, allowed)) {
    return bad("person id '" + std::string(person_id.substr(0, kMaxPersonIdBytes)) + "'",
               "must be 1 to 64 characters of A-Z, a-z, 0-9, '.', '_' and '-'");
  }
  return {};
}

template <typename Tag>
Result<> check_id(std::string_view what, const Id16<Tag>& id) {
  return id.is_zero() ? bad(what, "is zero") : Result<>{};
}

}  // namespace

std::string_view state_name(ObjectState state) {
  return name_in(kObjectStates, state);
}
std::string_view state_name(CardRecordState state) {
  return name_in(kCardRecordStates, state);
}
std::string_view state_name(CardOrderKind kind) {
  return name_in(kCardOrderKinds, kind);
}
std::string_view state_name(ShareState state) {
  return name_in(kShareStates, state);
}
std::string_view kind_name(JobKind kind) {
  return name_in(kJobKinds, kind);
}
std::string_view state_name(JobState state) {
  return name_in(kJobStates, state);
}
std::string_view state_name(GrantState state) {
  return name_in(kGrantStates, state);
}
std::string_view state_name(RequestState state) {
  return name_in(kRequestStates, state);
}
std::string_view state_name(EnrolmentState state) {
  return name_in(kEnrolmentStates, state);
}

Reason reason_of(GrantState state) {
  switch (state) {
    case GrantState::kGiven: return Reason::kNone;
    case GrantState::kUsedUp: return Reason::kUsedUp;
    case GrantState::kExpired: return Reason::kExpired;
    case GrantState::kWithdrawn: return Reason::kWithdrawn;
  }
  return Reason::kNone;
}
std::string_view priority_name(JobPriority priority) {
  return name_in(kJobPriorities, priority);
}

template <>
std::optional<ObjectState> value_of_name(std::string_view name) {
  return value_in<ObjectState>(kObjectStates, name);
}
template <>
std::optional<CardRecordState> value_of_name(std::string_view name) {
  return value_in<CardRecordState>(kCardRecordStates, name);
}
template <>
std::optional<CardOrderKind> value_of_name(std::string_view name) {
  return value_in<CardOrderKind>(kCardOrderKinds, name);
}
template <>
std::optional<ShareState> value_of_name(std::string_view name) {
  return value_in<ShareState>(kShareStates, name);
}
template <>
std::optional<JobKind> value_of_name(std::string_view name) {
  return value_in<JobKind>(kJobKinds, name);
}
template <>
std::optional<JobState> value_of_name(std::string_view name) {
  return value_in<JobState>(kJobStates, name);
}
template <>
std::optional<RequestState> value_of_name(std::string_view name) {
  return value_in<RequestState>(kRequestStates, name);
}
template <>
std::optional<JobPriority> value_of_name(std::string_view name) {
  return value_in<JobPriority>(kJobPriorities, name);
}
template <>
std::optional<GrantState> value_of_name(std::string_view name) {
  return value_in<GrantState>(kGrantStates, name);
}

RequestState state_at(const Request& request, os::UnixMs now) {
  if (request.grant_state == GrantState::kWithdrawn) return RequestState::kWithdrawn;
  if (request.grant) return RequestState::kGiven;
  const bool is_open = request.decided == RequestState::kAsked;
  return is_open && request.expires <= now ? RequestState::kExpired : request.decided;
}

EnrolmentState state_at(const EnrolmentOrder& order, os::UnixMs now) {
  if (order.is_made) return EnrolmentState::kDone;
  if (order.cancelled_at) return EnrolmentState::kCancelled;
  if (order.expires <= now) return EnrolmentState::kExpired;
  return order.card ? EnrolmentState::kBegun : EnrolmentState::kWaiting;
}

bool is_finished(JobState state) {
  return state == JobState::kDone || state == JobState::kFailed || state == JobState::kCancelled;
}

std::vector<Share> held_shares(const std::vector<Share>& shares, std::uint32_t generation) {
  const auto still_whole = [&](const ShareId& parent) {
    const auto found = std::ranges::find(shares, parent, &Share::share);
    return found != shares.end() && found->site.has_value();
  };
  std::vector<Share> held;
  for (const Share& share : shares) {
    if (share.generation != generation || share.state != ShareState::kDurable) continue;
    if (share.parent && still_whole(*share.parent)) continue;  // not moved yet
    held.push_back(share);
  }
  return held;
}

Result<> check_record(const Person& person) {
  TRY(check_person_id(person.person_id));
  TRY(check_name("the name of person '" + person.person_id + "'", person.name));
  return check_id("the card of person '" + person.person_id + "'", person.card);
}

Result<> check_record(const Object& object) {
  TRY(check_id("an object id", object.object));
  TRY(check_person_id(object.person_id));
  TRY(check_name("the label of object " + object.object.text(), object.label));
  TRY(check_text("the policy of object " + object.object.text(), object.policy, kMaxTextBytes));
  TRY(check_size("the input of object " + object.object.text(), object.input, kMaxTextBytes));
  if (object.length == 0) return bad("object " + object.object.text(), "is empty");
  if (object.chunk_count == 0) return bad("object " + object.object.text(), "has no chunks");
  if (object.lead_chunks >= object.chunk_count) {
    return bad("object " + object.object.text(), "holds nothing behind its lead");
  }
  return {};
}

Result<> check_record(const Share& share) {
  TRY(check_id("a share id", share.share));
  TRY(check_id("the object of share " + share.share.text(), share.object));
  const std::string what = "share " + share.share.text();
  if (share.cut_shares < 2 || share.cut_shares > kMaxCutShares) {
    return bad(what, "comes from a cut that made fewer than 2 or more than 32 shares");
  }
  if (share.path.is_object()) return bad(what, "stands nowhere in the tree");
  if (share.path.index() >= share.cut_shares) {
    return bad(what, "has an index that its cut did not make");
  }
  if (share.path.is_top() == share.parent.has_value()) {
    return bad(what, "names a parent exactly when it is nested");
  }
  if (share.parent == share.share) return bad(what, "is its own parent");
  const bool stays = share.state == ShareState::kPlanned || share.state == ShareState::kWriting ||
                     share.state == ShareState::kDurable;
  if (stays && (!share.site || share.site->empty())) return bad(what, "has no site");
  if (share.state == ShareState::kDeleted && share.site) return bad(what, "is deleted at a site");
  TRY(check_text("the route of " + what, share.route, kMaxTextBytes));
  return check_size("the protections of " + what, share.protections, kMaxJsonBytes);
}

Result<> check_record(const Site& site) {
  if (site.site.empty()) return bad("a site", "has no name");
  if (site.labels.size() > kMaxSiteLabels)
    return bad("site '" + site.site.text() + "'", "has too many labels");
  for (const std::string& label : site.labels) {
    TRY(check_name("a label of site '" + site.site.text() + "'", label));
  }
  return check_text("the address of site '" + site.site.text() + "'", site.address, kMaxNameBytes);
}

Result<> check_record(const JobProgress& progress) {
  TRY(check_size("the step of a job", progress.step, kMaxTextBytes));
  TRY(check_size("the error of a job", progress.error, kMaxTextBytes));
  return check_size("the result of a job", progress.result, kMaxJsonBytes);
}

Result<> check_record(const Job& job) {
  TRY(check_id("a job id", job.job));
  if (job.person_id) TRY(check_person_id(*job.person_id));
  TRY(check_size("the step of a job", job.step, kMaxTextBytes));
  TRY(check_size("the error of a job", job.error, kMaxTextBytes));
  TRY(check_size("the plan of a job", job.plan, kMaxJsonBytes));
  TRY(check_size("the result of a job", job.result, kMaxJsonBytes));
  return check_blob("the sealed secret of a job", job.sealed_secret);
}

Result<> check_record(const Grant& grant) {
  TRY(check_id("a grant id", grant.grant));
  TRY(check_person_id(grant.person_id));
  if (grant.grant_bytes.empty()) return bad("grant " + grant.grant.text(), "has no bytes");
  TRY(check_blob("the bytes of a grant", grant.grant_bytes));
  TRY(check_blob("the evidence of a grant", grant.evidence));
  TRY(check_blob("the opening of a grant's regions", grant.opening));
  return check_blob("the sealed secret of a grant", grant.sealed_secret);
}

Result<> check_record(const Request& request) {
  TRY(check_id("a request's id", request.request));
  TRY(check_person_id(request.person_id));
  if (request.decided != RequestState::kAsked || request.grant) {
    return bad("request " + request.request.text(), "is decided before it is asked");
  }
  if (request.expires <= request.created) {
    return bad("request " + request.request.text(), "ends before it begins");
  }
  TRY(check_size("the terms of a request", request.terms, kMaxTextBytes));
  TRY(check_text("the name of who asks", request.asked_by, kMaxNameBytes));
  return check_text("the note of a request", request.note, kMaxRequestNoteBytes);
}

Result<> check_record(const LinkUse& use) {
  if (use.from.empty() || use.to.empty() || use.from == use.to) {
    return bad("a use of key", "needs two different sites");
  }
  TRY(check_name("the class of a link", use.link_class));
  return check_name("the origin of key", use.origin);
}

Result<> check_record(const Sighting& sighting) {
  if (sighting.site.empty()) return bad("a sighting", "needs a site");
  if (!sighting.path.is_object()) return {};
  return bad("a sighting", "is of a share, not of the object");
}

Result<> check_record(const Page& page) {
  if (page.count >= 1 && page.count <= kMaxPageRows) return {};
  return bad("a page", "has 1 to " + std::to_string(kMaxPageRows) + " rows");
}

Result<> check_record(const EnrolmentOrder& order) {
  const std::string what = "enrolment order " + order.order.text();
  TRY(check_id("an enrolment order's id", order.order));
  TRY(check_person_id(order.person_id));
  TRY(check_name("the name of person '" + order.person_id + "'", order.name));
  TRY(check_name("the card type of " + what, order.card_type));
  TRY(check_name("the code of " + what, order.code));
  if (order.code.size() > kMaxEnrolmentCodeBytes) return bad(what, "has too long a code");
  if (order.expires <= order.created) return bad(what, "ends before it begins");
  if (order.cancelled_at || order.card) return bad(what, "is decided before it is given");
  return check_text("the name of who orders", order.ordered_by, kMaxNameBytes);
}

}  // namespace warifu::catalog
