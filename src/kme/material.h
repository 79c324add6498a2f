// The one description of bytes that leave a site for an application, be they key or random numbers
// (docs/formats/material.md): beside a chunk of a key stream, and in the answer to /entropy.
#pragma once

#include <set>
#include <string>

#include "keypool/format.h"
#include "os/system.h"

namespace warifu::kme {

struct Material {
  enum class Kind : std::uint8_t { kKey, kRandom };
  enum class Direction : std::uint8_t { kNone, kSend, kReceive };
  std::string id;
  Kind kind = Kind::kKey;
  std::set<keypool::Origin> origins;
  std::string link;  // the far end's site, of key
  Direction direction = Direction::kNone;
  std::uint64_t bytes = 0;
  os::UnixMs made;   // drawn at this site
  os::UnixMs given;  // to the application
};

// The longest text that to_json() makes, in bytes.
inline constexpr std::size_t kMaxMaterialJson = 512;
// One JSON object, without the bytes themselves.
[[nodiscard]] std::string to_json(const Material& material);

}  // namespace warifu::kme
