// Certificates and keys on disk.
#pragma once

#include <string>

#include "crypto/certificate.h"
#include "os/files.h"

namespace warifu::http {

// Writes both files durably, readable by their owner only. Nothing is replaced.
// Errors: kAlreadyExists naming the file, kNoSpace, kIo.
[[nodiscard]] Result<> write_pem_files(os::FileSystem& files, const std::string& certificate_path,
                                       const std::string& key_path,
                                       const crypto::PemCertificate& pem);

// Reads what write_pem_files() wrote (an authority that signs more certificates).
// Errors: kNotFound, kIo, kCorrupt when a file is far too large.
[[nodiscard]] Result<crypto::PemCertificate> read_pem_files(os::FileSystem& files,
                                                            const std::string& certificate_path,
                                                            const std::string& key_path);

}  // namespace warifu::http
