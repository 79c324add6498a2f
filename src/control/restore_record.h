// What the job of a restore keeps of its wish, in the catalog: enough to go on after a restart.
//
//   plan := JSON object of texts: grant, using, gather, purpose, asked (hex of encode_asker()),
//   part
//           ("whole", "index", "regions", "sites"), wanted (hex of the scope), format
//
// Pure; any thread.
#pragma once

#include <boost/json/object.hpp>

#include "control/restore_desk.h"

namespace warifu::control {

// `presented`: the scope that every holder is shown.
[[nodiscard]] boost::json::object plan_json(const RestoreWish& wish,
                                            const consent::Scope& presented);
// Whether a job of that plan may be read for the wish whose plan is `wanted`: the same is
// presented, and of the whole any regions may be read.
[[nodiscard]] bool serves(const std::string& plan, const boost::json::object& wanted,
                          const consent::Scope& presented);
// Where in the object a restore of its content from byte `from` on begins: behind the lead; at the
// object's own beginning with the content's, as the tag over all tags binds the lead too. Errors:
// kInvalidArgument beyond the content's end.
[[nodiscard]] Result<std::uint64_t> place_in_object(const catalog::Object& object,
                                                    std::uint64_t from);
// As far as the job's reading needs it: object, grant, scope, format, and whether it is of sites.
// Errors: kCorrupt.
[[nodiscard]] Result<RestoreWish> wish_of(const catalog::Job& job);

}  // namespace warifu::control
