// Bodies without secrets, by Boost.JSON with its depth limit; exceptions do not leave this file.
#include "kme/etsi014_json.h"

#include <algorithm>

#include <boost/json.hpp>

namespace warifu::kme::etsi014 {
namespace {

namespace json = boost::json;

std::string_view view_of(const json::string& text) {
  return {text.data(), text.size()};
}

Result<json::object> parse_object(std::string_view text, const char* what) {
  boost::json::error_code error;
  json::value value = json::parse({text.data(), text.size()}, error);
  if (error || !value.is_object()) {
    return fail(Code::kInvalidArgument, std::string(what) + " must be a JSON object" +
                                            (error ? ": " + error.message() : std::string()));
  }
  return std::move(value.get_object());
}

// A whole number; booleans, texts and fractions are refused.
Result<std::int64_t> integer(const json::value& value, std::string_view name) {
  boost::json::error_code error;
  const bool whole = value.is_int64() || value.is_uint64();
  const std::int64_t number = whole ? value.to_number<std::int64_t>(error) : 0;
  if (!whole || error) {
    return fail(Code::kInvalidArgument, std::string(name) + " shall be an integer");
  }
  return number;
}

Result<std::int64_t> status_number(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains({name.data(), name.size()});
  if (value == nullptr) {
    return fail(Code::kProtocol, "status without " + std::string(name));
  }
  TRY_ASSIGN(const std::int64_t number, integer(*value, name));
  if (number < 0 || number > kMaxInteger) {
    return fail(Code::kProtocol, "status with " + std::string(name) + " out of range");
  }
  return number;
}

std::string text_member(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains({name.data(), name.size()});
  return value != nullptr && value->is_string() ? std::string(view_of(value->get_string())) : "";
}

Result<> read_additional(const json::value& value, KeyRequest& request) {
  if (!value.is_array()) {
    return fail(Code::kInvalidArgument, "additional_slave_SAE_IDs shall be an array of strings");
  }
  request.additional_given = true;
  for (const json::value& entry : value.get_array()) {
    if (!entry.is_string()) {
      return fail(Code::kInvalidArgument, "additional_slave_SAE_IDs shall be an array of strings");
    }
    request.additional_saes.emplace_back(view_of(entry.get_string()));
  }
  return {};
}

Result<> read_mandatory(const json::value& value, KeyRequest& request) {
  const auto flaw = [] {
    return fail(Code::kInvalidArgument, "extension_mandatory shall be an array of objects");
  };
  if (!value.is_array()) return flaw();
  for (const json::value& entry : value.get_array()) {
    if (!entry.is_object()) return flaw();
    for (const auto& member : entry.get_object()) {
      request.extension_mandatory.emplace_back(member.key().data(), member.key().size());
    }
  }
  return {};
}

bool is_hex(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

}  // namespace

std::string to_json(const Status& status) {
  json::object object{{"source_KME_ID", status.source_kme_id},
                      {"target_KME_ID", status.target_kme_id},
                      {"master_SAE_ID", status.master_sae_id},
                      {"slave_SAE_ID", status.slave_sae_id},
                      {"key_size", status.key_size},
                      {"stored_key_count", status.stored_key_count},
                      {"max_key_count", status.max_key_count},
                      {"max_key_per_request", status.max_key_per_request},
                      {"max_key_size", status.max_key_size},
                      {"min_key_size", status.min_key_size},
                      {"max_SAE_ID_count", status.max_sae_id_count}};
  if (!status.extension.empty()) {
    boost::json::error_code error;
    json::value extension = json::parse(status.extension, error);
    WARIFU_CHECK(!error && extension.is_object());
    object["status_extension"] = std::move(extension);
  }
  return json::serialize(object);
}

Result<Status> parse_status(std::string_view text) {
  auto object = parse_object(text, "status");
  if (!object) return fail(Code::kProtocol, std::move(object).error().message);
  Status status;
  status.source_kme_id = text_member(*object, "source_KME_ID");
  status.target_kme_id = text_member(*object, "target_KME_ID");
  status.master_sae_id = text_member(*object, "master_SAE_ID");
  status.slave_sae_id = text_member(*object, "slave_SAE_ID");
  const std::pair<const char*, std::int64_t*> numbers[] = {
      {"key_size", &status.key_size},
      {"stored_key_count", &status.stored_key_count},
      {"max_key_count", &status.max_key_count},
      {"max_key_per_request", &status.max_key_per_request},
      {"max_key_size", &status.max_key_size},
      {"min_key_size", &status.min_key_size},
      {"max_SAE_ID_count", &status.max_sae_id_count}};
  for (const auto& [name, field] : numbers) {
    auto number = status_number(*object, name);
    if (!number) return fail(Code::kProtocol, std::move(number).error().message);
    *field = *number;
  }
  if (status.key_size <= 0 || status.min_key_size <= 0 || status.min_key_size > status.key_size ||
      status.key_size > status.max_key_size || status.max_key_per_request <= 0) {
    return fail(Code::kProtocol, "status with key sizes that contradict each other");
  }
  const json::value* extension = object->if_contains("status_extension");
  if (extension != nullptr && extension->is_object()) {
    status.extension = json::serialize(*extension);
  }
  return status;
}

std::string extension_text(const Status& status, std::string_view name) {
  if (status.extension.empty()) return "";
  const auto object = parse_object(status.extension, "status extension");
  return object ? text_member(*object, name) : "";
}

std::optional<double> extension_number(const Status& status, std::string_view name) {
  if (status.extension.empty()) return std::nullopt;
  const auto object = parse_object(status.extension, "status extension");
  const json::value* value = object ? object->if_contains(name) : nullptr;
  if (value == nullptr || !value->is_number()) return std::nullopt;
  const double number = value->to_number<double>();
  return number >= 0 ? std::optional(number) : std::nullopt;
}

std::string to_json(const KeyRequest& request) {
  json::object object{{"number", request.number}};
  if (request.size) object["size"] = *request.size;
  if (!request.additional_saes.empty()) {
    object["additional_slave_SAE_IDs"] =
        json::array(request.additional_saes.begin(), request.additional_saes.end());
  }
  return json::serialize(object);
}

Result<KeyRequest> parse_key_request(std::string_view text) {
  KeyRequest request;
  if (text.empty()) return request;
  TRY_ASSIGN(const json::object object, parse_object(text, "the key request"));
  if (const json::value* number = object.if_contains("number")) {
    TRY_ASSIGN(request.number, integer(*number, "number"));
  }
  if (const json::value* size = object.if_contains("size")) {
    TRY_ASSIGN(request.size, integer(*size, "size"));
  }
  if (const json::value* additional = object.if_contains("additional_slave_SAE_IDs")) {
    TRY(read_additional(*additional, request));
  }
  if (const json::value* mandatory = object.if_contains("extension_mandatory")) {
    TRY(read_mandatory(*mandatory, request));
  }
  return request;
}

std::string key_ids_to_json(const std::vector<std::string>& ids) {
  json::array list;
  for (const std::string& id : ids) list.push_back(json::object{{"key_ID", id}});
  return json::serialize(json::object{{"key_IDs", std::move(list)}});
}

Result<std::vector<std::string>> parse_key_ids(std::string_view text) {
  TRY_ASSIGN(const json::object object, parse_object(text, "the list of key IDs"));
  const json::value* list = object.if_contains("key_IDs");
  if (list == nullptr || !list->is_array() || list->get_array().empty()) {
    return fail(Code::kInvalidArgument, "key_IDs shall be an array of at least one object");
  }
  std::vector<std::string> ids;
  for (const json::value& entry : list->get_array()) {
    const json::value* id = entry.is_object() ? entry.get_object().if_contains("key_ID") : nullptr;
    if (id == nullptr || !id->is_string()) {
      return fail(Code::kInvalidArgument, "every member of key_IDs shall have a key_ID");
    }
    TRY_ASSIGN(std::string normal, normal_uuid(view_of(id->get_string())));
    ids.push_back(std::move(normal));
  }
  return ids;
}

std::string error_to_json(std::string_view message,
                          const std::vector<std::pair<std::string, std::int64_t>>& details) {
  json::object object;
  object["message"] = json::string_view(message.data(), message.size());
  if (!details.empty()) {
    json::array list;
    for (const auto& [name, value] : details) list.push_back(json::object{{name, value}});
    object["details"] = std::move(list);
  }
  return json::serialize(object);
}

std::optional<std::string> parse_error_message(std::string_view text) {
  const auto object = parse_object(text, "error");
  if (!object) return std::nullopt;
  const std::string message = text_member(*object, "message");
  return message.empty() ? std::nullopt : std::optional(message);
}

Result<std::string> normal_uuid(std::string_view text) {
  std::string normal(text);
  std::ranges::transform(normal, normal.begin(), [](char c) {
    return c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  bool good = normal.size() == 36;
  for (std::size_t i = 0; good && i < normal.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    good = dash ? normal[i] == '-' : is_hex(normal[i]);
  }
  if (!good) return fail(Code::kInvalidArgument, "key_ID shall be a UUID");
  return normal;
}

std::string uuid_text(std::array<Byte, 16> random) {
  random[6] = static_cast<Byte>((random[6] & 0x0F) | 0x40);
  random[8] = static_cast<Byte>((random[8] & 0x3F) | 0x80);
  std::string text = to_hex(random);
  for (const std::size_t at : {8UL, 13UL, 18UL, 23UL}) text.insert(at, 1, '-');
  return text;
}

}  // namespace warifu::kme::etsi014
