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
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace warifu::kernels {

using Byte = std::uint8_t;

// Where results go. kStreaming bypasses the caches (non-temporal stores): right for outputs larger
// than the caches that nobody reads soon. kCached: right for a chunk that a system call reads next.
// Outputs that are not aligned to 32 bytes are always written by cached stores.
enum class Stores : std::uint8_t { kCached, kStreaming };

// Limits of gf256_combine.
inline constexpr std::size_t kGf256MaxSources = 32;
inline constexpr std::size_t kGf256MaxRows = 32;

// out_j = sum over i of c_ji * src_i, bytewise over GF(2^8) with polynomial 0x11B (gf256.h).
struct Gf256Pass {
  const Byte* coefficients;      // rows x source_count, row by row; public
  const Byte* const* sources;    // source_count streams of `bytes`
  std::size_t source_count = 0;  // 0 .. kGf256MaxSources; 0 gives zeros
  Byte* const* outputs;          // rows streams of `bytes`; none may overlap a source
  std::size_t rows = 0;          // 0 .. kGf256MaxRows
  std::size_t bytes = 0;         // any number
  Stores stores = Stores::kCached;
};

struct Kernels {
  const char* name;
  void (*gf256_combine)(const Gf256Pass& pass);
};

// The fastest variant that this machine runs.
[[nodiscard]] const Kernels& best();

// Every variant that this machine runs, plainest first; for tests and measurements.
[[nodiscard]] std::span<const Kernels* const> runnable();

}  // namespace warifu::kernels
