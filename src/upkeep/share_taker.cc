// Summing parts up into a share.
#include "upkeep/share_taker.h"

#include <algorithm>

#include "control/share_sink.h"
#include "upkeep/part_maker.h"

namespace warifu::upkeep {
void ShareTaker::add_handlers(channel::Server& server) {
  server.handle(number(Method::kTake), [this](channel::Exchange& exchange) -> Result<> {
    TRY_ASSIGN(const TakeRequest request, decode_take(exchange.request().body));
    TRY(control::only_control(site_, exchange.request().from));
    TRY(take(
        request, exchange.request().from, exchange.request().job,
        [&](std::uint64_t done, std::uint64_t total) { return exchange.working(done, total); }));
    return exchange.reply({});
  });
  server.handle(number(Method::kNews), [this](channel::Exchange& exchange) -> Result<> {
    TRY_ASSIGN(const SiblingNews news, decode_news(exchange.request().body));
    TRY(control::only_control(site_, exchange.request().from));
    TRY(hear(news));
    return exchange.reply({});
  });
}

Result<ShareTaker::Sources> ShareTaker::open_sources(const TakeRequest& request, const JobId& job,
                                                     const sharing::RecordLayout& records,
                                                     const Watch& watch) {
  const std::uint64_t count = records.count() - request.first_chunk;
  const channel::StreamShape shape = control::shape_of(records, request.first_chunk, count);
  Sources sources;
  for (const TakeRequest::Source& source : request.sources) {
    if (source.route.back() != site_.config.name || source.site == site_.config.name) {
      return fail(Code::kInvalidArgument, "the route of a part does not lead here");
    }
    TRY_ASSIGN(channel::Call call, site_.caller.start({.to = source.site,
                                                       .way = planner::way_against(source.route),
                                                       .method = number(Method::kGive),
                                                       .job = job,
                                                       .body = encode_session(request.session)}));
    // A source that has not begun yet waits for key.
    const auto passed_on = [&watch](std::uint64_t, std::uint64_t) { (void)watch(0, 0); };
    TRY_ASSIGN(const channel::Reply reply, call.reply(passed_on));
    if (reply.download != shape) {
      return fail(Code::kProtocol, source.site.text() + " offers a part of another size");
    }
    sources.push_back(std::make_unique<control::CallRecords>(std::move(call)));
  }
  for (auto& source : sources) {
    source = std::make_unique<control::ReadAhead>(std::move(source), count);
  }
  return sources;
}

Result<> ShareTaker::write_sums(const TakeRequest& request, Sources& sources,
                                store::ShareWriter& writer, const Watch& watch) {
  const sharing::RecordLayout records = store::records_of(writer.header());
  const std::uint64_t count = records.count() - request.first_chunk;
  control::ShareSink sink(writer, count);
  for (std::uint64_t i = 0; i < count; ++i) {
    secret::Buffer sum;
    for (auto& source : sources) {
      TRY_ASSIGN(secret::Buffer part, source->next());
      if (part.size() != records.length({request.first_chunk + i})) {
        return fail(Code::kProtocol, "a part has a record of another size");
      }
      if (sum.empty()) {
        sum = std::move(part);
      } else {
        add_into(sum.bytes(), part.bytes());
      }
    }
    TRY(sink.put(std::move(sum)));
    TRY(watch(request.first_chunk + sink.durable(), records.count()));
  }
  return sink.wait_durable(count);
}

// One site, one share of an object; the old share of the same place may still lie here.
Result<> ShareTaker::check_holdings(const store::ShareHeader& made) {
  TRY_ASSIGN(const auto here, site_.shares.shares_of(made.object));
  const bool holds_another = std::ranges::any_of(
      here, [&](const store::ShareSummary& held) { return held.path != made.path; });
  if (!holds_another) return {};
  return fail(Code::kRefused,
              site_.config.name.text() + " holds another share of object " + made.object.text());
}

Result<> ShareTaker::take(const TakeRequest& request, const SiteName& from, const JobId& job,
                          const Watch& watch) {
  TRY_ASSIGN(auto writer, uploads_.take(request.share, request.first_chunk, from));
  const auto taken = [&]() -> Result<> {
    const sharing::RecordLayout records = store::records_of(writer->header());
    if (request.first_chunk >= records.count()) {
      return fail(Code::kInvalidArgument, "the share that is taken is whole already");
    }
    TRY(check_holdings(writer->header()));
    TRY_ASSIGN(Sources sources, open_sources(request, job, records, watch));
    return write_sums(request, sources, *writer, watch);
  }();
  uploads_.give_back(request.share, std::move(writer));
  return taken;
}

Result<> ShareTaker::hear(const SiblingNews& news) {
  TRY_ASSIGN(const auto reader, site_.shares.open(news.share));
  const store::ShareHeader& header = reader->header();
  const auto index = static_cast<std::uint8_t>(news.sibling.index);
  store::Completion completion{.siblings = header.siblings,
                               .entropy_origins = header.entropy_origins,
                               .computational = header.computational};
  const auto sibling = std::ranges::find(completion.siblings, index, &store::Sibling::index);
  if (sibling == completion.siblings.end() || index == header.path.index()) {
    return fail(Code::kRefused, "share " + news.share.text() + " has no such sibling");
  }
  if (sibling->share == news.sibling.share && sibling->site == news.sibling.site) return {};
  sibling->share = news.sibling.share;
  sibling->site = news.sibling.site;
  TRY(site_.shares.complete(news.share, completion));
  return site_.log.append("sibling_moved", {{"share", news.share.text()},
                                            {"sibling", news.sibling.share.text()},
                                            {"site", news.sibling.site.text()}});
}

}  // namespace warifu::upkeep
