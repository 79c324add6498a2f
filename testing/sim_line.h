// A line between two sites in memory, with somebody in it who loses, repeats, reorders and changes
// frames and who keeps old ones to play them again.
//
// Ownership: the Mischief outlives every line; a line lives as long as one of its two streams.
// Thread rule: whoever has the turn.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "os/net.h"
#include "testing/sim_turns.h"

namespace warifu::sim {

// What the one in the line does.
struct Mischief {
  std::uint64_t one_in = 0;       // frames: one in so many is attacked; 0: none
  bool spares_greetings = false;  // hello, welcome and open are lost at most
  // Rewrites a frame before anything else happens to it; true when it did.
  std::function<bool(Bytes& frame, bool from_caller)> rewrite;
  // Is told, where it is set, of every frame before that, and then of what is done to it.
  std::function<void(const Bytes& frame)> on_frame;
  std::function<void(const std::string& what)> on_attack;
  std::vector<Bytes> kept;  // frames of before
  bool touched = false;     // something was done since this was last cleared
};

// What becomes of the frames of one connection.
class Attack {
 public:
  struct Way {
    std::deque<Byte> bytes;
    std::optional<Bytes> held_back;  // overtaken by the next frame
  };
  Attack(Dice& dice, Mischief& mischief) : dice_(dice), mischief_(mischief) {}
  // Puts behind `way` what arrives of a frame. True when the connection is to be cut.
  [[nodiscard]] bool carry(Way& way, bool from_caller, Bytes frame);

 private:
  enum class Fate : std::uint8_t { kArrives, kLost, kCut };
  Fate decide(Way& way, bool from_caller, Bytes& frame);
  void flip(Bytes& frame);

  Dice& dice_;
  Mischief& mischief_;
};

class SimLine {
 public:
  SimLine(Turns& turns, Dice& dice, Mischief& mischief)
      : turns_(turns), dice_(dice), attack_(dice, mischief) {}
  // The two streams; `alive` tells whether the process that holds one still runs.
  struct Ends {
    std::unique_ptr<os::ByteStream> caller, callee;
  };
  [[nodiscard]] static Ends make(Turns& turns, Dice& dice, Mischief& mischief,
                                 std::function<bool()> caller_alive,
                                 std::function<bool()> callee_alive);

 private:
  friend class SimStream;
  void carry(bool from_caller, Bytes frame) {
    if (attack_.carry(ways_[from_caller ? 0 : 1], from_caller, std::move(frame))) closed_ = true;
  }

  Turns& turns_;
  Dice& dice_;
  Attack attack_;
  Attack::Way ways_[2];  // to the callee, to the caller
  bool closed_ = false;
};

}  // namespace warifu::sim
