// `warifu object store|list|show|card-record`, `warifu explain`.
#include <fmt/format.h>

#include <chrono>
#include <filesystem>

#include <boost/json.hpp>

#include "apps/api_client.h"
#include "apps/card_terminal.h"
#include "apps/genome_upload.h"
#include "apps/job_follow.h"
#include "apps/object_commands.h"
#include "apps/output.h"
#include "base/units.h"

namespace warifu::apps {
namespace {

namespace json = boost::json;

Result<> load_record(ApiClient& client, const std::string& object, const CardOptions& options) {
  TRY_ASSIGN(CardTerminal terminal, open_card(options));
  TRY(terminal.card->verify_holder(options));
  return terminal.card->load_record(client, object);
}

json::array placement_of(const json::value& object) {
  json::array placement;
  for (const json::value& share : object.at("shares").as_array()) {
    if (text_of(share, "state") != "durable" || text_of(share, "site").empty()) continue;
    placement.push_back({{"share", text_of(share, "share")},
                         {"site", text_of(share, "site")},
                         {"route", text_of(share, "route")}});
  }
  return placement;
}

void print_schemes(const json::value& object) {
  for (const json::value& scheme : object.at("schemes").as_array()) {
    fmt::print("  {:<6} {}\n", text_of(scheme, "cut"), text_of(scheme, "text"));
  }
}

void print_placement(const json::array& placement) {
  for (const json::value& share : placement) {
    fmt::print("  {:<3} at {:<8} ({})\n", text_of(share, "share"), text_of(share, "site"),
               text_of(share, "route"));
  }
}

}  // namespace

Result<> object_store(const Common& common, const StoreOptions& options) {
  const auto started = std::chrono::steady_clock::now();
  ApiClient client(common);
  const std::string label = options.label.empty()
                                ? std::filesystem::path(options.file).filename().string()
                                : options.label;
  TRY_ASSIGN(const auto genome, look_at_genome(options));
  if (genome && !common.json) fmt::print(stderr, "a genome: {}\n", genome->about);
  json::value ticket;
  {
    ProgressLine progress("uploading");
    TRY_ASSIGN(ticket,
               client.upload(
                   "/v1/objects?person=" + url_text(options.person) + "&label=" + url_text(label) +
                       (options.policy.empty() ? "" : "&policy=" + url_text(options.policy)) +
                       (options.priority.empty() ? "" : "&priority=" + url_text(options.priority)) +
                       (genome ? "&lead=" + std::to_string(genome->chunks) : ""),
                   genome ? genome->file : options.file,
                   [&](std::uint64_t done, std::uint64_t total) { progress.show(done, total); },
                   genome ? ByteView(genome->lead) : ByteView()));
  }
  const std::string object = text_of(ticket, "object");
  const std::string job = text_of(ticket, "job");
  for (const json::value& warning : ticket.at("warnings").as_array()) {
    if (!common.json) fmt::print(stderr, "warifu: warning: {}\n", std::string(warning.as_string()));
  }
  if (options.no_wait) {
    if (common.json) {
      print_json(ticket);
    } else {
      fmt::print("object {}\njob    {} (follow it with: warifu job watch {})\n", object, job, job);
    }
    return {};
  }
  TRY_ASSIGN(const json::value record, follow_job(client, job, "storing"));
  const bool on_card = !options.card.card.empty();
  if (on_card) TRY(load_record(client, object, options.card));
  TRY_ASSIGN(const json::value stored, client.get("/v1/objects/" + object));
  const json::array placement = placement_of(stored);
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
  if (common.json) {
    print_json({{"object", object},
                {"job", job},
                {"bytes", number_of(stored, "bytes")},
                {"chunks", number_of(stored, "chunks")},
                {"lead_chunks", number_of(stored, "lead_chunks")},
                {"seconds", seconds},
                {"placement", placement},
                {"plan", record.at("plan")},
                {"warnings", ticket.at("warnings")},
                {"card_record", text_of(stored, "card_record")}});
    return {};
  }
  fmt::print("stored {} of {} as object {} in {}\n", human_bytes(number_of(stored, "bytes")),
             options.person, object, human_seconds(seconds));
  print_placement(placement);
  if (!on_card) {
    fmt::print("the person's card has no record yet: warifu object card-record {} --card FILE\n",
               object);
  }
  return {};
}

Result<> object_list(const Common& common, const ObjectOptions& options) {
  ApiClient client(common);
  TRY_ASSIGN(const json::value answer,
             client.get(fmt::format("/v1/objects?skip={}&count={}", options.skip, options.limit) +
                        (options.person.empty() ? "" : "&person=" + url_text(options.person))));
  if (common.json) {
    print_json(answer);
    return {};
  }
  std::vector<std::vector<std::string>> rows;
  for (const auto& object : answer.at("objects").as_array()) {
    rows.push_back({text_of(object, "object"), text_of(object, "person"),
                    human_bytes(number_of(object, "bytes")), text_of(object, "state"),
                    text_of(object, "label")});
  }
  print_table({"OBJECT", "PERSON", "SIZE", "STATE", "LABEL"}, rows);
  return {};
}

Result<> object_show(const Common& common, const ObjectOptions& options) {
  ApiClient client(common);
  TRY_ASSIGN(const json::value object, client.get("/v1/objects/" + url_text(options.object)));
  if (common.json) {
    print_json(object);
    return {};
  }
  fmt::print("object  {}\nperson  {}\nlabel   {}\nsize    {}\nstate   {}\npolicy  {}\ncard    {}\n",
             text_of(object, "object"), text_of(object, "person"), text_of(object, "label"),
             human_bytes(number_of(object, "bytes")), text_of(object, "state"),
             text_of(object, "policy"), text_of(object, "card_record"));
  print_schemes(object);
  print_placement(placement_of(object));
  return {};
}

Result<> object_card_record(const Common& common, const ObjectOptions& options) {
  ApiClient client(common);
  TRY(load_record(client, options.object, options.card));
  if (common.json) {
    print_json({{"object", options.object}, {"card_record", "on_card"}});
  } else {
    fmt::print("the card now holds the record of object {}\n", options.object);
  }
  return {};
}

Result<> explain(const Common& common, const ObjectOptions& options) {
  ApiClient client(common);
  TRY_ASSIGN(const json::value answer,
             client.get("/v1/objects/" + url_text(options.object) + "/explain"));
  if (common.json) {
    print_json(answer);
    return {};
  }
  const auto joined = [](const json::value& list) {
    std::string text;
    for (const auto& item : list.as_array()) {
      text += (text.empty() ? "" : ", ") + std::string(item.as_string());
    }
    return text.empty() ? std::string("-") : text;
  };
  fmt::print("object {} of {}, {}, {}\npolicy {}\n", text_of(answer, "object"),
             text_of(answer, "person"), human_bytes(number_of(answer, "bytes")),
             text_of(answer, "state"), text_of(answer, "policy"));
  print_schemes(answer);
  fmt::print("\n");
  std::vector<std::vector<std::string>> rows;
  for (const auto& share : answer.at("shares").as_array()) {
    rows.push_back({text_of(share, "share"),
                    text_of(share, "site").empty() ? "(was at " + text_of(share, "last_site") + ")"
                                                   : text_of(share, "site"),
                    text_of(share, "state"), text_of(share, "route"),
                    joined(share.at("link_classes")), joined(share.at("origins"))});
  }
  print_table({"SHARE", "SITE", "STATE", "ROUTE", "LINKS", "KEY FROM"}, rows);
  if (!answer.at("uncut").as_array().empty()) {
    fmt::print("to be cut again, by the policy: {}\n", joined(answer.at("uncut")));
  }
  const auto section = [&](const char* title, const char* key) {
    fmt::print("\n{}\n", title);
    for (const auto& line : answer.at(key).as_array()) {
      fmt::print("  - {}\n", std::string_view(line.as_string()));
    }
  };
  section("What holds against any computer", "information_theoretic");
  section("What is only computationally secure", "computational");
  section("What is simulated", "simulated");
  if (!answer.at("relayed").as_array().empty()) {
    section("Whose hands relayed key went through", "relayed");
  }
  fmt::print(
      "\nWhat sites have seen of it (the origin while it stored, and who restores, aside)\n");
  for (const auto& one : answer.at("seen").as_array()) {
    fmt::print("  {}: {}{}\n", text_of(one, "site"), joined(one.at("shares")),
               one.at("could_restore").as_bool() ? "  COULD RESTORE IT ALONE" : "");
  }
  fmt::print("\nkey spent\n");
  for (const auto& use : answer.at("key_spent").as_array()) {
    fmt::print("  {} > {} ({}, {}): {} of key for {} of data\n", text_of(use, "from"),
               text_of(use, "to"), text_of(use, "class"), text_of(use, "origin"),
               human_bytes(number_of(use, "key_bytes")),
               human_bytes(number_of(use, "payload_bytes")));
  }
  fmt::print("\nstaged plaintext: {}\nrecord for the card: {}\n", text_of(answer, "staging"),
             text_of(answer, "card_record"));
  return {};
}

}  // namespace warifu::apps
