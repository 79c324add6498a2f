// Keys for outside applications.
#include "config/sections.h"

namespace warifu::config {

Result<> read_kms(const toml::table& table, SiteConfig& config) {
  const std::string& file = config.path;
  ConfigTable reader(table, "kms", file);
  kme::SaeSettings kms;
  TRY_ASSIGN(kms.listen, reader.parsed("listen", os::HostPort::parse));
  TRY_ASSIGN(kms.certificate, reader.text("certificate"));
  TRY_ASSIGN(kms.key, reader.text("key"));
  TRY_ASSIGN(kms.ca, reader.text("ca"));
  TRY_ASSIGN(kms.common_name_first, reader.flag("common_name_first", false));
  TRY(reader.number_or("key_size", 64, kme::kMaxSaeKeyBits, kms.key_size));
  TRY(reader.number_or("min_key_size", 64, kme::kMaxSaeKeyBits, kms.min_key_size));
  TRY(reader.number_or("max_key_size", 64, kme::kMaxSaeKeyBits, kms.max_key_size));
  TRY(reader.number_or("max_keys_per_request", 1, kme::kMaxSaeKeysPerRequest,
                       kms.max_keys_per_request));
  TRY(reader.number_or("max_additional_saes", 0, kme::kMaxAdditionalSaes, kms.max_additional));
  std::int64_t life = kms.life.count();
  TRY(reader.number_or("key_life_seconds", 1, 30 * 86400, life));
  kms.life = std::chrono::seconds(life);
  auto waiting = static_cast<std::int64_t>(kms.max_waiting);
  TRY(reader.number_or("max_waiting_keys", 1, 10'000'000, waiting));
  kms.max_waiting = static_cast<std::uint64_t>(waiting);
  TRY_ASSIGN(kms.streams.socket, reader.text_or("stream_socket", ""));
  TRY(reader.number_or("max_streams", 1, 64, kms.streams.most));
  std::int64_t stream_life = kms.streams.life.count();
  TRY(reader.number_or("stream_life_seconds", 1, 30 * 86400, stream_life));
  kms.streams.life = std::chrono::seconds(stream_life);
  (void)reader.inner("saes");
  TRY(reader.finish());
  TRY(for_each(table, "saes", file, [&](ConfigTable& entry, const toml::table&) -> Result<> {
    kme::SaeEntry sae;
    TRY_ASSIGN(sae.id, entry.text("id"));
    TRY_ASSIGN(sae.site, entry.parsed("site", SiteName::parse));
    TRY_ASSIGN(sae.identity, entry.text_or("identity", ""));
    TRY(entry.size_if_set("quota", sae.quota));
    TRY_ASSIGN(sae.users, entry.users("users"));
    kms.saes.push_back(std::move(sae));
    return {};
  }));
  if (const auto sane = kms.check(config.name); !sane) {
    return bad_config(file, &table, "[kms]: " + sane.error().message);
  }
  config.kms = std::move(kms);
  return {};
}

}  // namespace warifu::config
