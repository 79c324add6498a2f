// Requests are checked here in full, so that a source sees only what it could answer.
#include "kme/etsi014_server.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <memory>
#include <set>

#include "base/log.h"

namespace warifu::kme {
namespace {

constexpr std::int64_t kLongestWait = 3600;  // seconds in Retry-After
constexpr std::uint64_t kOneSend = 8192;     // bytes of an answer that leaves in one piece

bool is_uri(std::string_view key) {
  return key.starts_with("urn:") || key.find("://") != std::string_view::npos;
}

bool is_blank(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c == ' ' || c == '\t'; });
}

std::unexpected<Error> bad(std::string message) {
  return fail(Code::kInvalidArgument, std::move(message));
}

// Who asks, and which SAE stands in the address.
struct Parties {
  std::string caller;
  std::string other;
};

struct Shortage {
  std::uint64_t requested = 0;
  std::uint64_t available = 0;
  double bits_per_second = 0;
};

class Routes {
 public:
  Routes(KeySource& source, SaeMap saes, LogLimit* refusals)
      : source_(source),
        saes_(std::move(saes)),
        refusals_(refusals != nullptr ? *refusals : own_refusals_) {}

  void status(http::RequestContext& context) const {
    const auto answer = [&]() -> Result<std::string> {
      TRY_ASSIGN(const Parties parties, identify(context));
      TRY_ASSIGN(const SourceStatus found, source_.status(parties.caller, parties.other));
      return to_json(merge(found, parties));
    }();
    if (!answer) return refuse(context, answer.error(), {});
    context.respond({200, "application/json", http::Body::of(*answer), {}});
  }

  void enc_keys(http::RequestContext& context) const {
    Shortage shortage;
    auto keys = [&]() -> Result<std::vector<DeviceKey>> {
      TRY_ASSIGN(const Parties parties, identify(context));
      TRY_ASSIGN(const etsi014::KeyRequest request, read_key_request(context));
      TRY_ASSIGN(const SourceStatus limits, source_.limits(parties.caller, parties.other));
      TRY_ASSIGN(const KeyOrder order, check(request, limits, parties));
      auto taken = source_.take_new(order);
      if (!taken && taken.error().code == Code::kOutOfKey) shortage = shortage_of(order);
      return taken;
    }();
    if (!keys) return refuse(context, keys.error(), shortage);
    send(context, *keys);
  }

  void dec_keys(http::RequestContext& context) const {
    auto keys = [&]() -> Result<std::vector<DeviceKey>> {
      TRY_ASSIGN(const Parties parties, identify(context));
      TRY_ASSIGN(const std::vector<std::string> ids, read_key_ids(context));
      return source_.take_by_id(parties.other, parties.caller, ids);
    }();
    if (keys) return send(context, *keys);
    // Unknown, used and expired look alike outside; the reason stays in the log.
    const bool not_found = keys.error().code == Code::kNotFound;
    refuse(context, keys.error(), {}, not_found ? etsi014::kKeysNotFound : std::string_view());
  }

 private:
  Result<Parties> identify(const http::RequestContext& context) const {
    if (context.peer() == nullptr) return fail(Code::kRefused, "Unauthorized: no certificate");
    TRY_ASSIGN(std::string caller, saes_.find(*context.peer()));
    const std::string& other = context.parameter("sae");
    if (is_blank(other)) return bad("the SAE ID in the address shall not be blank");
    if (other == caller) return bad("the SAE ID in the address is that of the caller");
    for (const auto& [name, value] : context.request().query.all()) {
      if (context.request().query.repeated(name)) {
        return bad("parameter " + name + " shall stand there once");
      }
    }
    return Parties{std::move(caller), other};
  }

  static Result<std::optional<std::int64_t>> query_number(const http::Query& query,
                                                          std::string_view name) {
    const auto text = query.find(name);
    if (!text) return std::nullopt;
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
    if (error != std::errc{} || end != text->data() + text->size()) {
      return bad(std::string(name) + " shall be an integer");
    }
    return number;
  }

  static Result<etsi014::KeyRequest> read_key_request(http::RequestContext& context) {
    if (context.request().method == http::Method::kPost) {
      return etsi014::parse_key_request(context.request().body.text());
    }
    etsi014::KeyRequest request;
    TRY_ASSIGN(const auto number, query_number(context.request().query, "number"));
    TRY_ASSIGN(request.size, query_number(context.request().query, "size"));
    request.number = number.value_or(1);
    return request;
  }

  static Result<std::vector<std::string>> read_key_ids(http::RequestContext& context) {
    std::vector<std::string> ids;
    if (context.request().method == http::Method::kPost) {
      TRY_ASSIGN(ids, etsi014::parse_key_ids(context.request().body.text()));
    } else {
      const auto id = context.request().query.find("key_ID");
      if (!id) return bad("parameter key_ID is missing");
      TRY_ASSIGN(std::string normal, etsi014::normal_uuid(*id));
      ids.push_back(std::move(normal));
    }
    if (std::set<std::string>(ids.begin(), ids.end()).size() != ids.size()) {
      return bad("a key_ID shall stand there once");
    }
    return ids;
  }

  static Result<KeyOrder> check(const etsi014::KeyRequest& request, const SourceStatus& status,
                                const Parties& parties) {
    if (!request.extension_mandatory.empty()) {
      return bad("not all extension_mandatory parameters are supported");
    }
    const std::int64_t size = request.size.value_or(status.key_size);
    if (request.number < 1 || request.number > status.max_key_per_request) {
      return bad("number shall be from 1 to " + std::to_string(status.max_key_per_request));
    }
    if (size > 0 && size % 8 != 0) return bad("size shall be a multiple of 8");
    if (size < 1 || size < status.min_key_size || size > status.max_key_size) {
      return bad("size shall be from " + std::to_string(status.min_key_size) + " to " +
                 std::to_string(status.max_key_size));
    }
    TRY(check_additional(request, status, parties));
    return KeyOrder{parties.caller, parties.other, request.additional_saes,
                    static_cast<std::size_t>(request.number), static_cast<std::size_t>(size)};
  }

  static Result<> check_additional(const etsi014::KeyRequest& request, const SourceStatus& status,
                                   const Parties& parties) {
    if (!request.additional_given) return {};
    const auto& saes = request.additional_saes;
    if (saes.empty()) return bad("additional_slave_SAE_IDs shall not be empty");
    if (static_cast<std::int64_t>(saes.size()) > status.max_sae_id_count) {
      return bad("additional_slave_SAE_IDs shall have at most " +
                 std::to_string(status.max_sae_id_count) + " entries");
    }
    std::set<std::string> seen = {parties.caller, parties.other};
    for (const std::string& sae : saes) {
      if (is_blank(sae) || !seen.insert(sae).second) {
        return bad("additional_slave_SAE_IDs has a blank, repeated or already named SAE ID");
      }
    }
    return {};
  }

  static etsi014::Status merge(const SourceStatus& source, const Parties& parties) {
    const auto bounded = [](std::int64_t number) {
      return std::clamp<std::int64_t>(number, 0, etsi014::kMaxInteger);
    };
    etsi014::Status status;
    status.source_kme_id = source.source_kme_id;
    status.target_kme_id = source.target_kme_id;
    status.master_sae_id = parties.caller;
    status.slave_sae_id = parties.other;
    status.key_size = bounded(source.key_size);
    status.max_key_count = bounded(source.max_key_count);
    status.stored_key_count = std::min(bounded(source.stored_key_count), status.max_key_count);
    status.max_key_per_request = bounded(source.max_key_per_request);
    status.max_key_size = bounded(source.max_key_size);
    status.min_key_size = bounded(source.min_key_size);
    status.max_sae_id_count = bounded(source.max_sae_id_count);
    status.extension = source.extension;
    return status;
  }

  static void send(http::RequestContext& context, const std::vector<DeviceKey>& keys) {
    const std::uint64_t length = etsi014::key_container_length(keys);
    if (length <= kOneSend) return send_at_once(context, keys, length);
    if (!context.begin_stream(200, "application/json", {}, length)) return;
    const std::function<Result<>(ByteView)> sink = [&](ByteView piece) {
      return context.write(piece);
    };
    if (etsi014::write_key_container(keys, sink)) (void)context.finish();
  }

  // Head and keys in one record and one send: half of the work for an answer with few keys.
  static void send_at_once(http::RequestContext& context, const std::vector<DeviceKey>& keys,
                           std::uint64_t length) {
    secret::Buffer body(length);
    MutableBytes rest = body.bytes();
    const std::function<Result<>(ByteView)> sink = [&](ByteView piece) -> Result<> {
      copy_bytes(rest, piece);
      rest = rest.subspan(piece.size());
      return {};
    };
    WARIFU_CHECK(etsi014::write_key_container(keys, sink) && rest.empty());
    context.respond({200, "application/json", std::move(body), {}});
  }

  Shortage shortage_of(const KeyOrder& order) const {
    Shortage shortage{.requested = order.number * order.size_bits};
    if (const auto status = source_.status(order.master, order.slave)) {
      shortage.available = status->bits_available;
      shortage.bits_per_second = status->bits_per_second;
    }
    return shortage;
  }

  static std::int64_t seconds_to_wait(const Shortage& shortage) {
    if (shortage.bits_per_second <= 0 || shortage.requested <= shortage.available) return 1;
    const auto missing = static_cast<double>(shortage.requested - shortage.available);
    const double seconds = std::ceil(missing / shortage.bits_per_second);
    return static_cast<std::int64_t>(std::clamp(seconds, 1.0, static_cast<double>(kLongestWait)));
  }

  // Who the certificate names, as the log tells it.
  static std::string who(const http::RequestContext& context) {
    const crypto::PeerIdentity* peer = context.peer();
    if (peer == nullptr) return "somebody without a certificate";
    const std::string& name = peer->uris.empty() ? peer->common_name : peer->uris.front();
    return name.empty() ? "somebody without a name" : "'" + name + "'";
  }

  // `outside`: what the caller is told instead of the error's message, which stays in the log.
  void refuse(http::RequestContext& context, const Error& error, const Shortage& shortage,
              std::string_view outside = {}) const {
    const std::string_view message = outside.empty() ? std::string_view(error.message) : outside;
    const bool refused = error.code == Code::kInvalidArgument || error.code == Code::kNotFound ||
                         error.code == Code::kRefused;
    if (refused) {
      refusals_.note(LogLevel::kInfo, who(context),
                     "a key request of " + who(context) + " was refused: " + error.message);
    }
    switch (error.code) {
      case Code::kInvalidArgument:
      case Code::kNotFound: return answer(context, 400, message, {}, 0);
      case Code::kRefused: return answer(context, 401, message, {}, 0);
      case Code::kOutOfKey:
        return answer(context, 503, "not enough key",
                      {{"bits_requested", static_cast<std::int64_t>(shortage.requested)},
                       {"bits_available", static_cast<std::int64_t>(shortage.available)}},
                      seconds_to_wait(shortage));
      default: break;
    }
    refusals_.note(LogLevel::kWarning, who(context),
                   "a key request of " + who(context) + " failed: " + error.message);
    answer(context, 503, "key data access error", {}, 1);
  }

  static void answer(http::RequestContext& context, int status, std::string_view message,
                     const std::vector<std::pair<std::string, std::int64_t>>& details,
                     std::int64_t retry_after) {
    http::Response response{status, "application/json", {}, {}};
    response.body = http::Body::of(etsi014::error_to_json(message, details));
    if (retry_after > 0) response.headers.add("Retry-After", std::to_string(retry_after));
    context.respond(std::move(response));
  }

  KeySource& source_;
  SaeMap saes_;
  mutable LogLimit own_refusals_{"refusals"};
  LogLimit& refusals_;
};

}  // namespace

Result<std::string> SaeMap::find(const crypto::PeerIdentity& identity) const {
  const auto by_name = [&]() -> std::optional<std::string> {
    const auto found = entries.find(identity.common_name);
    if (found == entries.end() || is_uri(identity.common_name)) return std::nullopt;
    return found->second;
  };
  if (common_name_first) {
    if (auto sae = by_name()) return *sae;
  }
  std::set<std::string> saes;
  for (const std::string& uri : identity.uris) {
    const auto found = entries.find(uri);
    if (found != entries.end() && is_uri(uri)) saes.insert(found->second);
  }
  if (saes.size() > 1) return fail(Code::kRefused, "Unauthorized: the certificate names two SAEs");
  if (saes.size() == 1) return *saes.begin();
  if (auto sae = by_name()) return *sae;
  return fail(Code::kRefused, "Unauthorized: the certificate is not that of a known SAE");
}

void add_etsi014_routes(http::Router& router, KeySource& source, SaeMap saes, LogLimit* refusals) {
  const auto routes = std::make_shared<const Routes>(source, std::move(saes), refusals);
  const auto add = [&](http::Method method, const char* path, auto member) {
    router.add(method, path,
               [routes, member](http::RequestContext& context) { ((*routes).*member)(context); },
               {.secret_body = true});
  };
  add(http::Method::kGet, "/api/v1/keys/{sae}/status", &Routes::status);
  for (const http::Method method : {http::Method::kGet, http::Method::kPost}) {
    add(method, "/api/v1/keys/{sae}/enc_keys", &Routes::enc_keys);
    add(method, "/api/v1/keys/{sae}/dec_keys", &Routes::dec_keys);
  }
}

}  // namespace warifu::kme
