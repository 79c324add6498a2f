// One intake per link.
#include "kme/disk_intakes.h"

namespace warifu::kme {

Result<std::unique_ptr<DiskIntakes>> DiskIntakes::open(os::System system, const std::string& dir,
                                                       const SiteName& self, KeyManager& keys) {
  std::unique_ptr<DiskIntakes> all(new DiskIntakes(system, keys));
  for (Link* link : keys.links()) {
    if (link->link_class() != LinkClass::kPreshared) continue;
    TRY_ASSIGN(
        all->intakes_[link->peer()],
        DiskIntake::open(system, *link, self, dir + "/pools/" + link->peer().text() + "/disk"));
  }
  return all;
}

void DiskIntakes::start(const Ask& ask) {
  for (auto& [peer, intake] : intakes_) {
    threads_.emplace_back([this, ask, &peer = peer, &intake = *intake] {
      intake.run(
          [&](IntakeMethod method, Bytes body) { return ask(peer, method, std::move(body)); },
          stopping_);
    });
  }
}

void DiskIntakes::stop() {
  stopping_ = true;
  for (auto& [peer, intake] : intakes_) intake->interrupt();
  threads_.clear();  // joins
}

Result<SiteName> DiskIntakes::begin(const DiskOrder& order) {
  TRY_ASSIGN(const DiskManifest manifest, read_disk_manifest(system_.files, order.path));
  const Link* link = keys_.link_by_id(manifest.link);
  if (link == nullptr) {
    return fail(Code::kNotFound, "the disk set in '" + order.path + "' is for the link " +
                                     manifest.a.text() + "-" + manifest.b.text() +
                                     ", which this site does not have");
  }
  DiskIntake* intake = to(link->peer());
  if (intake == nullptr) {
    return fail(Code::kRefused, "the link to " + link->peer().text() + " is of class " +
                                    std::string(link_class_name(link->link_class())) +
                                    ": disk sets are for preshared links, whose streams do not "
                                    "grow by themselves");
  }
  TRY(intake->begin(order));
  return link->peer();
}

DiskIntake* DiskIntakes::to(const SiteName& peer) {
  const auto it = intakes_.find(peer);
  return it == intakes_.end() ? nullptr : it->second.get();
}

Result<Bytes> DiskIntakes::answer(const SiteName& from, ByteView body) {
  DiskIntake* intake = to(from);
  if (intake == nullptr) return fail(Code::kRefused, "this link takes no key from disks");
  return intake->answer(body);
}

}  // namespace warifu::kme
