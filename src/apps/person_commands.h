// Commands about persons and their cards, and who may act for them.
//
// Options as values, one function per command: command_options.h.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "apps/command_options.h"

namespace warifu::apps {

// The hidden process that a PKCS #11 module runs in (pkcs11/helper.h).
[[nodiscard]] Result<> pkcs11_helper(const std::string& module,
                                     const std::vector<std::string>& folders);
[[nodiscard]] Result<> card_readers(const Common& common);
[[nodiscard]] Result<> card_show(const Common& common, const CardOptions& options);
struct CardEmulateOptions {
  CardOptions card;
  std::string type;                // of a new card: "one-time", "desfire"
  std::string reader;              // host:port of the virtual reader; empty: its usual place
  std::uint64_t remove_after = 0;  // APDUs; 0: when told to
};
// A My Number Card's certificate application: what it says without a PIN.
[[nodiscard]] Result<> card_jpki(const Common& common, const CardOptions& options);
struct MakeJpkiOptions {
  std::string file, pin_file, signature_pin_file;
  std::string authority, authority_key;  // PEM files; empty: an authority that is forgotten
  std::string authority_out;             // the authority's certificate, for trust anchors
};
[[nodiscard]] Result<> card_make_jpki(const MakeJpkiOptions& options);
[[nodiscard]] Result<> card_emulate(const CardEmulateOptions& options);
struct RevokeOptions {
  std::string card, person;  // one of them
  std::string why = "lost";
  std::string valid = "1h";  // of an officer's leave
  bool yes = false;
};
[[nodiscard]] Result<> card_revoke(const Common& common, const RevokeOptions& options);
[[nodiscard]] Result<> card_allow_reissue(const Common& common, const RevokeOptions& options);
[[nodiscard]] Result<> card_status(const Common& common);
struct TopUpOptions {
  CardOptions card;
  std::uint32_t keys = 0;  // 0: as many as bring it to the number of an enrolment
  std::string lang = "en";
  bool yes = false;
};
[[nodiscard]] Result<> card_top_up(const Common& common, const TopUpOptions& options);
struct EnrolOptions {
  std::string id, name, card_type;  // card_type: "one-time", "desfire", "jpki", "pkcs11"
  CardOptions card;
  std::uint32_t keys = 64;
  const struct CarriedOrder* order = nullptr;  // that is carried out (card_authenticator.h)
};
[[nodiscard]] Result<> person_enrol(const Common& common, const EnrolOptions& options);
struct RenewCardOptions {
  CardOptions card;
  std::string at;  // the site that has lost the card's keys
};
// Another card in the place of a lost one, with the records of the person's objects.
[[nodiscard]] Result<> person_reissue(const Common& common, const EnrolOptions& options);
[[nodiscard]] Result<> person_renew_card(const Common& common, const RenewCardOptions& options);
[[nodiscard]] Result<> person_list(const Common& common);
// Who had what of a person's data, and when: every site's log.
[[nodiscard]] Result<> person_accesses(const Common& common, const std::string& person);

// Who may consent in a person's place.
struct ProxyOptions {
  std::string id, proxy, object, authority, valid = "365d", lang = "en";
  std::vector<std::string> purposes;
  bool testamentary = false, yes = false;
  CardOptions card;
};
[[nodiscard]] Result<> proxy_add(const Common& common, const ProxyOptions& options);
[[nodiscard]] Result<> proxy_remove(const Common& common, const ProxyOptions& options);
// Whether officers may open the person's data in an emergency, without the card.
struct EmergencyOptions {
  std::string id, object, valid = "365d", lang = "en";  // no object: all of them
  bool yes = false;
  CardOptions card;
};
[[nodiscard]] Result<> emergency_allow(const Common& common, const EmergencyOptions& options);
[[nodiscard]] Result<> emergency_forbid(const Common& common, const EmergencyOptions& options);
struct GuardianOptions {
  std::string id, name, of_age, authority;
  std::vector<std::string> guardians;
  std::uint64_t needed = 0;  // 0: all of them
  bool yes = false;
};
[[nodiscard]] Result<> guardians_set(const Common& common, const GuardianOptions& options);
[[nodiscard]] Result<> person_death(const Common& common, const GuardianOptions& options,
                                    bool has_died);
[[nodiscard]] Result<> person_show(const Common& common, const std::string& person);
[[nodiscard]] Result<> person_orders(const Common& common);
[[nodiscard]] Result<> person_answer_order(const Common& common, const std::string& order,
                                           bool is_yes);

}  // namespace warifu::apps
