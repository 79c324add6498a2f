// htsget 1.3 over HTTP: tickets, what their URLs give, service-info, and who may ask from where.
//
// The bearer token of a view is the only authority here; it stands in a header, never in a URL.
#include "api/json.h"
#include "htsget/byte_range.h"
#include "htsget/ticket.h"
#include "viewing/view_desk.h"

namespace warifu::api {
namespace {

using htsget::Answer;
using htsget::Datatype;
using htsget::Kind;
using http::RequestContext;

constexpr std::string_view kVersion = "0.1.0";
constexpr const char* kPreflightLife = "2592000";  // 30 days, as htsget wants it

std::string_view field(const RequestContext& context, std::string_view name) {
  return context.request().headers.find(name).value_or("");
}

// One request: where it came in, and what every answer to it carries.
class Exchange {
 public:
  Exchange(RequestContext& context, Services services, bool tls, viewing::Asked what)
      : context_(context),
        services_(services),
        tls_(tls || context.peer() != nullptr),
        what_(what) {}

  // The base of URLs, when the origin may ask. Errors: kInvalidInput, kPermissionDenied.
  Answer<std::string> admit() {
    auto own = htsget::base_url(tls_, field(context_, "Host"));
    if (!own) return own;
    const htsget::Settings& settings = services_.site.config.htsget;
    headers_.add("Vary", "Origin");
    const std::string_view origin = field(context_, "Origin");
    if (!origin.empty()) {
      const bool allowed = origin == *own || origin == settings.url ||
                           std::ranges::find(settings.origins, origin) != settings.origins.end();
      if (!allowed) {
        return htsget::refuse(Kind::kPermissionDenied,
                              "pages of this origin may not ask here ([htsget] origins)");
      }
      headers_.add("Access-Control-Allow-Origin", origin);
      headers_.add("Access-Control-Expose-Headers", "Warifu-Clipped, Content-Range");
    }
    return settings.url.empty() ? *own : settings.url;
  }

  // Errors: kInvalidAuthentication, kNotFound.
  Answer<std::shared_ptr<viewing::View>> view(Datatype datatype) {
    if (services_.control == nullptr) {
      return htsget::refuse(Kind::kNotFound, "this site has no share control and shows no views");
    }
    std::string_view token = field(context_, "Authorization");
    constexpr std::string_view kScheme = "bearer ";
    bool bearer = token.size() > kScheme.size();
    for (std::size_t i = 0; bearer && i < kScheme.size(); ++i) {
      bearer = (token[i] | (token[i] == ' ' ? 0 : 0x20)) == kScheme[i];
    }
    if (!bearer) {
      return htsget::refuse(Kind::kInvalidAuthentication,
                            "send the view's token: Authorization: Bearer TOKEN");
    }
    token.remove_prefix(kScheme.size());
    while (token.starts_with(' ')) token.remove_prefix(1);
    token_ = token;
    return services_.control->views.find(token, datatype, context_.parameter("id"));
  }
  [[nodiscard]] std::string_view token() const { return token_; }

  // `status` zero: the one of the failure.
  void refuse(const htsget::Failure& failure, int status = 0) {
    if (traffic() != nullptr) traffic()->refused(failure.kind);
    if (failure.kind == Kind::kInvalidAuthentication) headers_.add("WWW-Authenticate", "Bearer");
    if (htsget::kind_status(failure.kind) == 429) headers_.add("Retry-After", "1");
    if (htsget::kind_status(failure.kind) == 503) headers_.add("Retry-After", "5");
    respond(status == 0 ? htsget::kind_status(failure.kind) : status,
            http::Body::of(htsget::error_json(failure)));
  }
  // The text may hold a token.
  void respond_json(std::string text) {
    secret::Buffer body = secret::Buffer::copy_of(as_bytes(text));
    secret::wipe({reinterpret_cast<Byte*>(text.data()), text.size()});
    respond(200, http::Body(std::move(body)));
  }
  void respond(int status, http::Body body, std::string_view type = htsget::kContentType) {
    count(status);
    context_.respond({.status = status,
                      .content_type = std::string(type),
                      .body = std::move(body),
                      .headers = std::move(headers_)});
  }
  // For the figures of the site.
  void count(int status) {
    if (traffic() != nullptr) traffic()->answered(what_, status);
  }
  void count_sent(std::uint64_t bytes) {
    if (traffic() != nullptr) traffic()->served(bytes);
  }
  http::Headers& headers() { return headers_; }
  RequestContext& context() { return context_; }

 private:
  [[nodiscard]] viewing::Traffic* traffic() const {
    return services_.control == nullptr ? nullptr : &services_.control->views.traffic();
  }

  RequestContext& context_;
  Services services_;
  bool tls_;
  viewing::Asked what_;
  http::Headers headers_;
  std::string token_;
};

void ticket(Exchange exchange, Services services, Datatype datatype) {
  const auto work = [&]() -> Answer<std::string> {
    auto base = exchange.admit();
    if (!base) return base;
    auto view = exchange.view(datatype);
    if (!view) return std::unexpected(view.error());
    const http::Request& asked = exchange.context().request();
    auto request =
        asked.method == http::Method::kPost
            ? htsget::parse_body(datatype, asked.query.all(), exchange.context().body().text())
            : htsget::parse_query(datatype, asked.query.all());
    if (!request) return std::unexpected(request.error());
    auto offer = services.control->views.ask(**view, *request);
    if (!offer) return std::unexpected(offer.error());
    if (offer->clipped) exchange.headers().add("Warifu-Clipped", "true");
    return htsget::ticket_json({.request = std::move(*request),
                                .base = std::move(*base),
                                .id = (*view)->terms().object.text(),
                                .token = std::string(exchange.token()),
                                .md5 = std::move(offer->md5),
                                .clipped = offer->clipped});
  };
  auto done = work();
  if (!done) return exchange.refuse(done.error());
  exchange.respond_json(std::move(*done));
}

const char* content_type(htsget::Format format) {
  switch (format) {
    case htsget::Format::kBam: return "application/vnd.ga4gh.bam";
    case htsget::Format::kCram: return "application/vnd.ga4gh.cram";
    case htsget::Format::kVcf: return "application/gzip";
    case htsget::Format::kBcf: return "application/vnd.ga4gh.bcf";
  }
  return "application/octet-stream";
}

// All of it is there before its first byte leaves: an error is an answer, never a cut stream.
void send(Exchange& exchange, const viewing::Given& given, htsget::Format format) {
  const ByteView bytes = given.bytes();
  http::Headers& headers = exchange.headers();
  headers.add("Accept-Ranges", "bytes");
  if (given.clipped) headers.add("Warifu-Clipped", "true");
  const auto range = htsget::range_of(field(exchange.context(), "Range"), bytes.size());
  if (!range) {
    headers.add("Content-Range", "bytes */" + std::to_string(bytes.size()));
    return exchange.refuse({Kind::kInvalidRange, "the answer is shorter than that"}, 416);
  }
  if (range->partial) {
    headers.add("Content-Range", "bytes " + std::to_string(range->first) + "-" +
                                     std::to_string(range->end - 1) + "/" +
                                     std::to_string(bytes.size()));
  }
  RequestContext& context = exchange.context();
  const std::uint64_t length = range->end - range->first;
  const int status = range->partial ? 206 : 200;
  exchange.count(status);
  if (!context.begin_stream(status, content_type(format), headers, length)) return;
  constexpr std::size_t kStep = 256 * 1024;
  for (std::uint64_t at = range->first; at < range->end; at += kStep) {
    if (context.stopping() || given.view->has_ended()) return;  // cut short, and so noticed
    const ByteView step = bytes.subspan(at, std::min<std::uint64_t>(kStep, range->end - at));
    if (!context.write(step)) return;
    exchange.count_sent(step.size());
  }
  (void)context.finish();
}

void data(Exchange exchange, Services services, Datatype datatype) {
  const auto work = [&]() -> Answer<std::pair<viewing::Given, htsget::Format>> {
    if (auto base = exchange.admit(); !base) return std::unexpected(base.error());
    auto view = exchange.view(datatype);
    if (!view) return std::unexpected(view.error());
    const auto wanted =
        htsget::parse_data_query(datatype, exchange.context().request().query.all());
    if (!wanted) return std::unexpected(wanted.error());
    auto given = services.control->views.give(*view, *wanted);
    if (!given) return std::unexpected(given.error());
    return std::pair{std::move(*given), wanted->request.format};
  };
  auto done = work();
  if (!done) return exchange.refuse(done.error());
  send(exchange, done->first, done->second);
}

void service_info(Exchange exchange, Services services, Datatype datatype) {
  auto base = exchange.admit();
  if (!base) return exchange.refuse(base.error());
  http::Body body = http::Body::of(htsget::service_info_json(
      datatype, {services.site.config.name.text(), std::string(kVersion), std::move(*base)}));
  exchange.respond(200, std::move(body), "application/json");
}

void preflight(Exchange exchange) {
  if (auto base = exchange.admit(); !base) return exchange.refuse(base.error());
  http::Headers& headers = exchange.headers();
  headers.add("Access-Control-Allow-Methods", "GET, POST, OPTIONS");
  const std::string_view wanted = field(exchange.context(), "Access-Control-Request-Headers");
  if (!wanted.empty()) headers.add("Access-Control-Allow-Headers", wanted);
  headers.add("Access-Control-Max-Age", kPreflightLife);
  exchange.respond(204, {});
}

}  // namespace

void add_htsget_routes(http::Router& router, Services services, bool anonymous_tls) {
  using http::Method;
  const auto on = [&](Method method, const std::string& path, viewing::Asked what, auto work) {
    router.add(method, path,
               [work, services, anonymous_tls, what](RequestContext& context) {
                 work(Exchange(context, services, anonymous_tls, what));
               },
               {.secret_body = true});
  };
  for (const Datatype datatype : {Datatype::kReads, Datatype::kVariants}) {
    const std::string name(htsget::datatype_name(datatype));
    const auto give_ticket = [=](Exchange exchange) {
      ticket(std::move(exchange), services, datatype);
    };
    on(Method::kGet, "/htsget/" + name + "/service-info", viewing::Asked::kOther,
       [=](Exchange exchange) { service_info(std::move(exchange), services, datatype); });
    on(Method::kGet, "/htsget/" + name + "/{id}", viewing::Asked::kTicket, give_ticket);
    on(Method::kPost, "/htsget/" + name + "/{id}", viewing::Asked::kTicket, give_ticket);
    on(Method::kGet, "/htsget/data/" + name + "/{id}", viewing::Asked::kData,
       [=](Exchange exchange) { data(std::move(exchange), services, datatype); });
  }
  on(Method::kOptions, "/htsget/{path...}", viewing::Asked::kOther,
     [](Exchange exchange) { preflight(std::move(exchange)); });
}

}  // namespace warifu::api
