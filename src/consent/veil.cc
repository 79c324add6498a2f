// Commitments to regions.
#include "consent/veil.h"

namespace warifu::consent {
namespace {

constexpr std::string_view kDomain = "warifu veil 1";

Bytes regions_bytes(const Scope& scope) {
  wire::Writer writer;
  write_scope(writer, {scope.assembly, scope.regions});
  return writer.take();
}

crypto::Digest veil_over(ByteView salt, ByteView regions) {
  WARIFU_CHECK(salt.size() == kSaltBytes);
  wire::Writer writer;
  writer.raw(as_bytes(kDomain));
  writer.raw(regions);
  return crypto::hmac_sha256(salt, writer.take());
}

}  // namespace

Scope veiled(Scope scope, ByteView salt) {
  scope.veil = veil_over(salt, regions_bytes(scope));
  return scope;
}

Bytes opening_of(const Scope& scope, ByteView salt) {
  WARIFU_CHECK(salt.size() == kSaltBytes);
  wire::Writer writer;
  writer.raw(salt);
  writer.raw(regions_bytes(scope));
  return writer.take();
}

Result<Scope> opened(Scope scope, ByteView opening) {
  if (!scope.veil) {
    if (opening.empty()) return scope;
    return fail(Code::kCorrupt, "an opening of regions that are not hidden");
  }
  wire::Reader reader(opening, "opening of hidden regions");
  const ByteView salt = reader.raw(kSaltBytes);
  const Scope inner = read_scope(reader);
  if (inner.regions.empty() || inner.veil || !inner.chunks.empty()) {
    reader.reject("it names no regions");
  }
  if (const auto read = reader.finish(); !read) return fail(Code::kCorrupt, read.error().message);
  if (veil_over(salt, regions_bytes(inner)) != *scope.veil) {
    return fail(Code::kCorrupt, "the regions are not those that the consent hides");
  }
  scope.assembly = inner.assembly;
  scope.regions = inner.regions;
  return scope;
}

Scope closed(Scope scope) {
  if (!scope.veil) return scope;
  scope.assembly.clear();
  scope.regions.clear();
  return scope;
}

Result<Grant> parse_opened(ByteView bytes, ByteView opening) {
  TRY_ASSIGN(Grant grant, parse_grant(bytes));
  TRY_ASSIGN(grant.scope, opened(std::move(grant.scope), opening));
  return grant;
}

}  // namespace warifu::consent
