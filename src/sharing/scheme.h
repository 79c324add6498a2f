// A threshold scheme as a value, and the two linear maps that it is made of.
//
// Every scheme here is linear and works on words of a record: the secret S and privacy() shares,
// drawn uniformly, determine all other shares; any threshold() shares determine S. So a cut takes
// privacy() shares as *given* (random numbers, or key that both ends of a link hold already) and
// makes the rest, whichever they are. (Shamir 1979; Blakley and Meadows 1984 for the ramp.)
//
//   form Q     2 of 3 over GF(4), see form_q.h; the fast path
//   Shamir     k of n, 2 <= k <= n <= 32, over GF(2^8), bytewise; the secret is the leading
//              coefficient of a polynomial of degree k - 1
//   ramp       3 of 4 over GF(4), f(x) = R + s1 x + s2 x^2 with s1, s2 the first and the second
//              half of S; one share tells nothing, any two leave exactly half of S hidden, every
//              share is half as long as the secret
//
// Share i is the polynomial's value at x = the field element whose number is i, zero included:
// 0, 1, w, w^2 in GF(4), bytes 0 .. 31 in GF(2^8) = GF(2)[x] / 0x11B. docs/formats/sharing.md has
// the byte layout and vectors. All shares but given ones, and the secret, are sums of the others
// times public coefficients, which make() computes once (Lagrange, the leading coefficient being
// the value at infinity); split() and join() allocate nothing.
//
// Values only, any thread. Constant time: which shares are given or joined is public, their bytes
// are not looked at.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "sharing/form_q.h"

namespace warifu::sharing {

inline constexpr std::size_t kMaxShares = 32;

// Numbers stand in share headers and are never reused.
enum class SchemeKind : std::uint16_t {
  kFormQ = 1,
  kShamir = 2,
  kRamp = 3,
};

struct Scheme {
  SchemeKind kind = SchemeKind::kFormQ;
  std::uint8_t threshold = 2;  // so many shares restore
  std::uint8_t shares = 3;

  bool operator==(const Scheme&) const = default;

  // The scheme for any k of n: form Q for 2 of 3, Shamir otherwise. Errors: kInvalidArgument unless
  // 2 <= k <= n <= 32.
  [[nodiscard]] static Result<Scheme> threshold_of(unsigned k, unsigned n);
  // The 1-private 3-of-4 ramp.
  [[nodiscard]] static constexpr Scheme ramp() { return {SchemeKind::kRamp, 3, 4}; }
  // From the numbers of a header or message. Errors: kInvalidArgument when they fit no scheme.
  [[nodiscard]] static Result<Scheme> from_numbers(std::uint16_t kind, std::uint8_t threshold,
                                                   std::uint8_t shares);

  // So many shares together tell nothing; so many are given to a cut.
  [[nodiscard]] constexpr std::size_t privacy() const {
    return kind == SchemeKind::kRamp ? 1 : threshold - 1U;
  }
  // The length of a secret is padded with zeros to a multiple of this many bytes.
  [[nodiscard]] constexpr std::size_t granule() const {
    return kind == SchemeKind::kRamp ? 2 * kWordBytes : kWordBytes;
  }
  [[nodiscard]] constexpr std::size_t padded(std::size_t secret_bytes) const {
    return (secret_bytes + granule() - 1) / granule() * granule();
  }
  // Length of each share of a secret of `secret_bytes` (before padding).
  [[nodiscard]] constexpr std::size_t share_bytes(std::size_t secret_bytes) const {
    return kind == SchemeKind::kRamp ? padded(secret_bytes) / 2 : padded(secret_bytes);
  }
  // "2 of 3", "3 of 5", "ramp 3 of 4".
  [[nodiscard]] std::string text() const;
  // Its numbers make sense. from_numbers() gives nothing else, and 2 of 3 as form Q only; 2 of 3
  // over GF(2^8), made by hand, is sane too.
  [[nodiscard]] constexpr bool sane() const {
    const bool plain = threshold >= 2 && threshold <= shares && shares <= kMaxShares;
    return kind == SchemeKind::kFormQ    ? threshold == 2 && shares == 3
           : kind == SchemeKind::kRamp   ? threshold == 3 && shares == 4
           : kind == SchemeKind::kShamir ? plain
                                         : false;
  }
};

// The map from the secret and the given shares to all others.
class Splitter {
 public:
  // Errors: kInvalidArgument unless the scheme is sane and `given` names scheme.privacy()
  // different shares of it.
  [[nodiscard]] static Result<Splitter> make(const Scheme& scheme,
                                             std::span<const ShareIndex> given);

  [[nodiscard]] const Scheme& scheme() const { return scheme_; }
  [[nodiscard]] const std::vector<ShareIndex>& given() const { return given_; }
  // The shares that split() makes, ascending.
  [[nodiscard]] const std::vector<ShareIndex>& made() const { return made_; }

  // `secret` has scheme().padded() length; `given` in the order of given(), `made` of made(), each
  // share_bytes() long. Given shares must be uniform, secret and used for this record only. Nothing
  // may overlap.
  void split(ByteView secret, std::span<const ByteView> given,
             std::span<const MutableBytes> made) const;

 private:
  Splitter() = default;
  void split_form_q(ByteView secret, ByteView given, std::span<const MutableBytes> made) const;
  Scheme scheme_;
  std::vector<ShareIndex> given_;
  std::vector<ShareIndex> made_;
  // One row for each made share; columns: the secret (the ramp: its two halves), then the given
  // shares. Elements of GF(4) or GF(2^8) by number.
  std::vector<std::uint8_t> coefficients_;
};

// The map from threshold() shares back to the secret.
class Joiner {
 public:
  // Errors: kInvalidArgument unless the scheme is sane and `from` names scheme.threshold()
  // different shares of it.
  [[nodiscard]] static Result<Joiner> make(const Scheme& scheme, std::span<const ShareIndex> from);

  [[nodiscard]] const Scheme& scheme() const { return scheme_; }
  [[nodiscard]] const std::vector<ShareIndex>& from() const { return from_; }

  // `shares` in the order of from(), all of one length; `secret` as long as the padded secret. For
  // form Q and Shamir `secret` may be the very memory of one of the shares.
  void join(std::span<const ByteView> shares, MutableBytes secret) const;

 private:
  Joiner() = default;
  Scheme scheme_;
  std::vector<ShareIndex> from_;
  // One for each share; the ramp: one row for each half of the secret.
  std::vector<std::uint8_t> coefficients_;
};

}  // namespace warifu::sharing
