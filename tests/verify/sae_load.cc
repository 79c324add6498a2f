// warifu-verify-saes: applications that ask a site for keys, as many connections as wanted.
//
//   warifu-verify-saes enc  --port P --slave ID --certificate F --key F --ca F
//                           [--connections N] [--seconds S] [--keys K] [--size BITS]
//   warifu-verify-saes dec  --port P --slave ID --certificate F --key F --ca F
//                           --slave-port P --slave-certificate F --slave-key F --master ID
//                           [--connections N] [--seconds S] [--keys K] [--size BITS] [--batches B]
//   warifu-verify-saes hold --port P --slave ID --certificate F --key F --ca F [--connections N]
//
// `enc` asks for keys on every connection, the next time as soon as the answer is there, and prints
// figures as JSON. `dec` first has B times K keys made, which wait for the slave, then takes them
// by their ids at the slave's site, K in each request, until all are taken or the time is over.
// `hold` opens connections that have each got one answer, prints a line, waits for
// a line of standard input, asks on each again and on a new one, and prints figures.
// For tools/verify/kms.py; one thread, one epoll.
#include "sae_load.h"

#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <functional>
#include <iostream>
#include <optional>
#include <vector>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>

namespace warifu::verify {
namespace {

namespace json = boost::json;
using Clock = LoadConnection::Clock;
constexpr std::chrono::seconds kPatience(30);

struct Options {
  std::uint16_t port = 0;
  std::string slave, certificate, key, ca;
  std::size_t connections = 64;
  double seconds = 5;
  unsigned keys = 1;
  unsigned size = 256;
  std::uint16_t slave_port = 0;
  std::string master, slave_certificate, slave_key;
  std::size_t batches = 20'000;
};

std::string request_text(const std::string& method, const std::string& target,
                         const std::string& body) {
  return fmt::format(
      "{} /api/v1/keys/{} HTTP/1.1\r\nHost: localhost\r\n"
      "Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{}",
      method, target, body.size(), body);
}

// The next request of whoever is free; none: there is no more to ask.
using NextRequest = std::function<std::optional<std::string>()>;

class Load {
 public:
  explicit Load(const Options& options)
      : options_(options), epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
    WARIFU_CHECK(epoll_ >= 0);
  }
  ~Load() { ::close(epoll_); }
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;

  Result<> connect(std::size_t count) {
    TRY_ASSIGN(const auto tls,
               crypto::TlsContext::load(crypto::TlsSide::kClient,
                                        {options_.certificate, options_.key, options_.ca}));
    // In small groups: the handshakes of thousands at once would run into their time limit.
    constexpr std::size_t kGroup = 32;
    for (std::size_t done = 0; done < count;) {
      const std::size_t until = std::min(count, done + kGroup);
      for (; done < until; ++done) {
        TRY_ASSIGN(auto connection, LoadConnection::open(options_.port, tls));
        epoll_event event{.events = EPOLLIN, .data = {.u64 = connections_.size()}};
        WARIFU_CHECK(::epoll_ctl(epoll_, EPOLL_CTL_ADD, connection->descriptor(), &event) == 0);
        connections_.push_back(std::move(connection));
      }
      TRY(wait_until([&] {
        return std::ranges::none_of(connections_, [](const auto& c) {
          return c->state() == LoadConnection::State::kGreeting;
        });
      }));
    }
    return broken() == 0 ? Result<>() : fail(Code::kUnavailable, first_problem());
  }

  // One request on each connection; how many were answered with 200.
  Result<std::size_t> ask_each(std::string_view request) {
    std::size_t right = 0;
    std::size_t answers = 0;
    on_answer_ = [&](LoadConnection& connection) {
      ++answers;
      if (connection.status() == 200) ++right;
    };
    std::size_t asked = 0;
    for (const auto& connection : connections_) {
      if (connection->state() != LoadConnection::State::kIdle) continue;
      connection->ask(request);
      ++asked;
    }
    TRY(wait_until([&] { return answers + broken() >= asked; }));
    return right;
  }

  // `seen`, if there is one, is shown the body of every answer of status 200.
  Result<json::object> run(const NextRequest& next, std::chrono::duration<double> length,
                           const std::function<void(std::string_view)>& seen = {}) {
    std::vector<double> latencies;  // ms
    std::uint64_t refused = 0;
    std::string refusal;
    bool over = false;
    on_answer_ = [&](LoadConnection& connection) {
      latencies.push_back(std::chrono::duration<double, std::milli>(connection.latency()).count());
      if (connection.status() != 200) {
        ++refused;
        refusal = connection.body();
      } else if (seen) {
        seen(connection.body());
      }
      if (over) return;
      if (const auto request = next()) connection.ask(*request);
    };
    const auto start = Clock::now();
    for (const auto& connection : connections_) {
      if (const auto request = next()) connection->ask(*request);
    }
    const auto all_idle = [&] {
      return std::ranges::none_of(connections_, [](const auto& c) {
        return c->state() == LoadConnection::State::kWaiting;
      });
    };
    TRY(wait_until([&] { return Clock::now() - start >= length || all_idle(); }, length));
    const std::chrono::duration<double> took = Clock::now() - start;
    const std::size_t answers = latencies.size();
    over = true;
    TRY(wait_until(all_idle));
    latencies.resize(answers);
    std::ranges::sort(latencies);
    const auto rank = [&](double part) {
      if (latencies.empty()) return 0.0;
      return latencies[static_cast<std::size_t>(part * static_cast<double>(answers - 1))];
    };
    rusage used{};
    ::getrusage(RUSAGE_SELF, &used);
    return json::object{
        {"seconds", took.count()},
        {"answers", answers},
        {"requests_per_second", static_cast<double>(answers) / took.count()},
        {"keys_per_second", static_cast<double>(answers * options_.keys) / took.count()},
        {"p50_ms", rank(0.5)},
        {"p99_ms", rank(0.99)},
        {"refused", refused},
        {"refusal", refusal},
        {"broken", broken()},
        {"problem", first_problem()},
        {"client_cpu_seconds",
         static_cast<double>(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
             static_cast<double>(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6}};
  }

 private:
  [[nodiscard]] std::size_t broken() const {
    return static_cast<std::size_t>(std::ranges::count_if(
        connections_, [](const auto& c) { return c->state() == LoadConnection::State::kBroken; }));
  }
  [[nodiscard]] std::string first_problem() const {
    for (const auto& connection : connections_) {
      if (connection->state() == LoadConnection::State::kBroken) return connection->problem();
    }
    return {};
  }

  template <class Condition>
  Result<> wait_until(const Condition& condition,
                      std::chrono::duration<double> expected = std::chrono::duration<double>(0)) {
    const auto end =
        Clock::now() + std::chrono::duration_cast<Clock::duration>(expected) + kPatience;
    std::array<epoll_event, 256> events{};
    while (!condition()) {
      if (Clock::now() > end) return fail(Code::kTimeout, "the site does not answer");
      const int count = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), 100);
      for (int i = 0; i < count; ++i) {
        LoadConnection& one = *connections_[events.at(static_cast<std::size_t>(i)).data.u64];
        if (one.on_readable() && on_answer_) on_answer_(one);
        if (one.state() == LoadConnection::State::kBroken) {
          ::epoll_ctl(epoll_, EPOLL_CTL_DEL, one.descriptor(), nullptr);
        }
      }
    }
    return {};
  }

  const Options& options_;
  int epoll_;
  std::vector<std::unique_ptr<LoadConnection>> connections_;
  std::function<void(LoadConnection&)> on_answer_;
};

std::string enc_request(const Options& options, unsigned keys) {
  return request_text("POST", options.slave + "/enc_keys",
                      fmt::format("{{\"number\":{},\"size\":{}}}", keys, options.size));
}

Result<> run_enc(const Options& options) {
  Load load(options);
  TRY(load.connect(options.connections));
  const std::string request = enc_request(options, options.keys);
  TRY_ASSIGN(const json::object figures,
             load.run([&] { return request; }, std::chrono::duration<double>(options.seconds)));
  std::cout << json::serialize(figures) << std::endl;
  return {};
}

// Ids of keys that wait for the slave, `keys` in each element.
Result<std::vector<std::string>> make_batches(const Options& options) {
  constexpr unsigned kMost = 128;  // of one order, unless the site is configured otherwise
  const std::size_t wanted = options.batches * options.keys;
  Load load(options);
  TRY(load.connect(16));
  std::size_t ordered = 0;
  std::vector<std::string> ids;
  const auto next = [&]() -> std::optional<std::string> {
    if (ordered >= wanted) return std::nullopt;
    ordered += kMost;
    return enc_request(options, kMost);
  };
  TRY_ASSIGN(const json::object made,
             load.run(next, std::chrono::minutes(5), [&](std::string_view body) {
               const json::value answer = json::parse(body);
               for (const auto& key : answer.at("keys").as_array()) {
                 ids.emplace_back(key.at("key_ID").as_string());
               }
             }));
  if (ids.size() < wanted) {
    return fail(Code::kOutOfKey, "too few keys were made: " + json::serialize(made));
  }
  std::vector<std::string> batches(options.batches);
  for (std::size_t i = 0; i < wanted; ++i) {
    std::string& batch = batches[i / options.keys];
    batch += fmt::format("{}{{\"key_ID\":\"{}\"}}", batch.empty() ? "" : ",", ids[i]);
  }
  return batches;
}

Result<> run_dec(const Options& options) {
  TRY_ASSIGN(const auto batches, make_batches(options));
  Options slave = options;
  slave.port = options.slave_port;
  slave.certificate = options.slave_certificate;
  slave.key = options.slave_key;
  Load load(slave);
  TRY(load.connect(options.connections));
  std::size_t at = 0;
  const auto next = [&]() -> std::optional<std::string> {
    if (at == batches.size()) return std::nullopt;
    return request_text("POST", options.master + "/dec_keys",
                        "{\"key_IDs\":[" + batches[at++] + "]}");
  };
  TRY_ASSIGN(json::object figures, load.run(next, std::chrono::duration<double>(options.seconds)));
  figures["batches"] = batches.size();
  std::cout << json::serialize(figures) << std::endl;
  return {};
}

Result<> run_hold(const Options& options) {
  const std::string request = request_text("GET", options.slave + "/status", "");
  Load held(options);
  TRY(held.connect(options.connections));
  TRY_ASSIGN(const std::size_t before, held.ask_each(request));
  std::cout << json::serialize(json::object{{"held", before}}) << std::endl;
  std::string line;
  std::getline(std::cin, line);
  TRY_ASSIGN(const std::size_t after, held.ask_each(request));
  Load fresh(options);
  TRY(fresh.connect(1));
  TRY_ASSIGN(const std::size_t one, fresh.ask_each(request));
  std::cout << json::serialize(json::object{{"answered", after}, {"new", one}}) << std::endl;
  return {};
}

int main_with(int argc, char** argv) {
  CLI::App app{"Applications that ask a site for keys"};
  app.require_subcommand(1);
  Options options;
  const auto add = [&](const char* name, const char* text) {
    CLI::App* command = app.add_subcommand(name, text);
    command->add_option("--port", options.port, "of the site's server at 127.0.0.1")->required();
    command->add_option("--slave", options.slave, "SAE id in the address")->required();
    command->add_option("--certificate", options.certificate, "PEM")->required();
    command->add_option("--key", options.key, "PEM")->required();
    command->add_option("--ca", options.ca, "PEM")->required();
    command->add_option("--connections", options.connections)->check(CLI::PositiveNumber);
    return command;
  };
  CLI::App* enc = add("enc", "ask for keys for a while");
  CLI::App* dec = add("dec", "have keys made, then take them by their ids for a while");
  for (CLI::App* command : {enc, dec}) {
    command->add_option("--seconds", options.seconds)->check(CLI::PositiveNumber);
    command->add_option("--keys", options.keys, "in each request")->check(CLI::PositiveNumber);
    command->add_option("--size", options.size, "bits")->check(CLI::PositiveNumber);
  }
  dec->add_option("--slave-port", options.slave_port, "of the slave's site")->required();
  dec->add_option("--slave-certificate", options.slave_certificate, "PEM")->required();
  dec->add_option("--slave-key", options.slave_key, "PEM")->required();
  dec->add_option("--master", options.master, "SAE id in the slave's address")->required();
  dec->add_option("--batches", options.batches, "requests at most")->check(CLI::PositiveNumber);
  add("hold", "hold idle connections");
  CLI11_PARSE(app, argc, argv);
  const auto done = enc->parsed()   ? run_enc(options)
                    : dec->parsed() ? run_dec(options)
                                    : run_hold(options);
  if (done) return 0;
  std::cerr << "warifu-verify-saes: " << done.error().message << "\n";
  return 1;
}

}  // namespace
}  // namespace warifu::verify

int main(int argc, char** argv) {
  return warifu::verify::main_with(argc, argv);
}
