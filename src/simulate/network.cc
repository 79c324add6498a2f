// The TOML reader of model networks.
#include "simulate/network.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numbers>
#include <numeric>
#include <set>

#include <toml++/toml.h>

#include "base/limits.h"
#include "config/table.h"

namespace warifu::simulate {
namespace {

using config::bad_config;

constexpr std::size_t kSiteFields = 6;
constexpr double kMostPeople = 1e7;    // in thousands
constexpr double kMostMegabits = 1e6;  // a terabit per second
constexpr std::size_t kMaxLinks = 2048;
constexpr std::size_t kMaxVariants = 16;
constexpr std::uint64_t kMaxFileBytes = 1 << 20;

class Reader {
 public:
  Reader(const toml::table& root, const std::string& file) : root_(root), file_(file) {}

  Result<ModelNetwork> read() {
    config::ConfigTable table(root_, "network", file_);
    TRY_ASSIGN(network_.name, table.text("name"));
    TRY_ASSIGN(network_.title, table.text_or("title", network_.name));
    table.note("sites");
    table.note("links");
    TRY(table.finish());
    TRY(rows("sites", limits::kMaxSites, [this](const toml::array& row) { return site(row); }));
    TRY(rows("links", kMaxLinks, [this](const toml::array& row) { return link(row); }));
    const auto inhabited = std::ranges::count_if(
        network_.sites, [](const ModelSite& site) { return site.population > 0; });
    if (network_.sites.size() < 3 || inhabited < 1) {
      return bad_config(file_, root_.get("sites"),
                        "a network needs three sites, one of them with people");
    }
    return std::move(network_);
  }

 private:
  template <typename Row>
  Result<> rows(const char* key, std::size_t most, const Row& row) {
    const toml::node* node = root_.get(key);
    const toml::array* array = node == nullptr ? nullptr : node->as_array();
    if (array == nullptr || array->empty()) {
      return bad_config(file_, node, fmt::format("'{}' must be a list of rows", key));
    }
    if (array->size() > most) {
      return bad_config(file_, node, fmt::format("'{}' has more than {} rows", key, most));
    }
    for (const toml::node& element : *array) {
      const toml::array* fields = element.as_array();
      if (fields == nullptr)
        return wrong(element, fmt::format("a row of '{}' must be a list", key));
      TRY(row(*fields));
    }
    return {};
  }

  std::unexpected<Error> wrong(const toml::node& node, std::string_view what) const {
    return bad_config(file_, &node, what);
  }

  Result<std::string> text(const toml::array& row, std::size_t at, const char* what) const {
    const auto value = row[at].value<std::string>();
    if (!value) return wrong(row, fmt::format("{} must be a text", what));
    return *value;
  }

  Result<double> number(const toml::array& row, std::size_t at, const char* what, double least,
                        double most) const {
    const auto value = row[at].value<double>();
    if (!value || !std::isfinite(*value) || *value < least || *value > most) {
      return wrong(row, fmt::format("{} must be a number from {} to {}", what, least, most));
    }
    return *value;
  }

  Result<> site(const toml::array& row) {
    if (row.size() != kSiteFields) {
      return wrong(
          row, "a site has six fields: name, title, latitude, longitude, people / 1000, region");
    }
    ModelSite site;
    TRY_ASSIGN(const std::string name, text(row, 0, "the name"));
    const auto parsed = SiteName::parse(name);
    if (!parsed) return wrong(row, parsed.error().message);
    // A word of policies.
    if (name == "origin") return wrong(row, "no site can be called 'origin'");
    site.name = *parsed;
    TRY_ASSIGN(site.title, text(row, 1, "the title"));
    TRY_ASSIGN(site.latitude, number(row, 2, "the latitude", -90, 90));
    TRY_ASSIGN(site.longitude, number(row, 3, "the longitude", -180, 180));
    TRY_ASSIGN(site.population, number(row, 4, "the number of people", 0, kMostPeople));
    TRY_ASSIGN(const std::string region, text(row, 5, "the region"));
    const auto known = std::ranges::find(network_.regions, region);
    site.region = static_cast<std::size_t>(known - network_.regions.begin());
    if (known == network_.regions.end()) network_.regions.push_back(region);
    if (!numbers_.emplace(name, network_.sites.size()).second) {
      return wrong(row, fmt::format("there are two sites '{}'", name));
    }
    network_.sites.push_back(std::move(site));
    return {};
  }

  Result<std::size_t> end(const toml::array& row, std::size_t at) const {
    TRY_ASSIGN(const std::string name, text(row, at, "the end of a link"));
    const auto found = numbers_.find(name);
    if (found == numbers_.end()) return wrong(row, fmt::format("there is no site '{}'", name));
    return found->second;
  }

  Result<> link(const toml::array& row) {
    const std::size_t rates = row.size() < 2 ? 0 : row.size() - 2;
    const std::size_t wanted =
        network_.links.empty() ? rates : network_.links.front().bits_per_second.size();
    if (rates == 0 || rates > kMaxVariants || rates != wanted) {
      return wrong(row, "a link has two ends and, like every other one, a rate for each variant");
    }
    ModelLink link;
    TRY_ASSIGN(link.a, end(row, 0));
    TRY_ASSIGN(link.b, end(row, 1));
    if (link.a == link.b) return wrong(row, "a link needs two different ends");
    if (!pairs_.insert(std::minmax(link.a, link.b)).second) {
      return wrong(row, "there are two links between these sites");
    }
    for (std::size_t i = 0; i < rates; ++i) {
      TRY_ASSIGN(const double megabits,
                 number(row, 2 + i, "a rate in Mbit/s", 1e-6, kMostMegabits));
      link.bits_per_second.push_back(megabits * 1e6);
    }
    network_.links.push_back(std::move(link));
    return {};
  }

  const toml::table& root_;
  const std::string& file_;
  ModelNetwork network_;
  std::map<std::string, std::size_t> numbers_;
  std::set<std::pair<std::size_t, std::size_t>> pairs_;
};

}  // namespace

std::vector<double> ModelNetwork::demand() const {
  std::vector<double> shares;
  for (const ModelSite& site : sites) shares.push_back(site.population);
  const double all = std::accumulate(shares.begin(), shares.end(), 0.0);
  for (double& share : shares) share /= all;
  return shares;
}

std::vector<double> ModelNetwork::rates(std::size_t variant) const {
  std::vector<double> rates;
  for (const ModelLink& link : links) rates.push_back(link.bits_per_second[variant]);
  return rates;
}

std::string ModelNetwork::link_title(std::size_t link) const {
  return sites[links[link].a].title + "-" + sites[links[link].b].title;
}

double distance_km(const ModelSite& a, const ModelSite& b) {
  constexpr double kRadian = std::numbers::pi / 180;
  constexpr double kEarthRadiusKm = 6371;
  const double north = std::sin((b.latitude - a.latitude) * kRadian / 2);
  const double east = std::sin((b.longitude - a.longitude) * kRadian / 2);
  const double half =
      north * north + std::cos(a.latitude * kRadian) * std::cos(b.latitude * kRadian) * east * east;
  return 2 * kEarthRadiusKm * std::asin(std::min(1.0, std::sqrt(half)));
}

Result<ModelNetwork> parse_network(std::string_view text, const std::string& file) {
  try {
    const toml::table root = toml::parse(text);
    return Reader(root, file).read();
  } catch (const toml::parse_error& error) {
    return fail(Code::kInvalidArgument,
                fmt::format("{}:{}: {}", file, error.source().begin.line, error.description()));
  }
}

Result<ModelNetwork> load_network(os::FileSystem& files, const std::string& path) {
  TRY_ASSIGN(const Bytes text, os::read_file(files, path, kMaxFileBytes));
  return parse_network(as_text(text), path);
}

const ModelNetwork& japan50() {
  static const ModelNetwork network = [] {
    auto parsed = parse_network(japan50_text(), "japan50.toml");
    WARIFU_CHECK(parsed);
    return std::move(*parsed);
  }();
  return network;
}

}  // namespace warifu::simulate
