// `warifu operator list|whoami|make-cert`.
#include <arpa/inet.h>
#include <fmt/format.h>

#include <boost/json.hpp>

#include "apps/api_client.h"
#include "apps/api_front.h"
#include "apps/output.h"
#include "apps/secret_input.h"
#include "apps/site_commands.h"
#include "http/pem_files.h"
#include "os/files.h"

namespace warifu::apps {
namespace {

namespace json = boost::json;

std::string list_text(const json::value& list) {
  std::string text;
  for (const json::value& one : list.as_array()) {
    text += text.empty() ? "" : ", ";
    text += one.is_string() ? std::string(one.get_string()) : json::serialize(one);
  }
  return text;
}

bool is_single(const json::value& answer) {
  return answer.at("single_operator").as_bool();
}

bool is_address(const std::string& host) {
  in6_addr room{};
  return ::inet_pton(AF_INET, host.c_str(), &room) == 1 ||
         ::inet_pton(AF_INET6, host.c_str(), &room) == 1;
}

// The authority in that folder; a new one when the folder has none.
Result<crypto::PemCertificate> authority_in(const std::string& dir) {
  os::FileSystem& files = os::real_files();
  const std::string certificate = dir + "/authority.pem";
  const std::string key = dir + "/authority.key";
  if (files.exists(certificate) || files.exists(key)) {
    return http::read_pem_files(files, certificate, key);
  }
  TRY(files.make_directories(dir));
  TRY_ASSIGN(crypto::PemCertificate made, crypto::make_ca("Warifu operators"));
  TRY(http::write_pem_files(files, certificate, key, made));
  return made;
}

crypto::CertificateSpec spec_of(const MakeCertOptions& options) {
  crypto::CertificateSpec spec{.common_name = options.name};
  spec.lasts = std::chrono::days(options.days);
  spec.use = options.server ? crypto::CertificateUse::kServer : crypto::CertificateUse::kClient;
  spec.uris = {(options.server ? "urn:warifu:site:" : "urn:warifu:operator:") + options.name};
  for (const std::string& host : options.hosts) {
    (is_address(host) ? spec.ip_addresses : spec.dns_names).push_back(host);
  }
  return spec;
}

}  // namespace

Result<> operator_list(const Common& common) {
  ApiClient client(common);
  TRY_ASSIGN(const json::value answer, client.get("/v1/operators"));
  if (common.json) {
    print_json(answer);
    return {};
  }
  if (is_single(answer)) {
    fmt::print("site {}: {}\n", text_of(answer, "site"), single_operator_text());
    return {};
  }
  std::vector<std::vector<std::string>> rows;
  for (const json::value& one : answer.at("operators").as_array()) {
    std::string known;
    for (const json::value& print : one.at("certificates").as_array()) {
      known += "certificate " + std::string(print.get_string()).substr(0, 16) + "... ";
    }
    if (!one.at("users").as_array().empty()) known += "user " + list_text(one.at("users"));
    rows.push_back({text_of(one, "name"), list_text(one.at("roles")), known});
  }
  print_table({"NAME", "ROLES", "KNOWN BY"}, rows);
  return {};
}

Result<> operator_whoami(const Common& common) {
  ApiClient client(common);
  TRY_ASSIGN(const json::value answer, client.get("/v1/operators/me"));
  if (common.json) {
    print_json(answer);
  } else if (is_single(answer)) {
    fmt::print("site {}: {}\n", text_of(answer, "site"), single_operator_text());
  } else {
    fmt::print("site {} knows you as {}: {}\n", text_of(answer, "site"), text_of(answer, "name"),
               list_text(answer.at("roles")));
  }
  return {};
}

Result<> operator_passphrase(const Common& common, const std::string& config,
                             const std::string& name) {
  TRY_ASSIGN(const config::SiteConfig site, config::load_site_config(config));
  if (!site.operators || site.operators->find(name) == nullptr) {
    return fail(Code::kNotFound, "'" + name + "' is no operator of site " + site.name.text());
  }
  const auto read = [&](const char* prompt) {
    return read_secret(
        {.name = prompt, .option = "--passphrase-file", .most = operators::kMaxPassphrase + 1},
        common.passphrase_file);
  };
  TRY_ASSIGN(const secret::Buffer passphrase, read("passphrase"));
  if (common.passphrase_file.empty()) {
    TRY_ASSIGN(const secret::Buffer again, read("once more"));
    if (!secret::equal(passphrase.bytes(), again.bytes())) {
      return fail(Code::kInvalidArgument, "the two are not the same; nothing is changed");
    }
  }
  TRY(operators::set_passphrase(os::real_system(), passphrase_folder(site), name,
                                passphrase.bytes()));
  fmt::print("passphrase of {} at {} is set\n", name, site.name.text());
  return {};
}

Result<> operator_make_cert(const Common& common, const MakeCertOptions& options) {
  if (options.server == options.hosts.empty()) {
    return fail(Code::kInvalidArgument,
                "a listener's certificate (--server) needs --host, and nobody else's has it");
  }
  os::FileSystem& files = os::real_files();
  TRY_ASSIGN(const crypto::PemCertificate authority, authority_in(options.authority));
  TRY_ASSIGN(const crypto::PemCertificate made,
             crypto::issue_certificate(authority, spec_of(options)));
  TRY_ASSIGN(const crypto::PeerIdentity identity, crypto::identity_of_pem(made.certificate));
  TRY(files.make_directories(options.out));
  const std::string stem = options.out + "/" + options.name;
  TRY(http::write_pem_files(files, stem + ".pem", stem + ".key", made));
  TRY(os::replace_file(files, options.out + "/ca.pem", as_bytes(authority.certificate)));
  if (common.json) {
    print_json({{"name", options.name},
                {"certificate", stem + ".pem"},
                {"key", stem + ".key"},
                {"ca", options.out + "/ca.pem"},
                {"fingerprint", identity.fingerprint}});
    return {};
  }
  fmt::print("{}.pem, {}.key and {}/ca.pem\n", stem, stem, options.out);
  if (!options.server) {
    fmt::print("the site knows {} by\n  certificates = [\"{}\"]\n", options.name,
               identity.fingerprint);
  }
  return {};
}

}  // namespace warifu::apps
