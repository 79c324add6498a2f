// A small recursive parser for policies.
#include "control/policy.h"

#include <fmt/format.h>

namespace warifu::control {
namespace {

class Parser {
 public:
  explicit Parser(const std::string& text) : text_(text) {}

  Result<PolicyNode> parse() {
    TRY_ASSIGN(PolicyNode node, threshold(0));
    skip_space();
    if (at_ != text_.size()) return wrong("nothing more");
    return node;
  }

 private:
  std::unexpected<Error> wrong(const char* wanted) {
    return fail(Code::kInvalidArgument,
                fmt::format("policy '{}': {} was expected at position {}", text_, wanted, at_ + 1));
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

  Result<PolicyNode> threshold(int depth) {
    PolicyNode node;
    if (word() != "2") return wrong("'2' (this version shares 2 of 3)");
    node.threshold = 2;
    if (word() != "of") return wrong("'of'");
    if (!eat('(')) return wrong("'('");
    do {
      TRY_ASSIGN(PolicyNode child, item(depth));
      node.children.push_back(std::move(child));
    } while (eat(','));
    if (!eat(')')) return wrong("',' or ')'");
    if (node.children.size() != 3) return wrong("three shares in each threshold");
    const std::size_t before = at_;
    if (word() == "via") {
      if (depth == 0) return wrong("no 'via' at the top");
      node.via = word();
      if (node.via.empty()) return wrong("a label after 'via'");
    } else {
      at_ = before;
      if (depth > 0) return wrong("'via LABEL' after a nested threshold");
    }
    return node;
  }

  Result<PolicyNode> item(int depth) {
    skip_space();
    if (at_ < text_.size() && std::isdigit(static_cast<unsigned char>(text_[at_])) != 0) {
      if (depth == 1) return wrong("a label (one level of nesting)");
      return threshold(depth + 1);
    }
    PolicyNode node;
    node.label = word();
    if (node.label.empty()) return wrong("a label");
    if (node.label == "origin" && (depth > 0 || origin_seen_)) {
      return wrong("'origin' once and at the top only, so a label");
    }
    origin_seen_ = origin_seen_ || node.label == "origin";
    return node;
  }

  const std::string& text_;
  std::size_t at_ = 0;
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
  return fmt::format("{} of ({}){}", threshold, inside, via.empty() ? "" : " via " + via);
}

Result<PolicyNode> parse_policy(const std::string& text) {
  return Parser(text).parse();
}

}  // namespace warifu::control
