// The commands of `warifu`: options as values, one function per command.
//
// main.cc parses the command line into these; each function does its work, prints for people or as
// JSON, and returns an error for main.cc to print and turn into an exit code.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "secret/secret.h"

namespace warifu::apps {

struct Common {
  bool json = false;
  std::string site;  // folder of the site that the command talks to
  std::string net;   // folder of a network
  std::string url;   // https://host:port of a site's API, in the place of its folder
  std::string cert;  // PEM files of the operator, for `url`
  std::string key;
  std::string ca;
  std::string passphrase_file;  // for acts that a site has confirmed; "-" standard input
};

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

struct PreshareOptions {
  std::string a, b;                // the two sites
  std::string size = "512M";       // per direction
  std::string back;                // of the direction b to a; empty: `size`
  std::string out;                 // folder for the two files, or
  std::vector<std::string> disks;  // two folders for a disk set
  std::string piece = "1G";        // of a disk set: bytes per piece, both directions
};
[[nodiscard]] Result<> link_preshare(const Common& common, const PreshareOptions& options);
struct NewLinkOptions {
  std::string a, b;  // the two sites
  std::string size = "64M", back;
  std::string out;
};
// Files for both ends of a link that begins (anew).
[[nodiscard]] Result<> link_new(const Common& common, const NewLinkOptions& options);
struct BeginLinkOptions {
  std::string file, config;
  bool replace = false, keep = false;
};
[[nodiscard]] Result<> link_begin(const Common& common, const BeginLinkOptions& options);
struct ImportOptions {
  std::string file;  // or
  std::string disk;  // folder of a disk set, or
  bool abandon = false;
  std::string peer;  // whose set is given up
  bool wipe = false;
  std::optional<std::uint32_t> pieces;  // of a disk set: most to take in now
  bool wait = false, no_wait = false;
};
[[nodiscard]] Result<> link_import(const Common& common, const ImportOptions& options);
[[nodiscard]] Result<> link_status(const Common& common);

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

// The key of a site's links.
struct KeysWatchOptions {
  std::string interval = "2s";
  std::uint64_t rounds = 0;  // 0: until it is stopped
};
struct KeysOptions {
  std::string peer, direction, job, since, older_than, origin;
  std::optional<std::uint64_t> segment;
  std::uint64_t most = 1000;
  std::string bytes;  // with a unit
  bool all = false, yes = false;
};
[[nodiscard]] Result<> keys_status(const Common& common);
[[nodiscard]] Result<> keys_watch(const Common& common, const KeysWatchOptions& options);
[[nodiscard]] Result<> keys_list(const Common& common, const KeysOptions& options);
[[nodiscard]] Result<> keys_quarantine_list(const Common& common, const KeysOptions& options);
[[nodiscard]] Result<> keys_quarantine_discard(const Common& common, const KeysOptions& options);
[[nodiscard]] Result<> keys_reconcile(const Common& common, const KeysOptions& options);
[[nodiscard]] Result<> keys_retire(const Common& common, const KeysOptions& options);
[[nodiscard]] Result<> keys_burn(const Common& common, const KeysOptions& options);
[[nodiscard]] Result<> keys_trail(const Common& common, const KeysOptions& options);

struct RandomImportOptions {
  std::string file;
  std::string origin;  // "hardware" or "preshared"
  bool wipe = false;
};
[[nodiscard]] Result<> random_import(const Common& common, const RandomImportOptions& options);
[[nodiscard]] Result<> random_status(const Common& common);
struct RandomTestOptions {
  std::string source;  // of the site; empty: all
  // Without a site: one source, described here. Empty: kernel and processor.
  std::string kind, path;
  double min_entropy = 0;  // 0: not given
  std::uint32_t alpha = 40;
  std::string bytes = "0";  // to read besides the start-up tests
};
[[nodiscard]] Result<> random_test(const Common& common, const RandomTestOptions& options);
[[nodiscard]] Result<> random_readmit(const Common& common, const RandomTestOptions& options);

// What is switched while a site runs: of a link, or of random numbers.
struct SwitchOptions {
  std::string link;
  std::string use;  // what for
  std::string value;
};
// Without options both list what is switched.
[[nodiscard]] Result<> keys_use(const Common& common, const SwitchOptions& options);
[[nodiscard]] Result<> random_use(const Common& common, const SwitchOptions& options);

// Applications that take keys at a site.
[[nodiscard]] Result<> sae_list(const Common& common);
[[nodiscard]] Result<> sae_status(const Common& common);
struct SaePauseOptions {
  std::string id;    // an application of the site, or
  std::string link;  // the far end's site of a link
};
[[nodiscard]] Result<> sae_pause(const Common& common, const SaePauseOptions& options, bool paused);

// Key streams, as an application uses them.
struct StreamOptions {
  std::string socket;  // instead of the one that the site's configuration names
  std::string as, to;  // applications
  std::string id;
  std::string chunk, ttl, timeout;
  std::uint32_t min_bps = 0, max_bps = 0;
  std::string bytes, out;
};
[[nodiscard]] Result<> stream_open(const Common& common, const StreamOptions& options);
[[nodiscard]] Result<> stream_read(const Common& common, const StreamOptions& options);
[[nodiscard]] Result<> stream_close(const Common& common, const StreamOptions& options);
[[nodiscard]] Result<> stream_status(const Common& common);

// The person's card at this terminal: in a reader, or emulated with its memory in a file.
struct CardOptions {
  std::string card;          // "pcsc", "pcsc:READER" or a file
  std::string pin_file;      // "-" reads standard input; empty asks at the terminal
  std::string wait = "60s";  // for a card to be put on the reader; for each answer of a module
  // A PKCS #11 token instead: its module's file; empty: none.
  std::string module, token_label, key_id;  // key_id in hexadecimal
  std::vector<std::string> module_files;    // folders that the module may read and write
  // Of a kiosk, which has no terminal to ask at: the PIN as the page gave it, if it did; else it
  // can only come from the reader's own pad.
  bool asks_nobody = false;
  std::shared_ptr<const secret::Buffer> pin;
};
// The hidden process that a PKCS #11 module runs in (pkcs11/helper.h).
[[nodiscard]] Result<> pkcs11_helper(const std::string& module,
                                     const std::vector<std::string>& folders);
[[nodiscard]] Result<> card_readers(const Common& common);
[[nodiscard]] Result<> card_show(const Common& common, const CardOptions& options);
struct CardEmulateOptions {
  CardOptions card;
  std::string type;                // of a new card: "one-time", "desfire"
  std::string reader;              // host:port of the virtual reader; empty: its usual place
  std::uint64_t remove_after = 0;  // APDUs; 0: when told to
};
// A My Number Card's certificate application: what it says without a PIN.
[[nodiscard]] Result<> card_jpki(const Common& common, const CardOptions& options);
struct MakeJpkiOptions {
  std::string file, pin_file, signature_pin_file;
  std::string authority, authority_key;  // PEM files; empty: an authority that is forgotten
  std::string authority_out;             // the authority's certificate, for trust anchors
};
[[nodiscard]] Result<> card_make_jpki(const MakeJpkiOptions& options);
[[nodiscard]] Result<> card_emulate(const CardEmulateOptions& options);
struct RevokeOptions {
  std::string card, person;  // one of them
  std::string why = "lost";
  std::string valid = "1h";  // of an officer's leave
  bool yes = false;
};
[[nodiscard]] Result<> card_revoke(const Common& common, const RevokeOptions& options);
[[nodiscard]] Result<> card_allow_reissue(const Common& common, const RevokeOptions& options);
[[nodiscard]] Result<> card_status(const Common& common);
struct TopUpOptions {
  CardOptions card;
  std::uint32_t keys = 0;  // 0: as many as bring it to the number of an enrolment
  std::string lang = "en";
  bool yes = false;
};
[[nodiscard]] Result<> card_top_up(const Common& common, const TopUpOptions& options);
struct EnrolOptions {
  std::string id, name, card_type;  // card_type: "one-time", "desfire", "jpki", "pkcs11"
  CardOptions card;
  std::uint32_t keys = 64;
  const struct CarriedOrder* order = nullptr;  // that is carried out (card_authenticator.h)
};
[[nodiscard]] Result<> person_enrol(const Common& common, const EnrolOptions& options);
struct RenewCardOptions {
  CardOptions card;
  std::string at;  // the site that has lost the card's keys
};
// Another card in the place of a lost one, with the records of the person's objects.
[[nodiscard]] Result<> person_reissue(const Common& common, const EnrolOptions& options);
[[nodiscard]] Result<> person_renew_card(const Common& common, const RenewCardOptions& options);
[[nodiscard]] Result<> person_list(const Common& common);
// Who had what of a person's data, and when: every site's log.
[[nodiscard]] Result<> person_accesses(const Common& common, const std::string& person);

// Who may consent in a person's place.
struct ProxyOptions {
  std::string id, proxy, object, authority, valid = "365d", lang = "en";
  std::vector<std::string> purposes;
  bool testamentary = false, yes = false;
  CardOptions card;
};
[[nodiscard]] Result<> proxy_add(const Common& common, const ProxyOptions& options);
[[nodiscard]] Result<> proxy_remove(const Common& common, const ProxyOptions& options);
// Whether officers may open the person's data in an emergency, without the card.
struct EmergencyOptions {
  std::string id, object, valid = "365d", lang = "en";  // no object: all of them
  bool yes = false;
  CardOptions card;
};
[[nodiscard]] Result<> emergency_allow(const Common& common, const EmergencyOptions& options);
[[nodiscard]] Result<> emergency_forbid(const Common& common, const EmergencyOptions& options);
struct GuardianOptions {
  std::string id, name, of_age, authority;
  std::vector<std::string> guardians;
  std::uint64_t needed = 0;  // 0: all of them
  bool yes = false;
};
[[nodiscard]] Result<> guardians_set(const Common& common, const GuardianOptions& options);
[[nodiscard]] Result<> person_death(const Common& common, const GuardianOptions& options,
                                    bool has_died);
[[nodiscard]] Result<> person_show(const Common& common, const std::string& person);
[[nodiscard]] Result<> person_orders(const Common& common);
[[nodiscard]] Result<> person_answer_order(const Common& common, const std::string& order,
                                           bool is_yes);

struct StoreOptions {
  std::string file, person, label, policy, priority;
  std::string index, assembly;  // of a genome; empty: beside the file, by the references' lengths
  bool genome = false;          // it must be one
  bool plain = false;           // it is stored as it is, whatever it is
  std::uint32_t reslice = 0;    // reads in a slice of CRAM; 0: as it is
  std::string reference;        // FASTA, for reslicing CRAM that is written against one
  CardOptions card;
  bool no_wait = false;
};
[[nodiscard]] Result<> object_store(const Common& common, const StoreOptions& options);
struct ObjectOptions {
  std::string object, person;
  std::uint64_t skip = 0, limit = 100;  // of a list
  CardOptions card;
};
[[nodiscard]] Result<> object_list(const Common& common, const ObjectOptions& options);
[[nodiscard]] Result<> object_show(const Common& common, const ObjectOptions& options);
[[nodiscard]] Result<> object_card_record(const Common& common, const ObjectOptions& options);
[[nodiscard]] Result<> explain(const Common& common, const ObjectOptions& options);

struct RelocateOptions {
  std::string object, share, to;
  bool plan = false, no_wait = false;
};
struct RefreshOptions {
  std::string object, person, key_after;
  std::uint64_t dealers = 0;
  bool all = false, plan = false, no_wait = false, status = false;
};
struct DeleteOptions {
  std::string object;
  bool yes = false, no_wait = false;
};
struct SiteUpkeepOptions {
  std::string of;
  bool no_wait = false;
};
struct AuditOptions {
  std::string object, person;
  bool all = false;
};
struct ScrubOptions {
  bool now = false, status = false;
};
[[nodiscard]] Result<> object_audit(const Common& common, const AuditOptions& options);
[[nodiscard]] Result<> site_scrub(const Common& common, const ScrubOptions& options);
[[nodiscard]] Result<> object_check(const Common& common, const ObjectOptions& options);
[[nodiscard]] Result<> object_repair(const Common& common, const RelocateOptions& options);
[[nodiscard]] Result<> object_move(const Common& common, const RelocateOptions& options);
[[nodiscard]] Result<> object_refresh(const Common& common, const RefreshOptions& options);
[[nodiscard]] Result<> object_delete(const Common& common, const DeleteOptions& options);
[[nodiscard]] Result<> site_repair(const Common& common, const SiteUpkeepOptions& options);
[[nodiscard]] Result<> site_drain(const Common& common, const SiteUpkeepOptions& options);

struct PlanOptions {
  std::string object, size, policy;
  bool why = false;
};
[[nodiscard]] Result<> plan(const Common& common, const PlanOptions& options);

struct ConsentOptions {
  std::string object, purpose, grantee, grantee_id, destination, valid = "1h", lang = "en";
  std::vector<std::string> data_use, regions;
  std::string capacity = "own";
  std::string joins;         // another's consent: nothing else is asked for then
  std::string reason;        // of an officer's, in an emergency
  std::string request;       // or one that was asked for, which has its own terms
  std::string index;         // for regions: a consent to the index that was given before
  std::uint32_t decoys = 0;  // beside each region
  std::uint16_t uses = 1;
  CardOptions card;
  bool yes = false;
};
[[nodiscard]] Result<> consent_give(const Common& common, const ConsentOptions& options);
// Which of the control site's consents, newest first.
struct ConsentListOptions {
  std::string person, object;  // empty: of all
  std::uint64_t skip = 0, limit = 100;
};
[[nodiscard]] Result<> consent_list(const Common& common, const ConsentListOptions& options);
// `format`: receipt, which the person keeps; fhir, a FHIR Consent; provenance, of that Consent.
[[nodiscard]] Result<> consent_receipt(const Common& common, const std::string& grant,
                                       const std::string& format);
// A FHIR Consent in a file becomes a wish that is shown to the person and proved by the card.
[[nodiscard]] Result<> consent_import(const Common& common, const std::string& file,
                                      ConsentOptions options);
[[nodiscard]] Result<> consent_withdraw(const Common& common, const std::string& grant);

struct RestoreOptions {
  std::string object, grant, out, using_shares, gather, purpose, resume;
  std::string as, as_id;             // who asks
  std::vector<std::string> use;      // what the use will be
  std::vector<std::string> regions;  // none: the whole object
  std::string format;                // of regions
};
[[nodiscard]] Result<> restore(const Common& common, const RestoreOptions& options);

// Share files on this machine, without a network.
struct SplitOptions {
  std::string file, out;
  std::string scheme = "2 of 3";
  std::string random, random_origin;  // a file of random numbers and where they come from
  unsigned workers = 0;
};
[[nodiscard]] Result<> split(const Common& common, const SplitOptions& options);
struct CombineOptions {
  std::vector<std::string> shares;
  std::string record, out;
  unsigned workers = 0;
};
[[nodiscard]] Result<> combine(const Common& common, const CombineOptions& options);

struct BenchOptions {
  std::vector<std::string> only;
  std::string dir = ".";  // for scratch files
  std::string size;       // of files, instead of what each figure names
  bool quick = false, list = false, all = false;
};
[[nodiscard]] Result<> bench(const Common& common, const BenchOptions& options);

// What a network could store per day; no site takes part.
struct SimulateOptions {
  std::string network;         // file; empty: the built-in one
  std::string networks = "1";  // which draws of its rates
  std::string policies = "vaults,nearest,residual,price";
  std::string exposure = "both";   // on, off, both
  std::string directions = "own";  // own, shared
  std::string size = "16GB";       // of an object
  double days = 500, failures = 0, restores = 0;
  std::uint64_t seed = 1;
  std::size_t couriers = 0;
  std::string json, html;  // files; json "-": standard output
  bool print_network = false;
};
[[nodiscard]] Result<> simulate_network(const SimulateOptions& options);

// Where genes lie; no site takes part.
struct GenesOptions {
  std::vector<std::string> names;
  std::string build = "GRCh38";
  std::string panel, panels;  // a panel of the user's own file
  bool regions = false;       // as --region takes them
  bool bare = false;          // "17" instead of "chr17"
};
[[nodiscard]] Result<> genes(const Common& common, const GenesOptions& options);

struct JobOptions {
  std::string job, state, priority;
  std::uint64_t skip = 0, limit = 100;
};
[[nodiscard]] Result<> job_list(const Common& common, const JobOptions& options);
[[nodiscard]] Result<> job_show(const Common& common, const JobOptions& options);
// `order`: pause, resume, cancel.
[[nodiscard]] Result<> job_order(const Common& common, const JobOptions& options,
                                 const char* order);
[[nodiscard]] Result<> job_priority(const Common& common, const JobOptions& options);
[[nodiscard]] Result<> job_watch(const Common& common, const JobOptions& options);

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
