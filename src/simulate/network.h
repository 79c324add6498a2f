// A network to simulate: sites with their place and population, links with modelled key rates.
//
// Invariants after parsing: names are unique, the ends of every link are two different sites, no
// pair has two links, every link has a rate for each variant (the draws of the rate model), there
// are three sites or more and one of them has people. Immutable values, any thread. The format
// stands in docs/formats/model-network.md.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "os/files.h"

namespace warifu::simulate {

inline constexpr double kSecondsPerDay = 86'400;

struct ModelSite {
  SiteName name;
  std::string title;  // for people
  double latitude = 0, longitude = 0;
  double population = 0;  // in thousands; demand is proportional to it
  std::size_t region = 0;
};

struct ModelLink {
  std::size_t a = 0, b = 0;
  std::vector<double> bits_per_second;  // by variant; both directions together
};

struct ModelNetwork {
  std::string name, title;
  std::vector<ModelSite> sites;
  std::vector<std::string> regions;
  std::vector<ModelLink> links;

  // How many draws of the rates there are; they are counted from 1 for people, from 0 in code.
  [[nodiscard]] std::size_t variants() const { return links.front().bits_per_second.size(); }
  // The share of all people that live at each site.
  [[nodiscard]] std::vector<double> demand() const;
  // The rates of one variant, by link.
  [[nodiscard]] std::vector<double> rates(std::size_t variant) const;
  // "Hokkaido-Aomori".
  [[nodiscard]] std::string link_title(std::size_t link) const;
};

// Great-circle distance.
[[nodiscard]] double distance_km(const ModelSite& a, const ModelSite& b);

// `file` is named in errors. Errors: kInvalidArgument naming file, line and what is wrong.
[[nodiscard]] Result<ModelNetwork> parse_network(std::string_view text, const std::string& file);
// Errors: as parse_network(); those of reading the file.
[[nodiscard]] Result<ModelNetwork> load_network(os::FileSystem& files, const std::string& path);

// The built-in network of 50 sites, and the text that it is read from.
[[nodiscard]] const ModelNetwork& japan50();
[[nodiscard]] std::string_view japan50_text();

}  // namespace warifu::simulate
