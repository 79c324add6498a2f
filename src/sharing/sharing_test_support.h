// For the tests of sharing only: cuts of whole test vectors, and symbols for exhaustive tests.
//
// A symbol is what a scheme works on independently: a byte for Shamir, one bit of each lane of
// a word for form Q and the ramp. So one call of the real Splitter runs through all values of all
// given shares: one byte, or one word, for each case.
#pragma once

#include <cstddef>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "sharing/scheme.h"

namespace warifu::sharing {

inline Bytes random_bytes(std::mt19937_64& generator, std::size_t size) {
  Bytes bytes(size);
  for (auto& b : bytes) b = static_cast<Byte>(generator());
  return bytes;
}

inline std::vector<ShareIndex> all_shares(const Scheme& scheme) {
  std::vector<ShareIndex> all;
  for (std::size_t i = 0; i < scheme.shares; ++i) all.push_back(static_cast<ShareIndex>(i));
  return all;
}

// All shares, by index, when `given` have these bytes. Outputs start `shift` bytes into their
// memory.
inline std::vector<Bytes> split_given(const Scheme& scheme, const std::vector<ShareIndex>& given,
                                      ByteView secret, const std::vector<Bytes>& values,
                                      std::size_t shift = 0) {
  const auto splitter = Splitter::make(scheme, given);
  WARIFU_CHECK(splitter.has_value());
  const std::size_t bytes = scheme.share_bytes(secret.size());
  std::vector<Bytes> shares(scheme.shares);
  std::vector<ByteView> from(values.begin(), values.end());
  for (std::size_t i = 0; i < given.size(); ++i) {
    shares[static_cast<std::size_t>(given[i])] = values[i];
  }
  std::vector<Bytes> memory(splitter->made().size(), Bytes(bytes + shift));
  std::vector<MutableBytes> to;
  for (Bytes& out : memory) to.push_back(MutableBytes(out).subspan(shift));
  splitter->split(secret, from, to);
  for (std::size_t i = 0; i < to.size(); ++i) {
    shares[static_cast<std::size_t>(splitter->made()[i])] = Bytes(to[i].begin(), to[i].end());
  }
  return shares;
}

inline std::vector<Bytes> split_with(const Scheme& scheme, const std::vector<ShareIndex>& given,
                                     ByteView secret, std::mt19937_64& generator,
                                     std::size_t shift) {
  std::vector<Bytes> values;
  for (std::size_t i = 0; i < given.size(); ++i) {
    values.push_back(random_bytes(generator, scheme.share_bytes(secret.size())));
  }
  return split_given(scheme, given, secret, values, shift);
}

inline Bytes join_shares(const Scheme& scheme, const std::vector<ShareIndex>& from,
                         const std::vector<Bytes>& shares) {
  const auto joiner = Joiner::make(scheme, from);
  WARIFU_CHECK(joiner.has_value());
  std::vector<ByteView> views;
  for (const ShareIndex index : from) views.emplace_back(shares[static_cast<std::size_t>(index)]);
  const std::size_t factor = scheme.kind == SchemeKind::kRamp ? 2 : 1;
  Bytes secret(views[0].size() * factor);
  joiner->join(views, secret);
  return secret;
}

// ---- Symbols ----

using Symbols = std::vector<unsigned>;  // one for each case

inline unsigned alphabet(const Scheme& scheme) {
  return scheme.kind == SchemeKind::kShamir ? 256 : 4;
}

// Bytes whose symbols these are; Shamir's are padded to whole words.
inline Bytes pack(const Scheme& scheme, const Symbols& symbols) {
  if (scheme.kind == SchemeKind::kShamir) {
    Bytes bytes(padded_size(symbols.size()));
    for (std::size_t i = 0; i < symbols.size(); ++i) bytes[i] = static_cast<Byte>(symbols[i]);
    return bytes;
  }
  Bytes words(symbols.size() * kWordBytes);
  for (std::size_t i = 0; i < symbols.size(); ++i) {
    words[i * kWordBytes] = static_cast<Byte>(symbols[i] & 1);
    words[i * kWordBytes + 16] = static_cast<Byte>(symbols[i] >> 1);
  }
  return words;
}

inline Symbols unpack(const Scheme& scheme, ByteView bytes, std::size_t count) {
  Symbols symbols(count);
  for (std::size_t i = 0; i < count; ++i) {
    symbols[i] = scheme.kind == SchemeKind::kShamir
                     ? bytes[i]
                     : (bytes[i * kWordBytes] & 1U) | (bytes[i * kWordBytes + 16] & 1U) << 1U;
  }
  return symbols;
}

// Every tuple of `length` values below `base`: result[position][case].
inline std::vector<Symbols> every_tuple(unsigned base, std::size_t length, unsigned from = 0) {
  std::size_t cases = 1;
  for (std::size_t i = 0; i < length; ++i) cases *= base - from;
  std::vector<Symbols> columns(length, Symbols(cases));
  for (std::size_t at = 0; at < cases; ++at) {
    std::size_t rest = at;
    for (std::size_t i = 0; i < length; ++i) {
      columns[i][at] = static_cast<unsigned>(rest % (base - from)) + from;
      rest /= base - from;
    }
  }
  return columns;
}

// All shares' symbols by index, one secret for all cases: `secret` is one symbol, for the ramp two.
inline std::vector<Symbols> cut_symbols(const Scheme& scheme, const std::vector<ShareIndex>& given,
                                        const std::vector<unsigned>& secret,
                                        const std::vector<Symbols>& values) {
  const std::size_t cases = values.at(0).size();
  Bytes whole;
  for (const unsigned symbol : secret) {
    const Bytes part = pack(scheme, Symbols(cases, symbol));
    whole.insert(whole.end(), part.begin(), part.end());
  }
  std::vector<Bytes> packed;
  for (const Symbols& value : values) packed.push_back(pack(scheme, value));
  std::vector<Symbols> shares;
  for (const Bytes& share : split_given(scheme, given, whole, packed)) {
    shares.push_back(unpack(scheme, share, cases));
  }
  return shares;
}

// How often each tuple of these columns occurs; a view of somebody who sees these symbols.
using View = std::map<std::vector<unsigned>, unsigned>;

inline View view_of(const std::vector<Symbols>& columns) {
  View view;
  std::vector<unsigned> tuple(columns.size());
  for (std::size_t at = 0; at < columns.at(0).size(); ++at) {
    for (std::size_t i = 0; i < columns.size(); ++i) tuple[i] = columns[i][at];
    ++view[tuple];
  }
  return view;
}

}  // namespace warifu::sharing
