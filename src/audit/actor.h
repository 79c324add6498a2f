// For whom this thread works: records that it appends to the log say so.
//
// A request to a site's API is served by one thread from its beginning to its answer, and what it
// does there is logged far below, by code that knows nothing of operators. So the name stands with
// the thread while the request runs, and Log::append() adds it to the record. What goes on after
// the answer, a job, is no act of the operator any more: the record of the order names both.
// Scopes nest, the innermost counts. Thread rule: made and destroyed by the same thread.
#pragma once

#include "audit/log.h"

namespace warifu::audit {

class ActingOperator {
 public:
  explicit ActingOperator(std::string name);
  ~ActingOperator();
  ActingOperator(const ActingOperator&) = delete;
  ActingOperator& operator=(const ActingOperator&) = delete;

  // Of this thread; empty: nobody in particular.
  [[nodiscard]] static const std::string& current();

 private:
  std::string before_;
};

// The record "job_ordered" of a job that is about to begin, so that what it does later leads back to
// its operator; nothing when the thread acts for nobody. Errors: those of Log::append().
[[nodiscard]] Result<> note_job(Log& log, const std::string& job, const std::string& object);

}  // namespace warifu::audit
