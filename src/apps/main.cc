// The command line of `warifu`: options, help with examples, exit codes. No work is done here.
#include <fmt/format.h>

#include <cstdlib>
#include <exception>
#include <functional>
#include <iostream>

#include <CLI/CLI.hpp>

#include "apps/command_line.h"
#include "apps/key_commands.h"
#include "apps/local_commands.h"
#include "apps/object_commands.h"
#include "apps/output.h"
#include "apps/person_commands.h"
#include "apps/site_commands.h"
#include "secret/secret.h"

namespace {

using namespace warifu;
using namespace warifu::apps;

// Not by CLI11's envname(): every command has this option over the same variable, and those that
// were not typed would put the environment's folder in the place of the one that was.
void add_net(CLI::App* command, Common& common) {
  command->add_option("--net", common.net, "folder of the network (or set WARIFU_NET)");
  command->add_flag("--json", common.json, "print one JSON document");
  command->parse_complete_callback([&common] {
    if (common.net.empty()) common.net = of_environment("WARIFU_NET");
    if (common.net.empty()) throw CLI::RequiredError("--net");
  });
}

void net_commands(CLI::App& app, Common& common, Action& action) {
  CLI::App* net = app.add_subcommand("net", "make, start and stop a network on this machine");
  net->require_subcommand(1);
  static NetInitOptions init;
  static NetOptions chosen;
  auto* command = add(*net, "init", "make the six-site reference network in a folder",
                      "warifu net init --net /tmp/demo --rate 400Mbit/s --preshare 512M");
  add_net(command, common);
  command->add_option("--rate", init.rate, "rate of each key device (a model, not a measurement)")
      ->capture_default_str();
  command->add_option("--preshare", init.preshare, "random bytes per preshared link and direction")
      ->capture_default_str();
  command
      ->add_option("--bootstrap", init.bootstrap,
                   "preshared start key per device link and direction")
      ->capture_default_str();
  command->add_option("--back", init.back,
                      "less for the directions that a store does not use (back to the origin, "
                      "between clouds); default: like the others");
  command->add_option("--base-port", init.base_port, "first TCP port; 0 takes free ones");
  command->add_option("--extra-site", init.extra_sites,
                      "one more site and its label, for example edge1=edge; give it a --link");
  command->add_option("--link", init.links, "one more preshared link, for example tommo:cloud1");
  command->add_option("--relay", init.relays,
                      "a link whose key comes over other sites, for example lsa:cloud1; "
                      "lsa:cloud1:1 over one path only");
  command->add_option("--region", init.regions, "where a site stands, for example lsa=tohoku");
  command->add_option("--failure-domain", init.failure_domains,
                      "what a site can fail together with, for example lsa=power:sendai");
  command->add_flag("--kms", init.kms, "every site also gives keys to two applications");
  command->add_flag("--web", init.web, "every site also has pages for browsers on this machine");
  command->callback([&] { action = [&] { return net_init(common, init); }; });

  static NetRenewOptions renew;
  command = add(*net, "renew", "a lost site comes back empty: all of its links begin anew",
                "warifu net renew --net /tmp/demo lsa");
  add_net(command, common);
  command->add_option("site", renew.site, "the site; it and its neighbours must be down")
      ->required();
  command->add_option("--preshare", renew.preshare, "random bytes per preshared link, direction")
      ->capture_default_str();
  command->add_option("--bootstrap", renew.bootstrap, "start key per device link, direction")
      ->capture_default_str();
  command->callback([&] { action = [&] { return net_renew(common, renew); }; });

  command = add(*net, "up", "start all processes, or some", "warifu net up --net /tmp/demo");
  add_net(command, common);
  command->add_option("--only", chosen.only, "names of sites or devices");
  command->callback([&] { action = [&] { return net_up(common, chosen); }; });

  command = add(*net, "down", "stop all processes, or some",
                "warifu net down --net /tmp/demo --only lsa");
  add_net(command, common);
  command->add_option("--only", chosen.only, "names of sites or devices");
  command->callback([&] { action = [&] { return net_down(common, chosen); }; });

  command = add(*net, "status", "which processes run and which shares each site holds",
                "warifu net status --net /tmp/demo --json");
  add_net(command, common);
  command->callback([&] { action = [&] { return net_status(common); }; });
}

void link_commands(CLI::App& app, Common& common, Action& action) {
  static PreshareOptions preshare;
  static ImportOptions import;
  static NewLinkOptions fresh;
  static BeginLinkOptions begin;
  CLI::App* link = app.add_subcommand("link", "links and their key");
  link->require_subcommand(1);
  auto* command =
      add(*link, "preshare", "make random files, or disk sets, for both ends of a preshared link",
          "warifu link preshare --net /tmp/demo tuh cloud1 --size 1G --out /media/disk\n"
          "  warifu link preshare --net /tmp/demo tuh cloud1 --size 2T --disk /media/a --disk "
          "/media/b");
  add_net(command, common);
  command->add_option("a", preshare.a, "one site")->required();
  command->add_option("b", preshare.b, "the other site")->required();
  command->add_option("--size", preshare.size, "random bytes per direction")->capture_default_str();
  command->add_option("--back", preshare.back, "for the direction from B to A; default: --size");
  command->add_option("--out", preshare.out, "folder for two files, one for each end");
  command->add_option("--disk", preshare.disks,
                      "instead: folder for a disk set of many pieces; twice, a copy for each end");
  command->add_option("--piece", preshare.piece, "of a disk set: bytes per piece; default: 1G");
  command->callback([&] { action = [&] { return link_preshare(common, preshare); }; });

  command = add(*link, "new", "make the first key of a link that begins, or begins anew",
                "warifu link new lsa tuh --size 4M --out /media/disk");
  command->add_option("a", fresh.a, "one site")->required();
  command->add_option("b", fresh.b, "the other site")->required();
  command->add_option("--size", fresh.size, "random bytes per direction")->capture_default_str();
  command->add_option("--back", fresh.back, "for the direction from B to A; default: --size");
  command->add_option("--out", fresh.out, "folder for two files, one for each end")->required();
  command->add_flag("--json", common.json, "print one JSON document");
  command->callback([&] { action = [&] { return link_new(common, fresh); }; });

  command = add(*link, "begin", "make a site's pools of a link from such a file; the site is down",
                "warifu link begin --config site.toml /media/disk/lsa-tuh.lsa --replace");
  command->add_option("file", begin.file, "the file made for this site")->required();
  command->add_option("--config", begin.config, "site.toml of the site")->required();
  command->add_flag("--replace", begin.replace,
                    "give up a link that is there, with all of its unused key");
  command->add_flag("--keep", begin.keep, "leave the file as it is; default: overwrite and remove");
  command->add_flag("--json", common.json, "print one JSON document");
  command->callback([&] { action = [&] { return link_begin(common, begin); }; });

  command = add(*link, "import", "take a preshared file or a disk set into a site's pools",
                "warifu link import --site /tmp/demo/sites/tuh /media/disk/tuh-cloud1.tuh --wipe\n"
                "  warifu link import --site /tmp/demo/sites/tuh --disk /media/a --wipe --wait");
  add_site(command, common);
  command->add_option("file", import.file, "the file made for this site");
  command->add_option("--disk", import.disk, "instead: folder of a disk set; again: goes on");
  command->add_option("--pieces", import.pieces, "of a disk set: at most so many more now")
      ->check(CLI::Range(1, 65536));
  command->add_flag("--wipe", import.wipe,
                    "overwrite and remove the file; pieces once the far end has the same");
  auto* wait = command->add_flag("--wait", import.wait,
                                 "of a disk set: until it is agreed (and wiped), not only in");
  command->add_flag("--no-wait", import.no_wait, "of a disk set: only begin")->excludes(wait);
  command->add_flag("--abandon", import.abandon, "give up the disk set on the link to --peer");
  command->add_option("--peer", import.peer, "for --abandon: the other end of the link");
  command->callback([&] { action = [&] { return link_import(common, import); }; });

  command = add(*link, "status", "residual key of every link of a site",
                "warifu link status --site /tmp/demo/sites/tommo");
  add_site(command, common);
  command->callback([&] { action = [&] { return link_status(common); }; });
}

void add_peer(CLI::App* command, KeysOptions& keys, bool required) {
  auto* option = command->add_option("--peer", keys.peer, "the link to this site");
  if (required) option->required();
}

void quarantine_commands(CLI::App& keys, Common& common, Action& action, KeysOptions& which) {
  CLI::App* quarantine = keys.add_subcommand("quarantine", "key that will never be used");
  quarantine->require_subcommand(1);
  auto* command =
      add(*quarantine, "list", "quarantined segments", "warifu keys quarantine list --site S");
  add_site(command, common);
  add_peer(command, which, false);
  command->callback([&] { action = [&] { return keys_quarantine_list(common, which); }; });
  command = add(*quarantine, "discard", "forget quarantined segments",
                "warifu keys quarantine discard --site S --peer lsa --yes");
  add_site(command, common);
  add_peer(command, which, true);
  command->add_option("--direction", which.direction, "send or receive; default: both")
      ->check(CLI::IsMember({"send", "receive"}));
  command->add_option("--segment", which.segment, "only the one with this number");
  command->add_flag("--yes", which.yes, "do it; without it they are listed");
  command->callback([&] { action = [&] { return keys_quarantine_discard(common, which); }; });
}

void keys_commands(CLI::App& app, Common& common, Action& action) {
  static KeysOptions which;
  static KeysWatchOptions watching;
  CLI::App* keys = app.add_subcommand("keys", "what key there is, who used it, repair");
  keys->require_subcommand(1);
  auto* command = add(*keys, "status", "residual key, rates, states and devices of every link",
                      "warifu keys status --site /tmp/demo/sites/tommo");
  add_site(command, common);
  command->callback([&] { action = [&] { return keys_status(common); }; });
  command = add(*keys, "watch", "the same again and again; with --json one line each time",
                "warifu keys watch --site S --interval 5s");
  add_site(command, common);
  command->add_option("--interval", watching.interval, "time between two looks: 2s, 1m");
  command->add_option("--rounds", watching.rounds, "end after so many; default: never");
  command->callback([&] { action = [&] { return keys_watch(common, watching); }; });
  command = add(*keys, "list", "the segments of the pools, never their bytes",
                "warifu keys list --site S --peer lsa");
  add_site(command, common);
  add_peer(command, which, false);
  command->callback([&] { action = [&] { return keys_list(common, which); }; });
  command = add(*keys, "trail", "who used which key range, when and for what",
                "warifu keys trail --site S --job JOB");
  add_site(command, common);
  add_peer(command, which, false);
  command->add_option("--job", which.job, "of this job only");
  command->add_option("--since", which.since, "not older than: 30m, 7d");
  command->add_option("--most", which.most, "at most so many per pool, the newest");
  command->callback([&] { action = [&] { return keys_trail(common, which); }; });
  command = add(*keys, "reconcile", "compare the two ends of a link and bring them together",
                "warifu keys reconcile --site S --peer lsa --yes");
  add_site(command, common);
  add_peer(command, which, true);
  command->add_flag("--yes", which.yes, "do it; without it the ends are only compared");
  command->callback([&] { action = [&] { return keys_reconcile(common, which); }; });
  command = add(*keys, "retire", "burn key of a link at both ends",
                "warifu keys retire --site S --peer lsa --older-than 90d --yes");
  add_site(command, common);
  add_peer(command, which, true);
  command->add_option("--older-than", which.older_than, "taken in before: 12h, 90d");
  command->add_option("--origin", which.origin,
                      "up to the last of this origin, as `list` names it");
  command->add_flag("--all", which.all, "everything but the control floor");
  command->add_flag("--yes", which.yes, "do it; without it the amount is told");
  command->callback([&] { action = [&] { return keys_retire(common, which); }; });
  command = add(*keys, "burn", "burn the next bytes of a link's key at both ends",
                "warifu keys burn --site S --peer lsa --bytes 1MB --yes");
  add_site(command, common);
  add_peer(command, which, true);
  command->add_option("--bytes", which.bytes, "of each direction: 4096, 1MB")->required();
  command->add_option("--direction", which.direction, "send or receive alone");
  command->add_flag("--yes", which.yes, "do it; without it the amount is told");
  command->callback([&] { action = [&] { return keys_burn(common, which); }; });
  quarantine_commands(*keys, common, action, which);
  keys_use_command(*keys, common, action);
}

void person_commands(CLI::App& app, Common& common, Action& action) {
  static EnrolOptions enrol;
  CLI::App* person = app.add_subcommand("person", "enrol people");
  person->require_subcommand(1);
  auto* command = add(*person, "enrol", "enrol a person and load the card with one-time keys",
                      "warifu person enrol --site S --id P-001 --name 'A. Sato' --card a.card");
  add_site(command, common);
  command->add_option("--id", enrol.id, "the biobank's id for the person")->required();
  command->add_option("--name", enrol.name, "name shown to staff")->required();
  command->add_option("--keys", enrol.keys, "one-time keys per site: how many consents");
  add_enrolled_card_type(command, enrol.card_type);
  add_card(command, enrol.card);
  command->callback([&] { action = [&] { return person_enrol(common, enrol); }; });
  command = add(*person, "renew-card", "other one-time keys from a site that has lost the card's",
                "warifu person renew-card --at lsa --card aoi.card --site /tmp/demo/sites/tommo");
  static RenewCardOptions renewal;
  add_site(command, common);
  command->add_option("--at", renewal.at, "the site that has lost them")->required();
  add_card(command, renewal.card);
  command->callback([&] { action = [&] { return person_renew_card(common, renewal); }; });

  static EnrolOptions again;
  command = add(*person, "reissue", "another card in the place of one that was lost and revoked",
                "warifu person reissue --id P-001 --card new.card --site S");
  add_site(command, common);
  command->add_option("--id", again.id, "the biobank's id for the person")->required();
  command->add_option("--keys", again.keys, "one-time keys per site: how many consents");
  add_card(command, again.card);
  command->callback([&] { action = [&] { return person_reissue(common, again); }; });

  static std::string seen;
  command = add(*person, "accesses", "who had what of a person's data, when and for what",
                "warifu person accesses --id P-001 --site S");
  add_site(command, common);
  command->add_option("--id", seen, "the biobank's id for the person")->required();
  command->callback([&] { action = [&] { return person_accesses(common, seen); }; });

  people_commands(*person, common, action);

  command = add(*person, "list", "everybody who is enrolled", "warifu person list --site S");
  add_site(command, common);
  command->callback([&] { action = [&] { return person_list(common); }; });
}

void object_commands(CLI::App& app, Common& common, Action& action) {
  static StoreOptions store;
  static ObjectOptions which;
  CLI::App* object = app.add_subcommand("object", "store files and look at them");
  object->require_subcommand(1);
  auto* command = add(*object, "store", "cut a file into shares and place them",
                      "warifu object store genome.cram --site S --person P-001 --card a.card");
  add_site(command, common);
  command->add_option("file", store.file, "the file")->required();
  command->add_option("--person", store.person, "whose it is")->required();
  command->add_option("--label", store.label, "name to show instead of the file's");
  command->add_option("--policy", store.policy,
                      "which sites hold shares, how many restore; default: the site's");
  command->add_option("--priority", store.priority, "of the job: low, usual or urgent");
  command->add_flag("--genome", store.genome,
                    "CRAM, BAM, VCF.gz or BCF, so that regions can be restored");
  command->add_flag("--plain", store.plain, "as it is, even if it is a genome");
  command->add_option("--index", store.index,
                      "index of the genome; default: beside the file, or made");
  command->add_option("--assembly", store.assembly, "of the genome; default: by its references");
  command->add_option("--reslice", store.reslice,
                      "rewrite CRAM with so many reads in a slice: 1000");
  command->add_option("--reference", store.reference,
                      "FASTA of the CRAM, with its .fai, to reslice it");
  command->add_flag("--no-wait", store.no_wait, "return once the job is accepted");
  add_card(command, store.card);
  command->callback([&] { action = [&] { return object_store(common, store); }; });

  command = add(*object, "list", "stored objects", "warifu object list --site S --person P-001");
  add_site(command, common);
  command->add_option("--person", which.person, "of one person only");
  add_part(command, which.skip, which.limit);
  command->callback([&] { action = [&] { return object_list(common, which); }; });
  command = add(*object, "show", "one object", "warifu object show ID --site S");
  add_site(command, common);
  command->add_option("object", which.object, "object id")->required();
  command->callback([&] { action = [&] { return object_show(common, which); }; });
  command = add(*object, "card-record", "load an object's record on the person's card",
                "warifu object card-record ID --site S --card a.card");
  add_site(command, common);
  command->add_option("object", which.object, "object id")->required();
  add_card(command, which.card);
  command->callback([&] { action = [&] { return object_card_record(common, which); }; });

  upkeep_commands(*object, *app.get_subcommand("site"), common, action);

  command =
      add(app, "explain", "where every share is, what protected it on the way, what is simulated",
          "warifu explain ID --site S");
  add_site(command, common);
  command->add_option("object", which.object, "object id")->required();
  command->callback([&] { action = [&] { return explain(common, which); }; });

  static PlanOptions planning;
  command = add(app, "plan", "which sites and ways an object gets, and why",
                "warifu plan --size 16G --why --site S");
  add_site(command, common);
  command->add_option("object", planning.object, "a stored object: as it was decided then");
  command->add_option("--size", planning.size, "as it would be decided now, for so many bytes");
  command->add_option("--policy", planning.policy, "another policy than the site's own");
  command->add_flag("--why", planning.why, "also links, the runner-up, and what was excluded");
  command->callback([&] { action = [&] { return plan(common, planning); }; });
}

void local_commands(CLI::App& app, Common& common, Action& action) {
  static SplitOptions cut;
  static CombineOptions join;
  auto* command = add(app, "split", "cut a file into share files on this machine",
                      "warifu split genome.cram --out /media/shares");
  command->add_flag("--json", common.json, "print one JSON document");
  command->add_option("file", cut.file, "the file")->required();
  command->add_option("--out", cut.out, "folder for the share files and the record")->required();
  command->add_option("--scheme", cut.scheme, "\"2 of 3\", \"3 of 5\", \"ramp 3 of 4\", ...");
  command->add_option("--random", cut.random, "file of random numbers to use up");
  command->add_option("--random-origin", cut.random_origin,
                      "where they come from: hardware, rate_model, preshared, ...");
  command->add_option("--workers", cut.workers, "threads; default: one for each processor, up to 8")
      ->check(CLI::Range(1, 64));
  command->callback([&] { action = [&] { return split(common, cut); }; });

  command = add(app, "combine", "put a file together from share files on this machine",
                "warifu combine g.A.share g.C.share --record g.record --out genome.cram");
  command->add_flag("--json", common.json, "print one JSON document");
  command->add_option("shares", join.shares, "share files; one more than needed names a wrong one")
      ->required();
  command->add_option("--record", join.record, "the record that split made")->required();
  command->add_option("--out", join.out, "file to write; must not exist")->required();
  command->add_option("--workers", join.workers, "threads")->check(CLI::Range(1, 64));
  command->callback([&] { action = [&] { return combine(common, join); }; });
}

void bench_command(CLI::App& app, Common& common, Action& action) {
  static BenchOptions options;
  auto* command = add(app, "bench", "measure this machine: figures, what they compare with, goals",
                      "warifu bench --only split_vs_gfsplit --json");
  command->add_flag("--json", common.json, "print one JSON document");
  command->add_option("--only", options.only, "only this one; may be given again");
  command->add_flag("--list", options.list, "print the names");
  command->add_flag("--all", options.all, "also those that take minutes and tens of gigabytes");
  command->add_flag("--quick", options.quick, "small files and one round: that it works at all");
  command->add_option("--dir", options.dir, "folder for scratch files, which are removed");
  command->add_option("--size", options.size, "size of the files, instead of the named one");
  command->callback([&] { action = [&] { return bench(common, options); }; });
}

constexpr const char* kFooter =
    "Exit codes: 0 done, 1 other failure, 2 wrong usage or input, 3 not found, 4 refused,\n"
    "  5 out of key, 6 unreachable or no answer in time, 7 damaged data, 8 busy or already there,\n"
    "  9 file or disk error, 10 outcome unknown, 11 cancelled.";
constexpr const char* kFirstSteps =
    "\nOptions of a command: warifu COMMAND --help. First steps: man warifu, or ./run demo in the "
    "sources.";

}  // namespace

int main(int argc, char** argv) {
  secret::harden_process();
  // For demonstrations under a small limit of locked memory; `status` then says that it was used.
  if (std::getenv("WARIFU_ALLOW_UNLOCKED_MEMORY") != nullptr) secret::allow_unlocked();
  CLI::App app(
      "Warifu: a person's genome in shares, under one-time pads, restored by consent only.");
  app.set_version_flag("--version", "warifu 0.1.0");
  app.require_subcommand(1);
  app.footer(kFooter);
  app.name("warifu");
  Common common;
  Action action;
  // In the order in which help lists them: a network, people and data, running it, its key, tools.
  net_commands(app, common, action);
  process_commands(app, common, action);
  person_commands(app, common, action);
  card_commands(app, common, action);
  object_commands(app, common, action);
  consent_commands(app, common, action);
  request_commands(app, common, action);
  enrolment_commands(app, common, action);
  kiosk_command(app, common, action);
  view_commands(app, common, action);
  risk_commands(app, common, action);
  genome_commands(app, common, action);
  job_commands(app, common, action);
  audit_log_commands(app, common, action);
  catalog_commands(app, common, action);
  operator_commands(app, common, action);
  web_commands(app, common, action);
  link_commands(app, common, action);
  keys_commands(app, common, action);
  random_commands(app, common, action);
  sae_commands(app, common, action);
  stream_commands(app, common, action);
  local_commands(app, common, action);
  simulate_command(app, action);
  bench_command(app, common, action);
  app.footer(std::string(kFooter) + kFirstSteps);  // of the program alone
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // help, version
    return usage_error(app, argc, argv, error);
  }
  Result<> done;
  try {
    done = action();
  } catch (const std::exception& problem) {
    // Nothing of ours throws; a library that does has met something that we did not expect.
    done = fail(Code::kProtocol, std::string("unexpected: ") + problem.what());
  }
  if (done) return 0;
  print_error(done.error());
  return exit_code(done.error().code);
}
