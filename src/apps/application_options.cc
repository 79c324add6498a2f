// The options of what concerns outside applications: `warifu sae` and `warifu stream`.
#include "apps/command_line.h"

namespace warifu::apps {

CLI::App* add(CLI::App& parent, const char* name, const char* description, const char* example) {
  CLI::App* command = parent.add_subcommand(name, description);
  command->footer(std::string("Example:\n  ") + example);
  return command;
}

void add_part(CLI::App* command, std::uint64_t& skip, std::uint64_t& limit) {
  command->add_option("--limit", limit, "at most so many; 100 if not given")
      ->check(CLI::Range(1, 1000));
  command->add_option("--skip", skip, "not the first so many")->check(CLI::Range(0, 1'000'000'000));
}

void sae_commands(CLI::App& app, Common& common, Action& action) {
  CLI::App* sae = app.add_subcommand("sae", "applications that take keys at a site");
  sae->require_subcommand(1);
  auto* command = add(*sae, "list", "which applications a site knows, and where they are",
                      "warifu sae list --site /tmp/demo/sites/tommo");
  add_site(command, common);
  command->callback([&] { action = [&] { return sae_list(common); }; });
  command = add(*sae, "status", "keys given and waiting, for each pair of applications",
                "warifu sae status --site /tmp/demo/sites/lsa --json");
  add_site(command, common);
  command->callback([&] { action = [&] { return sae_status(common); }; });
  static SaePauseOptions pause;
  for (const bool paused : {true, false}) {
    command = add(*sae, paused ? "pause" : "resume",
                  paused ? "an application gets nothing, or none of a link's key, until resumed"
                         : "ends a pause",
                  paused ? "warifu sae pause --site /tmp/demo/sites/tommo SAE-tommo-1"
                         : "warifu sae resume --site /tmp/demo/sites/tommo --link lsa");
    add_site(command, common);
    command->add_option("sae", pause.id, "the application, one of this site");
    command->add_option("--link", pause.link, "or all applications' use of the link to this site");
    command->callback(
        [&, paused] { action = [&, paused] { return sae_pause(common, pause, paused); }; });
  }
}

namespace {

void add_stream_options(CLI::App* command, Common& common, StreamOptions& options) {
  command->add_option("--site", common.site, "folder of the site (or set WARIFU_SITE)");
  command->parse_complete_callback([&common] {
    if (common.site.empty()) common.site = of_environment("WARIFU_SITE");
  });
  command->add_option("--socket", options.socket, "its socket, instead of --site");
  command->add_flag("--json", common.json, "print one JSON document");
}

}  // namespace

void stream_commands(CLI::App& app, Common& common, Action& action) {
  static StreamOptions options;
  CLI::App* stream =
      app.add_subcommand("stream", "bulk key for applications on the site's machine");
  stream->require_subcommand(1);
  auto* command = add(*stream, "open", "open a key stream and print its id",
                      "warifu stream open --site /tmp/demo/sites/tommo --as SAE-tommo-1 "
                      "--to SAE-lsa-1");
  add_stream_options(command, common, options);
  command->add_option("--as", options.as, "application of this site: the source")->required();
  command->add_option("--to", options.to, "application of a neighbour site")->required();
  command->add_option("--id", options.id, "UUID of the stream; without it the site chooses");
  command->add_option("--chunk", options.chunk, "size of chunks, a multiple of 16 to 512K [256K]");
  command->add_option("--ttl", options.ttl, "life of the stream [the site's longest]");
  command->add_option("--timeout", options.timeout, "how long a read waits for key [10s]");
  command->add_option("--min-rate", options.min_bps, "refuse if the link gives less, bit/s");
  command->add_option("--max-rate", options.max_bps, "draw no faster, bit/s");
  command->callback([&] { action = [&] { return stream_open(common, options); }; });

  command = add(*stream, "read", "take the next key of a stream, at either end",
                "warifu stream read --site /tmp/demo/sites/lsa --as SAE-lsa-1 --id ID "
                "--bytes 64M --out key.bin");
  add_stream_options(command, common, options);
  command->add_option("--as", options.as, "application of this site: source or destination")
      ->required();
  command->add_option("--id", options.id, "the stream")->required();
  command->add_option("--bytes", options.bytes, "how much; of the last chunk the rest is lost")
      ->required();
  command->add_option("--out", options.out, "new file, - for standard output")->required();
  command->add_option("--timeout", options.timeout, "how long a read waits for key [10s]");
  command->callback([&] { action = [&] { return stream_read(common, options); }; });

  command = add(*stream, "close", "end a stream; what was not taken is burnt",
                "warifu stream close --site /tmp/demo/sites/tommo --id ID");
  add_stream_options(command, common, options);
  command->add_option("--id", options.id, "the stream")->required();
  command->callback([&] { action = [&] { return stream_close(common, options); }; });

  command = add(*stream, "status", "the site's streams, and how much was taken",
                "warifu stream status --site /tmp/demo/sites/tommo");
  add_site(command, common);
  command->callback([&] { action = [&] { return stream_status(common); }; });
}

}  // namespace warifu::apps
