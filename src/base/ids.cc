// Validation of site names.
#include "base/ids.h"

namespace warifu {

Result<SiteName> SiteName::parse(std::string_view text) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  };
  bool good = !text.empty() && text.size() <= 16 && text[0] >= 'a' && text[0] <= 'z';
  for (const char c : text) good = good && allowed(c);
  if (!good) {
    return fail(Code::kInvalidArgument,
                "site name '" + std::string(text.substr(0, 40)) +
                    "' must be 1 to 16 characters of a-z, 0-9 and '-', starting with a letter");
  }
  SiteName name;
  name.text_ = text;
  return name;
}

std::array<Byte, 16> SiteName::padded() const {
  std::array<Byte, 16> out{};
  copy_bytes(out, as_bytes(text_));
  return out;
}

Result<SiteName> SiteName::from_padded(ByteView padded16) {
  WARIFU_CHECK(padded16.size() == 16);
  std::size_t length = 0;
  while (length < 16 && padded16[length] != 0) ++length;
  for (std::size_t i = length; i < 16; ++i) {
    if (padded16[i] != 0) return fail(Code::kCorrupt, "site name has bytes after its end");
  }
  return parse(as_text(padded16.first(length)));
}

}  // namespace warifu
