// Strong identifiers: 16 random bytes each, and the short names of sites.
//
// Identifiers of different things are different types and do not convert into each other.
// Text form: 32 lower-case hexadecimal digits.
#pragma once

#include <array>
#include <compare>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace warifu {

template <typename Tag>
struct Id16 {
  std::array<Byte, 16> bytes{};

  auto operator<=>(const Id16&) const = default;
  [[nodiscard]] ByteView view() const { return bytes; }
  [[nodiscard]] std::string text() const { return to_hex(bytes); }
  [[nodiscard]] bool is_zero() const { return *this == Id16{}; }

  // Errors: kInvalidArgument unless exactly 32 hexadecimal digits.
  [[nodiscard]] static Result<Id16> parse(std::string_view text) {
    TRY_ASSIGN(const Bytes raw, from_hex(text));
    if (raw.size() != 16) {
      return fail(Code::kInvalidArgument,
                  "identifier '" + std::string(text) + "' must be 32 hexadecimal digits");
    }
    return from_view(raw);
  }
  // `raw` must be 16 bytes long.
  [[nodiscard]] static Id16 from_view(ByteView raw) {
    WARIFU_CHECK(raw.size() == 16);
    Id16 id;
    copy_bytes(id.bytes, raw);
    return id;
  }
};

using ObjectId = Id16<struct ObjectTag>;
using ShareId = Id16<struct ShareTag>;
using JobId = Id16<struct JobTag>;
using LinkId = Id16<struct LinkTag>;
using CardId = Id16<struct CardTag>;          // on the card and in grants; no name behind it
using Pseudonym = Id16<struct PseudonymTag>;  // a person at one site only
using GrantId = Id16<struct GrantTag>;

// A site's short name: 1..16 characters of [a-z0-9-], starting with a letter.
class SiteName {
 public:
  SiteName() = default;
  // Errors: kInvalidArgument naming the text.
  [[nodiscard]] static Result<SiteName> parse(std::string_view text);

  auto operator<=>(const SiteName&) const = default;
  [[nodiscard]] const std::string& text() const { return text_; }
  [[nodiscard]] bool empty() const { return text_.empty(); }
  // The name in 16 bytes, zero padded: the form in grants and share headers.
  [[nodiscard]] std::array<Byte, 16> padded() const;
  [[nodiscard]] static Result<SiteName> from_padded(ByteView padded16);

 private:
  std::string text_;
};

}  // namespace warifu
