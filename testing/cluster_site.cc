// Opening, starting and stopping a simulated site.
#include "testing/cluster_site.h"

#include "os/folders.h"

namespace warifu::sim {

ClusterSite::~ClusterSite() {
  stop();
}

Result<> ClusterSite::open() {
  os::FileSystem& files = system_.files;
  const std::string& dir = config_.data_dir;
  if (!files.exists(dir)) TRY(os::make_folder(files, dir));
  std::vector<kme::LinkConfig> links;
  for (const auto& peer : config_.peers) links.push_back(peer.link);
  TRY_ASSIGN(keys_, kme::KeyManager::open(system_, dir, links, config_.random_from));
  TRY_ASSIGN(log_, audit::Log::open(system_, dir + "/audit.log", config_.name));
  TRY_ASSIGN(gate_, consent::Gate::open(system_, dir + "/gate", config_.name, keys_->root_key(),
                                        *log_, {.nonce_life = std::chrono::days(7)}));
  TRY_ASSIGN(store_, store::open_directory_store(files, dir + "/shares"));
  if (bends_.store) store_ = bends_.store(std::move(store_));
  TRY_ASSIGN(parts_, assembly::ShareParts::open({system_, config_, *keys_, *store_, *gate_, *log_},
                                                net_.listen(process_), net_.dial_from(process_)));
  if (config_.is_controller()) {
    TRY_ASSIGN(control_, assembly::ControlParts::open(*parts_));
  }
  return {};
}

Result<> ClusterSite::start() {
  started_ = true;
  parts_->server().start();
  if (control_ != nullptr) TRY(control_->start());
  parts_->scrubber().start();
  return {};
}

void ClusterSite::stop() {
  if (!std::exchange(started_, false)) return;
  if (control_ != nullptr) control_->interrupt();
  parts_->scrubber().stop();
  if (control_ != nullptr) control_->stop_desks();
  if (control_ != nullptr) control_->stop_audits();
  parts_->server().stop();
  if (control_ != nullptr) control_->stop_jobs();
}

}  // namespace warifu::sim
