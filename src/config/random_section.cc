// Sources of random numbers.
#include <fmt/format.h>

#include <algorithm>

#include "config/sections.h"

namespace warifu::config {
namespace {

// What a source is, and what its numbers may be called, as far as its kind decides it.
Result<> read_random_kind(ConfigTable& reader, const std::string& file, const toml::table& table,
                          RandomSourceConfig& source) {
  TRY_ASSIGN(source.kind, reader.parsed("kind", parse_random_kind));
  using keypool::Origin;
  switch (source.kind) {
    case RandomKind::kKernel: source.settings.origin = Origin::kKernelGenerator; break;
    case RandomKind::kCpu: source.settings.origin = Origin::kCpu; break;
    case RandomKind::kDevice:
    case RandomKind::kFile: {
      source.settings.origin = Origin::kHardware;
      TRY_ASSIGN(source.file, reader.text("path"));
      if (source.kind == RandomKind::kFile || table.contains("origin")) {
        TRY_ASSIGN(source.settings.origin, reader.parsed("origin", kme::parse_random_origin));
      }
      break;
    }
    case RandomKind::kQkd: {
      const toml::table* device = reader.inner("device");
      if (device == nullptr) {
        return bad_config(file, &table,
                          "'random.source' of kind \"qkd\" needs [random.source.device]");
      }
      TRY_ASSIGN(source.device, read_device(*device, "random.source.device", file));
      source.settings.origin = source.device->origin;
      break;
    }
  }
  return {};
}

Result<> read_random_source(ConfigTable& reader, const toml::table& table, SiteConfig& config) {
  const std::string& file = config.path;
  RandomSourceConfig source;
  entropy::FeedSettings& settings = source.settings;
  TRY(read_random_kind(reader, file, table, source));
  TRY_ASSIGN(settings.name, reader.text_or("name", std::string(random_kind_name(source.kind))));
  for (const RandomSourceConfig& other : config.random_sources) {
    if (other.settings.name == settings.name) {
      return bad_config(
          file, &table,
          fmt::format("'random.source.name': two sources are called '{}'", settings.name));
    }
  }
  if (settings.name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") !=
          std::string::npos ||
      settings.name.size() > 32) {
    return bad_config(file, table.get("name"),
                      fmt::format("'random.source.name': '{}' must be at most 32 of a-z, 0-9 and -",
                                  settings.name));
  }
  const bool raw = source.kind == RandomKind::kDevice || source.kind == RandomKind::kFile;
  if (raw || table.contains("min_entropy_per_byte")) {
    TRY_ASSIGN(settings.min_entropy, reader.real("min_entropy_per_byte", entropy::kLeastMinEntropy,
                                                 entropy::kFullEntropy));
  }
  if (table.contains("alpha")) {
    TRY_ASSIGN(const std::int64_t alpha,
               reader.number("alpha", entropy::kLeastAlpha, entropy::kMostAlpha));
    settings.alpha_log2 = static_cast<unsigned>(alpha);
  }
  TRY_ASSIGN(settings.required, reader.flag("required", true));
  TRY_ASSIGN(settings.condition, reader.flag("condition", true));
  config.random_sources.push_back(std::move(source));
  return {};
}

}  // namespace

Result<> read_random(const toml::table& table, SiteConfig& config) {
  const std::string& file = config.path;
  ConfigTable reader(table, "random", file);
  const toml::node* sources = table.get("source");
  if (sources == nullptr || !sources->is_array()) {
    TRY_ASSIGN(config.random_from, reader.parsed("source", kme::parse_random_from));
    return reader.finish();
  }
  config.random_from = kme::RandomFrom::kSources;
  reader.note("source");
  for (const toml::node& element : *sources->as_array()) {
    const toml::table* entry = element.as_table();
    if (entry == nullptr) return bad_config(file, &element, "write [[random.source]]");
    ConfigTable source(*entry, "random.source", file);
    TRY(read_random_source(source, *entry, config));
    TRY(source.finish());
  }
  if (table.contains("high_water")) {
    TRY_ASSIGN(config.random_high_water, reader.parsed("high_water", parse_size));
    if (config.random_high_water < kme::RandomFiller::kLeastHighWater) {
      return bad_config(file, table.get("high_water"), "'random.high_water' must be at least 1M");
    }
  }
  const auto holds = [](const RandomSourceConfig& source) {
    return source.settings.required && source.settings.carries_full_entropy();
  };
  if (std::ranges::none_of(config.random_sources, holds)) {
    return bad_config(
        file, sources,
        "'random.source': at least one source must be required and either conditioned or of "
        "8 bits of min-entropy per byte");
  }
  return reader.finish();
}

Result<RandomKind> parse_random_kind(const std::string& text) {
  for (const auto kind : {RandomKind::kKernel, RandomKind::kCpu, RandomKind::kDevice,
                          RandomKind::kFile, RandomKind::kQkd}) {
    if (text == random_kind_name(kind)) return kind;
  }
  return fail(Code::kInvalidArgument,
              "'" + text + "' must be \"kernel\", \"cpu\", \"device\", \"file\" or \"qkd\"");
}

std::string_view random_kind_name(RandomKind kind) {
  switch (kind) {
    case RandomKind::kKernel: return "kernel";
    case RandomKind::kCpu: return "cpu";
    case RandomKind::kDevice: return "device";
    case RandomKind::kFile: return "file";
    case RandomKind::kQkd: return "qkd";
  }
  return "unknown";
}

}  // namespace warifu::config
