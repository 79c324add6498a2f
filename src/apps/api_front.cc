// Listeners, gate, servers.
#include "apps/api_front.h"

#include "api/event_hub.h"
#include "base/log.h"

namespace warifu::apps {
namespace {

constexpr http::ServerOptions kOptions{.workers = 16, .max_connections = 256};
// Clients here have no certificates: strangers may hold connections, but few of them.
constexpr http::ServerOptions kViewOptions{.workers = 8, .max_connections = 128};
constexpr unsigned kOwnSocket = 0600;
constexpr unsigned kGroupSocket = 0660;  // the gate asks the kernel who it is

}  // namespace

const char* single_operator_text() {
  return "single-operator mode: whoever may open the API socket may do everything here; name "
         "people in [operators]";
}

std::string passphrase_folder(const config::SiteConfig& config) {
  return config.data_dir + "/operators";
}

Result<std::unique_ptr<ApiFront>> ApiFront::open(const config::SiteConfig& config,
                                                 os::System system, audit::Log& log) {
  std::unique_ptr<ApiFront> front(new ApiFront(config));
  if (config.operators) {
    if (config.operators->two_person) {
      TRY_ASSIGN(front->two_persons_,
                 operators::TwoPersons::open(system, config.data_dir + "/proposals",
                                             *config.operators, log));
    }
    if (config.operators->second_factor) {
      front->passphrases_ =
          std::make_unique<operators::Passphrases>(system, passphrase_folder(config));
    }
    front->gate_ = std::make_shared<operators::Gate>(
        system, *config.operators, log,
        operators::Gate::Rules{front->two_persons_.get(), front->passphrases_.get()});
    if (config.operators->tls) TRY(front->listen_tls());
  }
  if (config.web) {
    front->sessions_ = std::make_unique<web::Sessions>(system, *config.web, log);
    TRY_ASSIGN(front->pages_listener_, os::listen_tcp(config.web->listen));
  }
  if (config.htsget.listen && config.is_controller()) TRY(front->listen_for_views());
  const bool shared = config.operators && config.operators->has_users();
  TRY_ASSIGN(front->socket_listener_,
             os::listen_unix(config.api_socket, shared ? kGroupSocket : kOwnSocket));
  return front;
}

Result<> ApiFront::listen_tls() {
  const operators::TlsListener& settings = *config_.operators->tls;
  TRY_ASSIGN(tls_, crypto::TlsContext::load(crypto::TlsSide::kServer,
                                            {settings.certificate, settings.key, settings.ca}));
  TRY_ASSIGN(tls_listener_, os::listen_tcp(settings.listen));
  return {};
}

Result<> ApiFront::listen_for_views() {
  const htsget::Settings& settings = config_.htsget;
  if (settings.is_tls()) {
    TRY_ASSIGN(views_tls_,
               crypto::TlsContext::load(crypto::TlsSide::kServer,
                                        {settings.certificate, settings.key, {}, true}));
  }
  TRY_ASSIGN(views_listener_, os::listen_tcp(*settings.listen));
  return {};
}

ApiFront::ApiFront(const config::SiteConfig& config) : config_(config) {}
ApiFront::~ApiFront() = default;

http::Router ApiFront::router(const api::Services& services,
                              std::shared_ptr<http::Gatekeeper> keeper) const {
  http::Router router = api::make_router(services);
  router.set_gatekeeper(std::move(keeper));
  return router;
}

void ApiFront::start(api::Services services) {
  services.operators = gate_.get();
  services.sessions = sessions_.get();
  events_ = std::make_unique<api::EventHub>(services, sessions_.get(), config_.web_look);
  services.events = events_.get();
  events_->start();
  if (two_persons_ != nullptr) two_persons_->learn(api::make_router(services));
  socket_ = std::make_unique<http::Server>(std::move(socket_listener_), nullptr,
                                           router(services, gate_), kOptions);
  socket_->start();
  if (gate_ == nullptr) log_warning(single_operator_text());
  if (pages_listener_ != nullptr) {
    const std::uint16_t port = config_.web->listen.port;
    pages_ = std::make_unique<http::Server>(
        std::move(pages_listener_), nullptr,
        router(services, std::make_shared<web::EdgeGate>(sessions_.get(), port, gate_)), kOptions);
    pages_->start();
    log_info("pages are at http://" + config_.web->listen.text() + "/ (warifu web code)");
  }
  start_views(services);
  if (tls_listener_ == nullptr) return;
  const auto edge = std::make_shared<web::EdgeGate>(nullptr, tls_listener_->port(), gate_);
  remote_ = std::make_unique<http::Server>(std::move(tls_listener_), tls_, router(services, edge),
                                           kOptions);
  remote_->start();
  log_info("operators are served at https://" + config_.operators->tls->listen.text());
}

void ApiFront::start_views(const api::Services& services) {
  if (views_listener_ == nullptr) return;
  http::Router router;
  api::add_htsget_routes(router, services, views_tls_ != nullptr);
  views_ = std::make_unique<http::Server>(std::move(views_listener_), views_tls_, std::move(router),
                                          kViewOptions);
  views_->start();
  log_info(std::string("views are served at ") + (views_tls_ != nullptr ? "https://" : "http://") +
           config_.htsget.listen->text() + "/htsget/");
}

void ApiFront::stop() {
  if (views_ != nullptr) views_->stop();
  if (events_ != nullptr) events_->stop();
  if (pages_ != nullptr) pages_->stop();
  if (remote_ != nullptr) remote_->stop();
  if (socket_ != nullptr) socket_->stop();
}

}  // namespace warifu::apps
