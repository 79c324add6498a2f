// Line by line.
#include "risk/panels.h"

#include <algorithm>

namespace warifu::risk {
namespace {

std::unexpected<Error> wrong(std::size_t line, const std::string& why) {
  return fail(Code::kInvalidArgument, "panels, line " + std::to_string(line) + ": " + why);
}

Result<> read_genes(std::string_view text, std::size_t line, std::vector<Panel>& panels) {
  constexpr std::string_view kBetween = " ,\t\r";
  for (;;) {
    const std::size_t begin = text.find_first_not_of(kBetween);
    if (begin == std::string_view::npos) return {};
    text.remove_prefix(begin);
    const std::size_t end = std::min(text.find_first_of(kBetween), text.size());
    if (panels.empty()) return wrong(line, "a gene before the first [panel]");
    if (end > 40) return wrong(line, "a name of more than 40 letters");
    if (panels.back().genes.size() >= kMaxPanelGenes) return wrong(line, "too many genes");
    panels.back().genes.emplace_back(text.substr(0, end));
    text.remove_prefix(end);
  }
}

}  // namespace

Result<std::vector<Panel>> parse_panels(std::string_view text) {
  std::vector<Panel> panels;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (const std::size_t comment = line.find('#'); comment != std::string_view::npos) {
      line = line.substr(0, comment);
    }
    while (line.ends_with(' ') || line.ends_with('\r') || line.ends_with('\t'))
      line.remove_suffix(1);
    if (!line.starts_with('[')) {
      TRY(read_genes(line, number, panels));
      continue;
    }
    if (!line.ends_with(']') || line.size() < 3 || line.size() > 66) {
      return wrong(number, "a panel is [NAME], of at most 64 letters");
    }
    const std::string name(line.substr(1, line.size() - 2));
    if (std::ranges::find(panels, name, &Panel::name) != panels.end()) {
      return wrong(number, "panel '" + name + "' is there twice");
    }
    if (panels.size() >= kMaxPanels) return wrong(number, "too many panels");
    panels.push_back({name, {}});
  }
  return panels;
}

Result<std::vector<GeneRegion>> resolve_panel(const std::vector<Panel>& panels,
                                              std::string_view name, Assembly assembly) {
  const auto panel = std::ranges::find(panels, name, &Panel::name);
  if (panel == panels.end()) {
    return fail(Code::kNotFound, "no panel '" + std::string(name.substr(0, 64)) + "' in the file");
  }
  std::vector<GeneRegion> regions;
  for (const std::string& gene : panel->genes) {
    TRY_ASSIGN(const auto found, resolve(gene, assembly));
    regions.insert(regions.end(), found.begin(), found.end());
  }
  return regions;
}

}  // namespace warifu::risk
