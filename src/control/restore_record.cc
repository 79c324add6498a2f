// JSON.
#include "control/restore_record.h"

#include <boost/json.hpp>

#include "base/limits.h"
#include "control/restore_stream.h"
#include "wire/wire.h"

namespace warifu::control {
namespace {

namespace json = boost::json;

Result<std::string> text_of_plan(const catalog::Job& job, const char* key) {
  json::error_code bad;
  const json::value plan = json::parse(job.plan, bad);
  const json::value* field = !bad && plan.is_object() ? plan.as_object().if_contains(key) : nullptr;
  if (field == nullptr || !field->is_string()) {
    return fail(Code::kCorrupt, "the plan of job " + job.job.text() + " is damaged");
  }
  return std::string(field->get_string());
}

std::string hex_of(const consent::Scope& scope) {
  wire::Writer writer;
  consent::write_scope(writer, scope);
  return to_hex(writer.bytes());
}

Result<consent::Scope> scope_of_hex(const std::string& hex) {
  TRY_ASSIGN(const Bytes bytes, from_hex(hex));
  wire::Reader reader(bytes, "scope of a restore");
  consent::Scope scope = consent::read_scope(reader);
  TRY(reader.finish());
  return scope;
}

}  // namespace

json::object plan_json(const RestoreWish& wish, const consent::Scope& presented) {
  return {{"grant", wish.grant.text()},
          {"using", wish.using_letters},
          {"gather", wish.gather},
          {"purpose", wish.purpose},
          {"asked", to_hex(encode_asker({wish.grantee, wish.stated, presented}))},
          {"part", wish.sites > 0          ? "sites"
                   : wish.scope.is_whole() ? "whole"
                   : wish.scope.is_index() ? "index"
                                           : "regions"},
          {"wanted", hex_of(wish.scope)},
          {"format", wish.format}};
}

bool serves(const std::string& plan, const json::object& wanted, const consent::Scope& presented) {
  json::error_code bad;
  const json::value parsed = json::parse(plan, bad);
  if (bad || !parsed.is_object()) return false;
  json::object had = parsed.get_object();
  if (presented.is_whole()) had["wanted"] = wanted.at("wanted");
  return had == wanted;
}

Result<std::uint64_t> place_in_object(const catalog::Object& object, std::uint64_t from) {
  const std::uint64_t lead = std::uint64_t{object.lead_chunks} * limits::kChunkBytes;
  if (from == 0) return 0;
  if (lead <= object.length && from <= object.length - lead) return from + lead;
  return fail(Code::kInvalidArgument, "object " + object.object.text() + " ends before byte " +
                                          std::to_string(from) + " of its content");
}

Result<RestoreWish> wish_of(const catalog::Job& job) {
  RestoreWish wish{.object = *job.object};
  TRY_ASSIGN(const std::string part, text_of_plan(job, "part"));
  wish.sites = part == "sites" ? 1 : 0;
  TRY_ASSIGN(const std::string wanted, text_of_plan(job, "wanted"));
  TRY_ASSIGN(wish.scope, scope_of_hex(wanted));
  TRY_ASSIGN(const std::string grant, text_of_plan(job, "grant"));
  TRY_ASSIGN(wish.grant, GrantId::parse(grant));
  TRY_ASSIGN(wish.format, text_of_plan(job, "format"));
  return wish;
}

}  // namespace warifu::control
