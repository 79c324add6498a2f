// Which reasons are nobody's fault.
#include "api/job_error.h"

#include <boost/json.hpp>

namespace warifu::api {
namespace {

// A job keeps message and reason; the code stands in its result.
Error kept(const catalog::Job& job) {
  return error_of_text(Code::kUnavailable, job.error);
}

}  // namespace

bool is_rightful(Reason refusal) {
  switch (refusal) {
    case Reason::kUnknownCard:
    case Reason::kRevoked:
    case Reason::kWithdrawn:
    case Reason::kOtherObject:
    case Reason::kOtherPerson:
    case Reason::kDied:
    case Reason::kUnderAge:
    case Reason::kOfAge:
    case Reason::kNotEntitled:
    case Reason::kNotTogether:
    case Reason::kMoreGuardians:
    case Reason::kOtherDestination:
    case Reason::kOtherPurpose:
    case Reason::kOtherGrantee:
    case Reason::kOtherUse:
    case Reason::kOtherScope:
    case Reason::kNotYet:
    case Reason::kExpired:
    case Reason::kUsedUp:
    case Reason::kNotProven:
    case Reason::kEmergencyOff:
    case Reason::kNotOfficer:
    case Reason::kNotAllowedBefore:
    case Reason::kNotTold: return true;
    default: return false;
  }
}

bool was_refused(const catalog::Job& job) {
  return job.kind == catalog::JobKind::kRestore && job.state == catalog::JobState::kFailed &&
         is_rightful(kept(job).reason);
}

std::string error_code(const catalog::Job& job) {
  if (job.error.empty()) return "";
  if (job.state == catalog::JobState::kWaitingKey) return std::string(code_name(Code::kOutOfKey));
  boost::json::error_code bad;
  const boost::json::value result = boost::json::parse(job.result, bad);
  const auto* fields = bad ? nullptr : result.if_object();
  const auto* code = fields == nullptr ? nullptr : fields->if_contains("code");
  return code != nullptr && code->is_string() ? std::string(code->get_string()) : "";
}

std::string error_message(const catalog::Job& job) {
  return kept(job).message;
}

std::string_view error_reason(const catalog::Job& job) {
  return reason_name(kept(job).reason);
}

}  // namespace warifu::api
