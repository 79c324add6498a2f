// JSON in and out of the API: reading fields with clear errors, answering values and errors.
#pragma once

#include <string>
#include <vector>

#include <boost/json.hpp>

#include "api/routes.h"
#include "base/reason.h"

namespace warifu::api {

namespace json = boost::json;

[[nodiscard]] int http_status(Code code);
void answer(http::RequestContext& context, const json::value& value);
void answer_error(http::RequestContext& context, const Error& error);
// Like answer(), the text in secret memory.
void answer_secret(http::RequestContext& context, const json::value& value);

// The body as a JSON object. Errors: kInvalidArgument.
[[nodiscard]] Result<json::object> body_object(http::RequestContext& context);
// Errors: kInvalidArgument naming the field.
[[nodiscard]] Result<std::string> text_field(const json::object& object, const char* key);
[[nodiscard]] std::string text_field_or(const json::object& object, const char* key,
                                        const std::string& otherwise);
// A list of texts; none when the field is left out. Errors: kInvalidArgument naming the field.
[[nodiscard]] Result<std::vector<std::string>> texts_field(const json::object& object,
                                                           const char* key);
[[nodiscard]] Result<std::uint64_t> number_field(const json::object& object, const char* key,
                                                 std::uint64_t most);
[[nodiscard]] Result<std::uint64_t> number_field_or(const json::object& object, const char* key,
                                                    std::uint64_t most, std::uint64_t otherwise);
// A number of the query, `otherwise` when it is left out. Errors: kInvalidArgument naming it.
[[nodiscard]] Result<std::uint64_t> query_number(http::RequestContext& context, const char* name,
                                                 std::uint64_t otherwise);
template <typename Id>
[[nodiscard]] Result<Id> id_field(const json::object& object, const char* key) {
  TRY_ASSIGN(const std::string text, text_field(object, key));
  return Id::parse(text);
}
// Hexadecimal of exactly `size` bytes, into secret memory.
[[nodiscard]] Result<secret::Buffer> secret_field(const json::object& object, const char* key,
                                                  std::size_t size);

// A handler that returns a value or an error.
template <typename Work>
[[nodiscard]] http::Handler json_handler(Work work) {
  return [work](http::RequestContext& context) {
    Result<json::value> result = work(context);
    if (result) {
      answer(context, *result);
    } else {
      answer_error(context, result.error());
    }
  };
}

// Refuses at sites without share control.
template <typename Work>
[[nodiscard]] http::Handler control_handler(Services services, Work work) {
  return json_handler([services, work](http::RequestContext& context) -> Result<json::value> {
    if (services.control == nullptr) {
      return fail(Code::kNotFound,
                  "site " + services.site.config.name.text() + " has no share control; ask " +
                      services.site.config.controller.text(),
                  Reason::kNoControl);
    }
    return work(context, *services.control);
  });
}

}  // namespace warifu::api
