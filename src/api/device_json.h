// What key devices say, for JSON.
#pragma once

#include "api/json.h"
#include "kme/key_report.h"

namespace warifu::api {

// Alarms that hold now, in words.
[[nodiscard]] inline json::array alarms_json(const kme::DeviceStatus& device) {
  json::array shown;
  for (const Error& alarm : device.alarms) shown.emplace_back(alarm.message);
  return shown;
}

}  // namespace warifu::api
