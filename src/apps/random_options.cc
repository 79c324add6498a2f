// Options of `warifu random`.
#include "apps/command_line.h"

namespace warifu::apps {
namespace {

void random_use_command(CLI::App& random, Common& common, Action& action) {
  static SwitchOptions options;
  auto* command =
      add(random, "use", "switch where random numbers come from; alone: what is switched",
          "warifu random use --site S --for sharing pool\n"
          "  warifu random use --site S --for applications default");
  add_site(command, common);
  command->add_option("--for", options.use, "who takes them: sharing, applications or relaying")
      ->check(CLI::IsMember({"sharing", "applications", "relaying"}));
  command->add_option("value", options.value, "pool, pool-or-kernel, kernel or default");
  command->callback([&] { action = [&] { return random_use(common, options); }; });
}

}  // namespace

void random_commands(CLI::App& app, Common& common, Action& action) {
  static RandomImportOptions import;
  CLI::App* random = app.add_subcommand("random", "a site's random numbers for shares");
  random->require_subcommand(1);
  auto* command = add(*random, "import", "take a file of random bytes into a site's random pool",
                      "warifu random import --site /tmp/demo/sites/tommo trng.bin "
                      "--origin hardware --wipe");
  add_site(command, common);
  command->add_option("file", import.file, "random bytes, never used before")->required();
  command->add_option("--origin", import.origin, "hardware (a physical source) or preshared")
      ->required();
  command->add_flag("--wipe", import.wipe, "overwrite and remove the file afterwards");
  command->callback([&] { action = [&] { return random_import(common, import); }; });

  command = add(*random, "status", "what a site's random pool holds",
                "warifu random status --site /tmp/demo/sites/tommo");
  add_site(command, common);
  command->callback([&] { action = [&] { return random_status(common); }; });

  static RandomTestOptions test;
  command = add(*random, "test", "run the start-up tests of sources now; the site need not run",
                "warifu random test --kind device --path /dev/hwrng --min-entropy 6");
  command->add_option("--site", common.site, "test the sources of this site's configuration");
  command->add_flag("--json", common.json, "print one JSON document");
  command->add_option("--source", test.source, "only this source of the site");
  command->add_option("--kind", test.kind, "without a site: kernel, cpu, device or file");
  command->add_option("--path", test.path, "of the device or file");
  command->add_option("--min-entropy", test.min_entropy, "bits per byte, 0.1 to 8");
  command->add_option("--alpha", test.alpha, "a false alarm in 2^ALPHA: 20 to 40");
  command->add_option("--bytes", test.bytes, "numbers to make (and drop) after the start-up tests");
  command->callback([&] { action = [&] { return random_test(common, test); }; });

  command = add(*random, "readmit", "take a failed source in again, after start-up tests",
                "warifu random readmit --site /tmp/demo/sites/tommo hwrng");
  add_site(command, common);
  command->add_option("source", test.source, "name of the source")->required();
  command->callback([&] { action = [&] { return random_readmit(common, test); }; });
  random_use_command(*random, common, action);
}

}  // namespace warifu::apps
