// Sample records and a folder with a catalog for the tests of this component.
#pragma once

#include "catalog/catalog.h"
#include "testing/temporary_folder.h"

namespace warifu::catalog {

template <typename Id>
Id id_of(Byte first) {
  Id id;
  id.bytes.fill(first);
  return id;
}

inline SiteName site_of(std::string_view name) {
  return *SiteName::parse(name);
}

inline sharing::SharePath path_of(const std::string& name) {
  return *sharing::SharePath::parse(name);
}

inline const ObjectId kObject = id_of<ObjectId>(0x0b);
inline const ShareId kA = id_of<ShareId>(0xa0);
inline const ShareId kB = id_of<ShareId>(0xb0);
inline const ShareId kC = id_of<ShareId>(0xc0);
inline const std::vector<ShareId> kNested = {id_of<ShareId>(0xc1), id_of<ShareId>(0xc2),
                                             id_of<ShareId>(0xc3)};
inline const JobId kJob = id_of<JobId>(0x70);

inline Person sample_person(const std::string& person_id = "P-000123", Byte card = 0x99) {
  return {person_id, "Hanako 花子", id_of<CardId>(card), {1'795'000'000'000}};
}

inline Object sample_object() {
  Object object;
  object.object = kObject;
  object.person_id = "P-000123";
  object.label = "hanako.cram";
  object.length = 1'000'000;
  object.chunk_count = 4;
  object.policy = "2 of (origin, vault, 2 of (cloud, cloud, cloud) via gateway)";
  object.generation = 1;
  object.created = {1'795'000'000'500};
  object.input = "file of 1,000,000 bytes";
  return object;
}

inline Share top_share(const ShareId& id, std::uint8_t index, std::string_view site) {
  Share share;
  share.share = id;
  share.object = kObject;
  share.path = sharing::SharePath().part(index);
  share.generation = 1;
  share.site = site_of(site);
  share.last_site = site_of(site);
  share.bytes = 1'000'128;
  return share;
}

inline std::vector<Share> top_shares() {
  return {top_share(kA, 0, "tommo"), top_share(kB, 1, "lsa"), top_share(kC, 2, "tuh")};
}

// C1..C3 at the clouds.
inline std::vector<Share> nested_shares() {
  std::vector<Share> shares;
  for (std::uint8_t i = 0; i < 3; ++i) {
    Share share = top_share(kNested[i], i, "cloud" + std::to_string(i + 1));
    share.path = path_of("C").part(i);
    share.parent = kC;
    share.state = ShareState::kWriting;
    shares.push_back(share);
  }
  return shares;
}

// What takes the place of `old`: the same share anew, at `site`.
inline Share replacement(const Share& old, Byte number, std::string_view site) {
  Share share = old;
  share.share = id_of<ShareId>(number);
  share.site = site_of(site);
  share.last_site = site_of(site);
  share.state = ShareState::kDurable;
  return share;
}

// What follows `old` in the next generation, being written at the same sites; of shares that were
// cut again the places alone.
inline std::vector<Share> next_generation(const std::vector<Share>& old) {
  const auto next = [](ShareId id) {
    id.bytes[15] ^= 0xff;
    return id;
  };
  std::vector<Share> fresh;
  for (const Share& share : old) {
    Share made = share;
    made.share = next(share.share);
    if (share.parent) made.parent = next(*share.parent);
    ++made.generation;
    made.state = share.site ? ShareState::kWriting : ShareState::kDeleted;
    fresh.push_back(made);
  }
  return fresh;
}

inline Job sample_job() {
  Job job;
  job.job = kJob;
  job.object = kObject;
  job.person_id = "P-000123";
  job.step = "splitting";
  job.plan = R"({"hops": 3})";
  job.total_bytes = 3'000'000;
  job.created = {1'795'000'000'600};
  job.updated = job.created;
  job.sealed_secret = {1, 2, 3};
  return job;
}

// A folder of its own with an open catalog; gone at the end. A failure of the catalog here aborts.
class CatalogHome {
 public:
  CatalogHome() {
    path_ = dir_ + "/catalog.db";
    reopen();
  }
  CatalogHome(const CatalogHome&) = delete;
  CatalogHome& operator=(const CatalogHome&) = delete;

 protected:
  void reopen() {
    catalog_.reset();
    auto opened = open_sqlite(path_);
    WARIFU_CHECK(opened.has_value());
    catalog_ = std::move(*opened);
  }
  // A person with an object whose top shares are planned, and its store job.
  void start_store() {
    WARIFU_CHECK(catalog_->add_person(sample_person()).has_value());
    WARIFU_CHECK(catalog_->start_job({sample_job(), sample_object(), top_shares()}).has_value());
  }
  void make_durable(const std::vector<ShareId>& shares) {
    for (const ShareId& share : shares) {
      WARIFU_CHECK(catalog_->set_share_state(share, ShareState::kDurable).has_value());
    }
  }
  // The committed object, with C still whole at the hospital and its nested shares on their way.
  void store_and_cut() {
    start_store();
    make_durable({kA, kB, kC});
    WARIFU_CHECK(catalog_->commit_object(kObject, {1'795'000'001'000}).has_value());
    WARIFU_CHECK(catalog_->add_shares(nested_shares()).has_value());
  }
  std::vector<ShareId> held() {
    std::vector<ShareId> ids;
    for (const Share& share : held_shares(*catalog_->list_shares(kObject), 1)) {
      ids.push_back(share.share);
    }
    return ids;
  }

  sim::TemporaryFolder dir_;
  std::string path_;
  std::unique_ptr<Catalog> catalog_;
};

// Whether `result` is this error with `part` in its text.
template <typename T>
bool is_error(const Result<T>& result, Code code, std::string_view part) {
  return !result && result.error().code == code &&
         result.error().message.find(part) != std::string::npos;
}

}  // namespace warifu::catalog
