// Which site a command talks to, and `warifu operator`.
#include <cstdlib>

#include "apps/command_line.h"

namespace warifu::apps {

std::string of_environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

namespace {

// What is typed counts more than what is set; one of the two places only.
void choose_site(Common& common, SiteNeed need) {
  if (common.site.empty() && common.url.empty()) {
    common.site = of_environment("WARIFU_SITE");
    common.url = of_environment("WARIFU_URL");
  }
  if (need == SiteNeed::kAlways && common.site.empty() && common.url.empty()) {
    throw CLI::RequiredError("--site (or, from another machine, --url)");
  }
  if (!common.site.empty() && !common.url.empty()) {
    throw CLI::ValidationError("--site and --url", "name one of them");
  }
}

}  // namespace

void add_site(CLI::App* command, Common& common, SiteNeed need) {
  command->add_option("--site", common.site, "folder of the site (or set WARIFU_SITE)");
  command->add_flag("--json", common.json, "print one JSON document");
  const auto remote = [&](const char* name, std::string& value, const char* what) {
    return command->add_option(name, value, what)->group("From another machine");
  };
  remote("--url", common.url, "https://host:port of the site, instead (or set WARIFU_URL)");
  remote("--cert", common.cert, "file with your certificate")->envname("WARIFU_CERT");
  remote("--cert-key", common.key, "file with its key")->envname("WARIFU_CERT_KEY");
  remote("--ca", common.ca, "file with the authority of the site's certificate")
      ->envname("WARIFU_CA");
  command->add_option("--passphrase-file", common.passphrase_file,
                      "where the site wants yours: first line of this file, - standard input; "
                      "default: asked at the terminal");
  command->parse_complete_callback([&common, need] { choose_site(common, need); });
}

void operator_commands(CLI::App& app, Common& common, Action& action) {
  static MakeCertOptions making;
  CLI::App* people = app.add_subcommand("operator", "who works with a site, and as what");
  people->require_subcommand(1);
  auto* command = add(*people, "list", "the operators of a site and their roles",
                      "warifu operator list --site /tmp/demo/sites/tommo");
  add_site(command, common);
  command->callback([&] { action = [&] { return operator_list(common); }; });
  command = add(*people, "whoami", "as whom the site sees you",
                "warifu operator whoami --url https://tommo.example:7443 --cert sato.pem "
                "--cert-key sato.key --ca ca.pem");
  add_site(command, common);
  command->callback([&] { action = [&] { return operator_whoami(common); }; });
  static bool all = false;
  command = add(*people, "proposals", "acts that wait for a second operator",
                "warifu operator proposals --site S");
  add_site(command, common);
  command->add_flag("--all", all, "also those that are over");
  command->callback([&] { action = [&] { return operator_proposals(common, all); }; });
  static std::string proposal;
  for (const bool approve : {true, false}) {
    command =
        add(*people, approve ? "approve" : "reject",
            approve ? "have another operator's proposal done, exactly as it was made"
                    : "drop a proposal",
            approve ? "warifu operator approve ID --site S" : "warifu operator reject ID --site S");
    add_site(command, common);
    command->add_option("proposal", proposal, "id of the proposal")->required();
    command->callback([&, approve] {
      action = [&, approve] { return operator_decide(common, proposal, approve); };
    });
  }
  static std::string config, whose;
  command = add(*people, "passphrase", "set the passphrase of an operator, at the site's machine",
                "warifu operator passphrase sato --config /etc/warifu/site.toml");
  command->add_option("name", whose, "the operator")->required();
  command->add_option("--config", config, "configuration file of the site")->required();
  command->add_option("--passphrase-file", common.passphrase_file,
                      "first line of this file, - standard input; default: asked twice");
  command->callback([&] { action = [&] { return operator_passphrase(common, config, whose); }; });
  command = add(*people, "make-cert", "a certificate for an operator, or for a site's listener",
                "warifu operator make-cert sato --authority DIR --out DIR\n"
                "  warifu operator make-cert tommo --server --host tommo.example --authority DIR "
                "--out DIR");
  command->add_option("name", making.name, "whose: the operator's name, or the site's")->required();
  command
      ->add_option("--authority", making.authority,
                   "folder with authority.pem and authority.key; made when they are not there")
      ->required();
  command->add_option("--out", making.out, "folder for NAME.pem, NAME.key and ca.pem")->required();
  command->add_flag("--server", making.server, "for the site's listener");
  command->add_option("--host", making.hosts,
                      "with --server: a name or an address that operators dial; again for more");
  command->add_option("--days", making.days, "how long it is valid; 825 if not given")
      ->check(CLI::Range(1, 3650));
  command->add_flag("--json", common.json, "print one JSON document");
  command->callback([&] { action = [&] { return operator_make_cert(common, making); }; });
}

}  // namespace warifu::apps
