// The data kernels: everything in this project that touches bulk data at memory speed.
//
// One table of functions per variant of machine; best() is the fastest that this machine runs,
// chosen once. All variants compute the same bytes. Nothing else in the project contains
// intrinsics.
//
// Every function takes raw pointers to caller-owned memory of any alignment, keeps nothing, cannot
// fail, and may be called by any thread. Constant time: no branch, no address and no table index
// depends on data, pads, shares or keys (shuffles inside registers are not look-ups). Coefficients,
// factors and lengths are public.
//
// A word is 32 bytes: two lanes of 128 bits, on which GF(4) acts by w (s1, s2) = (s2, s1 + s2). A
// block is 16 bytes: an element of GF(2^128) as mac/mac.h defines it. An output may be the very
// memory of an input of the same pass, unless said otherwise; partial overlap is never allowed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace warifu::kernels {

using Byte = std::uint8_t;
inline constexpr std::size_t kBlockBytes = 16;
inline constexpr std::size_t kWordBytes = 32;

// Where results go. kStreaming bypasses the caches (non-temporal stores): right for outputs larger
// than the caches that nobody reads soon. kCached: right for a chunk that a system call reads next.
// Outputs that are not aligned to 32 bytes are always written by cached stores.
enum class Stores : std::uint8_t { kCached, kStreaming };

// An element of GF(4) that is not zero.
enum class Factor : std::uint8_t { kOne, kW, kW2 };

// An element of GF(2^128): bit i of the little-endian number is the coefficient of x^i; polynomial
// x^128 + x^7 + x^2 + x + 1.
struct Element {
  std::uint64_t low = 0;   // coefficients of x^0 .. x^63
  std::uint64_t high = 0;  // coefficients of x^64 .. x^127
  bool operator==(const Element&) const = default;
};

// A hash key r made ready: its powers in the order in which the kernels read them. Secret; the
// owner keeps it in locked memory and wipes it.
inline constexpr std::size_t kHashPowers = 32;
struct alignas(64) HashKey {
  Element descending[kHashPowers];           // [i] = r^(32 - i)
  std::uint64_t folded[kHashPowers];         // low + high half of descending[i] (Karatsuba)
  std::uint64_t folded_blocks[kHashPowers];  // the same, in every four the middle two exchanged
};

// A running hash over contiguous blocks: sum := (sum + m_1) r^L + m_2 r^(L-1) + .. + m_L r.
struct BlockSum {
  const HashKey* key = nullptr;
  Element sum;
};

// Two running hashes under one key, over the first and over the second lane of words.
struct LaneSums {
  const HashKey* key = nullptr;
  Element sum[2];
};

// out = x + y. `bytes` is any number for Kernels::xor_bytes, else a multiple of 32.
struct XorPass {
  const Byte* x;
  const Byte* y;
  Byte* out;
  std::size_t bytes = 0;
  Stores stores = Stores::kCached;
};

// Form Q: a = random (only when `a` is given: nullptr means that `random` itself is share A),
// b = random + secret, c = random + w secret. `bytes` is a multiple of 32.
struct SplitPass {
  const Byte* secret;
  const Byte* random;
  Byte* a = nullptr;
  Byte* b;
  Byte* c;
  std::size_t bytes = 0;
  Stores stores = Stores::kCached;
};

// out = factor (x + y). `bytes` is a multiple of 32.
struct CombinePass {
  Factor factor = Factor::kOne;
  const Byte* x;
  const Byte* y;
  Byte* out;
  std::size_t bytes = 0;
  Stores stores = Stores::kCached;
};

// out = factor_x x + factor_y y. `bytes` is a multiple of 32.
struct ScaleAddPass {
  Factor factor_x = Factor::kOne;
  Factor factor_y = Factor::kOne;
  const Byte* x;
  const Byte* y;
  Byte* out;
  std::size_t bytes = 0;
  Stores stores = Stores::kCached;
};

// The full sender: out_b = random + secret + pad_b, out_c = random + w secret + pad_c; share A is
// `random`. `bytes` is a multiple of 32.
struct SenderPass {
  const Byte* secret;
  const Byte* random;
  const Byte* pad_b;
  const Byte* pad_c;
  Byte* out_b;
  Byte* out_c;
  std::size_t bytes = 0;
  Stores stores = Stores::kCached;
};

// The full receiver: secret = factor (ciphertext + pad + other share). `bytes` is a multiple of 32.
struct ReceiverPass {
  Factor factor = Factor::kOne;
  const Byte* ciphertext;
  const Byte* pad;
  const Byte* other;
  Byte* secret;
  std::size_t bytes = 0;
  Stores stores = Stores::kCached;
};

// Limits of gf256_combine.
inline constexpr std::size_t kGf256MaxSources = 32;
inline constexpr std::size_t kGf256MaxRows = 32;

// out_j = sum over i of c_ji * src_i, bytewise over GF(2^8) with polynomial 0x11B (gf256.h).
struct Gf256Pass {
  const Byte* coefficients;      // rows x source_count, row by row; public
  const Byte* const* sources;    // source_count streams of `bytes`
  std::size_t source_count = 0;  // 0 .. kGf256MaxSources; 0 gives zeros
  // rows streams of `bytes`; none may overlap a source, but when rows is 1 the output may be the
  // very memory of a source.
  Byte* const* outputs;
  std::size_t rows = 0;   // 0 .. kGf256MaxRows
  std::size_t bytes = 0;  // any number
  Stores stores = Stores::kCached;
};

struct Kernels {
  const char* name;  // "portable", "avx2", "avx2+vpclmulqdq" or "neon"
  void (*xor_bytes)(const XorPass& pass);
  void (*split)(const SplitPass& pass);
  void (*combine)(const CombinePass& pass);
  void (*scale_add)(const ScaleAddPass& pass);
  void (*gf256_combine)(const Gf256Pass& pass);

  Element (*multiply)(Element a, Element b);
  // Over `count` blocks that follow one another.
  void (*hash)(BlockSum& sum, const Byte* blocks, std::size_t count);
  // Over `count` words that follow one another.
  void (*hash_lanes)(LaneSums& sums, const Byte* words, std::size_t count);

  // Fused passes; bytes are multiples of 32.
  void (*seal)(const XorPass& pass, BlockSum& of_out);
  void (*open)(const XorPass& pass, BlockSum& of_x);
  void (*split_tag)(const SplitPass& pass, LaneSums& of_secret);
  void (*send)(const SenderPass& pass, LaneSums& of_secret, BlockSum& of_out_b, BlockSum& of_out_c);
  void (*combine_tag)(const CombinePass& pass, LaneSums& of_out);
  void (*receive)(const ReceiverPass& pass, BlockSum& of_ciphertext, LaneSums& of_secret);
};

// The fastest variant that this machine runs.
[[nodiscard]] const Kernels& best();

// Every variant that this machine runs, plainest first; for tests and measurements.
[[nodiscard]] std::span<const Kernels* const> runnable();

// Fills `key` with the powers of r.
void prepare(HashKey& key, Element r);

}  // namespace warifu::kernels
