// From configuration to plug-in.
#include "apps/random_sources.h"

#include "kme/key_device_source.h"

namespace warifu::apps {
namespace {

Result<std::unique_ptr<entropy::Source>> open_source(os::System system,
                                                     const config::RandomSourceConfig& config,
                                                     const std::string& data_dir,
                                                     const std::string& where) {
  switch (config.kind) {
    case config::RandomKind::kKernel: return entropy::kernel_source(system.random);
    case config::RandomKind::kCpu: return entropy::cpu_source();
    case config::RandomKind::kDevice: return entropy::device_source(config.file);
    case config::RandomKind::kFile:
      return entropy::file_source(
          system, config.file,
          data_dir.empty() ? "" : data_dir + "/random-files/" + config.settings.name);
    case config::RandomKind::kQkd: {
      TRY_ASSIGN(auto device, open_key_device(*config.device, where));
      return std::make_unique<kme::KeyDeviceSource>(std::move(device), system.clock);
    }
  }
  return fail(Code::kInvalidArgument, "unknown kind of source");
}

}  // namespace

Result<std::unique_ptr<kme::Etsi014Device>> open_key_device(const config::DeviceConfig& config,
                                                            const std::string& where) {
  if (!config.url.starts_with("https://")) {
    return fail(Code::kInvalidArgument,
                where + ": device url '" + config.url + "' must start with https://");
  }
  http::Endpoint endpoint;
  TRY_ASSIGN(endpoint.address, os::HostPort::parse(config.url.substr(8)));
  TRY_ASSIGN(endpoint.tls, crypto::TlsContext::load(crypto::TlsSide::kClient,
                                                    {config.certificate, config.key, config.ca}));
  return std::make_unique<kme::Etsi014Device>(std::move(endpoint), config.peer_sae, config.origin);
}

Result<std::unique_ptr<entropy::Feed>> open_feed(os::System system,
                                                 const config::RandomSourceConfig& config,
                                                 const std::string& data_dir,
                                                 const std::string& where) {
  TRY_ASSIGN(auto source, open_source(system, config, data_dir, where));
  return std::make_unique<entropy::Feed>(config.settings, std::move(source), system.clock,
                                         system.random);
}

}  // namespace warifu::apps
