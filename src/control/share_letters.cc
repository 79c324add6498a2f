// Letters and their numbers.
#include "control/share_letters.h"

namespace warifu::control {
namespace {
constexpr std::size_t kLetters = 26;
}

std::string top_letter(sharing::ShareIndex index) {
  const auto number = static_cast<std::size_t>(index);
  const char last = static_cast<char>('A' + number % kLetters);
  return number < kLetters ? std::string(1, last) : std::string("A") + last;
}

std::string nested_letter(sharing::ShareIndex top, sharing::ShareIndex index) {
  return top_letter(top) + std::to_string(static_cast<int>(index) + 1);
}

Result<ShareName> parse_share_name(const std::string& text) {
  for (std::size_t i = 0; i < sharing::kMaxShares; ++i) {
    const auto top = static_cast<sharing::ShareIndex>(i);
    if (text == top_letter(top)) return ShareName{top, std::nullopt};
    for (std::size_t j = 0; j < sharing::kMaxShares; ++j) {
      const auto nested = static_cast<sharing::ShareIndex>(j);
      if (text == nested_letter(top, nested)) return ShareName{top, nested};
    }
  }
  return fail(Code::kInvalidArgument, "'" + text + "' is not the name of a share");
}

}  // namespace warifu::control
