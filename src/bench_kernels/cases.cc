// One function per figure.
#include "bench_kernels/cases.h"

#include <array>
#include <atomic>

#include "kernels/gf256.h"

namespace warifu::bench_kernels {
namespace {

using kernels::BlockSum;
using kernels::Byte;
using kernels::Factor;
using kernels::Kernels;
using kernels::LaneSums;
using kernels::Stores;

// Results of hashes go here, so that no compiler may leave them out.
std::atomic<std::uint64_t> sink{0};

void keep(const LaneSums& sums) {
  sink.fetch_xor(sums.sum[0].low ^ sums.sum[1].high, std::memory_order_relaxed);
}
void keep(const BlockSum& sum) {
  sink.fetch_xor(sum.sum.low, std::memory_order_relaxed);
}

void run_xor(const Kernels& k, const Streams& s, Range r, const Sums&, Stores stores) {
  k.xor_bytes({s[0] + r.from, s[1] + r.from, s[2] + r.from, r.bytes, stores});
}

void run_combine(const Kernels& k, const Streams& s, Range r, const Sums&, Stores stores) {
  k.combine({Factor::kW2, s[0] + r.from, s[1] + r.from, s[2] + r.from, r.bytes, stores});
}

void run_split(const Kernels& k, const Streams& s, Range r, const Sums&, Stores stores) {
  k.split({s[0] + r.from, s[1] + r.from, nullptr, s[2] + r.from, s[3] + r.from, r.bytes, stores});
}

void run_split_three(const Kernels& k, const Streams& s, Range r, const Sums&, Stores stores) {
  k.split(
      {s[0] + r.from, s[1] + r.from, s[2] + r.from, s[3] + r.from, s[4] + r.from, r.bytes, stores});
}

void run_hash(const Kernels& k, const Streams& s, Range r, const Sums& sums, Stores) {
  BlockSum sum{&sums.object_key, {}};
  k.hash(sum, s[0] + r.from, r.bytes / kernels::kBlockBytes);
  keep(sum);
}

void run_hash_lanes(const Kernels& k, const Streams& s, Range r, const Sums& sums, Stores) {
  LaneSums lanes{&sums.object_key, {}};
  k.hash_lanes(lanes, s[0] + r.from, r.bytes / kernels::kWordBytes);
  keep(lanes);
}

void run_seal(const Kernels& k, const Streams& s, Range r, const Sums& sums, Stores stores) {
  BlockSum sum{&sums.link_key_b, {}};
  k.seal({s[0] + r.from, s[1] + r.from, s[2] + r.from, r.bytes, stores}, sum);
  keep(sum);
}

void run_split_tag(const Kernels& k, const Streams& s, Range r, const Sums& sums, Stores stores) {
  LaneSums lanes{&sums.object_key, {}};
  k.split_tag(
      {s[0] + r.from, s[1] + r.from, nullptr, s[2] + r.from, s[3] + r.from, r.bytes, stores},
      lanes);
  keep(lanes);
}

void run_sender(const Kernels& k, const Streams& s, Range r, const Sums& sums, Stores stores) {
  LaneSums lanes{&sums.object_key, {}};
  BlockSum b{&sums.link_key_b, {}};
  BlockSum c{&sums.link_key_c, {}};
  k.send({s[0] + r.from, s[1] + r.from, s[2] + r.from, s[3] + r.from, s[4] + r.from, s[5] + r.from,
          r.bytes, stores},
         lanes, b, c);
  keep(lanes);
  keep(b);
  keep(c);
}

void run_receiver(const Kernels& k, const Streams& s, Range r, const Sums& sums, Stores stores) {
  LaneSums lanes{&sums.object_key, {}};
  BlockSum link{&sums.link_key_b, {}};
  k.receive(
      {Factor::kW, s[0] + r.from, s[1] + r.from, s[2] + r.from, s[3] + r.from, r.bytes, stores},
      link, lanes);
  keep(lanes);
  keep(link);
}

void run_repair(const Kernels& k, const Streams& s, Range r, const Sums&, Stores stores) {
  k.scale_add(
      {Factor::kW, Factor::kW2, s[0] + r.from, s[1] + r.from, s[2] + r.from, r.bytes, stores});
}

// In place: a share becomes the next generation's.
void run_refresh(const Kernels& k, const Streams& s, Range r, const Sums&, Stores) {
  k.xor_bytes({s[0] + r.from, s[1] + r.from, s[0] + r.from, r.bytes, Stores::kCached});
}

// y_j = S + R1 x_j + R2 x_j^2 at x = 1 .. 5.
void run_shamir_split(const Kernels& k, const Streams& s, Range r, const Sums&, Stores stores) {
  std::array<Byte, 15> coefficients{};
  for (unsigned j = 0; j < 5; ++j) {
    const Byte x = static_cast<Byte>(j + 1);
    coefficients[j * 3] = 1;
    coefficients[j * 3 + 1] = x;
    coefficients[j * 3 + 2] = kernels::gf256_multiply(x, x);
  }
  std::array<const Byte*, 3> sources{};
  std::array<Byte*, 5> outputs{};
  for (std::size_t i = 0; i < 3; ++i) sources[i] = s[i] + r.from;
  for (std::size_t j = 0; j < 5; ++j) outputs[j] = s[3 + j] + r.from;
  k.gf256_combine({coefficients.data(), sources.data(), 3, outputs.data(), 5, r.bytes, stores});
}

// From the shares at x = 2, 4, 5: three general coefficients.
void run_shamir_combine(const Kernels& k, const Streams& s, Range r, const Sums&, Stores stores) {
  constexpr std::array<Byte, 3> kPoints = {2, 4, 5};
  std::array<Byte, 3> weights{};
  for (std::size_t i = 0; i < 3; ++i) {
    weights[i] = 1;
    for (std::size_t j = 0; j < 3; ++j) {
      if (j == i) continue;
      const Byte inverse = kernels::gf256_inverse(static_cast<Byte>(kPoints[i] ^ kPoints[j]));
      weights[i] =
          kernels::gf256_multiply(weights[i], kernels::gf256_multiply(kPoints[j], inverse));
    }
  }
  std::array<const Byte*, 3> sources{};
  for (std::size_t i = 0; i < 3; ++i) sources[i] = s[i] + r.from;
  std::array<Byte*, 1> outputs = {s[3] + r.from};
  k.gf256_combine({weights.data(), sources.data(), 3, outputs.data(), 1, r.bytes, stores});
}

constexpr std::array<Case, 14> kCases = {{
    {"xor", 0.95, 3, run_xor},
    {"combine", 0.9, 3, run_combine},
    {"split_key_as_share", 0.8, 4, run_split},
    {"split_three", 0.65, 5, run_split_three},
    {"hash", 1.1, 1, run_hash},
    {"hash_two_lanes", 1.1, 1, run_hash_lanes},
    {"seal", 0.8, 3, run_seal},
    {"split_tag", 0.65, 4, run_split_tag},
    {"full_sender", 0.35, 6, run_sender},
    {"full_receiver", 0.5, 4, run_receiver},
    {"repair", 0.9, 3, run_repair},
    {"refresh", 0.9, 2, run_refresh},
    {"shamir_3_5_split", 0.25, 8, run_shamir_split},
    {"shamir_3_5_combine", 0.35, 4, run_shamir_combine},
}};

}  // namespace

Sums::Sums() {
  kernels::prepare(object_key, {0x0123456789ABCDEF, 0xFEDCBA9876543210});
  kernels::prepare(link_key_b, {0x0F1E2D3C4B5A6978, 0x8796A5B4C3D2E1F0});
  kernels::prepare(link_key_c, {0x1032547698BADCFE, 0xEFCDAB8967452301});
}

std::span<const Case> cases() {
  return kCases;
}

}  // namespace warifu::bench_kernels
