// What the files that describe the command line share, and the parts of it that main.cc leaves to
// others. No work is done in any of them. One thread, before the command runs.
#pragma once

#include <functional>

#include <CLI/CLI.hpp>

#include "apps/consent_commands.h"
#include "apps/key_commands.h"
#include "apps/local_commands.h"
#include "apps/object_commands.h"
#include "apps/person_commands.h"
#include "apps/site_commands.h"

namespace warifu::apps {

// What the chosen subcommand will run.
using Action = std::function<Result<>()>;

// A subcommand with an example in its help.
CLI::App* add(CLI::App& parent, const char* name, const char* description, const char* example);
// The value of a variable of the environment, empty when it is not set.
std::string of_environment(const char* name);
// --site or --url with what belongs to it, and --json. One of the two must be named, here or in the
// environment, unless the command also works without a site.
enum class SiteNeed { kAlways, kSometimes };
void add_site(CLI::App* command, Common& common, SiteNeed need = SiteNeed::kAlways);
// Tells on standard error what is wrong with the command line and what was perhaps meant; gives the
// exit code, 2.
int usage_error(const CLI::App& app, int argc, const char* const* argv,
                const CLI::ParseError& error);
// --limit and --skip, of lists.
void add_part(CLI::App* command, std::uint64_t& skip, std::uint64_t& limit);

// `warifu site run|check|shares|audit` and `warifu qkd`.
void process_commands(CLI::App& app, Common& common, Action& action);
// `warifu sae` and `warifu stream`.
void sae_commands(CLI::App& app, Common& common, Action& action);
void stream_commands(CLI::App& app, Common& common, Action& action);
// `warifu object check|repair|move|delete` and `warifu site repair|drain`.
void upkeep_commands(CLI::App& object, CLI::App& site, Common& common, Action& action);
// `warifu keys use` and `warifu random`.
void keys_use_command(CLI::App& keys, Common& common, Action& action);
void random_commands(CLI::App& app, Common& common, Action& action);
// `warifu audit`.
void audit_log_commands(CLI::App& app, Common& common, Action& action);
// `warifu card`.
void card_commands(CLI::App& app, Common& common, Action& action);
// --card and --pin-file; --module, --token-label and --key-id of a token.
void add_card(CLI::App* command, CardOptions& card);
// --module, --token-label and --key-id alone.
void add_token(CLI::App* command, CardOptions& card);
// --card-type, of cards that are emulated and of those that a person is enrolled with.
void add_card_type(CLI::App* command, std::string& type);
void add_enrolled_card_type(CLI::App* command, std::string& type);
// `warifu consent` and `warifu restore`.
void consent_commands(CLI::App& app, Common& common, Action& action);
// `warifu person show|proxy|guardians|died|lives|orders|allow|decline`.
void people_commands(CLI::App& person, Common& common, Action& action);
// `warifu operator`.
void operator_commands(CLI::App& app, Common& common, Action& action);
// `warifu web`.
void web_commands(CLI::App& app, Common& common, Action& action);
void view_commands(CLI::App& app, Common& common, Action& action);
// `warifu job`.
void job_commands(CLI::App& app, Common& common, Action& action);
// `warifu catalog`.
void catalog_commands(CLI::App& app, Common& common, Action& action);
// `warifu kiosk` and `warifu request`.
void enrolment_commands(CLI::App& app, Common& common, Action& action);
void kiosk_command(CLI::App& app, Common& common, Action& action);
void request_commands(CLI::App& app, Common& common, Action& action);
// `warifu genome`.
void genome_commands(CLI::App& app, Common& common, Action& action);
// `warifu genes` and `warifu risk`.
void risk_commands(CLI::App& app, Common& common, Action& action);
// `warifu simulate`.
void simulate_command(CLI::App& app, Action& action);

}  // namespace warifu::apps
