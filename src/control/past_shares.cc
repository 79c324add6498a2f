// The file, and the question.
#include "control/past_shares.h"

#include "control/share_service.h"
#include "wire/wire.h"

namespace warifu::control {
namespace {

constexpr std::size_t kRecordBytes = 34;

void write_past(wire::Writer& writer, const PastShare& share) {
  writer.id(share.object);
  sharing::write_path(writer, share.place);
  writer.u32(share.generation);
}

PastShare read_past(wire::Reader& reader) {
  PastShare share{.object = reader.id<ObjectId>(), .generation = 1, .place = {}};
  share.place = sharing::read_path(reader);
  share.generation = reader.u32();
  return share;
}

}  // namespace

Result<std::unique_ptr<PastShares>> PastShares::open(os::FileSystem& files,
                                                     const std::string& path) {
  TRY_ASSIGN(auto file, files.open(path, os::OpenMode::kOpenOrCreate));
  std::unique_ptr<PastShares> past(new PastShares(std::move(file)));
  TRY(past->load());
  files.sync_dir(os::parent_of(path));
  return past;
}

Result<> PastShares::load() {
  TRY_ASSIGN(const std::uint64_t size, file_->size());
  Bytes bytes(kRecordBytes);
  for (; end_ + kRecordBytes <= size; end_ += kRecordBytes) {
    TRY(file_->read_exact_at(end_, bytes));
    const auto body = wire::before_checksum(bytes);
    if (!body) {
      if (end_ + kRecordBytes == size) break;  // torn: its share was not deleted
      return fail(Code::kCorrupt, "'" + file_->path() + "' is damaged at byte " +
                                      std::to_string(end_) +
                                      ": what this site has held cannot be told");
    }
    wire::Reader reader(*body, "record of a share that was held");
    PastShare share = read_past(reader);
    TRY(reader.finish());
    shares_.insert(std::move(share));
  }
  return end_ == size ? Result<>() : file_->truncate(end_);
}

Result<> PastShares::add(const PastShare& share) {
  const std::lock_guard lock(mutex_);
  if (shares_.contains(share)) return {};
  wire::Writer writer;
  write_past(writer, share);
  writer.checksum();
  TRY(file_->write_at(end_, writer.bytes()));
  file_->sync();
  end_ += kRecordBytes;
  shares_.insert(share);
  return {};
}

std::vector<PastShare> PastShares::list(const std::optional<PastShare>& after,
                                        std::size_t most) const {
  const std::lock_guard lock(mutex_);
  std::vector<PastShare> listed;
  auto at = after ? shares_.upper_bound(*after) : shares_.begin();
  for (; at != shares_.end() && listed.size() < most; ++at) listed.push_back(*at);
  return listed;
}

Bytes encode(const std::vector<PastShare>& shares) {
  WARIFU_CHECK(shares.size() <= kMostPastShares);
  wire::Writer writer;
  writer.u32(static_cast<std::uint32_t>(shares.size()));
  for (const PastShare& share : shares) write_past(writer, share);
  return writer.take();
}

Result<std::vector<PastShare>> decode_past_shares(ByteView body) {
  wire::Reader reader(body, "shares that were held");
  const std::uint32_t count = reader.u32();
  if (count > kMostPastShares) reader.reject("too many shares");
  std::vector<PastShare> shares;
  for (std::uint32_t i = 0; i < count && reader.good(); ++i) shares.push_back(read_past(reader));
  TRY(reader.finish());
  return shares;
}

Result<std::vector<PastShare>> past_shares_at(SiteContext& site, const PastShares& own,
                                              const SiteName& at) {
  std::vector<PastShare> all;
  for (;;) {
    const auto after = all.empty() ? std::nullopt : std::optional(all.back());
    std::vector<PastShare> page;
    if (at == site.config.name) {
      page = own.list(after, kMostPastShares);
    } else {
      const Bytes question = encode(after ? std::vector{*after} : std::vector<PastShare>());
      TRY_ASSIGN(const Bytes answer, site.caller.ask(at, number(Method::kPastShares), question));
      TRY_ASSIGN(page, decode_past_shares(answer));
    }
    if (page.empty()) return all;
    for (const PastShare& share : page) {
      if (!all.empty() && share <= all.back()) {
        return fail(Code::kProtocol, at.text() + " lists shares that it held out of order");
      }
      all.push_back(share);
    }
  }
}

Result<std::vector<PastShare>> had_here(SiteContext& site, const PastShares& past,
                                        const ObjectId& object) {
  std::set<PastShare> had;
  for (const PastShare& one : past.list(PastShare{object, 0, {}}, kMostPastShares)) {
    if (one.object != object) break;
    had.insert(one);
  }
  TRY_ASSIGN(const store::Inventory inventory, site.shares.inventory());
  for (const store::ShareSummary& share : inventory.shares) {
    if (share.object != object) continue;
    const auto reader = site.shares.open(share.share);
    if (!reader && reader.error().code == Code::kNotFound) continue;  // just deleted, and noted
    if (!reader) return std::unexpected(reader.error());
    had.insert({object, (*reader)->header().generation, share.path});
  }
  TRY_ASSIGN(const store::PartialListing begun, site.shares.list_partial());
  for (const store::PartialShare& share : begun.shares) {
    if (share.header.object != object) continue;
    had.insert({object, share.header.generation, share.header.path});
  }
  return std::vector(had.begin(), had.end());
}

Result<std::vector<PastShare>> had_at(SiteContext& site, const PastShares& own, const SiteName& at,
                                      const ObjectId& object) {
  if (at == site.config.name) return had_here(site, own, object);
  wire::Writer question;
  question.id(object);
  TRY_ASSIGN(const Bytes answer, site.caller.ask(at, number(Method::kSharesHad), question.take()));
  return decode_past_shares(answer);
}

void add_past_handler(channel::Server& server, SiteContext& site, const PastShares& own) {
  server.handle(
      number(Method::kPastShares), [&site, &own](channel::Exchange& exchange) -> Result<> {
        TRY(only_control(site, exchange.request().from));
        TRY_ASSIGN(const auto after, decode_past_shares(exchange.request().body));
        if (after.size() > 1) return fail(Code::kProtocol, "a question has one place to begin at");
        return exchange.reply(encode(own.list(
            after.empty() ? std::nullopt : std::optional(after.front()), kMostPastShares)));
      });
  server.handle(number(Method::kSharesHad), [&site, &own](channel::Exchange& exchange) -> Result<> {
    TRY(only_control(site, exchange.request().from));
    wire::Reader question(exchange.request().body, "question for an object");
    const auto object = question.id<ObjectId>();
    TRY(question.finish());
    TRY_ASSIGN(auto had, had_here(site, own, object));
    if (had.size() > kMostPastShares) had.resize(kMostPastShares);
    return exchange.reply(encode(had));
  });
}

}  // namespace warifu::control
