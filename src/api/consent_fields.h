// What a consent and a request for one say alike in the body of a call.
//
// Errors of all: kInvalidArgument naming the field. Values; any thread.
#pragma once

#include <chrono>

#include "api/json.h"

namespace warifu::api {

// `decoys`: how many beside each region, 0 when left out.
[[nodiscard]] Result<std::uint32_t> decoys_field(const json::object& body);
// `uses`: how often it may be used.
[[nodiscard]] Result<std::uint16_t> uses_field(const json::object& body);
// `valid_seconds`: from when it is given, at most 400 days.
[[nodiscard]] Result<std::chrono::seconds> valid_field(const json::object& body);

}  // namespace warifu::api
