// Reading the TOML form: every field once, unknown ones refused, limits checked together at the
// end.
#include "kme/rate_model_config.h"

#include <array>
#include <charconv>
#include <cmath>
#include <set>

#ifndef TOML_HEADER_ONLY
#define TOML_HEADER_ONLY 0
#endif
#include <toml++/toml.h>

#include "base/limits.h"

namespace warifu::kme {
namespace {

constexpr std::uint64_t kMinKeyBits = 256;
constexpr std::uint64_t kMaxKeyBits = 16ULL * 1024 * 1024 * 8;
constexpr std::uint64_t kMaxKeyCount = 1'000'000;
constexpr std::uint64_t kMaxStoredBytes = 64ULL << 30;
constexpr double kMaxRate = 1e12;
constexpr std::uint64_t kMaxConfigBytes = 1024 * 1024;

// Takes fields out of one table and remembers which were asked for.
class Fields {
 public:
  Fields(std::string_view source, const toml::table& root, const char* table)
      : source_(source), name_(table), table_(root[table].as_table()) {}

  [[nodiscard]] std::unexpected<Error> bad(std::string_view field, std::string_view reason) const {
    return fail(Code::kInvalidArgument, std::string(source_) + ": " + name_ + "." +
                                            std::string(field) + " " + std::string(reason));
  }
  [[nodiscard]] bool has(const char* field) const {
    return table_ != nullptr && table_->contains(field);
  }

  Result<std::string> text(const char* field) {
    asked_.insert(field);
    if (!has(field)) return bad(field, "is missing");
    const auto value = (*table_)[field].value_exact<std::string>();
    if (!value || value->empty()) return bad(field, "must be a text that is not empty");
    return *value;
  }
  Result<std::string> text_or(const char* field, const char* otherwise) {
    asked_.insert(field);
    return has(field) ? text(field) : Result<std::string>(otherwise);
  }
  Result<std::uint64_t> number_or(const char* field, std::uint64_t otherwise, std::uint64_t least,
                                  std::uint64_t most) {
    asked_.insert(field);
    if (!has(field)) return otherwise;
    const auto value = (*table_)[field].value_exact<std::int64_t>();
    if (!value || *value < static_cast<std::int64_t>(least) ||
        *value > static_cast<std::int64_t>(most)) {
      return bad(field, "must be a whole number from " + std::to_string(least) + " to " +
                            std::to_string(most));
    }
    return static_cast<std::uint64_t>(*value);
  }
  Result<std::optional<double>> fraction(const char* field) {
    asked_.insert(field);
    if (!has(field)) return std::nullopt;
    const auto value = (*table_)[field].value<double>();
    if (!value || !(*value >= 0 && *value <= 1)) return bad(field, "must be from 0 to 1");
    return value;
  }
  Result<os::HostPort> address(const char* field) {
    TRY_ASSIGN(const std::string value, text(field));
    auto parsed = os::HostPort::parse(value);
    if (!parsed) return bad(field, "must be host:port, not '" + value + "'");
    return parsed;
  }
  // The only one of two texts that means true.
  Result<bool> choice(const char* field, const char* yes, const char* no) {
    TRY_ASSIGN(const std::string value, text(field));
    if (value != yes && value != no) {
      return bad(field, std::string("must be \"") + yes + "\" or \"" + no + "\"");
    }
    return value == yes;
  }
  [[nodiscard]] Result<> no_others() const {
    if (table_ == nullptr) return {};
    for (const auto& [key, value] : *table_) {
      if (!asked_.contains(key.str())) return bad(key.str(), "is not a known field");
    }
    return {};
  }

 private:
  std::string_view source_;
  std::string name_;
  const toml::table* table_;
  std::set<std::string, std::less<>> asked_;
};

Result<> read_device(Fields& device, RateModelConfig& config) {
  TRY_ASSIGN(const bool alice, device.choice("role", "alice", "bob"));
  config.role = alice ? RateModelRole::kAlice : RateModelRole::kBob;
  TRY_ASSIGN(config.kme_id, device.text("kme_id"));
  TRY_ASSIGN(config.peer_kme_id, device.text("peer_kme_id"));
  TRY_ASSIGN(config.local_sae, device.text("local_sae"));
  TRY_ASSIGN(config.remote_sae, device.text("remote_sae"));
  TRY_ASSIGN(config.listen, device.address("listen"));
  if (alice) {
    TRY_ASSIGN(config.peer, device.address("peer"));
  } else {
    TRY_ASSIGN(config.model_listen, device.address("model_listen"));
  }
  if (device.has("link")) {
    TRY_ASSIGN(config.link_tls, device.choice("link", "tls", "plain"));
  }
  if (config.link_tls) {
    TRY_ASSIGN(config.peer_identity, device.text("peer_identity"));
  }
  TRY_ASSIGN(const std::string rate, device.text("rate"));
  const auto bits = parse_bit_rate(rate);
  if (!bits) return device.bad("rate", "is wrong: " + bits.error().message);
  config.rate_bits_per_second = *bits;
  TRY_ASSIGN(config.qber, device.fraction("qber"));
  return {};
}

Result<> read_sizes(Fields& device, RateModelConfig& config) {
  TRY_ASSIGN(config.key_size_bits,
             device.number_or("key_size_bits", config.key_size_bits, kMinKeyBits, kMaxKeyBits));
  if (config.key_size_bits % 8 != 0) return device.bad("key_size_bits", "must be a multiple of 8");
  TRY_ASSIGN(const std::uint64_t count,
             device.number_or("max_key_count", config.max_key_count, 1, kMaxKeyCount));
  config.max_key_count = static_cast<std::uint32_t>(count);
  TRY_ASSIGN(const std::uint64_t at_once,
             device.number_or("max_keys_per_request", config.max_keys_per_request, 1,
                              etsi014::kMaxKeysInContainer));
  config.max_keys_per_request = static_cast<std::uint32_t>(at_once);
  TRY_ASSIGN(const std::uint64_t seconds, device.number_or("unclaimed_seconds", 600, 1, 86400));
  config.unclaimed = std::chrono::seconds(seconds);
  if (count * config.key_bytes() > kMaxStoredBytes) {
    return device.bad("max_key_count",
                      "is too large for keys of this size: all of it is held in "
                      "locked memory");
  }
  if (at_once * (config.key_bytes() / 3 * 4 + 128) > limits::kMaxHttpBody) {
    return device.bad("max_keys_per_request",
                      "is too large for keys of this size: one answer may "
                      "have 64 MiB of text");
  }
  return {};
}

Result<> read_saes(std::string_view source, const toml::table& root, RateModelConfig& config) {
  const toml::table* saes = root["sae"].as_table();
  const auto bad = [&](std::string_view reason) {
    return fail(Code::kInvalidArgument, std::string(source) + ": [sae] " + std::string(reason));
  };
  if (saes == nullptr || saes->empty()) {
    return bad("must name at least one certificate and its SAE");
  }
  bool local = false;
  for (const auto& [identity, value] : *saes) {
    const auto sae = value.value_exact<std::string>();
    if (identity.str().empty() || !sae || sae->empty()) {
      return bad("maps certificate identities to SAE ids: \"urn:...\" = \"SAE-A\"");
    }
    local = local || *sae == config.local_sae;
    config.saes.entries.emplace(identity.str(), *sae);
  }
  if (!local) return bad("has no certificate for local_sae '" + config.local_sae + "'");
  return {};
}

}  // namespace

Result<std::uint64_t> parse_bit_rate(std::string_view text) {
  static constexpr std::array<std::pair<std::string_view, double>, 5> kUnits = {
      {{"bit/s", 1}, {"kbit/s", 1e3}, {"Mbit/s", 1e6}, {"Gbit/s", 1e9}, {"Tbit/s", 1e12}}};
  double number = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
  if (error == std::errc{}) {
    std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
    if (unit.starts_with(' ')) unit.remove_prefix(1);
    for (const auto& [name, factor] : kUnits) {
      const double bits = number * factor;
      if (unit == name && bits >= 1 && bits <= kMaxRate) {
        return static_cast<std::uint64_t>(std::llround(bits));
      }
    }
  }
  return fail(Code::kInvalidArgument,
              "'" + std::string(text) + "' is not a rate; write for example \"400Mbit/s\"");
}

Result<RateModelConfig> parse_rate_model_config(std::string_view text, std::string_view source) {
  toml::table root;
  try {
    root = toml::parse(text, source);
  } catch (const toml::parse_error& error) {
    return fail(Code::kInvalidArgument, std::string(source) + ":" +
                                            std::to_string(error.source().begin.line) + ": " +
                                            std::string(error.description()));
  }
  for (const auto& [key, value] : root) {
    if (key != "device" && key != "tls" && key != "sae") {
      return fail(Code::kInvalidArgument,
                  std::string(source) + ": '" + std::string(key.str()) + "' is not a known table");
    }
  }
  RateModelConfig config;
  Fields device(source, root, "device");
  TRY(read_device(device, config));
  TRY(read_sizes(device, config));
  TRY(device.no_others());
  if (config.local_sae == config.remote_sae) {
    return device.bad("remote_sae", "must differ from local_sae");
  }
  Fields tls(source, root, "tls");
  TRY_ASSIGN(config.tls.certificate_path, tls.text("certificate"));
  TRY_ASSIGN(config.tls.key_path, tls.text("key"));
  TRY_ASSIGN(config.tls.ca_path, tls.text("ca"));
  TRY(tls.no_others());
  TRY(read_saes(source, root, config));
  return config;
}

Result<RateModelConfig> load_rate_model_config(os::FileSystem& files, const std::string& path) {
  TRY_ASSIGN(const Bytes bytes, os::read_file(files, path, kMaxConfigBytes));
  return parse_rate_model_config(as_text(bytes), path);
}

}  // namespace warifu::kme
