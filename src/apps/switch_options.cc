// Options of `warifu keys use` and `warifu random use`.
#include "apps/command_line.h"

namespace warifu::apps {

void keys_use_command(CLI::App& keys, Common& common, Action& action) {
  static SwitchOptions options;
  auto* command = add(keys, "use", "switch what a link's key is used for; alone: what is switched",
                      "warifu keys use --site S --link tuh --for sharing random\n"
                      "  warifu keys use --site S --link tuh --for transport off\n"
                      "  warifu keys use --site S");
  add_site(command, common);
  command->add_option("--link", options.link, "the link to this site");
  command
      ->add_option("--for", options.use,
                   "sharing (key or random), transport or applications (on or off)")
      ->check(CLI::IsMember({"sharing", "transport", "applications"}));
  command->add_option("value", options.value,
                      "key, random or default of sharing; on or off of the others");
  command->callback([&] { action = [&] { return keys_use(common, options); }; });
}

void random_use_command(CLI::App& random, Common& common, Action& action) {
  static SwitchOptions options;
  auto* command =
      add(random, "use", "switch where random numbers come from; alone: what is switched",
          "warifu random use --site S --for sharing pool\n"
          "  warifu random use --site S --for applications default");
  add_site(command, common);
  command->add_option("--for", options.use, "who takes them: sharing or applications")
      ->check(CLI::IsMember({"sharing", "applications"}));
  command->add_option("value", options.value, "pool, pool-or-kernel, kernel or default");
  command->callback([&] { action = [&] { return random_use(common, options); }; });
}

}  // namespace warifu::apps
