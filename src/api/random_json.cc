// The fields of a source, as docs/cli.md names them.
#include "api/random_json.h"

namespace warifu::api {

boost::json::object to_json(const entropy::FeedStatus& status) {
  const bool ever = status.last_failure.value != 0;
  return {{"name", status.settings.name},
          {"origin", keypool::origin_name(status.settings.origin)},
          {"required", status.settings.required},
          {"min_entropy_per_byte", status.settings.min_entropy},
          {"full_entropy", status.settings.carries_full_entropy()},
          {"raw_bytes_per_block", status.raw_per_block},
          {"alpha", status.settings.alpha_log2},
          {"repetition_cutoff", status.cutoffs.repetition},
          {"proportion_cutoff", status.cutoffs.proportion},
          {"proportion_window", entropy::kWindow},
          {"state", entropy::state_name(status.state)},
          {"problem", status.problem},
          {"raw_bytes", status.raw_bytes},
          {"bytes", status.bytes},
          {"failures", status.failures},
          {"last_failure", ever ? os::utc_text(status.last_failure) : ""}};
}

}  // namespace warifu::api
