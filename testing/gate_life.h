// One gate on a simulated disk that loses power within writes: what random runs of gates have in
// common. One thread; the same seed gives the same life.
#pragma once

#include <chrono>
#include <memory>

#include "consent/gate.h"
#include "testing/gate_runs.h"
#include "testing/sim_clock.h"
#include "testing/sim_disk.h"
#include "testing/sim_random.h"

namespace warifu::sim {

class GateLife {
 public:
  virtual ~GateLife() = default;
  GateLife(const GateLife&) = delete;
  GateLife& operator=(const GateLife&) = delete;
  // Some forty steps, or up to the first broken promise.
  GateTally run();

 protected:
  // The gate is not open yet.
  GateLife(std::uint64_t seed, GateBug bug);

  virtual void step() = 0;
  // The gate is open again after a crash: what the terminal was not told is unknown to it, and is
  // done again.
  virtual void after_power() = 0;
  virtual void at_end() = 0;

  void open();
  void restart();
  void violate(const std::string& what);
  // How many records of that event are in the log.
  std::uint64_t logged(const std::string& event);
  // The card's arithmetic; `key` is r and s.
  static mac::Tag tag_under(ByteView key, ByteView bytes) {
    return mac::one_time_tag(mac::Key(key.first(16)), bytes, key.last(16));
  }

  // In the order of their lifetimes: the gate goes first.
 private:
  void recover();
  Lies lies_;
  std::unique_ptr<SimDisk> disk_;
  secret::Buffer root_{crypto::kSealKeyBytes};

 protected:
  const std::uint64_t seed_;
  Dice dice_;
  SimRandom random_;
  SimClock clock_;
  consent::GateOptions options_;
  const SiteName site_ = *SiteName::parse("lsa");
  const SiteName destination_ = *SiteName::parse("tommo");
  GateTally tally_;
  std::unique_ptr<audit::Log> log_;
  std::unique_ptr<consent::Gate> gate_;
};

}  // namespace warifu::sim
