// The words of consent, in English and Japanese. Their digest stands in the grant, so a change of
// one character here is a new text version.
#include "consent/veil.h"

namespace warifu::consent {
namespace {

constexpr std::int64_t kJapanOffsetMs = 9 * 3600 * 1000;

// "2026-11-24 10:02" of the time shown to the person.
std::string minute_text(os::UnixMs time) {
  std::string text = os::utc_text(time).substr(0, 16);
  if (text.size() == 16) text[10] = ' ';
  return text;
}

std::string join_sites(const Grant& grant, std::string_view between) {
  std::string text;
  for (const GrantSite& site : grant.sites) {
    if (!text.empty()) text += between;
    text += site.site.text();
  }
  return text;
}

// A label is one line: it must not be able to add lines to the text.
std::string one_line(std::string text) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = ' ';
  }
  return text;
}

std::string place_words(const Region& region) {
  const std::string start = std::to_string(region.start);
  return region.start == region.end ? start : start + "-" + std::to_string(region.end);
}

// "chr17:43044295-43125364 (BRCA1)", one after the other; of a run "20:61795, 63231-63240 (PGS1)".
std::string regions_words(const Scope& scope, std::string_view between) {
  std::string text;
  for (const auto& run : runs_of(scope.regions)) {
    if (!text.empty()) text += between;
    text += run[0].reference + ":";
    for (const Region& region : run) text += (&region == &run[0] ? "" : ", ") + place_words(region);
    if (!run[0].label.empty()) text += " (" + run[0].label + ")";
  }
  return text;
}

// Behind the regions of a scope that the sites of shares do not see.
std::string hidden_line(const Grant& grant) {
  if (!grant.scope.veil) return {};
  if (grant.locale == Locale::kEnglish) {
    return "The sites that keep the shares are not told which regions: pieces of other places are "
           "read besides, so that they cannot tell\n";
  }
  return "分散情報を持つ拠点には領域を知らせません。ほかの場所の断片も合わせて読み出し、"
         "区別できないようにします\n";
}

// What of the data, and how much of what is stored is read for it.
std::string scope_lines(const Grant& grant, const std::string& object) {
  const Scope& scope = grant.scope;
  const std::string id = grant.object.text();
  const std::string pieces = std::to_string(chunk_count(scope.chunks));
  const bool many = scope.regions.size() > kMostNamedRegions;
  if (grant.locale == Locale::kEnglish) {
    if (scope.is_whole()) return "Data: " + object + ", the whole of it (" + id + ")\n";
    const std::string read = "Stored data that is read: " + pieces +
                             (pieces == "1" ? " piece" : " pieces") + " of 256 KiB\n";
    if (scope.is_index()) {
      return "Data: " + object + ", its index only (" + id +
             ")\nThe index tells where in the data each place of the genome is, and how much was "
             "read there; with it goes the file's header. Neither holds bases\n" +
             read;
    }
    return "Data: " + object + ", the parts named next (" + id + ")\nOnly " +
           (many ? "these " + std::to_string(scope.regions.size()) : std::string("these")) +
           " regions (" + scope.assembly + "): " + regions_words(scope, ", ") + "\n" +
           hidden_line(grant) + read;
  }
  if (scope.is_whole()) return "情報: " + object + " の全体(" + id + ")\n";
  const std::string read = "読み出す保存データ: 256 KiB の断片 " + pieces + " 個\n";
  if (scope.is_index()) {
    return "情報: " + object + " の索引のみ(" + id +
           ")\n索引は、ゲノムの各位置がデータのどこにあり、どれだけ読まれたかを示します。"
           "ファイルのヘッダーも渡されます。いずれも塩基配列は含みません\n" +
           read;
  }
  return "情報: " + object + " のうち次の領域(" + id + ")\n領域(" + scope.assembly +
         (many ? "、" + std::to_string(scope.regions.size()) + " か所" : "") +
         "): " + regions_words(scope, "、") + "\n" + hidden_line(grant) + read;
}

// A line for each code.
std::string data_use_lines(const Grant& grant, std::string_view heading) {
  std::string text;
  for (const DataUse& use : grant.data_uses) {
    text += std::string(heading) + data_use_words(use, grant.locale) + "\n";
  }
  return text;
}

// An officer's, in an emergency.
std::string emergency_lines(const Grant& grant) {
  const std::string others = std::to_string(grant.together - 1);
  if (grant.locale == Locale::kEnglish) {
    return "EMERGENCY ACCESS without the person's card, by you as officer; it counts together "
           "with " +
           others + (grant.together == 2 ? " other officer" : " other officers") +
           "\nReason: " + grant.reason +
           "\nThe person, and the log of every site, will be told of it and of you\n";
  }
  return "本人のカードによらない緊急時の利用です。責任者として承認します(他の責任者 " + others +
         " 名の承認と合わせて有効)\n理由: " + grant.reason +
         "\nこのことと承認者は、本人とすべての拠点の記録に通知されます\n";
}

// In whose place, where it is not the person's own card.
std::string capacity_line(const Grant& grant) {
  if (grant.capacity == Capacity::kOwn) return {};
  if (grant.capacity == Capacity::kEmergency) return emergency_lines(grant);
  const bool is_proxy = grant.capacity == Capacity::kProxy;
  const std::string others = std::to_string(grant.together - 1);
  if (grant.locale == Locale::kEnglish) {
    return std::string("You consent in the person's place, as ") +
           (is_proxy ? "proxy" : "guardian") +
           (grant.together > 1 ? "; it counts together with the consent of " + others +
                                     (grant.together == 2 ? " other guardian" : " other guardians")
                               : "") +
           "\n";
  }
  return std::string("本人に代わり、") + (is_proxy ? "代理人" : "保護者") + "として同意します" +
         (grant.together > 1 ? "(他の保護者 " + others + " 名の同意と合わせて有効)" : "") + "\n";
}

std::string purposes_words(std::uint8_t purposes, Locale locale) {
  std::string text;
  for (unsigned bit = 0; bit < kLastPurpose; ++bit) {
    if (((std::uint32_t{purposes} >> bit) & 1U) == 0) continue;
    if (!text.empty()) text += locale == Locale::kEnglish ? ", " : "、";
    text += purpose_words(static_cast<Purpose>(bit + 1), locale);
  }
  return text;
}

// What the person is told of first of all; a site that knows more takes no consent (decision.cc).
std::string shown_line(const Grant& grant) {
  if (grant.shown.empty()) return {};
  std::string ids;
  for (const JointId& emergency : grant.shown) {
    ids += (ids.empty() ? "" : ", ") + emergency.text();
  }
  const std::string count = std::to_string(grant.shown.size());
  if (grant.locale == Locale::kEnglish) {
    return "\nEMERGENCIES: your data was opened without your card " +
           (grant.shown.size() == 1 ? "once" : count + " times") +
           ", and you are told of it now: " + ids;
  }
  return "\n緊急時の利用の通知: カードなしで " + count + " 回、情報が利用されました: " + ids;
}

// The last lines of every text.
std::string ending(const Grant& grant, const ConsentLabels& labels) {
  if (grant.locale == Locale::kEnglish) {
    return shown_line(grant) + "\nYou are at terminal: " + grant.terminal + "\n" +
           (labels.has_pin ? "Entering your PIN means"
                           : "Your card has no PIN: letting it be read now means") +
           " that you agree to this and to nothing else.\n";
  }
  return shown_line(grant) + "\nこの端末: " + grant.terminal + "\n" +
         (labels.has_pin ? "暗証番号の入力は、"
                         : "カードに暗証番号はありません。ここでカードをかざすことは、") +
         "以上の内容のみへの同意を意味します。\n";
}

std::string english_appointment(const Grant& grant, const ConsentLabels& labels) {
  const Appointment& named = *grant.appointment;
  return "Naming of a proxy (text version 4)\n"
         "Person: " +
         labels.person + "\nProxy: " + grantee_words(grant.grantee, grant.locale) + ", card " +
         named.proxy.text() + "\nMay consent to the use of: " +
         (grant.object.is_zero() ? std::string("all data of the person")
                                 : labels.object + " (" + grant.object.text() + ")") +
         "\nFor: " + purposes_words(named.mandate.purposes, grant.locale) + "\n" +
         (named.mandate.is_testamentary ? "Only after the person's death\n" : "") +
         "Until: " + minute_text(named.mandate.until) +
         " UTC\nSHA-256 of the document of authority: " + to_hex(named.mandate.authority) +
         "\nSites that are told: " + join_sites(grant, ", ") + ending(grant, labels);
}

std::string japanese_appointment(const Grant& grant, const ConsentLabels& labels) {
  const Appointment& named = *grant.appointment;
  return "代理人の指定(文面 第4版)\n"
         "本人: " +
         labels.person + "\n代理人: " + grantee_words(grant.grantee, grant.locale) + "、カード " +
         named.proxy.text() + "\n同意できる情報: " +
         (grant.object.is_zero() ? std::string("本人のすべての情報")
                                 : labels.object + "(" + grant.object.text() + ")") +
         "\n目的: " + purposes_words(named.mandate.purposes, grant.locale) + "\n" +
         (named.mandate.is_testamentary ? "本人の死亡後に限る\n" : "") +
         "期限: " + minute_text({named.mandate.until.value + kJapanOffsetMs}) +
         "(日本時間)\n権限を示す文書の SHA-256: " + to_hex(named.mandate.authority) +
         "\n通知先の拠点: " + join_sites(grant, "、") + ending(grant, labels);
}

std::string top_up_text(const Grant& grant, const ConsentLabels& labels) {
  const std::string count = std::to_string(grant.top_up->count);
  const std::string first = std::to_string(grant.top_up->first.value);
  if (grant.locale == Locale::kEnglish) {
    return "More one-time keys for your card (text version 2)\nPerson: " + labels.person +
           "\nKeys: " + count + ", from index " + first +
           "\nNothing is restored or allowed by this\nSites that give them: " +
           join_sites(grant, ", ") + ending(grant, labels);
  }
  return "カードへの使い捨て鍵の補充(文面 第2版)\n本人: " + labels.person + "\n鍵: " + count +
         " 個(番号 " + first + " から)\nこれにより復元や許可が行われることはありません\n" +
         "鍵を提供する拠点: " + join_sites(grant, "、") + ending(grant, labels);
}

std::string leave_text(const Grant& grant, const ConsentLabels& labels) {
  const bool is_all = grant.object.is_zero();
  if (grant.locale == Locale::kEnglish) {
    return "Leave for emergencies (text version 3)\nPerson: " + labels.person + "\nData: " +
           (is_all ? std::string("all data of the person")
                   : labels.object + " (" + grant.object.text() + ")") +
           "\nIn an emergency two or more officers together may restore it for medical care "
           "without your card.\nYou will be told of each time. You can take this back at any "
           "time.\nUntil: " +
           minute_text(*grant.emergency_until) +
           " UTC\nSites that are told: " + join_sites(grant, ", ") + ending(grant, labels);
  }
  return "緊急時の利用の許可(文面 第3版)\n本人: " + labels.person + "\n情報: " +
         (is_all ? std::string("本人のすべての情報")
                 : labels.object + "(" + grant.object.text() + ")") +
         "\n緊急時には、2名以上の責任者が共同で、カードなしに診療のため復元できます。\n"
         "利用のたびに通知されます。この許可はいつでも取り消せます。\n期限: " +
         minute_text({grant.emergency_until->value + kJapanOffsetMs}) +
         "(日本時間)\n通知先の拠点: " + join_sites(grant, "、") + ending(grant, labels);
}

std::string english(const Grant& grant, const ConsentLabels& labels) {
  const std::string times =
      grant.uses == 1 ? "once" : "up to " + std::to_string(grant.uses) + " times";
  return "Consent to use genome data (text version 5)\n"
         "Person: " +
         labels.person + "\n" + scope_lines(grant, labels.object) + capacity_line(grant) +
         "Who may use it: " + grantee_words(grant.grantee, grant.locale) +
         "\n"
         "For: " +
         std::string(purpose_words(grant.purpose, grant.locale)) + "\n" +
         data_use_lines(grant, "Rule: ") + "Where it is restored: only at site " +
         grant.destination.text() +
         "\n"
         "From: " +
         minute_text(grant.not_before) +
         " UTC\n"
         "Until: " +
         minute_text(grant.expiry) +
         " UTC\n"
         "How often: " +
         times +
         "\n"
         "Sites asked for their shares: " +
         join_sites(grant, ", ") + ending(grant, labels);
}

std::string japanese(const Grant& grant, const ConsentLabels& labels) {
  const auto local = [](os::UnixMs time) {
    return minute_text({time.value + kJapanOffsetMs}) + "(日本時間)";
  };
  return "ゲノム情報の利用への同意(文面 第5版)\n"
         "本人: " +
         labels.person + "\n" + scope_lines(grant, labels.object) + capacity_line(grant) +
         "利用者: " + grantee_words(grant.grantee, grant.locale) +
         "\n"
         "目的: " +
         std::string(purpose_words(grant.purpose, grant.locale)) + "\n" +
         data_use_lines(grant, "条件: ") + "復元する場所: 拠点 " + grant.destination.text() +
         " のみ\n"
         "開始: " +
         local(grant.not_before) +
         "\n"
         "期限: " +
         local(grant.expiry) +
         "\n"
         "回数: " +
         std::to_string(grant.uses) +
         " 回まで\n"
         "分散情報の提供を求める拠点: " +
         join_sites(grant, "、") + ending(grant, labels);
}

}  // namespace

std::string consent_text(const Grant& grant, const ConsentLabels& given) {
  const ConsentLabels labels{one_line(given.person), one_line(given.object), given.has_pin};
  const bool is_japanese = grant.locale == Locale::kJapanese;
  if (grant.top_up) return top_up_text(grant, labels);
  if (grant.emergency_until) return leave_text(grant, labels);
  if (grant.appointment) {
    return is_japanese ? japanese_appointment(grant, labels) : english_appointment(grant, labels);
  }
  return is_japanese ? japanese(grant, labels) : english(grant, labels);
}

crypto::Digest text_digest(std::string_view text, ByteView opening) {
  if (opening.empty()) return crypto::sha256(as_bytes(text));
  WARIFU_CHECK(opening.size() >= kSaltBytes);
  return crypto::hmac_sha256(opening.first(kSaltBytes),
                             as_bytes("warifu text 1" + std::string(text)));
}

}  // namespace warifu::consent
