// Rounds.
#include "recovery/copy_maker.h"

#include <algorithm>

#include "base/log.h"
#include "catalog/database_files.h"
#include "channel/whole.h"
#include "crypto/crypto.h"
#include "sharing/guarded.h"
#include "wire/wire.h"

namespace warifu::recovery {
namespace {

constexpr std::string_view kStateMagic = "WRFCATS1";
constexpr std::uint64_t kMostStateBytes = 1ULL << 30;
// An epoch may grow to so many times the bundles of a full copy, and some more.
constexpr std::uint32_t kGrowth = 2, kSpareBundles = 256;
constexpr std::chrono::seconds kPatience(60);  // with key that does not come
// After a round that failed; then twice as long each time, up to the interval. A network that
// starts has its first copy as soon as the neighbours are there.
constexpr std::chrono::seconds kFirstRetry(1);

// Where SQLite writes the size of its pages: big-endian, 1 stands for 65,536.
Result<std::uint32_t> page_bytes_of(os::File& backup) {
  Bytes head(18);
  TRY(backup.read_exact_at(0, head));
  const std::uint32_t size = static_cast<std::uint32_t>(head[16] << 8U | head[17]);
  return size == 1 ? 65'536U : size;
}

std::array<Byte, 16> digest_of(ByteView page) {
  const crypto::Digest whole = crypto::sha256(page);
  std::array<Byte, 16> digest;
  std::copy_n(whole.begin(), digest.size(), digest.begin());
  return digest;
}

// The file of a backup, gone when this goes.
class BackupFile {
 public:
  BackupFile(os::FileSystem& files, std::string path) : files_(files), path_(std::move(path)) {}
  ~BackupFile() { (void)files_.remove(path_); }  // what stays is removed by the next one
  BackupFile(const BackupFile&) = delete;
  BackupFile& operator=(const BackupFile&) = delete;

  Result<std::unique_ptr<os::File>> make(catalog::Catalog& catalog) {
    TRY(catalog::remove_database(files_, path_));
    TRY(catalog.back_up(path_));
    return files_.open(path_, os::OpenMode::kRead);
  }

 private:
  os::FileSystem& files_;
  std::string path_;
};

}  // namespace

Result<std::unique_ptr<CopyMaker>> CopyMaker::open(control::SiteContext& site,
                                                   catalog::Catalog& catalog) {
  std::unique_ptr<CopyMaker> maker(new CopyMaker(site, catalog));
  TRY(maker->read_state());
  return maker;
}

Result<> CopyMaker::read_state() {
  const std::string path = site_.config.data_dir + "/catalog-copies.state";
  if (!site_.system.files.exists(path)) {
    State fresh;
    fresh.catalog = os::random_id<CatalogId>(site_.system.random);
    return save_state(fresh);
  }
  TRY_ASSIGN(const Bytes bytes, os::read_file(site_.system.files, path, kMostStateBytes));
  const auto body = wire::before_checksum(bytes);
  if (!body) return fail(Code::kCorrupt, "'" + path + "' is damaged");
  wire::Reader reader(*body, "'" + path + "'");
  if (as_text(reader.raw(kStateMagic.size())) != kStateMagic) reader.reject("wrong magic");
  State state;
  state.catalog = reader.id<CatalogId>();
  state.epoch = reader.u32();
  state.bundles = reader.u32();
  if (const os::UnixMs made{reader.i64()}; made.value != 0) state.made = made;
  state.page_bytes = reader.u32();
  const std::uint64_t count = reader.u64();
  if (count > body->size() / 16) reader.reject("impossible number of pages");
  for (std::uint64_t i = 0; reader.good() && i < count; ++i) {
    const ByteView digest = reader.raw(16);
    if (digest.size() == 16) std::ranges::copy(digest, state.digests.emplace_back().begin());
  }
  if (const auto read = reader.finish(); !read) return fail(Code::kCorrupt, read.error().message);
  state_ = std::move(state);
  status_ = {state_.catalog, state_.epoch, state_.bundles, state_.digests.size(), state_.made, ""};
  return {};
}

Result<> CopyMaker::save_state(const State& state) {
  wire::Writer writer;
  writer.raw(as_bytes(kStateMagic));
  writer.id(state.catalog);
  writer.u32(state.epoch);
  writer.u32(state.bundles);
  writer.i64(state.made ? state.made->value : 0);
  writer.u32(state.page_bytes);
  writer.u64(state.digests.size());
  for (const auto& digest : state.digests) writer.raw(digest);
  writer.checksum();
  TRY(os::replace_file(site_.system.files, site_.config.data_dir + "/catalog-copies.state",
                       writer.bytes()));
  state_ = state;
  const std::lock_guard lock(mutex_);
  status_ = {state_.catalog,        state_.epoch, state_.bundles,
             state_.digests.size(), state_.made,  status_.problem};
  return {};
}

Result<> CopyMaker::adopt(const CopyPlace& last) {
  const std::lock_guard round_lock(round_mutex_);
  State state;
  state.catalog = last.catalog;
  state.epoch = last.epoch;  // without bundles: the next round begins the epoch behind it
  checked_ = false;
  return save_state(state);
}

Result<bool> CopyMaker::holders_have_all() {
  const config::CatalogCopies& copies = site_.config.copies;
  for (const SiteName& holder : copies.holders) {
    TRY_ASSIGN(const Bytes answer, site_.caller.ask(holder, number(Method::kCopyList), {}));
    TRY_ASSIGN(const auto heads, decode_copy_heads(answer));
    std::uint32_t count = 0;
    for (const CopyHead& head : heads) {
      if (head.place.catalog != state_.catalog) {
        return fail(Code::kRefused, holder.text() +
                                        " keeps copies of another catalog: rebuild from them with "
                                        "'warifu catalog rebuild', or give them up with 'warifu "
                                        "catalog forget' there");
      }
      // Copies under another threshold do not count: an epoch under this one takes their place.
      const bool ours = head.place.epoch == state_.epoch && head.scheme == copies.scheme;
      count += ours && head.place.number < state_.bundles ? 1 : 0;
    }
    if (count != state_.bundles) return false;
  }
  return true;
}

Result<> CopyMaker::put(const SiteName& holder, const CopyHead& head, ByteView share) {
  const channel::StreamShape shape =
      channel::shape_of_whole(share.size(), limits::kMaxFramePayload);
  // Genomes go first: a round that finds no key is made later.
  const auto until = site_.system.clock.monotonic() + kPatience;
  const auto keep_waiting = [&] { return !interrupted_ && site_.system.clock.monotonic() < until; };
  return channel::try_again([&]() -> Result<> {
    TRY_ASSIGN(channel::Call call, site_.caller.start({.to = holder,
                                                       .method = number(Method::kCopyPut),
                                                       .upload = shape,
                                                       .body = encode(head)},
                                                      keep_waiting));
    TRY(channel::send_whole(call, shape, share));
    TRY(call.reply());
    return {};
  });
}

Result<> CopyMaker::send_bundle(const Bundle& bundle) {
  const config::CatalogCopies& copies = site_.config.copies;
  const secret::Buffer guarded = guard(bundle, site_.system.random);
  TRY_ASSIGN(const auto shares, sharing::cut_guarded(copies.scheme, guarded.bytes(),
                                                     control::numbers_for_sharing(site_)));
  CopyHead head{.place = bundle.place,
                .attempt = os::random_id<AttemptId>(site_.system.random),
                .scheme = copies.scheme,
                .ends = bundle.ends,
                .bytes = static_cast<std::uint32_t>(guarded.size())};
  for (std::size_t i = 0; i < shares.size(); ++i) {
    head.index = static_cast<sharing::ShareIndex>(i);
    TRY(put(copies.holders[i], head, shares[i].bytes()));
  }
  return {};
}

Result<> CopyMaker::send_changes(os::File& backup) {
  TRY_ASSIGN(const std::uint64_t bytes, backup.size());
  TRY_ASSIGN(const std::uint32_t page_bytes, page_bytes_of(backup));
  if (page_bytes < 512 || page_bytes > kMaxPageBytes || bytes % page_bytes != 0) {
    return fail(Code::kCorrupt, "'" + backup.path() + "' is no whole number of pages");
  }
  State next = state_;
  next.made = site_.system.clock.now();
  next.digests.resize(bytes / page_bytes);
  const auto full = static_cast<std::uint32_t>(next.digests.size() / kBundlePages + 1);
  const bool anew = state_.bundles == 0 || page_bytes != state_.page_bytes ||
                    state_.bundles > kGrowth * full + kSpareBundles;
  if (anew) {
    ++next.epoch;
    next.bundles = 0;
  }
  next.page_bytes = page_bytes;
  Bundle bundle{.made = *next.made, .page_bytes = page_bytes, .total_pages = next.digests.size()};
  bundle.root_key = secret::Buffer::copy_of(site_.keys.root_key().bytes());
  const auto send = [&](bool ends) -> Result<> {
    if (interrupted_) return fail(Code::kCancelled, "the site stops");
    bundle.place = {next.catalog, next.epoch, next.bundles};
    bundle.ends = ends;
    TRY(send_bundle(bundle));
    ++next.bundles;
    bundle.pages.clear();
    return {};
  };
  bool changed = anew || state_.digests.size() != next.digests.size();
  Bytes page(page_bytes);
  for (std::uint64_t i = 0; i < next.digests.size(); ++i) {
    TRY(backup.read_exact_at(i * page_bytes, page));
    next.digests[i] = digest_of(page);
    if (!anew && i < state_.digests.size() && state_.digests[i] == next.digests[i]) continue;
    changed = true;
    if (bundle.pages.size() == kBundlePages) TRY(send(false));
    bundle.pages.push_back({i, page});
  }
  if (changed) TRY(send(true));
  return save_state(next);
}

Result<> CopyMaker::round() {
  const std::lock_guard round_lock(round_mutex_);
  const Result<> done = [&]() -> Result<> {
    if (!checked_) {
      TRY_ASSIGN(const bool all, holders_have_all());
      if (!all) {
        State anew = state_;
        anew.bundles = 0;
        anew.digests.clear();
        TRY(save_state(anew));
      }
      checked_ = true;
    }
    BackupFile file(site_.system.files, site_.config.data_dir + "/catalog-copy.tmp");
    TRY_ASSIGN(const auto backup, file.make(catalog_));
    return send_changes(*backup);
  }();
  checked_ = checked_ && done.has_value();
  const std::lock_guard lock(mutex_);
  const std::string problem = done ? "" : done.error().message;
  if (!problem.empty() && problem != status_.problem) {
    log_warning("the catalog's copies stay behind: " + problem);
  }
  if (problem.empty() && !status_.problem.empty()) log_info("the catalog's copies are up to date");
  status_.problem = problem;
  return done;
}

void CopyMaker::run(const std::atomic<bool>& stop) {
  const std::chrono::milliseconds interval = site_.config.copies.interval;
  std::chrono::milliseconds retry = kFirstRetry;
  while (!stop) {
    const bool is_done = round().has_value();  // else it is told in status() and in the log
    const auto wait = is_done ? interval : std::min(retry, interval);
    retry = is_done ? kFirstRetry : std::min(2 * retry, interval);
    std::unique_lock lock(mutex_);
    (void)wake_.wait_for(lock, wait, [&] { return interrupted_.load(); });
  }
}

void CopyMaker::interrupt() {
  const std::lock_guard lock(mutex_);
  interrupted_ = true;
  wake_.notify_all();
}

CopyMaker::Status CopyMaker::status() const {
  const std::lock_guard lock(mutex_);
  return status_;
}

}  // namespace warifu::recovery
