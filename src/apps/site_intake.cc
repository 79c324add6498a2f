// Wiring of the intake, and whose messages it takes.
#include "apps/site_intake.h"

#include <algorithm>

#include "apps/random_sources.h"
#include "kme/reconcile.h"

namespace warifu::apps {

using kme::IntakeMethod;

Result<std::unique_ptr<SiteIntake>> SiteIntake::open(assembly::ShareParts& site) {
  std::unique_ptr<SiteIntake> intake(new SiteIntake(site));
  TRY(intake->open_parts());
  return intake;
}

Result<> SiteIntake::open_parts() {
  control::SiteContext& context = site_.context();
  relay_ = std::make_unique<control::KeyRelay>(context);
  relay_->add_handlers(site_.server(),
                       [this](const SiteName& peer, IntakeMethod method, ByteView body) {
                         return links_.at(peer).intake->answer(method, body);
                       });
  for (const config::PeerConfig& peer : context.config.peers) {
    if (peer.link.link_class == kme::LinkClass::kRelayed) {
      open_relayed(peer);
    } else if (!peer.devices.empty()) {
      TRY(open_devices(peer));
    }
  }
  TRY_ASSIGN(disks_, kme::DiskIntakes::open(context.system, context.config.data_dir,
                                            context.config.name, context.keys));
  add_handlers();
  return {};
}

void SiteIntake::open_relayed(const config::PeerConfig& peer) {
  control::SiteContext& context = site_.context();
  kme::RelayDevice& parts = relay_->add_link(peer.link.peer);
  links_[peer.link.peer].intake = std::make_unique<kme::Intake>(
      context.system, *context.keys.link_to(peer.link.peer),
      std::vector{kme::IntakeDevice{&parts, "relay"}}, peer.high_water_bytes);
}

Result<> SiteIntake::open_devices(const config::PeerConfig& peer) {
  control::SiteContext& context = site_.context();
  LinkIntake& link = links_[peer.link.peer];
  std::vector<kme::IntakeDevice> devices;
  std::uint64_t high_water = 0;
  for (const config::DeviceConfig& config : peer.devices) {
    TRY_ASSIGN(auto device, open_key_device(config, context.config.path));
    devices.push_back({device.get(), device->name(), config.alarms});
    link.devices.push_back(std::move(device));
    high_water = std::max(high_water, config.high_water_bytes);
  }
  link.intake = std::make_unique<kme::Intake>(context.system, *context.keys.link_to(peer.link.peer),
                                              devices, high_water);
  return {};
}

void SiteIntake::add_handlers() {
  for (const auto method : {IntakeMethod::kOffer, IntakeMethod::kCommit, IntakeMethod::kQuarantine,
                            IntakeMethod::kReconcile, IntakeMethod::kRetire, IntakeMethod::kDisk}) {
    site_.server().handle(
        static_cast<std::uint16_t>(method),
        [this, method](channel::Exchange& exchange) -> Result<> {
          TRY_ASSIGN(Bytes reply, answer(exchange.request().from, method, exchange.request().body));
          return exchange.reply(std::move(reply));
        });
  }
}

Result<Bytes> SiteIntake::answer(const SiteName& from, IntakeMethod method, ByteView body) {
  kme::Link* link = site_.context().keys.link_to(from);
  if (link == nullptr) {
    return fail(Code::kRefused, "only the other end of a link may ask this");
  }
  switch (method) {
    case IntakeMethod::kReconcile: return kme::answer_reconcile(*link, body);
    case IntakeMethod::kRetire: return kme::answer_retire(*link, body);
    case IntakeMethod::kDisk: return disks_->answer(from, body);
    default: break;
  }
  const auto it = links_.find(from);
  if (it == links_.end()) return fail(Code::kRefused, "this link takes no key from devices");
  return it->second.intake->answer(method, body);
}

Result<Bytes> SiteIntake::ask(const SiteName& peer, IntakeMethod method, Bytes body) {
  return site_.caller().ask(peer, static_cast<std::uint16_t>(method), std::move(body));
}

void SiteIntake::start() {
  for (auto& [peer, link] : links_) {
    const bool relayed =
        site_.context().keys.link_to(peer)->link_class() == kme::LinkClass::kRelayed;
    link.thread = std::jthread([this, relayed, &peer = peer, &intake = *link.intake] {
      intake.run(
          [this, relayed, &peer](IntakeMethod method, Bytes body) {
            return relayed ? relay_->tell(peer, method, body) : ask(peer, method, std::move(body));
          },
          stopping_);
    });
  }
  disks_->start([this](const SiteName& peer, IntakeMethod method, Bytes body) {
    return ask(peer, method, std::move(body));
  });
}

void SiteIntake::stop() {
  interrupt();
  if (disks_ != nullptr) disks_->stop();
  for (auto& [peer, link] : links_) {
    if (link.thread.joinable()) link.thread.join();
  }
}

}  // namespace warifu::apps
