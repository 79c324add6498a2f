// The words of consent, in English and Japanese. Their digest stands in the grant, so a change of
// one character here is a new text version.
#include "consent/grant.h"

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

// "chr17:43044295-43125364 (BRCA1)", one after the other.
std::string regions_words(const Scope& scope, std::string_view between) {
  std::string text;
  for (const Region& region : scope.regions) {
    if (!text.empty()) text += between;
    text +=
        region.reference + ":" + std::to_string(region.start) + "-" + std::to_string(region.end);
    if (!region.label.empty()) text += " (" + region.label + ")";
  }
  return text;
}

// A line for each code.
std::string data_use_lines(const Grant& grant, std::string_view heading) {
  std::string text;
  for (const DataUse& use : grant.data_uses) {
    text += std::string(heading) + data_use_words(use, grant.locale) + "\n";
  }
  return text;
}

std::string english(const Grant& grant, const ConsentLabels& labels) {
  const std::string times =
      grant.uses == 1 ? "once" : "up to " + std::to_string(grant.uses) + " times";
  return "Consent to use genome data (text version 2)\n"
         "Person: " +
         labels.person +
         "\n"
         "Data: " +
         labels.object +
         (grant.scope.is_whole() ? ", the whole of it (" : ", the parts named next (") +
         grant.object.text() + ")\n" +
         (grant.scope.is_whole() ? std::string()
                                 : "Only these regions (" + grant.scope.assembly +
                                       "): " + regions_words(grant.scope, ", ") + "\n") +
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
         join_sites(grant, ", ") +
         "\n"
         "You are at terminal: " +
         grant.terminal + "\n" +
         (labels.has_pin ? "Entering your PIN means"
                         : "Your card has no PIN: letting it be read now means") +
         " that you agree to this and to nothing else.\n";
}

std::string japanese(const Grant& grant, const ConsentLabels& labels) {
  const auto local = [](os::UnixMs time) {
    return minute_text({time.value + kJapanOffsetMs}) + "(日本時間)";
  };
  return "ゲノム情報の利用への同意(文面 第2版)\n"
         "本人: " +
         labels.person +
         "\n"
         "情報: " +
         labels.object + (grant.scope.is_whole() ? " の全体(" : " のうち次の領域(") +
         grant.object.text() + ")\n" +
         (grant.scope.is_whole()
              ? std::string()
              : "領域(" + grant.scope.assembly + "): " + regions_words(grant.scope, "、") + "\n") +
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
         join_sites(grant, "、") +
         "\n"
         "この端末: " +
         grant.terminal + "\n" +
         (labels.has_pin ? "暗証番号の入力は、"
                         : "カードに暗証番号はありません。ここでカードをかざすことは、") +
         "以上の内容のみへの同意を意味します。\n";
}

}  // namespace

std::string consent_text(const Grant& grant, const ConsentLabels& given) {
  const ConsentLabels labels{one_line(given.person), one_line(given.object), given.has_pin};
  return grant.locale == Locale::kJapanese ? japanese(grant, labels) : english(grant, labels);
}

crypto::Digest text_digest(std::string_view text) {
  return crypto::sha256(as_bytes(text));
}

}  // namespace warifu::consent
