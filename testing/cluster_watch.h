// Who watches a simulated cluster from outside, with nothing of the production code that plans and
// judges: which share bytes came to which site, by disk or by wire, and which pad bytes left a
// pool.
//
// The watcher holds the key of every link, because the simulation made it, so it opens every data
// frame. What lies in a share file that gets its final name is known by the first bytes of each of
// its records; a data frame that begins with such bytes carries that share, and what does not
// (parts that are masked, zeros, hashes) tells its receiver nothing by itself.
// A share that was cut again may never have been a file: what two of its parts join to is known
// too. Exposed is a site, other than the one where objects are cut and restored, that came to two
// shares, or to enough parts of them, which join to what the object holds. That is tried on the
// bytes themselves, so that shares before and after a refresh, or of one that was begun anew, are
// told apart by what they are. Reused are pad bytes that left one end of a pool twice. Thread rule:
// whoever has the turn.
#pragma once

#include <array>
#include <map>
#include <set>

#include "keypool/pool.h"
#include "os/files.h"
#include "sharing/share_path.h"
#include "testing/sim_net.h"

namespace warifu::sim {

// Where a record of a share stands.
struct RecordPlace {
  ObjectId object;
  std::uint64_t chunk = 0;
  sharing::SharePath path;
};

class ClusterWatch {
 public:
  // `origin` makes and restores all objects.
  explicit ClusterWatch(std::size_t origin) : origin_(origin) {}

  // The key material from one site to another, from now on; must outlive the watch.
  void set_material(std::size_t from, std::size_t to, const Bytes& material) {
    material_[{from, to}] = &material;
  }
  void saw_frame(std::size_t from, std::size_t to, ByteView frame);
  // A complete share file of a site.
  void saw_file(std::size_t site, os::FileSystem& files, const std::string& path);
  // What an object holds; of others nothing can be told. Must outlive the watch.
  void set_plain(const ObjectId& object, const Bytes& plain) { plains_[object] = &plain; }
  // Objects that a site other than the origin could restore, with the site.
  [[nodiscard]] std::set<std::pair<std::size_t, ObjectId>> exposed();
  // Records of shares that went over a wire to somebody.
  [[nodiscard]] std::uint64_t shares_sent() const;

 private:
  using Mark = std::array<Byte, 32>;  // of a record: its first bytes
  // Marks of one chunk of an object, by place.
  using Marks = std::map<sharing::SharePath, std::set<Mark>>;
  [[nodiscard]] static Mark join(const sharing::SharePath& x, const Mark& of_x,
                                 const sharing::SharePath& y, const Mark& of_y);
  // Adds what two shares of one cut join to, from the deepest cuts up to the object's own shares.
  static void join_parts(Marks& marks);
  void find_cut_shares();
  [[nodiscard]] bool join_to_plain(const Marks& marks, const ObjectId& object,
                                   std::uint64_t chunk) const;

  std::size_t origin_;
  std::map<std::pair<std::size_t, std::size_t>, const Bytes*> material_;
  std::map<ObjectId, const Bytes*> plains_;
  std::map<Mark, RecordPlace> places_;
  std::set<std::pair<std::size_t, Mark>> came_;  // by wire or on its disk, to whom
  std::set<std::pair<std::size_t, Mark>> sent_;  // by wire
};

// One end of one direction of a link: every byte leaves it once.
class PadWatch final : public keypool::TakeWatcher {
 public:
  // `alive`: whether what is taken can still leave the machine.
  PadWatch(std::uint64_t& reused, std::function<bool()> alive)
      : reused_(reused), alive_(std::move(alive)) {}
  void left(PadOffset begin, ByteCount size, keypool::Purpose purpose) override;

 private:
  std::uint64_t& reused_;
  std::function<bool()> alive_;
  std::map<std::uint64_t, std::uint64_t> taken_;  // begin, end; none overlap
};

}  // namespace warifu::sim
