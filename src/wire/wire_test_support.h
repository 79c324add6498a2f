// For tests of decoders, of any component: what a strict decoder must do with bodies that are cut,
// longer, changed or made up. Every function returns what is wrong, or an empty text.
#pragma once

#include <random>
#include <string>

#include "base/bytes.h"

namespace warifu::wire {

// Refused, or encoded again to just these bytes: nothing has two encodings.
template <typename Decode, typename Encode>
std::string check_one(const Bytes& body, const Decode& decode, const Encode& encode_again) {
  const auto decoded = decode(body);
  if (!decoded || encode_again(*decoded) == body) return "";
  return "a second encoding: " + to_hex(body);
}

// `good` comes back as it was; every prefix and a longer body are refused; a changed byte decodes
// to nothing, or to what encodes to just these bytes.
template <typename Decode, typename Encode>
std::string check_corruptions(const Bytes& good, const Decode& decode, const Encode& encode_again) {
  const auto whole = decode(good);
  if (!whole) return "refused: " + whole.error().message;
  if (encode_again(*whole) != good) return "a good body does not come back as it was";
  for (std::size_t size = 0; size < good.size(); ++size) {
    if (decode(Bytes(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size)))) {
      return "cut to " + std::to_string(size) + " bytes, and taken";
    }
  }
  Bytes longer = good;
  longer.push_back(0);
  if (decode(longer)) return "one byte longer, and taken";
  for (std::size_t at = 0; at < good.size(); ++at) {
    for (const Byte flip : {Byte{0x01}, Byte{0x80}, Byte{0xff}}) {
      Bytes bad = good;
      bad[at] = static_cast<Byte>(bad[at] ^ flip);
      if (auto wrong = check_one(bad, decode, encode_again); !wrong.empty()) return wrong;
    }
  }
  return "";
}

// `rounds` bodies with some bytes of `good` overwritten, taken out or put in, and as many that are
// random from the start.
template <typename Decode, typename Encode>
std::string check_mutations(const Bytes& good, const Decode& decode, const Encode& encode_again,
                            std::mt19937_64& generator, int rounds) {
  for (int round = 0; round < rounds; ++round) {
    Bytes body = good;
    for (std::size_t left = generator() % 4 + 1; left > 0 && !body.empty(); --left) {
      const auto at = body.begin() + static_cast<std::ptrdiff_t>(generator() % body.size());
      // Small numbers are counts, indices and flags.
      const auto value = static_cast<Byte>(generator() % 2 == 0 ? generator() % 8 : generator());
      switch (generator() % 4) {
        case 0: body.erase(at); break;
        case 1: body.insert(at, value); break;
        default: *at = value;
      }
    }
    if (auto wrong = check_one(body, decode, encode_again); !wrong.empty()) return wrong;
    Bytes noise(generator() % (good.size() + 32));
    for (Byte& byte : noise) byte = static_cast<Byte>(generator());
    if (auto wrong = check_one(noise, decode, encode_again); !wrong.empty()) return wrong;
  }
  return "";
}

}  // namespace warifu::wire
