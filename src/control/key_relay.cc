// Passing parts on, and what this site knows of the links on the way.
#include "control/key_relay.h"

#include <algorithm>
#include <thread>

#include "channel/whole.h"

namespace warifu::control {
namespace {

constexpr int kMostHeld = 8;
constexpr std::chrono::seconds kToldLife(10);
constexpr std::uint32_t kFrameBytes = 256 * 1024;
// A part, the tags and hash keys of its frames, and room for the messages about it.
constexpr std::uint64_t kNeeded = kme::kRelayPartBytes + 64 * 1024;

kme::PartVerdict refusal(std::size_t at, std::string why) {
  return {.accepted = false, .at = static_cast<std::uint8_t>(at), .why = std::move(why)};
}

Result<secret::Buffer> receive_part(channel::Exchange& exchange, std::size_t bytes) {
  if (exchange.upload().shape() != channel::shape_of_whole(bytes, kFrameBytes)) {
    return fail(Code::kProtocol, "a part of relayed key has another shape");
  }
  return channel::receive_whole(exchange);
}

}  // namespace

kme::RelayDevice& KeyRelay::add_link(const SiteName& peer) {
  const config::LinkEntry* link = config::find_link(site_.config.links, site_.config.name, peer);
  WARIFU_CHECK(link != nullptr && link->is_relayed());
  auto device = std::make_unique<kme::RelayDevice>(
      site_.system, kme::RelaySettings{site_.config.name, peer, link->paths}, site_.keys.random(),
      *this);
  return *(devices_[peer] = std::move(device));
}

void KeyRelay::add_handlers(channel::Server& server, Answer answer) {
  answer_ = std::move(answer);
  server.handle(kme::kRelayPartMethod,
                [this](channel::Exchange& exchange) { return serve(exchange); });
  server.handle(kme::kRelayLetterMethod,
                [this](channel::Exchange& exchange) { return serve_letter(exchange); });
}

Result<Bytes> KeyRelay::tell(const SiteName& peer, kme::IntakeMethod method, const Bytes& body) {
  Result<Bytes> answer = fail(Code::kUnavailable, "there is no path to " + peer.text());
  for (kme::RelayPath& path : devices_.at(peer)->letter_paths()) {
    const SiteName next = path[1];
    answer = site_.caller.ask(
        next, kme::kRelayLetterMethod,
        kme::encode(kme::RelayLetter{std::move(path), static_cast<std::uint16_t>(method), body}));
    // Another path may be open; what the far end itself says is final.
    const bool on_the_way = !answer && (answer.error().code == Code::kUnavailable ||
                                        answer.error().code == Code::kOutOfKey);
    if (!on_the_way) break;
  }
  return answer;
}

Result<> KeyRelay::serve_letter(channel::Exchange& exchange) {
  TRY_ASSIGN(const kme::RelayLetter letter, kme::decode_relay_letter(exchange.request().body));
  TRY_ASSIGN(const std::size_t place, place_in(exchange, letter.path));
  if (place + 1 < letter.path.size()) {
    const SiteName& next = letter.path[place + 1];
    const kme::Link* link = site_.keys.link_to(next);
    if (link == nullptr || link->link_class() == kme::LinkClass::kRelayed) {
      return fail(Code::kRefused, "there is no link from " + site_.config.name.text() + " to " +
                                      next.text() + " with key of its own");
    }
    if (link->relayable() == 0) {  // the floor is for this site's own messages
      return fail(Code::kUnavailable, site_.config.name.text() +
                                          " has too little residual key to " + next.text() +
                                          " to relay");
    }
    TRY_ASSIGN(Bytes answer,
               site_.caller.ask(next, kme::kRelayLetterMethod, exchange.request().body));
    return exchange.reply(std::move(answer));
  }
  const auto method = static_cast<kme::IntakeMethod>(letter.method);
  const bool known = method == kme::IntakeMethod::kOffer || method == kme::IntakeMethod::kCommit ||
                     method == kme::IntakeMethod::kQuarantine;
  if (!known || !devices_.contains(letter.path.front())) {
    return fail(Code::kRefused, site_.config.name.text() +
                                    " takes no such message about key from " +
                                    letter.path.front().text());
  }
  TRY_ASSIGN(Bytes answer, answer_(letter.path.front(), method, letter.body));
  return exchange.reply(std::move(answer));
}

Result<std::size_t> KeyRelay::place_in(const channel::Exchange& exchange,
                                       const kme::RelayPath& path) const {
  TRY_ASSIGN(const std::size_t place, kme::place_on(path, site_.config.name));
  const SiteName& from = exchange.request().from;
  const kme::Link* link = site_.keys.link_to(from);
  const bool neighbour = link != nullptr && link->link_class() != kme::LinkClass::kRelayed;
  if (place == 0 || path[place - 1] != from || !neighbour) {
    return fail(Code::kRefused,
                "something of relayed key did not come from the site before on its way");
  }
  return place;
}

// Asks those of whom nothing is known, or not any more, side by side.
void KeyRelay::look_at(const std::set<SiteName>& sites) {
  const auto now = site_.system.clock.monotonic();
  std::vector<SiteName> old;
  {
    const std::lock_guard lock(mutex_);
    for (const SiteName& site : sites) {
      const auto it = told_.find(site);
      if (it == told_.end() || now - it->second.at > kToldLife) old.push_back(site);
    }
  }
  std::vector<std::jthread> threads;
  for (const SiteName& site : old) {
    threads.emplace_back([this, site, now] {
      Told told{.edges = {}, .at = now};
      const auto body = site_.caller.ask(site, number(Method::kStatus), {});
      if (body) {
        if (auto status = decode_status(*body)) told.edges = std::move(status->edges);
      }
      const std::lock_guard lock(mutex_);
      told_[site] = std::move(told);
    });
  }
}

std::vector<kme::RelayEdge> KeyRelay::edges(const SiteName& peer) {
  const config::LinkEntry* relayed = config::find_link(site_.config.links, site_.config.name, peer);
  WARIFU_CHECK(relayed != nullptr && relayed->is_relayed());
  std::vector<kme::RelayEdge> edges = config::relay_graph(site_.config.links, *relayed);
  std::set<SiteName> others;
  for (const kme::RelayEdge& edge : edges) {
    if (edge.from != site_.config.name && edge.from != peer) others.insert(edge.from);
  }
  look_at(others);
  const std::lock_guard lock(mutex_);
  for (kme::RelayEdge& edge : edges) {
    if (edge.from == site_.config.name) {
      const kme::Link* link = site_.keys.link_to(edge.to);
      edge.residual_bytes = link == nullptr ? 0 : link->relayable();
      continue;
    }
    for (const planner::EdgeState& state : told_[edge.from].edges) {
      if (state.to != edge.to) continue;
      edge.residual_bytes = state.carries ? state.residual_bytes : 0;
      edge.inflow_bits_per_second = state.inflow_bits_per_second;
    }
  }
  return edges;
}

kme::PartVerdict KeyRelay::ask(const kme::PartHead& head) {
  return pass_on(head, 0, nullptr);
}

kme::PartVerdict KeyRelay::carry(const kme::PartHead& head, const secret::Buffer& part) {
  return pass_on(head, 0, &part);
}

kme::PartVerdict KeyRelay::pass_on(const kme::PartHead& head, std::size_t place,
                                   const secret::Buffer* part) {
  const SiteName& next = head.path[place + 1];
  const kme::Link* link = site_.keys.link_to(next);
  if (link == nullptr || link->link_class() == kme::LinkClass::kRelayed) {
    return refusal(place, "there is no link with key of its own");
  }
  if (link->relayable() < kNeeded) return refusal(place, "too little residual key");
  // A part that came twice is refused there, and the transfer with it: nothing wrong becomes key.
  auto verdict = channel::try_again([&] { return send(head, next, part); });
  return verdict ? std::move(*verdict) : refusal(place, verdict.error().message);
}

Result<kme::PartVerdict> KeyRelay::send(const kme::PartHead& head, const SiteName& next,
                                        const secret::Buffer* part) {
  channel::Request request{.to = next,
                           .method = kme::kRelayPartMethod,
                           .job = JobId::from_view(head.transfer.view()),
                           .upload = {},
                           .body = kme::encode(head)};
  if (part != nullptr) request.upload = channel::shape_of_whole(part->size(), kFrameBytes);
  const channel::StreamShape shape = request.upload;
  // Whoever relays is never kept waiting for key: another path is tried.
  TRY_ASSIGN(channel::Call call, site_.caller.start(std::move(request), [] { return false; }));
  if (part != nullptr) TRY(channel::send_whole(call, shape, part->bytes()));
  TRY_ASSIGN(const channel::Reply reply, call.reply());
  return kme::decode_part_verdict(reply.body);
}

Result<> KeyRelay::serve(channel::Exchange& exchange) {
  TRY_ASSIGN(const kme::PartHead head, kme::decode_part_head(exchange.request().body));
  TRY_ASSIGN(const kme::PartVerdict verdict, answer(exchange, head));
  return exchange.reply(kme::encode(verdict));
}

Result<kme::PartVerdict> KeyRelay::answer(channel::Exchange& exchange, const kme::PartHead& head) {
  TRY_ASSIGN(const std::size_t place, place_in(exchange, head.path));
  const bool is_question = exchange.upload().shape().frames == 0;
  if (place + 1 == head.path.size()) {
    const auto device = devices_.find(head.path.front());
    if (device == devices_.end()) {
      return fail(Code::kRefused,
                  site_.config.name.text() + " has no relayed link to " + head.path.front().text());
    }
    if (is_question) {
      TRY(device->second->check_part(head));
      return kme::PartVerdict{};
    }
    TRY_ASSIGN(secret::Buffer part, receive_part(exchange, head.bytes));
    TRY(device->second->take_part(head, std::move(part)));
    return kme::PartVerdict{};
  }
  if (is_question) return pass_on(head, place, nullptr);
  TRY_ASSIGN(const secret::Buffer part, receive_part(exchange, head.bytes));
  if (++held_ > kMostHeld) {
    --held_;
    return refusal(place, "too many parts at once");
  }
  const kme::PartVerdict verdict = pass_on(head, place, &part);
  --held_;
  return verdict;  // and the part is wiped
}

}  // namespace warifu::control
