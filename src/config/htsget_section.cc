// [htsget]: views of regions for samtools, bcftools and IGV (htsget/settings.h).
#include "base/units.h"
#include "config/sections.h"

namespace warifu::config {
namespace {

constexpr std::uint64_t kLeastMemory = 1ULL << 20;
constexpr std::uint64_t kMostMemory = 1ULL << 40;
constexpr std::int64_t kMostViews = 1000;
constexpr std::uint64_t kLeastLife = 60;
constexpr std::uint64_t kMostLife = 7 * 86'400;

// "https://host" or "https://host:port", as browsers write origins.
Result<std::string> parse_origin(const std::string& text) {
  const bool secure = text.starts_with("https://");
  const std::size_t scheme = secure ? 8 : text.starts_with("http://") ? 7 : 0;
  const std::string host = text.substr(scheme);
  if (scheme > 0 && !host.empty() && host.find_first_of("/?#@* ,") == std::string::npos) {
    return text;
  }
  return fail(Code::kInvalidArgument,
              "'" + text + "' must be an origin, for example \"https://igv.org\"");
}

Result<> read_listener(ConfigTable& reader, const toml::table& table, SiteConfig& config) {
  htsget::Settings& settings = config.htsget;
  if (!reader.has("listen")) return {};
  TRY_ASSIGN(settings.listen, reader.parsed("listen", os::HostPort::parse));
  if (reader.has("certificate") || reader.has("key")) {
    TRY_ASSIGN(settings.certificate, reader.text("certificate"));
    TRY_ASSIGN(settings.key, reader.text("key"));
  }
  if (settings.is_tls() || is_loopback(*settings.listen)) return {};
  return bad_config(config.path, table.get("listen"),
                    "'htsget.listen' needs 'certificate' and 'key' unless it is a loopback "
                    "address: records and tokens would be legible on the network");
}

}  // namespace

Result<> read_htsget(const toml::table& table, SiteConfig& config) {
  ConfigTable reader(table, "htsget", config.path);
  htsget::Settings& settings = config.htsget;
  TRY(read_listener(reader, table, config));
  if (reader.has("url")) {
    TRY_ASSIGN(settings.url, reader.parsed("url", parse_origin));
  }
  TRY_ASSIGN(const auto origins, reader.texts("origins"));
  for (const std::string& text : origins) {
    auto origin = parse_origin(text);
    if (!origin) return bad_config(config.path, table.get("origins"), origin.error().message);
    settings.origins.push_back(std::move(*origin));
  }
  TRY(reader.size_if_set("memory", settings.memory_bytes));
  if (settings.memory_bytes < kLeastMemory || settings.memory_bytes > kMostMemory) {
    return bad_config(config.path, table.get("memory"), "'htsget.memory' must be 1M to 1T");
  }
  auto views = static_cast<std::int64_t>(settings.most_views);
  TRY(reader.number_or("views", 1, kMostViews, views));
  settings.most_views = static_cast<std::size_t>(views);
  if (reader.has("life")) {
    TRY_ASSIGN(const std::uint64_t seconds, reader.parsed("life", parse_duration));
    if (seconds < kLeastLife || seconds > kMostLife) {
      return bad_config(config.path, table.get("life"), "'htsget.life' must be 1m to 7d");
    }
    settings.life = std::chrono::seconds(seconds);
  }
  return reader.finish();
}

}  // namespace warifu::config
