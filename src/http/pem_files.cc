// The key is written first: a certificate without its key is of no use, and shows as missing.
#include "http/pem_files.h"

namespace warifu::http {
namespace {
constexpr std::uint64_t kMaxPemBytes = 64 * 1024;
}

Result<> write_pem_files(os::FileSystem& files, const std::string& certificate_path,
                         const std::string& key_path, const crypto::PemCertificate& pem) {
  for (const std::string& path : {certificate_path, key_path}) {
    if (files.exists(path)) {
      return fail(Code::kAlreadyExists, "'" + path + "' exists and is not replaced");
    }
  }
  TRY(os::replace_file(files, key_path, pem.key.bytes()));
  return os::replace_file(files, certificate_path, as_bytes(pem.certificate));
}

Result<crypto::PemCertificate> read_pem_files(os::FileSystem& files,
                                              const std::string& certificate_path,
                                              const std::string& key_path) {
  TRY_ASSIGN(const Bytes certificate, os::read_file(files, certificate_path, kMaxPemBytes));
  TRY_ASSIGN(const auto file, files.open(key_path, os::OpenMode::kRead));
  TRY_ASSIGN(const std::uint64_t size, file->size());
  if (size > kMaxPemBytes) return fail(Code::kCorrupt, "'" + key_path + "' is too large");
  secret::Buffer key(size);
  TRY(file->read_exact_at(0, key.bytes()));
  crypto::PemCertificate pem;
  pem.certificate = std::string(as_text(certificate));
  pem.key = std::move(key);
  return pem;
}

}  // namespace warifu::http
