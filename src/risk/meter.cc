// Regions merged, positions packed into them from the left: no set of positions so far apart is
// larger.
#include "risk/meter.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "risk/site_counts.h"

namespace warifu::risk {
namespace {

using Span = std::pair<std::uint64_t, std::uint64_t>;  // first, last

std::vector<Span> merged(std::vector<Span> spans) {
  std::ranges::sort(spans);
  std::vector<Span> result;
  for (const Span& span : spans) {
    if (!result.empty() && span.first <= result.back().second + 1) {
      result.back().second = std::max(result.back().second, span.second);
    } else {
      result.push_back(span);
    }
  }
  return result;
}

void add_spans(const std::vector<Span>& spans, Identification& sum) {
  std::uint64_t next = 0;  // no position before this one is independent of the last
  for (const auto& [first, last] : spans) {
    const std::uint64_t begin = std::max(first, next);
    sum.bases += last - first + 1;
    sum.str_loci += (last - first + 1) / kStrDistance;
    if (begin > last) continue;
    const std::uint64_t more = (last - begin) / kIndependentDistance;
    sum.independent_snps += more + 1;
    next = begin + (more + 1) * kIndependentDistance;
  }
}

std::string counted(const Identification& one, Language language) {
  const bool is_japanese = language == Language::kJapanese;
  if (one.whole) return is_japanese ? "全ゲノム" : "the whole genome";
  return fmt::format(fmt::runtime(is_japanese ? "独立な SNP 約 {} 個、STR 約 {} 座位"
                                              : "about {} independent SNPs and {} STR loci"),
                     one.independent_snps, one.str_loci);
}

}  // namespace

Identification measure(const Granted& granted) {
  std::map<std::pair<std::string, std::string>, std::vector<Span>> by_chromosome;
  for (const GrantedRegion& region : granted.regions) {
    WARIFU_CHECK(region.start >= 1 && region.start <= region.end);
    by_chromosome[{region.assembly, plain_chromosome(region.chromosome)}].emplace_back(region.start,
                                                                                       region.end);
  }
  Identification sum{.whole = granted.whole};
  for (auto& [place, spans] : by_chromosome) add_spans(merged(std::move(spans)), sum);
  return sum;
}

MeterReading read_meter(const Granted& past, const Granted& asked) {
  Granted both = past;
  both.whole = past.whole || asked.whole;
  both.regions.insert(both.regions.end(), asked.regions.begin(), asked.regions.end());
  return {measure(past), measure(both)};
}

std::string meter_text(const MeterReading& reading, Language language) {
  const bool is_japanese = language == Language::kJapanese;
  const std::string before = counted(reading.before, language);
  const std::string after = counted(reading.after, language);
  std::string text;
  if (is_japanese) {
    text =
        "個人識別符号(互いに独立な SNP 40 個以上、または 4 塩基 STR 9 座位以上)の目安: "
        "この相手には既に" +
        before + "、この同意で" + after + "。";
    text += reading.crosses() ? "この同意で、データだけであなたを識別できるようになります。"
            : reading.after.identifies() ? "既に、データだけであなたを識別できる量です。"
                                         : "識別できる量には達しません。";
    if (reading.after.identifies()) {
      text += "遺伝型でなく計算結果だけを渡せば、この基準を超えません。";
    }
    return text + "推定であり、法的助言ではありません。";
  }
  text =
      "Personal identification code (40 independent SNPs or 9 four-base STR loci, Japan): this "
      "recipient has " +
      before + " already, with this consent " + after + ". ";
  text += reading.crosses()            ? "With this consent the data alone identify you. "
          : reading.after.identifies() ? "The data alone identify you already. "
                                       : "That does not identify you by itself. ";
  if (reading.after.identifies()) {
    text += "Giving a score's result instead of genotypes would stay below. ";
  }
  return text + "An estimate, not legal advice.";
}

}  // namespace warifu::risk
