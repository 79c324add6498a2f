// Everything that a device or an application can send as JSON of ETSI GS QKD 014.
#include <string_view>

#include "fuzz/fuzz.h"
#include "kme/etsi014_json.h"

namespace warifu::fuzz {
namespace {

namespace etsi = kme::etsi014;

std::string written(const std::vector<kme::DeviceKey>& keys) {
  std::string text;
  const auto done = etsi::write_key_container(keys, [&](ByteView piece) -> Result<> {
    text.append(reinterpret_cast<const char*>(piece.data()), piece.size());
    return {};
  });
  require(done.has_value() && text.size() == etsi::key_container_length(keys));
  return text;
}

void container(ByteView bytes) {
  const auto keys = etsi::parse_key_container(secret::Buffer::copy_of(bytes));
  if (!keys) return;
  const std::string once = written(*keys);
  const auto again = etsi::parse_key_container(secret::Buffer::copy_of(as_bytes(once)));
  require(again.has_value() && written(*again) == once);
}

}  // namespace

void run(ByteView input) {
  if (input.empty()) return;
  const ByteView bytes = input.subspan(1);
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  switch (input[0] % 6) {
    case 0:
      if (const auto status = etsi::parse_status(text)) {
        const std::string once = etsi::to_json(*status);
        const auto again = etsi::parse_status(once);
        require(again.has_value() && etsi::to_json(*again) == once);
        (void)etsi::extension_text(*status, "origin");
      }
      break;
    case 1:
      if (const auto request = etsi::parse_key_request(text)) {
        (void)etsi::to_json(*request);
      }
      break;
    case 2:
      if (const auto ids = etsi::parse_key_ids(text)) {
        const auto again = etsi::parse_key_ids(etsi::key_ids_to_json(*ids));
        require(again.has_value() && *again == *ids);
      }
      break;
    case 3: (void)etsi::parse_error_message(text); break;
    case 4:
      if (const auto uuid = etsi::normal_uuid(text)) require(etsi::normal_uuid(*uuid) == *uuid);
      break;
    default: container(bytes);
  }
}

}  // namespace warifu::fuzz
