// Maxima that several components share; what bounds one alone stands beside it.
#pragma once

#include <cstdint>

namespace warifu::limits {

inline constexpr std::uint32_t kChunkBytes = 256 * 1024;  // plaintext bytes of a full chunk (v1)
inline constexpr std::uint32_t kChunkTagBytes = 32;       // one 128-bit tag per half
inline constexpr std::uint32_t kMaxRecordBytes = kChunkBytes + kChunkTagBytes;
inline constexpr std::uint32_t kMaxFramePayload = 512 * 1024;
inline constexpr std::uint32_t kWindowFrames = 32;  // data frames between acknowledgements
inline constexpr std::uint64_t kMaxObjectBytes = 1ULL << 50;
inline constexpr std::uint32_t kSegmentBytes = 16 * 1024 * 1024;  // pool segment
inline constexpr std::uint32_t kSealBlockBytes = 64 * 1024;       // sealed unit inside a segment
inline constexpr std::uint64_t kControlFloorBytes = 512 * 1024;   // pad that bulk may not take
inline constexpr std::uint32_t kMaxSites = 255;
inline constexpr std::uint32_t kMaxHops = 8;
inline constexpr std::uint32_t kMaxHttpBody = 64 * 1024 * 1024;  // buffered bodies only

}  // namespace warifu::limits
