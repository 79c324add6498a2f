// Shares on their way in.
#include <algorithm>

#include "base/log.h"
#include "control/share_service.h"
#include "wire/wire.h"

namespace warifu::control {

store::ShareHeader to_header(const ShareSpec& spec, os::UnixMs created) {
  return {.share = spec.share,
          .object = spec.object,
          .parent = spec.parent.value_or(ShareId{}),
          .owner = spec.owner,
          .scheme = spec.scheme,
          .path = spec.path,
          .computational = spec.computational,
          .drawn = spec.drawn,
          .entropy_origins = spec.entropy_origins,
          .generation = spec.generation,
          .chunk_bytes = spec.chunk_bytes,
          .chunk_count = spec.chunking().chunk_count(),
          .object_length = spec.object_length,
          .full_record_bytes = spec.records.full_bytes(),
          .last_record_bytes = spec.records.last_bytes(),
          .created = created,
          .policy = spec.policy,
          .lead_chunks = spec.lead_chunks};
}

Result<PreparedShare> Uploads::prepare(const ShareSpec& spec, const SiteName& from) {
  // The gate would give it to nobody. So it is while share control, after the loss of its catalog,
  // has not heard from here what the person is called.
  if (spec.owner.is_zero()) {
    return fail(Code::kRefused,
                "share " + spec.share.text() +
                    " is nobody's here: rebuild the catalog first, this site answers");
  }
  const std::lock_guard lock(mutex_);
  if (const auto it = open_.find(spec.share); it != open_.end()) {
    if (it->second.from != from) {
      return fail(Code::kRefused,
                  "share " + spec.share.text() + " is " + it->second.from.text() + "'s to send");
    }
    if (it->second.writer == nullptr) {
      return fail(Code::kBusy, "share " + spec.share.text() + " is being received already");
    }
    return PreparedShare{it->second.writer->durable_chunks(), it->second.writer->header().drawn};
  }
  auto writer = site_.shares.reopen(spec.share);
  if (!writer && writer.error().code == Code::kAlreadyExists) {
    const auto reader = site_.shares.open(spec.share);
    if (reader) return PreparedShare{spec.chunking().chunk_count(), (*reader)->header().drawn};
    writer = std::unexpected(reader.error());
  }
  if (!writer && writer.error().code == Code::kCorrupt) {
    // Nobody counts on it yet, or it would not be announced: its sender has all of it still. And
    // what cannot even be opened is of no use to anybody.
    log_warning("is received anew: " + writer.error().message);
    TRY(site_.shares.remove(spec.share));
    writer = fail(Code::kNotFound, "share " + spec.share.text() + " is to be begun anew");
  }
  if (!writer && writer.error().code == Code::kNotFound) {
    store::ShareHeader header = to_header(spec, site_.system.clock.now());
    site_.system.random.fill(header.check_key);
    writer = site_.shares.create(header);
  }
  if (!writer) return std::unexpected(writer.error());
  const store::ShareHeader& header = (*writer)->header();
  if (header.object != spec.object || header.owner != spec.owner ||
      header.object_length != spec.object_length || header.scheme != spec.scheme ||
      header.lead_chunks != spec.lead_chunks || header.path != spec.path) {
    return fail(Code::kRefused, "share " + spec.share.text() + " was announced as another one");
  }
  const PreparedShare prepared{(*writer)->durable_chunks(), header.drawn};
  open_[spec.share] = {std::move(*writer), from};
  return prepared;
}

Result<> Uploads::cut_back(const ShareId& share, std::uint64_t chunks, const SiteName& from) {
  const std::lock_guard lock(mutex_);
  const auto it = open_.find(share);
  if (it == open_.end() && site_.shares.open(share)) {
    return fail(Code::kAlreadyExists,
                "share " + share.text() + " is permanent: its cut cannot be begun anew");
  }
  if (it == open_.end() || it->second.from != from) {
    return fail(Code::kNotFound, "share " + share.text() + " was not announced by " + from.text());
  }
  store::ShareWriter* writer = it->second.writer.get();
  if (writer == nullptr) {
    return fail(Code::kBusy, "share " + share.text() + " is being received already");
  }
  return writer->next_chunk().value > chunks ? writer->truncate_to({chunks}) : Result<>();
}

Result<std::shared_ptr<void>> Uploads::begin_cut(const ShareId& share) {
  const std::lock_guard lock(mutex_);
  if (!being_cut_.insert(share).second) {
    return fail(Code::kBusy, "share " + share.text() + " is being cut already");
  }
  return std::shared_ptr<void>(nullptr, [this, share](void*) {
    const std::lock_guard ending(mutex_);
    being_cut_.erase(share);
  });
}

Result<std::unique_ptr<store::ShareWriter>> Uploads::take(const ShareId& share,
                                                          std::uint64_t chunks,
                                                          const SiteName& from) {
  const std::lock_guard lock(mutex_);
  const auto it = open_.find(share);
  if (it == open_.end() || it->second.from != from) {
    return fail(Code::kNotFound, "share " + share.text() + " was not announced by " + from.text());
  }
  if (it->second.writer == nullptr) {
    return fail(Code::kBusy, "share " + share.text() + " is being received already");
  }
  TRY(it->second.writer->truncate_to({chunks}));
  return std::exchange(it->second.writer, nullptr);
}

void Uploads::give_back(const ShareId& share, std::unique_ptr<store::ShareWriter> writer) {
  const std::lock_guard lock(mutex_);
  open_[share].writer = std::move(writer);
}

std::optional<store::ShareHeader> Uploads::begun(const ShareId& share) {
  const std::lock_guard lock(mutex_);
  const auto it = open_.find(share);
  if (it != open_.end()) {
    const store::ShareWriter* writer = it->second.writer.get();
    return writer != nullptr && writer->next_chunk().value > 0 ? std::optional(writer->header())
                                                               : std::nullopt;
  }
  const auto writer = site_.shares.reopen(share);
  return writer && (*writer)->next_chunk().value > 0 ? std::optional((*writer)->header())
                                                     : std::nullopt;
}

void Uploads::abandon(const ShareId& share) {
  const std::lock_guard lock(mutex_);
  const auto it = open_.find(share);
  if (it == open_.end() || it->second.writer == nullptr) return;
  const auto abandoned = it->second.writer->abandon();
  if (!abandoned) log_warning(abandoned.error().message);
  open_.erase(it);
}

Result<> Uploads::commit(const CommitRequest& request, const SiteName& from) {
  const ShareId& share = request.share;
  {
    const std::lock_guard lock(mutex_);
    if (const auto it = open_.find(share); it != open_.end()) {
      if (it->second.from != from) {
        return fail(Code::kRefused, "share " + share.text() + " is not " + from.text() + "'s");
      }
      if (it->second.writer == nullptr) {
        return fail(Code::kBusy, "share " + share.text() + " is still being received");
      }
      TRY(it->second.writer->commit());
      open_.erase(it);
    } else if (const auto writer = site_.shares.reopen(share)) {
      // All of it came before this site started anew, and nobody has announced it since.
      TRY((*writer)->commit());
    }
  }
  store::Completion completion{.entropy_origins = request.entropy.bits(),
                               .computational = request.entropy.computational()};
  for (const Sibling& sibling : request.siblings) {
    completion.siblings.push_back(
        {static_cast<std::uint8_t>(sibling.index), sibling.share, sibling.site});
  }
  TRY_ASSIGN(const auto reader, site_.shares.open(share));
  const auto& known = reader->header().siblings;
  // Who may gather and who may not be given parts hangs on them: they are written once.
  if (!known.empty()) {
    if (known == completion.siblings) return {};
    return fail(Code::kRefused, "the siblings of share " + share.text() + " are fixed already");
  }
  TRY(site_.shares.complete(share, completion));
  return site_.log.append("share_stored", {{"share", share.text()}});
}

Result<PreparedShare> prepare_share(SiteContext& site, Uploads& own, const SiteName& at,
                                    const ShareSpec& spec) {
  if (at == site.config.name) return own.prepare(spec, at);
  TRY_ASSIGN(const Bytes answer, site.caller.ask(at, number(Method::kSharePrepare), encode(spec)));
  wire::Reader reader(answer, "answer to prepare");
  PreparedShare prepared{.durable_chunks = reader.u64()};
  const std::uint8_t drawn = reader.u8();
  if (drawn > 1) reader.reject("neither drawn nor sent");
  prepared.drawn = drawn == 1;
  TRY(reader.finish());
  return prepared;
}

Result<std::uint64_t> cut_back_to_least(SiteContext& site, Uploads& own,
                                        std::span<const BegunShare> cut, std::uint64_t chunks) {
  for (const BegunShare& share : cut) chunks = std::min(chunks, share.durable_chunks);
  for (const BegunShare& share : cut) {
    if (share.durable_chunks == chunks) continue;
    if (share.site == site.config.name) {
      TRY(own.cut_back(share.share, chunks, share.site));
      continue;
    }
    wire::Writer body;
    body.id(share.share);
    body.u64(chunks);
    TRY(site.caller.ask(share.site, number(Method::kShareCutBack), body.take()));
  }
  return chunks;
}

Result<> commit_share(SiteContext& site, Uploads& own, const SiteName& at,
                      const CommitRequest& request) {
  if (at == site.config.name) return own.commit(request, at);
  TRY(site.caller.ask(at, number(Method::kShareCommit), encode(request)));
  return {};
}

}  // namespace warifu::control
