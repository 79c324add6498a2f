// What the two simulated sites say to each other, one drawn act at a time.
#include <algorithm>

#include "base/limits.h"
#include "channel/conversation.h"
#include "kme/key_offer.h"
#include "kme/reconcile.h"
#include "testing/two_sites.h"
#include "wire/wire.h"

namespace warifu::sim {

using channel::Connection;
using channel::FrameType;
using channel::StreamShape;
using kme::IntakeMethod;

namespace {

bool never_wait() {
  return false;
}

// Frame `index` of the stream that `seed` names.
Bytes content(std::uint64_t seed, std::uint64_t index, std::uint64_t size) {
  Bytes bytes(size);
  Dice(seed + index).fill(bytes);
  return bytes;
}

}  // namespace

void TwoSites::live() {
  const std::uint64_t steps = dice_.between(4, 14);
  const std::uint64_t backup_at = dice_.below(steps / 2),
                      restore_at = dice_.between(steps / 2, steps);
  const std::size_t one = dice_.below(2);
  for (std::uint64_t i = 0; i < steps; ++i) {
    for (std::size_t site = 0; site < 2; ++site) {
      if (rules_.rollback == Rollback::kNone) break;
      if (rules_.rollback == Rollback::kOne && site != one) continue;
      Site& which = sites_[site];
      if (i == backup_at) {
        trace_.say("backup of ", site_name(site));
        which.backup = which.disk->kill_image();
      }
      if (i == restore_at) {
        trace_.say("restore of ", site_name(site));
        recover(site, std::move(which.backup));
        restored_ = true;
      }
    }
    step();
    bring_back();
    if (!sites_[0].link || !sites_[1].link) return;  // counted as refused
    clock_.advance(std::chrono::milliseconds(dice_.below(40'000)));
    if (dice_.one_in(10)) {  // somebody sets the calendar, by up to 60 years
      constexpr std::uint64_t kMost = 60ULL * 365 * 24 * 3600 * 1000;
      clock_.set_calendar({static_cast<std::int64_t>(dice_.below(2 * kMost))});
    }
  }
  trace_.say("the line and the disks are good from here on");
  mischief_.one_in = 0;
  for (std::size_t site = 0; site < 2; ++site) sites_[site].disk->clear_faults();
  for (std::size_t calls = 0; calls < 6; ++calls) {
    converse(calls % 2, {Act::kEcho});
    if (last_good_) break;
  }
  const bool may_end =
      last_error_.code == Code::kOutOfKey || last_error_.code == Code::kRefused || is_used_up();
  const bool whole = rules_.rollback == Rollback::kNone && !mischief_.rewrite;
  if (!last_good_ && whole && !may_end) ++violations_.stuck;
  // A place that an end gave away after the backup was made holds other key in the backup, which
  // the operator's reconciling takes out of use.
  if (restored_) converse(0, {Act::kReconcile});
  if (restored_ && !last_good_) return trace_.tell_violations();
  if (rules_.seed % 8 == 0 || rules_.key_not_compared) drain();
  trace_.tell_violations();
}

// One end has too little key for a call and its answer; the other one is only told so in words. A
// mark that somebody in the line makes up may burn up to 1 MiB, more than these sites hold.
bool TwoSites::is_used_up() const {
  constexpr std::uint64_t kForACall = 16 << 10;
  return std::ranges::any_of(sites_, [](const Site& site) {
    return site.link && (site.link->receive().status().available_bytes < kForACall ||
                         site.link->send().status().available_bytes < kForACall);
  });
}

void TwoSites::step() {
  const std::size_t caller = dice_.below(2);
  if (dice_.one_in(8)) {  // an orderly restart
    trace_.say(site_name(caller), " restarts");
    stop(caller);
    if (!start(caller) && !sites_[caller].disk->dead()) ++violations_.refused;
    return;
  }
  if (dice_.one_in(3)) sites_[dice_.below(2)].disk->crash_at(dice_.between(1, 40));
  std::vector<Act> acts = draw_acts(true);
  converse(caller, acts, dice_.one_in(3) ? draw_acts(false) : std::vector<Act>{});
}

std::vector<TwoSites::Act> TwoSites::draw_acts(bool with_sync) {
  std::vector<Act> acts;
  for (std::uint64_t i = dice_.between(1, 4); i > 0; --i) {
    auto act = static_cast<Act>(dice_.between(1, with_sync ? 7 : 4));
    if (act == Act::kRetire && !dice_.one_in(8)) act = Act::kEcho;  // it leaves only the floor
    acts.push_back(act);
  }
  return acts;
}

// Tasks 0 and 1 are the ends of the first connection, 2 and 3 of the one beside it, if any.
void TwoSites::converse(std::size_t caller, const std::vector<Act>& acts,
                        const std::vector<Act>& beside) {
  mischief_.touched = false;
  std::vector<std::function<void()>> tasks;
  parts_.clear();
  const std::size_t pairs = beside.empty() ? 1 : 2;
  for (std::size_t pair = 0; pair < pairs; ++pair) {
    const std::size_t from = pair == 0 ? caller : dice_.below(2);
    ++conversations_;
    trace_.say(site_name(from), " calls: conversation ", conversations_);
    parts_.push_back({.site = from, .conversation = conversations_});
    parts_.push_back({.site = 1 - from, .conversation = conversations_});
    auto ends = std::make_shared<SimLine::Ends>(SimLine::make(
        turns_, dice_, mischief_, [this, from] { return alive(from); },
        [this, from] { return alive(1 - from); }));
    const std::vector<Act>& own = pair == 0 ? acts : beside;
    tasks.emplace_back([this, pair, ends, &own] { call(2 * pair, std::move(ends->caller), own); });
    tasks.emplace_back([this, pair, ends] { answer(2 * pair + 1, std::move(ends->callee)); });
  }
  turns_.run(tasks);
  parts_.clear();
  drawn_.clear();
}

std::string_view TwoSites::act_text(Act act) {
  switch (act) {
    case Act::kEcho: return "an echo";
    case Act::kStream: return "a stream";
    case Act::kShare: return "a share";
    case Act::kApplication: return "key of an application";
    case Act::kIntake: return "a round of the intake";
    case Act::kReconcile: return "reconciling";
    case Act::kRetire: return "retiring";
  }
  return "";
}

// From here on what was taken to check the greeting counts.
void TwoSites::open(Part& part) {
  part.opened = true;
  ++opened_;
  trace_.say("  ", who(), " is open");
  for (const Use& use : part.checks) enter_sent(part.site, use);
}

void TwoSites::note_end(const Part& part, const Result<>& how) {
  last_good_ = how.has_value();
  trace_.say("  ", who(), how ? " is done" : " fails: " + how.error().message);
  if (how) return;
  last_error_ = how.error();
  const bool innocent = !mischief_.touched && up(part.site) && up(1 - part.site);
  if (innocent && how.error().code == Code::kProtocol && rules_.rollback == Rollback::kNone) {
    ++violations_.broken;
  }
}

void TwoSites::call(std::size_t which, std::unique_ptr<os::ByteStream> stream,
                    const std::vector<Act>& acts) {
  Part& part = parts_[which];
  if (!up(part.site)) return;
  auto connection = Connection::call(*sites_[part.site].link, std::move(stream));
  if (!connection) return note_end(part, std::unexpected(connection.error()));
  open(part);
  Result<> how;
  for (const Act act : acts) {
    if (!up(part.site)) break;
    trace_.say("  ", who(), ": ", act_text(act));
    how = perform(act, **connection, part);
    if (how || how.error().code != Code::kProtocol) frame_was_good(part);
    // After an error inside a stream the ends are out of step (channel::Call drops such a
    // connection); a refusal of anything else leaves them in it.
    if (!how && (how.error().code != Code::kRefused || is_stream(act))) break;
  }
  note_end(part, how);
}

void TwoSites::answer(std::size_t which, std::unique_ptr<os::ByteStream> stream) {
  Part& part = parts_[which];
  if (!up(part.site)) return;
  const auto find = [&](const LinkId& id) {
    kme::Link* link = sites_[part.site].link.get();
    return id == link->id() ? link : nullptr;
  };
  auto connection = Connection::answer(find, std::move(stream));
  if (!connection) {
    trace_.say("  ", who(), " is not open: ", connection.error().message);
    return;
  }
  open(part);
  for (;;) {
    auto request = (*connection)->receive();
    if (request || request.error().code != Code::kProtocol) frame_was_good(part);
    if (!request || request->type != FrameType::kRequest || request->payload.size() < 2) return;
    wire::Reader reader(request->payload.bytes(), "request");
    const std::uint16_t method = reader.u16();
    auto reply = handle(**connection, part, method, request->payload.bytes().subspan(2));
    if (!reply) trace_.say("  ", who(), " refuses: ", reply.error().message);
    Bytes payload = reply ? std::move(*reply) : channel::encode(reply.error());
    if (!(*connection)->send(reply ? FrameType::kReply : FrameType::kError, payload)) return;
  }
}

Result<Bytes> TwoSites::ask(Connection& connection, std::uint16_t method, ByteView body) {
  wire::Writer request;
  request.u16(method);
  request.raw(body);
  Bytes payload = request.take();
  TRY(connection.send(FrameType::kRequest, payload));
  TRY_ASSIGN(const channel::Frame reply, channel::await_frame(connection, FrameType::kReply, {}));
  return Bytes(reply.payload.bytes().begin(), reply.payload.bytes().end());
}

Result<Bytes> TwoSites::ask_intake(Connection& connection, Part& part, IntakeMethod method,
                                   ByteView body) {
  auto answered = ask(connection, static_cast<std::uint16_t>(method), body);
  if (!rules_.key_not_compared || method != IntakeMethod::kOffer || !answered) return answered;
  const auto& entries = sites_[part.site].link->send().segments();
  TRY_ASSIGN(const secret::Buffer material,
             sites_[part.site].link->send().read_ingested(entries.back().number));
  // What the intake would compute over its own material.
  TRY_ASSIGN(const kme::KeyOffer offer, kme::decode_key_offer(body));
  TRY_ASSIGN(const kme::Compared own, kme::compare_by(offer, material.bytes()));
  return Bytes(own.tag.begin(), own.tag.end());
}

Result<> TwoSites::perform(Act act, Connection& connection, Part& part) {
  Site& site = sites_[part.site];
  const kme::AskPeer ask_peer = [&](IntakeMethod method, Bytes body) {
    return ask_intake(connection, part, method, body);
  };
  switch (act) {
    case Act::kEcho: {
      const Bytes text = content(dice_.next(), 0, dice_.between(1, 3000));
      TRY_ASSIGN(const Bytes back, ask(connection, static_cast<std::uint16_t>(act), text));
      if (back != text) ++violations_.wrong;
      return {};
    }
    case Act::kStream:
    case Act::kShare:
    case Act::kApplication: return send_stream(act, connection, part);
    case Act::kIntake: {
      TRY(site.intake->round(ask_peer));
      return {};
    }
    case Act::kReconcile: {
      TRY(kme::reconcile(*site.link, ask_peer, !dice_.one_in(3)));
      return {};
    }
    case Act::kRetire: {
      TRY(kme::retire(*site.link, {.all = true}, ask_peer, true));
      return {};
    }
  }
  return {};
}

Result<> TwoSites::send_stream(Act act, Connection& connection, Part& part) {
  const std::uint64_t seed = dice_.next(), frames = dice_.between(1, dice_.one_in(4) ? 70 : 6);
  StreamShape shape{.frames = frames,
                    .frame_bytes = static_cast<std::uint32_t>(16 * dice_.between(1, 60)),
                    .drawn = act != Act::kStream,
                    .application = act == Act::kApplication};
  shape.bytes = (frames - 1) * shape.frame_bytes + dice_.between(1, shape.frame_bytes);
  wire::Writer request;
  request.u16(static_cast<std::uint16_t>(act));
  request.u64(seed);
  request.u64(shape.frames);
  request.u64(shape.bytes);
  request.u32(shape.frame_bytes);
  Bytes payload = request.take();
  TRY(connection.send(FrameType::kRequest, payload));
  channel::StreamSender sender(connection, shape, {}, never_wait);
  std::vector<Bytes> drawn;
  for (std::uint64_t i = 0; i < frames; ++i) {
    if (shape.drawn) {
      Bytes record(shape.frame_length(i));
      TRY(sender.draw(record));
      drawn.push_back(std::move(record));
    } else {
      Bytes frame = content(seed, i, shape.frame_length(i));
      TRY(sender.send(frame));
    }
  }
  TRY(channel::await_frame(connection, FrameType::kReply, {}));
  if (shape.drawn && drawn != drawn_[part.conversation]) ++violations_.wrong;
  return {};
}

Result<Bytes> TwoSites::take_stream(Connection& connection, Part& part, std::uint16_t method,
                                    ByteView body) {
  wire::Reader reader(body, "stream");
  const std::uint64_t seed = reader.u64();
  StreamShape shape;
  shape.frames = reader.u64();
  shape.bytes = reader.u64();
  shape.frame_bytes = reader.u32();
  TRY(reader.finish());
  shape.drawn = method != static_cast<std::uint16_t>(Act::kStream);
  shape.application = method == static_cast<std::uint16_t>(Act::kApplication);
  drawn_[part.conversation].clear();
  channel::StreamReceiver receiver(connection, shape);
  while (!receiver.finished()) {
    if (receiver.ack_due()) {
      TRY(receiver.acknowledge());
      continue;
    }
    const std::uint64_t at = receiver.received();
    auto frame = receiver.receive();
    if (!frame) return std::unexpected(frame.error());
    if (shape.drawn) {
      drawn_[part.conversation].emplace_back(frame->bytes().begin(), frame->bytes().end());
    } else if (!std::ranges::equal(content(seed, at, frame->size()), frame->bytes())) {
      ++violations_.wrong;
    }
  }
  return Bytes{};
}

Result<Bytes> TwoSites::handle(Connection& connection, Part& part, std::uint16_t method,
                               ByteView body) {
  Site& site = sites_[part.site];
  if (method == static_cast<std::uint16_t>(Act::kEcho)) return Bytes(body.begin(), body.end());
  if (method <= static_cast<std::uint16_t>(Act::kApplication)) {
    auto taken = take_stream(connection, part, method, body);
    if (taken || taken.error().code != Code::kProtocol) frame_was_good(part);
    if (!taken) connection.close();
    return taken;
  }
  const auto intake_method = static_cast<IntakeMethod>(method);
  if (intake_method == IntakeMethod::kReconcile) return kme::answer_reconcile(*site.link, body);
  if (intake_method == IntakeMethod::kRetire) return kme::answer_retire(*site.link, body);
  return site.intake->answer(intake_method, body);
}

}  // namespace warifu::sim
