// New pools in the place of old ones.
#include "kme/link_begin.h"

#include <array>

#include "kme/key_manager.h"

namespace warifu::kme {
namespace {

constexpr std::array kDirections = {keypool::Direction::kSend, keypool::Direction::kReceive};

// The link that the pool in a folder is of; none when there is no pool.
Result<std::optional<LinkId>> link_in(os::FileSystem& files, const std::string& folder) {
  const std::string path = folder + "/identity";
  if (!files.exists(path)) return std::optional<LinkId>();
  TRY_ASSIGN(const Bytes bytes, os::read_file(files, path, 4096));
  TRY_ASSIGN(const keypool::Identity identity, keypool::decode_identity(bytes, path));
  return std::optional(identity.link);
}

Result<> empty_folder(os::FileSystem& files, const std::string& folder) {
  if (!files.exists(folder)) return {};
  TRY_ASSIGN(const auto names, files.list(folder));
  for (const std::string& name : names) {
    if (name != ".lock") TRY(files.remove(folder + "/" + name));
  }
  files.sync_dir(folder);
  return {};
}

// The identity, which seals all others, goes first.
Result<> drop_pool(os::FileSystem& files, const std::string& folder) {
  TRY_ASSIGN(const auto lock, files.lock_directory(folder));
  TRY(files.remove(folder + "/identity"));
  files.sync_dir(folder);
  return empty_folder(files, folder);
}

class Beginning {
 public:
  Beginning(os::System system, const BeginOrder& order, secret::Buffer root)
      : system_(system), order_(order), root_(std::move(root)) {}

  Result<BegunLink> run(const PresharePlan& plan, const FileProgress& progress) {
    BegunLink begun{.link = plan.link};
    TRY(drop_others(begun));
    for (const auto direction : kDirections) {
      TRY_ASSIGN(const auto link, link_in(system_.files, folder(direction)));
      if (link) continue;  // by a call before, which did not get to its end
      TRY(keypool::Pool::create(system_, folder(direction), plan.link, direction, root_.bytes()));
    }
    const std::string folders = order_.data_dir + "/pools";  // may be new, all of them
    for (const std::string& made : {folders, order_.data_dir, os::parent_of(order_.data_dir)}) {
      system_.files.sync_dir(made);
    }
    std::array<std::unique_ptr<keypool::Pool>, 2> pools;
    for (std::size_t i = 0; i < pools.size(); ++i) {
      TRY_ASSIGN(pools[i], keypool::Pool::open(system_, folder(kDirections[i]), root_.bytes(), {}));
    }
    TRY(import_preshare(system_, order_.file, order_.self, *pools[0], *pools[1], progress));
    begun.send_bytes = pools[0]->status().available_bytes;
    begun.receive_bytes = pools[1]->status().available_bytes;
    return begun;
  }

 private:
  [[nodiscard]] std::string folder(keypool::Direction direction) const {
    return pool_dir(order_.data_dir, order_.peer, direction);
  }

  // Pools of another link than `begun.link`, if any, and what was kept beside them.
  Result<> drop_others(BegunLink& begun) {
    bool began = true;
    std::vector<std::string> others;
    for (const auto direction : kDirections) {
      TRY_ASSIGN(const auto link, link_in(system_.files, folder(direction)));
      began = began && link == begun.link;
      if (!link || *link == begun.link) continue;
      TRY_ASSIGN(const auto pool,
                 keypool::Pool::open(system_, folder(direction), root_.bytes(), {}));
      begun.dropped_bytes += pool->status().available_bytes;
      others.push_back(folder(direction));
    }
    if (began) return {};
    if (!others.empty() && !order_.replace) {
      return fail(Code::kRefused, "there is a link to " + order_.peer.text() + " with " +
                                      std::to_string(begun.dropped_bytes) +
                                      " bytes of unused key; say --replace to give it up");
    }
    for (const std::string& other : others) TRY(drop_pool(system_.files, other));
    const std::string beside = order_.data_dir + "/pools/" + order_.peer.text();
    TRY(system_.files.remove(beside + "/ways"));
    return empty_folder(system_.files, beside + "/disk");
  }

  os::System system_;
  const BeginOrder& order_;
  secret::Buffer root_;
};

}  // namespace

Result<BegunLink> begin_link(os::System system, const BeginOrder& order,
                             const FileProgress& progress) {
  TRY_ASSIGN(const PresharePlan plan, read_preshare_plan(system, order.file));
  const bool is_ours = (plan.a == order.self && plan.b == order.peer) ||
                       (plan.b == order.self && plan.a == order.peer);
  if (!is_ours) {
    return fail(Code::kInvalidArgument, "'" + order.file + "' is for the link " + plan.a.text() +
                                            "-" + plan.b.text() + ", not for " + order.self.text() +
                                            "-" + order.peer.text());
  }
  if (plan.base_ab.value != 0 || plan.base_ba.value != 0) {
    return fail(Code::kInvalidArgument,
                "'" + order.file + "' continues a link; a new one is made by link new");
  }
  TRY(verify_preshare(system, order.file));  // before anything is given up
  TRY_ASSIGN(secret::Buffer root, open_root_key(system, order.data_dir));
  return Beginning(system, order, std::move(root)).run(plan, progress);
}

}  // namespace warifu::kme
