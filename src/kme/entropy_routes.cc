// One route. The hexadecimal text of the numbers is written into secret memory.
#include "kme/entropy_routes.h"

#include <algorithm>
#include <charconv>
#include <memory>

#include "base/log.h"
#include "kme/material.h"

namespace warifu::kme {
namespace {

// Numbers that come from sources are asked for again after this many seconds.
constexpr int kRetrySeconds = 10;

// Two digits for each byte, in time that depends on the length only.
void write_hex(ByteView bytes, MutableBytes text) {
  const auto digit = [](unsigned nibble) {
    const unsigned letter = (9U - nibble) >> 8 & ('a' - '0' - 10U);  // 0 for digits
    return static_cast<Byte>('0' + nibble + letter);
  };
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    text[2 * i] = digit(bytes[i] >> 4);
    text[2 * i + 1] = digit(bytes[i] & 0x0FU);
  }
}

class Entropy {
 public:
  Entropy(os::System system, RandomSource& random, const SaeGate& gate, SaeMap saes)
      : system_(system), random_(random), gate_(gate), saes_(std::move(saes)) {}

  void get(http::RequestContext& context) const {
    auto body = [&]() -> Result<secret::Buffer> {
      if (context.peer() == nullptr) return fail(Code::kRefused, "Unauthorized: no certificate");
      TRY_ASSIGN(const std::string caller, saes_.find(*context.peer()));
      TRY_ASSIGN(const std::int64_t bits, wanted(context.request().query));
      TRY(gate_.check_sae(caller));
      return make(static_cast<std::size_t>(bits) / 8);
    }();
    if (!body) return refuse(context, body.error());
    context.respond({200, "application/json", http::Body(std::move(*body)), {}});
  }

 private:
  static Result<std::int64_t> wanted(const http::Query& query) {
    const auto text = query.find("minentropy");
    if (!text) return kUsualEntropyBits;
    std::int64_t bits = 0;
    const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), bits);
    const bool good = error == std::errc{} && end == text->data() + text->size();
    if (!good || bits < 8 || bits > kMaxEntropyBits || bits % 8 != 0) {
      return fail(Code::kInvalidArgument, "minentropy shall be a multiple of 8 from 8 to " +
                                              std::to_string(kMaxEntropyBits));
    }
    return bits;
  }

  // Sources fill the pool in their own time: nobody waits for them at this server.
  Result<> check_stock(std::size_t bytes) const {
    const RandomSource::Status status = random_.status();
    const RandomFrom from = random_.from(RandomUse::kApplications);
    const bool pool_only = from == RandomFrom::kPool || from == RandomFrom::kSources;
    if (!pool_only || status.available_bytes >= bytes) return {};
    return fail(Code::kOutOfKey, "the random pool holds " + std::to_string(status.available_bytes) +
                                     " bytes, " + std::to_string(bytes) + " are needed");
  }

  Result<secret::Buffer> make(std::size_t bytes) const {
    TRY(check_stock(bytes));
    secret::Buffer numbers(bytes);
    TRY_ASSIGN(const keypool::Entropy entropy,
               random_.fill(numbers.bytes(), RandomUse::kApplications));
    const os::UnixMs now = system_.clock.now();
    const Material material{.id = os::random_id<Id16<struct MaterialTag>>(system_.random).text(),
                            .kind = Material::Kind::kRandom,
                            .origins = entropy.origins,
                            .bytes = bytes,
                            .made = now,
                            .given = now};
    const std::string front = "{\"randomStr\":\"";
    const std::string back =
        "\",\"minentropy\":" + std::to_string(bytes * 8) +
        ",\"warifu_computational\":" + (entropy.computational() ? "true" : "false") +
        ",\"warifu_material\":" + to_json(material) + "}";
    secret::Buffer body(front.size() + 2 * bytes + back.size());
    copy_bytes(body.bytes(), as_bytes(front));
    write_hex(numbers.bytes(), body.bytes().subspan(front.size(), 2 * bytes));
    copy_bytes(body.bytes().subspan(front.size() + 2 * bytes), as_bytes(back));
    return body;
  }

  void refuse(http::RequestContext& context, const Error& error) const {
    int status = 503;
    std::string message = "no random numbers now";
    if (error.code == Code::kInvalidArgument) status = 400;
    if (error.message.starts_with("Unauthorized")) status = 401;
    if (status != 503) message = error.message;
    if (error.code == Code::kOutOfKey) message = "not enough random numbers";
    const crypto::PeerIdentity* peer = context.peer();
    const std::string who = peer == nullptr ? "" : "'" + peer->common_name + "'";
    gate_.refusals().note(
        status == 503 ? LogLevel::kWarning : LogLevel::kInfo, who,
        "a request of " + who + " for random numbers was refused: " + error.message);
    http::Response response{status, "application/json", {}, {}};
    response.body = http::Body::of(etsi014::error_to_json(message, {}));
    if (status == 503) response.headers.add("Retry-After", std::to_string(kRetrySeconds));
    context.respond(std::move(response));
  }

  os::System system_;
  RandomSource& random_;
  const SaeGate& gate_;
  SaeMap saes_;
};

}  // namespace

void add_entropy_routes(http::Router& router, os::System system, RandomSource& random,
                        const SaeGate& gate, SaeMap saes) {
  const auto routes = std::make_shared<const Entropy>(system, random, gate, std::move(saes));
  router.add(http::Method::kGet, "/entropy",
             [routes](http::RequestContext& context) { routes->get(context); },
             {.secret_body = true});
}

}  // namespace warifu::kme
