// Contig: one chromosome of the reference, in memory, upper case, with the M5 digest that a CRAM
// header needs. Layout: the parts of it where a fragment of any length can be placed.
// Positions are 0-based and half open everywhere; only texts for people are 1-based.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace warifu::make_cram {

inline constexpr std::int64_t kReadLength = 150;
inline constexpr std::int64_t kMinFragment = 160;
inline constexpr std::int64_t kMaxFragment = 750;

struct Span {
  std::int64_t begin = 0;
  std::int64_t end = 0;
  [[nodiscard]] std::int64_t length() const { return end - begin; }
};

struct Contig {
  std::string reference_path;
  std::string name;
  std::string sequence;
  std::string md5;
  Span region;  // what the user asked for, or all of it
};

// Loads the contig that `region` names ("20", "20:1-5000000", "20:1000-"), or the first contig of
// the file when there is no region.
Contig load_contig(const std::string& reference_path, const std::optional<std::string>& region);

class Layout {
 public:
  // The runs of A, C, G and T in contig.region that hold the longest fragment. N runs are left out.
  static Layout callable(const Contig& contig);

  // The same from its start on, cut after about `bases` bases. Never empty.
  [[nodiscard]] Layout first(std::int64_t bases) const;

  [[nodiscard]] const std::vector<Span>& spans() const { return spans_; }
  [[nodiscard]] std::int64_t bases() const { return bases_; }
  [[nodiscard]] std::int64_t starts() const { return starts_; }
  [[nodiscard]] bool contains(std::int64_t position) const;
  [[nodiscard]] std::string text(const Contig& contig) const;

 private:
  void add(Span span);

  std::vector<Span> spans_;
  std::int64_t bases_ = 0;
  std::int64_t starts_ = 0;  // positions where a fragment may start
};

}  // namespace warifu::make_cram
