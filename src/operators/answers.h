// What the files of this folder share: errors as the API answers them, and how acts stand in the
// log. Thread-safe.
#pragma once

#include "audit/log.h"
#include "http/context.h"

namespace warifu::operators {

// {"message": ..., "code": ...} with the status that belongs to it, as the API's own errors.
[[nodiscard]] http::Response error_answer(const Error& error);
void answer_error(http::RequestContext& context, const Error& error);

// "POST /v1/objects/{object}/delete": what is done, without whose.
[[nodiscard]] std::string act_text(const http::Router::Route& route);
// The ids in the path. Not a person's, which may be a number that a hospital uses elsewhere: the
// records of what is done name cards, objects and jobs.
[[nodiscard]] audit::Fields ids_of(const http::RequestContext& context,
                                   const http::Router::Route& route);

}  // namespace warifu::operators
