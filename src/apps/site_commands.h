// Commands about sites: networks of them, one site, its log, its catalog, operators and pages.
//
// Options as values, one function per command: command_options.h.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "apps/command_options.h"

namespace warifu::apps {

struct MakeCertOptions {
  std::string name;
  std::string authority;  // folder of the authority
  std::string out;        // folder for the files
  bool server = false;
  std::vector<std::string> hosts;  // of a server
  int days = 825;
};

struct NetInitOptions {
  std::string rate = "400Mbit/s";
  std::string preshare = "512M";
  std::string bootstrap = "4M";
  std::string back;  // the directions that a store does not use; empty: like the others
  std::uint16_t base_port = 0;
  std::vector<std::string> links;   // more preshared links, "tommo:cloud1"
  std::vector<std::string> relays;  // relayed links, "lsa:cloud1" or, with one path, "lsa:cloud1:1"
  bool kms = false;                 // keys for two applications at each site
  bool web = false;                 // pages for browsers at each site
  std::vector<std::string> extra_sites;               // "edge1=edge": one more site, with its label
  std::vector<std::string> regions, failure_domains;  // "lsa=tohoku", "lsa=power:sendai"
};
[[nodiscard]] Result<> net_init(const Common& common, const NetInitOptions& options);

struct NetOptions {
  std::vector<std::string> only;
};
struct NetRenewOptions {
  std::string site;
  std::string preshare = "512M";  // per preshared link and direction
  std::string bootstrap = "4M";   // per device link and direction
};
// All links of a site begin anew, at both ends.
[[nodiscard]] Result<> net_renew(const Common& common, const NetRenewOptions& options);
[[nodiscard]] Result<> net_up(const Common& common, const NetOptions& options);
[[nodiscard]] Result<> net_down(const Common& common, const NetOptions& options);
[[nodiscard]] Result<> net_status(const Common& common);

struct ConfigOptions {
  std::string config;
};
[[nodiscard]] Result<> site_run(const ConfigOptions& options);
struct CheckOptions {
  std::string config;
  std::string policy;  // empty: the configuration's
};
// Reads a configuration and judges its policy; nothing is started.
[[nodiscard]] Result<> site_check(const Common& common, const CheckOptions& options);
[[nodiscard]] Result<> rate_model_run(const ConfigOptions& options);
[[nodiscard]] Result<> site_shares(const Common& common);
[[nodiscard]] Result<> audit_verify(const Common& common);
struct AuditLogOptions {
  std::uint64_t from = 0, most = UINT64_MAX;  // 0: not said
  std::uint64_t record = 0;
  std::string check, key;  // a proof in a file, and the key that it must have
  std::string format = "jsonl";
  std::string reason;
  bool yes = false;
};
[[nodiscard]] Result<> audit_list(const Common& common, const AuditLogOptions& options);
[[nodiscard]] Result<> audit_verify_log(const Common& common);
[[nodiscard]] Result<> audit_prove(const Common& common, const AuditLogOptions& options);
[[nodiscard]] Result<> audit_export(const Common& common, const AuditLogOptions& options);
[[nodiscard]] Result<> audit_erase(const Common& common, const AuditLogOptions& options);

// The control site's records: copies of them at other sites, rebuilding, backup.
struct CatalogOptions {
  std::uint64_t minutes = 60;  // of leave
  bool revoke = false, yes = false, from_shares = false, no_wait = false;
  std::string file;
};
[[nodiscard]] Result<> catalog_status(const Common& common);
[[nodiscard]] Result<> catalog_copy(const Common& common);
[[nodiscard]] Result<> catalog_allow(const Common& common, const CatalogOptions& options);
[[nodiscard]] Result<> catalog_forget(const Common& common, const CatalogOptions& options);
[[nodiscard]] Result<> catalog_rebuild(const Common& common, const CatalogOptions& options);
[[nodiscard]] Result<> catalog_backup(const Common& common, const CatalogOptions& options);
[[nodiscard]] Result<> catalog_check(const Common& common);

[[nodiscard]] Result<> operator_list(const Common& common);
[[nodiscard]] Result<> operator_whoami(const Common& common);
[[nodiscard]] Result<> operator_proposals(const Common& common, bool all);
[[nodiscard]] Result<> operator_decide(const Common& common, const std::string& proposal,
                                       bool approve);
[[nodiscard]] Result<> operator_passphrase(const Common& common, const std::string& config,
                                           const std::string& name);
[[nodiscard]] Result<> operator_make_cert(const Common& common, const MakeCertOptions& options);

// The pages of a site.
[[nodiscard]] Result<> web_status(const Common& common);
[[nodiscard]] Result<> web_code(const Common& common);
[[nodiscard]] Result<> web_sessions(const Common& common);
// Empty: all of them.
[[nodiscard]] Result<> web_end(const Common& common, const std::string& session);

}  // namespace warifu::apps
