// A small recursive parser for policies.
#include "planner/policy.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/reason.h"

namespace warifu::planner {
namespace {

class Parser {
 public:
  explicit Parser(const std::string& text) : text_(text) {}

  Result<PolicyNode> parse() {
    if (text_.size() > kMaxPolicyBytes) {
      at_ = kMaxPolicyBytes;
      return wrong("the end, after at most 1024 characters,");
    }
    const bool fragile = eat_word("fragile");
    TRY_ASSIGN(PolicyNode node, threshold(0));
    node.fragile = fragile;
    skip_space();
    if (at_ != text_.size()) return wrong("nothing more");
    return node;
  }

 private:
  std::unexpected<Error> wrong(std::string_view wanted) {
    return fail(Code::kInvalidArgument,
                fmt::format("policy '{}': {} was expected at position {}", text_, wanted, at_ + 1),
                Reason::kPolicy);
  }
  void skip_space() {
    while (at_ < text_.size() && text_[at_] == ' ') ++at_;
  }
  bool eat(char c) {
    skip_space();
    if (at_ < text_.size() && text_[at_] == c) {
      ++at_;
      return true;
    }
    return false;
  }
  std::string word() {
    skip_space();
    std::string out;
    while (at_ < text_.size() && (std::isalnum(static_cast<unsigned char>(text_[at_])) != 0 ||
                                  text_[at_] == '-' || text_[at_] == ':')) {
      out.push_back(text_[at_++]);
    }
    return out;
  }

  [[nodiscard]] bool at_digit() {
    skip_space();
    return at_ < text_.size() && std::isdigit(static_cast<unsigned char>(text_[at_])) != 0;
  }

  bool eat_word(const char* wanted) {
    const std::size_t before = at_;
    if (word() == wanted) return true;
    at_ = before;
    return false;
  }

  // "ramp" before a number; a site may be called "ramp" too.
  bool eat_ramp() {
    const std::size_t before = at_;
    if (word() == "ramp" && at_digit()) return true;
    at_ = before;
    return false;
  }

  // 2 to 32; 0 when something else stands there.
  unsigned number() {
    const std::size_t before = at_;
    const std::string digits = word();
    const bool sound = !digits.empty() && digits.size() <= 2 && digits[0] != '0' &&
                       std::ranges::all_of(digits, [](char c) { return c >= '0' && c <= '9'; });
    const unsigned value = sound ? static_cast<unsigned>(std::stoul(digits)) : 0;
    if (value >= 2 && value <= sharing::kMaxShares) return value;
    at_ = before;
    return 0;
  }

  Result<PolicyNode> threshold(std::size_t depth) {
    PolicyNode node;
    node.number = nodes_++;
    const bool ramp = eat_ramp();
    const unsigned k = number();
    if (k == 0) return wrong("a number from 2 to 32");
    if (word() != "of") return wrong("'of'");
    if (!eat('(')) return wrong("'('");
    do {
      if (node.children.size() == sharing::kMaxShares)
        return wrong("no more than 32 shares, so ')'");
      TRY_ASSIGN(PolicyNode child, item(depth));
      node.children.push_back(std::move(child));
    } while (eat(','));
    if (!eat(')')) return wrong("',' or ')'");
    TRY_ASSIGN(node.scheme, scheme(ramp, k, node.children.size()));
    if (eat_word("via")) {
      if (depth == 0) return wrong("no 'via' at the top");
      node.via = word();
      if (node.via.empty() || node.via == "origin") return wrong("a label after 'via'");
      if (is_bare_region(node.via)) return wrong("a region after 'region:'");
    } else if (depth > 0) {
      return wrong("'via LABEL' after a nested threshold");
    }
    return node;
  }

  Result<sharing::Scheme> scheme(bool ramp, unsigned k, std::size_t n) {
    if (ramp) {
      if (k == 3 && n == 4) return sharing::Scheme::ramp();
      return wrong("'ramp 3 of' four shares (the only ramp), so something else");
    }
    if (k > n) return wrong("as many shares as the threshold, or more,");
    return sharing::Scheme::threshold_of(k, static_cast<unsigned>(n));
  }

  static bool is_bare_region(const std::string& selector) { return selector == "region:"; }

  Result<PolicyNode> item(std::size_t depth) {
    const std::size_t before = at_;
    if (at_digit() || eat_ramp()) {
      at_ = before;
      if (depth == kMaxNesting) {
        return wrong(fmt::format("a label (at most {} levels of nesting)", kMaxNesting));
      }
      return threshold(depth + 1);
    }
    PolicyNode node;
    node.number = nodes_++;
    node.label = word();
    if (node.label.empty()) return wrong("a label");
    if (is_bare_region(node.label)) return wrong("a region after 'region:'");
    if (node.label == "origin" && (depth > 0 || origin_seen_)) {
      return wrong("'origin' once and at the top only, so a label");
    }
    origin_seen_ = origin_seen_ || node.label == "origin";
    return node;
  }

  const std::string& text_;
  std::size_t at_ = 0;
  std::size_t nodes_ = 0;
  bool origin_seen_ = false;
};

}  // namespace

std::string PolicyNode::text() const {
  if (is_leaf()) return label;
  std::string inside;
  for (const PolicyNode& child : children) {
    if (!inside.empty()) inside += ", ";
    inside += child.text();
  }
  return fmt::format("{}{}{} of ({}){}", fragile ? "fragile " : "",
                     scheme.kind == sharing::SchemeKind::kRamp ? "ramp " : "", scheme.threshold,
                     inside, via.empty() ? "" : " via " + via);
}

const PolicyNode* PolicyNode::find(const sharing::SharePath& path) const {
  const PolicyNode* node = this;
  for (const std::uint8_t step : path.steps()) {
    if (step >= node->children.size()) return nullptr;
    node = &node->children[step];
  }
  return node;
}

namespace {

void add_paths(const PolicyNode& cut, const sharing::SharePath& path,
               std::vector<std::pair<sharing::SharePath, const PolicyNode*>>& paths) {
  for (std::size_t i = 0; i < cut.children.size(); ++i) {
    paths.emplace_back(path.part(i), &cut.children[i]);
    add_paths(cut.children[i], path.part(i), paths);
  }
}

}  // namespace

std::vector<std::pair<sharing::SharePath, const PolicyNode*>> share_paths(
    const PolicyNode& policy) {
  std::vector<std::pair<sharing::SharePath, const PolicyNode*>> paths;
  add_paths(policy, {}, paths);
  return paths;
}

std::vector<sharing::SharePath> leaf_paths(const PolicyNode& policy) {
  std::vector<sharing::SharePath> leaves;
  for (const auto& [path, node] : share_paths(policy)) {
    if (node->is_leaf()) leaves.push_back(path);
  }
  return leaves;
}

sharing::SharePath path_of(const PolicyNode& policy, std::size_t number) {
  return number == 0 ? sharing::SharePath() : share_paths(policy).at(number - 1).first;
}

sharing::RecordLayout records_at(const PolicyNode& policy, const sharing::RecordLayout& records,
                                 const sharing::SharePath& path) {
  const PolicyNode* cut = &policy;
  sharing::RecordLayout layout = records;
  for (const std::uint8_t step : path.steps()) {
    WARIFU_CHECK(step < cut->children.size());
    layout = layout.below(cut->scheme);
    cut = &cut->children[step];
  }
  return layout;
}

Result<PolicyNode> parse_policy(const std::string& text) {
  return Parser(text).parse();
}

}  // namespace warifu::planner
