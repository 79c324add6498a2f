// Intake: key from the device of a qkd link into the pools of both ends, in the same order.
//
// For each direction the sending end leads. It takes fresh keys from its device, writes them as
// an INGESTED segment and offers their ids to the far end, with the place in the stream where they
// will stand; that end refuses unless its own stream ends just there, fetches the same keys from
// its own device, writes them, and answers with a universal hash under a key chosen for this one
// offer. So never do the two ends hold different key at one place, also when one was restored from
// a backup: that end takes nothing in before it is reconciled.
// Offer and answer travel under one-time pad, so the hash tells nobody anything. Equal: SYNCED
// here, then there. Different: QUARANTINED at both ends, never used. Offers of relayed key pass
// through the hands of relays, so there the hash key and a mask for the answer are the first bytes
// of the material itself, which become no key.
//
// A link may have several devices, in the same order at both ends; the rounds take from each in
// turn, and one that fails, asks to wait or has a QBER alarm does not stop the others. Thread rule:
// one thread per link runs Intake::run(); the answering side is called by the channel.
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <string>
#include <vector>

#include "kme/device_alarm.h"
#include "kme/link.h"
#include "kme/relay_paths.h"

namespace warifu::kme {

struct DeviceKey {
  std::string id;
  secret::Buffer bytes;
  // Of relayed key: what it was made of beside its own origin (bit n is origin n), and the paths
  // that its parts went.
  std::uint16_t origins = 0;
  std::vector<RelayPath> ways = {};
};

// A key device at one end of a link, whatever stands behind it.
class KeyDevice {
 public:
  virtual ~KeyDevice() = default;
  // Fresh keys for the direction from here to the far end, at most `most` bytes in sum.
  // Errors: kOutOfKey (try later), kUnavailable naming the device.
  [[nodiscard]] virtual Result<std::vector<DeviceKey>> fresh(std::size_t most) = 0;
  // The keys that the far end named, in its order. Errors: kNotFound, kUnavailable.
  [[nodiscard]] virtual Result<std::vector<DeviceKey>> by_ids(
      const std::vector<std::string>& ids) = 0;
  [[nodiscard]] virtual keypool::Origin origin() const = 0;
  // What the device tells about itself; called before fresh(), by the same thread. Errors:
  // kUnavailable.
  [[nodiscard]] virtual Result<DeviceReport> look() { return DeviceReport{}; }
  // How long the device asked to be left alone with its last kOutOfKey.
  [[nodiscard]] virtual std::chrono::seconds retry_after() const { return {}; }
};

// Requests of the intake between the two ends of a link, numbers of the channel's methods.
enum class IntakeMethod : std::uint16_t {
  kOffer = 100,
  kCommit = 101,
  kQuarantine = 102,
  kReconcile = 103,  // kme/reconcile.h
  kRetire = 104,
  kDisk = 107,  // kme/disk_message.h
};

// Sends a request to the link's far end and returns the answer's body.
using AskPeer = std::function<Result<Bytes>(IntakeMethod method, Bytes body)>;

// One of a link's devices, as the intake is given it.
struct IntakeDevice {
  KeyDevice* device = nullptr;
  std::string name;  // for people
  AlarmLimits alarms = {};
};

class Intake {
 public:
  Intake(os::System system, Link& link, KeyDevice& device, std::uint64_t high_water_bytes)
      : Intake(system, link, {IntakeDevice{&device, "device"}}, high_water_bytes) {}
  // At least one device, which must outlive the intake.
  Intake(os::System system, Link& link, const std::vector<IntakeDevice>& devices,
         std::uint64_t high_water_bytes);

  // Leads the sending direction until `stop`: keeps the pool filled up to the high-water mark.
  void run(const AskPeer& ask, const std::atomic<bool>& stop);
  // One round; returns the bytes taken in (0 when the pool is full). For run() and tests.
  [[nodiscard]] Result<std::uint64_t> round(const AskPeer& ask);

  // Answers the far end about the receiving direction.
  [[nodiscard]] Result<Bytes> answer(IntakeMethod method, ByteView body);

 private:
  struct Source {
    explicit Source(const IntakeDevice& given)
        : device(given.device), name(given.name), alarm(given.alarms) {}
    KeyDevice* device;
    std::string name;
    DeviceAlarm alarm;
    DeviceReport last;
    std::optional<std::uint64_t> discarded_before;
    std::string state = "not asked yet";
    Code trouble = Code::kUnavailable;  // of a state that is a problem
    Reason reason{};
    std::string logged;                      // the problem that the log has
    std::chrono::nanoseconds not_before{0};  // it asked to wait, or failed
    std::chrono::milliseconds pause{0};      // after the next failure
    std::optional<std::chrono::nanoseconds> looked;
    std::optional<Error> problem;
  };
  struct Batch {
    std::size_t source;
    std::vector<DeviceKey> keys;
  };

  Result<> confirm_all(const AskPeer& ask);
  Result<Batch> take_from_next();
  Result<std::vector<DeviceKey>> take_from(Source& source);
  Result<> look_at(Source& source);
  void look_while_full();
  void note_problem(Source& source, const Error& error);
  // Of the device itself; a trouble between the link's ends has a reason of its own, or none.
  static void set_state(Source& source, const Error& error);
  static void set_delivering(Source& source);
  void tell_link();
  Result<> offer(const AskPeer& ask, Batch batch, std::uint64_t& taken);
  Result<Bytes> answer_offer(ByteView body);
  Result<> note_ways(const keypool::Pool& pool, SegmentNumber number, std::uint64_t bytes,
                     const std::vector<RelayPath>& ways);

  os::System system_;
  Link& link_;
  std::deque<Source> sources_;
  std::size_t turn_ = 0;
  std::uint64_t high_water_bytes_;
  // After a start, or a lost answer, the far end may not know of segments that are SYNCED here.
  bool confirm_needed_ = true;
};

}  // namespace warifu::kme
