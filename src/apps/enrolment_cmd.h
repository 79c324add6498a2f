// `warifu enrolment`: what the biobank's desk orders, and a kiosk carries out.
#pragma once

#include "apps/person_commands.h"

namespace warifu::apps {

struct EnrolmentOptions {
  std::string person, name;  // `name`: of a person who is not enrolled yet
  std::string card_type;     // empty: one-time
  std::uint32_t keys = 64;
  std::string open = "24h";
  bool again = false;  // in the place of a lost card
};
[[nodiscard]] Result<> enrolment_order(const Common& common, const EnrolmentOptions& options);
[[nodiscard]] Result<> enrolment_list(const Common& common);
[[nodiscard]] Result<> enrolment_cancel(const Common& common, const std::string& order);

// `warifu card make-blank`: the file of an emulated card that is nobody's.
[[nodiscard]] Result<> card_make_blank(const CardEmulateOptions& options);

}  // namespace warifu::apps
