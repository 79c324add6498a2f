// Test doubles of the gate's tests: clock, files that fail, a site with gate and log, and a person
// whose card tags grants. No test framework here.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "consent/gate.h"
#include "testing/passing_files.h"

namespace warifu::consent::test {

class FakeClock final : public os::Clock {
 public:
  os::UnixMs now() override { return {time_ms}; }
  std::chrono::nanoseconds monotonic() override { return std::chrono::milliseconds(time_ms); }
  void sleep(std::chrono::milliseconds duration) override { time_ms += duration.count(); }
  std::int64_t time_ms = 1'795'000'000'000;
};

// The real files; writing to paths that contain `broken` fails as on a full disk.
class BreakableFiles final : public sim::PassingFiles {
 public:
  BreakableFiles() : PassingFiles(os::real_files()) {}
  std::string broken;  // empty: all is well

  Result<std::unique_ptr<os::File>> open(const std::string& path, os::OpenMode mode) override {
    if (mode == os::OpenMode::kCreate && is_broken(path)) {
      return fail(Code::kNoSpace, "disk full: " + path);
    }
    TRY_ASSIGN(auto file, PassingFiles::open(path, mode));
    return std::make_unique<Watched>(std::move(file), *this);
  }

 private:
  class Watched final : public sim::PassingFile {
   public:
    Watched(std::unique_ptr<os::File> real, BreakableFiles& files)
        : PassingFile(std::move(real)), files_(files) {}
    Result<> write_at(std::uint64_t offset, ByteView bytes) override {
      if (files_.is_broken(path())) return fail(Code::kNoSpace, "disk full: " + path());
      return PassingFile::write_at(offset, bytes);
    }

   private:
    BreakableFiles& files_;
  };
  bool is_broken(const std::string& path) const {
    return !broken.empty() && path.find(broken) != std::string::npos;
  }
};

template <typename Id>
Id id_of(Byte number) {
  Id id;
  id.bytes.fill(number);
  return id;
}

inline SiteName site_name(std::string_view name) {
  return *SiteName::parse(name);
}

// One site: files, log and gate; restart() as after a crash or an update.
class TestSite {
 public:
  TestSite(std::string_view name, const std::string& folder, FakeClock& clock,
           const GateOptions& options = {})
      : name_(site_name(name)),
        folder_(folder + "/" + std::string(name)),
        clock_(clock),
        options_(options) {
    for (std::size_t i = 0; i < root_.size(); ++i) root_.bytes()[i] = static_cast<Byte>(i * 7);
    std::filesystem::create_directories(folder_);
    restart();
  }
  // The gate must open.
  void restart() { WARIFU_CHECK(try_restart().has_value()); }
  Result<> try_restart() {
    gate_.reset();
    log_.reset();
    const os::System system{files_, clock_, os::kernel_random()};
    TRY_ASSIGN(log_, audit::Log::open(system, folder_ + "/audit.log", name_));
    TRY_ASSIGN(gate_, Gate::open(system, folder_ + "/gate", name_, root_, *log_, options_));
    return {};
  }
  Gate& gate() { return *gate_; }
  audit::Log& log() { return *log_; }
  BreakableFiles& files() { return files_; }
  const SiteName& name() const { return name_; }
  const std::string& folder() const { return folder_; }
  secret::Buffer& root() { return root_; }
  std::string card_file(const CardId& card) const {
    return folder_ + "/gate/cards/" + card.text() + ".card";
  }
  // Event and reason (or step) of the newest audit record.
  std::pair<std::string, std::string> last_event() {
    const auto records = *log_->read(log_->head().sequence, 1);
    std::string detail;
    for (const auto& [name, value] : records.at(0).fields) {
      if (name == "reason" || name == "step") detail = value;
    }
    return {records[0].event, detail};
  }

 private:
  SiteName name_;
  std::string folder_;
  FakeClock& clock_;
  GateOptions options_;
  BreakableFiles files_;
  secret::Buffer root_{crypto::kSealKeyBytes};
  std::unique_ptr<audit::Log> log_;
  std::unique_ptr<Gate> gate_;
};

// The card's arithmetic for one site.
inline mac::Tag tag_for(const card::SiteKeys& keys, std::size_t position, ByteView grant) {
  const ByteView key = ByteView(keys.keys.bytes())
                           .subspan(position * card::kOneTimeKeyBytes, card::kOneTimeKeyBytes);
  return mac::one_time_tag(mac::Key(key.first(16)), grant, key.last(16));
}

inline Enrolment enrolment(std::uint32_t count = 20) {
  return {id_of<CardId>(0xC1),
          id_of<Pseudonym>(0xB1),
          card::CardKind::kOneTimeMacEmulated,
          {{1}, count}};
}

// A grant of the enrolled card for one site and the challenge that site gave.
inline Grant grant_for(const SiteName& site, const Nonce& nonce, card::KeyIndex index,
                       os::UnixMs now) {
  return {.card = enrolment().card,
          .object = id_of<ObjectId>(0x0B),
          .purpose = Purpose::kHealthManagement,
          .uses = 2,
          .grantee = {GranteeKind::kPerson, "Dr. Sato", {}},
          .destination = site_name("hospital"),
          .not_before = {now.value - 60'000},
          .expiry = {now.value + 3'600'000},
          .index = index,
          .locale = Locale::kJapanese,
          .terminal = "desk-3",
          .text_digest = {},
          .sites = {{site, nonce}}};
}

inline ReleaseRequest request_for(const Grant& grant, Byte session = 1) {
  return {.object = grant.object,
          .owner = enrolment().person,
          .destination = grant.destination,
          .purpose = grant.purpose,
          .session = id_of<JobId>(session),
          .grantee = grant.grantee,
          .stated = {},
          .scope = grant.scope};
}

// Somebody with a one-time card at a gate.
struct Holder {
  CardId card;
  Pseudonym person;
  card::SiteKeys keys;
  std::uint32_t next = 1;  // index
};

inline Holder enrol_holder(Gate& gate, Byte number) {
  Holder holder{id_of<CardId>(number), id_of<Pseudonym>(static_cast<Byte>(number + 100)), {}};
  holder.keys = *gate.enrol({holder.card, holder.person, card::CardKind::kOneTimeMac, {{1}, 30}});
  return holder;
}

// The grant, by the holder's card and under its next index, with its proof for that site.
inline Presented proved_by(Holder& holder, TestSite& site, Grant grant) {
  grant.card = holder.card;
  grant.index = {holder.next++};
  grant.sites = {{site.name(), site.gate().issue_nonce(holder.card)->nonce}};
  Presented presented{*encode_grant(grant), {}};
  presented.evidence = {site.name(), card::CardKind::kOneTimeMac,
                        tag_for(holder.keys, grant.index.value - 1, presented.grant)};
  return presented;
}

}  // namespace warifu::consent::test
