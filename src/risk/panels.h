// Panels: named lists of genes in a user's own file.
//
//   file  := line{lines}     line := comment | panel | gene       comment := "#" text
//   panel := "[" name "]"    gene := a symbol or an alias; several on a line, separated by blanks
//   or commas
// The program brings no panels of its own: published ones carry licences that forbid it or change
// weekly.
//
// Pure functions, any thread. Input may be hostile.
#pragma once

#include <string>
#include <vector>

#include "risk/genes.h"

namespace warifu::risk {

inline constexpr std::size_t kMaxPanels = 256;
inline constexpr std::size_t kMaxPanelGenes = 2000;

struct Panel {
  std::string name;
  std::vector<std::string> genes;
};

// Errors: kInvalidArgument with the line's number.
[[nodiscard]] Result<std::vector<Panel>> parse_panels(std::string_view text);
// The regions of every gene of a panel. Errors: kNotFound without the panel; as resolve(), naming
// the gene.
[[nodiscard]] Result<std::vector<GeneRegion>> resolve_panel(const std::vector<Panel>& panels,
                                                            std::string_view name,
                                                            Assembly assembly);

}  // namespace warifu::risk
