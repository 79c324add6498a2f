// The file, and the question.
#include "control/past_shares.h"

#include "control/share_service.h"
#include "wire/wire.h"

namespace warifu::control {
namespace {

constexpr std::size_t kBodyBytes = 30;

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
  std::set<PastShare> shares;
  const auto take = [&](ByteView body) -> Result<> {
    wire::Reader reader(body, "record of a share that was held");
    PastShare share = read_past(reader);
    TRY(reader.finish());
    shares.insert(std::move(share));
    return {};
  };
  TRY_ASSIGN(auto file,
             store::RecordFile::open(files, path,
                                     {kBodyBytes, "what this site has held cannot be told"}, take));
  return std::unique_ptr<PastShares>(new PastShares(std::move(file), std::move(shares)));
}

Result<> PastShares::add(const PastShare& share) {
  const std::lock_guard lock(mutex_);
  if (shares_.contains(share)) return {};
  wire::Writer writer;
  write_past(writer, share);
  TRY(file_.add(writer.bytes()));
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

void add_past_handler(channel::Server& server, SiteContext& site, const PastShares& own) {
  server.handle(
      number(Method::kPastShares), [&site, &own](channel::Exchange& exchange) -> Result<> {
        TRY(only_control(site, exchange.request().from));
        TRY_ASSIGN(const auto after, decode_past_shares(exchange.request().body));
        if (after.size() > 1) return fail(Code::kProtocol, "a question has one place to begin at");
        return exchange.reply(encode(own.list(
            after.empty() ? std::nullopt : std::optional(after.front()), kMostPastShares)));
      });
}

}  // namespace warifu::control
