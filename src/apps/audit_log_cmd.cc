// `warifu audit list|verify|prove|export|erase` and `warifu site audit`: the log of a site.
#include <fmt/format.h>

#include <fstream>
#include <iostream>
#include <ranges>

#include <boost/json.hpp>

#include "api/audit_export.h"
#include "apps/api_client.h"
#include "apps/emergency_text.h"
#include "apps/output.h"
#include "apps/proposed.h"
#include "apps/site_commands.h"
#include "audit/checkpoint.h"
#include "audit/line.h"

namespace warifu::apps {
namespace {

namespace json = boost::json;

constexpr std::uint64_t kPage = 1000;

// Every record from `from` on, page by page.
Result<> each_record(ApiClient& client, std::uint64_t from, std::uint64_t most,
                     const std::function<void(const json::value&)>& work) {
  while (most > 0) {
    const std::uint64_t part = std::min(most, kPage);
    TRY_ASSIGN(const json::value answer,
               client.get(fmt::format("/v1/log?from={}&most={}", from, part)));
    const json::array& list = answer.at("list").as_array();
    for (const json::value& record : list) work(record);
    if (list.size() < part) break;
    from += part;
    most -= part;
  }
  return {};
}

// Event and fields of a record.
std::string said(const json::value& record) {
  if (record.as_object().contains("erased")) return "(erased)";
  std::string text = text_of(record, "event");
  for (const auto& field : record.at("fields").as_object()) {
    text += fmt::format(" {}={}", std::string_view(field.key()),
                        std::string_view(field.value().as_string()));
  }
  return text;
}

void print_record(const json::value& record) {
  fmt::print("{:>20} {:>6} {}\n", text_of(record, "time"), number_of(record, "seq"), said(record));
}

void print_witnesses(const json::value& answer) {
  std::vector<std::vector<std::string>> rows;
  for (const json::value& witness : answer.at("witnesses").as_array()) {
    const std::uint64_t differs = number_of(witness, "differs_at");
    rows.push_back({text_of(witness, "witness"), text_of(witness, "verdict"),
                    std::to_string(number_of(witness, "records")), text_of(witness, "asked"),
                    differs != 0 ? "first at record " + std::to_string(differs)
                                 : text_of(witness, "problem")});
  }
  print_table({"WITNESS", "VERDICT", "RECORDS", "ASKED", ""}, rows);
}

Result<audit::Digest> digest_field(const json::value& text) {
  audit::Digest digest{};
  const auto bytes =
      text.is_string() ? from_hex(std::string(text.as_string())) : fail(Code::kCorrupt, "no hash");
  if (!bytes || bytes->size() != digest.size()) return fail(Code::kCorrupt, "a hash is malformed");
  copy_bytes(digest, *bytes);
  return digest;
}

// Checks everything that a proof says, with nothing but the proof and, perhaps, a key.
Result<json::object> check_proof(const json::value& proof, const std::string& expected_key) {
  const auto wrong = [](const std::string& why) { return fail(Code::kCorrupt, "proof: " + why); };
  TRY_ASSIGN(const audit::Note note, audit::parse_note(text_of(proof, "note")));
  TRY_ASSIGN(const audit::Digest key, digest_field(proof.at("key")));
  if (!expected_key.empty() && expected_key != to_hex(key)) return wrong("it has another key");
  const std::string origin = note.checkpoint.origin;
  const std::string site = origin.substr(origin.find('/') + 1);
  if (!audit::signed_by(note, site, audit::SignatureKind::kLog, key)) {
    return wrong("the checkpoint is not signed with the key");
  }
  const std::uint64_t number = number_of(proof, "seq");
  TRY_ASSIGN(const audit::Digest leaf, digest_field(proof.at("leaf")));
  const std::string text = text_of(proof, "text");
  if (!text.empty()) {
    TRY_ASSIGN(const Bytes salt, from_hex(text_of(proof, "salt")));
    if (audit::leaf_hash(audit::commitment_of(salt, text)) != leaf) {
      return wrong("the record is not the one in the log");
    }
  }
  std::vector<audit::Digest> path;
  for (const json::value& hash : proof.at("proof").as_array()) {
    TRY_ASSIGN(path.emplace_back(), digest_field(hash));
  }
  if (number == 0 || !audit::verify_inclusion(leaf, number - 1, note.checkpoint.size, path,
                                              note.checkpoint.root)) {
    return wrong("record " + std::to_string(number) + " is not in the checkpoint");
  }
  return json::object{{"seq", number},
                      {"origin", origin},
                      {"checkpoint_records", note.checkpoint.size},
                      {"cosignatures", note.lines.size() - 1},
                      {"holds", true}};
}

Result<> check_proof_file(const Common& common, const AuditLogOptions& options) {
  std::ifstream file(options.check, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  if (!file) return fail(Code::kNotFound, "'" + options.check + "' cannot be read");
  json::error_code error;
  const json::value proof = json::parse(text.str(), error);
  const bool whole = !error && proof.is_object() && proof.get_object().contains("key") &&
                     proof.get_object().contains("leaf") && proof.get_object().contains("proof") &&
                     proof.at("proof").is_array();
  if (!whole) return fail(Code::kCorrupt, "'" + options.check + "' is no proof");
  TRY_ASSIGN(const json::object checked, check_proof(proof, options.key));
  if (common.json) {
    print_json(checked);
  } else {
    fmt::print("record {} is in the log {} of {} records; co-signatures: {}\n",
               number_of(proof, "seq"), text_of(checked, "origin"),
               number_of(checked, "checkpoint_records"), number_of(checked, "cosignatures"));
  }
  return {};
}

}  // namespace

Result<> audit_verify(const Common& common) {
  ApiClient client(common);
  TRY_ASSIGN(const json::value answer, client.get("/v1/audit"));
  if (common.json) {
    print_json(answer);
    return {};
  }
  fmt::print("{} records, head {}\n", number_of(answer, "records"), text_of(answer, "head"));
  for (const auto& record : answer.at("last").as_array()) {
    fmt::print("{:>20} {:>5} {}\n", text_of(record, "time"), number_of(record, "seq"),
               said(record));
  }
  return {};
}

// The newest records are what people look for; whoever names a record reads on from there. JSON
// ascends in any case.
Result<> audit_list(const Common& common, const AuditLogOptions& options) {
  ApiClient client(common);
  TRY_ASSIGN(const json::value head, client.get("/v1/log?from=1&most=1"));
  print_emergencies(head);
  const std::uint64_t all = number_of(head, "records");
  const bool names_one = options.from > 0;
  const std::uint64_t first = names_one            ? options.from
                              : options.most < all ? all - options.most + 1
                                                   : 1;
  if (common.json) {
    json::array list;
    TRY(each_record(client, first, options.most,
                    [&](const json::value& record) { list.push_back(record); }));
    print_json({{"records", std::move(list)}, {"emergencies", head.at("emergencies")}});
    return {};
  }
  if (names_one) return each_record(client, first, options.most, print_record);
  for (std::uint64_t end = all; end >= first;) {
    const std::uint64_t begin = end - first < kPage ? first : end - kPage + 1;
    std::vector<json::value> page;
    TRY(each_record(client, begin, end - begin + 1,
                    [&](const json::value& record) { page.push_back(record); }));
    for (const json::value& record : page | std::views::reverse) print_record(record);
    end = begin - 1;
  }
  return {};
}

Result<> audit_verify_log(const Common& common) {
  ApiClient client(common);
  TRY_ASSIGN(const json::value answer, client.post("/v1/log/round", json::object()));
  if (common.json) {
    print_json(answer);
  } else {
    fmt::print("{}: {} records, root {}\n", text_of(answer, "site"), number_of(answer, "records"),
               text_of(answer, "root"));
    print_witnesses(answer);
  }
  for (const json::value& witness : answer.at("witnesses").as_array()) {
    const std::string verdict = text_of(witness, "verdict");
    if (verdict == "differs" || verdict == "saw more") {
      return fail(Code::kCorrupt,
                  "the log is not the one that " + text_of(witness, "witness") + " has seen");
    }
  }
  return {};
}

Result<> audit_prove(const Common& common, const AuditLogOptions& options) {
  if (!options.check.empty()) return check_proof_file(common, options);
  if (options.record == 0) {
    return fail(Code::kInvalidArgument, "say which record, or --check FILE");
  }
  ApiClient client(common);
  const std::string path = fmt::format("/v1/log/proof?record={}", options.record);
  auto proof = client.get(path);
  if (!proof && proof.error().code == Code::kUnavailable) {
    TRY(client.post("/v1/log/round", json::object()));
    proof = client.get(path);
  }
  if (!proof) return std::unexpected(proof.error());
  print_json(*proof);
  return {};
}

Result<> audit_export(const Common& common, const AuditLogOptions& options) {
  ApiClient client(common);
  TRY_ASSIGN(const json::value status, client.get("/v1/status"));
  TRY_ASSIGN(const auto exporter, api::make_audit_export(options.format, text_of(status, "site")));
  std::cout << exporter->head();
  bool first = true;
  const std::uint64_t from = std::max<std::uint64_t>(options.from, 1);
  TRY(each_record(client, from, options.most, [&](const json::value& record) {
    std::cout << exporter->entry(record, first);
    first = false;
  }));
  std::cout << exporter->tail() << std::flush;
  if (!std::cout) return fail(Code::kIo, "standard output cannot be written");
  return {};
}

Result<> audit_erase(const Common& common, const AuditLogOptions& options) {
  ApiClient client(common);
  if (!options.yes) {
    return fail(Code::kInvalidArgument, "what record " + std::to_string(options.record) +
                                            " says is gone for ever once it is erased; say --yes");
  }
  TRY_ASSIGN(const json::value answer, client.post("/v1/log/erase", {{"record", options.record},
                                                                     {"reason", options.reason}}));
  if (tell_proposed(common, answer)) return {};
  if (common.json) {
    print_json(answer);
  } else {
    fmt::print("record {} is erased; its leaf, and every proof, stays\n", options.record);
  }
  return {};
}

}  // namespace warifu::apps
