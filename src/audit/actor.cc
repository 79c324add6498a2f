// One name for each thread.
#include "audit/actor.h"

#include <utility>

namespace warifu::audit {
namespace {

thread_local std::string acting;

}  // namespace

ActingOperator::ActingOperator(std::string name)
    : before_(std::exchange(acting, std::move(name))) {}

ActingOperator::~ActingOperator() {
  acting = std::move(before_);
}

const std::string& ActingOperator::current() {
  return acting;
}

Result<> note_job(Log& log, const std::string& job, const std::string& object) {
  if (acting.empty()) return {};
  return log.append("job_ordered", {{"job", job}, {"object", object}});
}

}  // namespace warifu::audit
