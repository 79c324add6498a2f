// The page of a kiosk, on loopback: its files, and the acts of a KioskDesk as JSON.
//
// Whoever has the address of the page has its key, which stands behind the # and so in no request
// line; the page sends it in the header Warifu-Page with every request, and without it nothing is
// answered. Besides, names and origins are checked as at a site (web/edge_gate.h). PINs come as
// bodies of their own, in secret memory, over loopback only.
#pragma once

#include "apps/kiosk_desk.h"
#include "apps/kiosk_enrolment.h"
#include "http/server.h"

namespace warifu::apps {

class KioskServer {
 public:
  // `address` must be loopback's. Desk and enrolment must outlive it. Errors: kInvalidArgument, kIo
  // (the port is taken).
  [[nodiscard]] static Result<std::unique_ptr<KioskServer>> open(KioskDesk& desk,
                                                                 KioskEnrolment& enrolment,
                                                                 const std::string& address);
  void start() { server_->start(); }
  void stop() { server_->stop(); }
  // With the key: for the browser of the kiosk and nobody else.
  [[nodiscard]] const std::string& page_url() const { return url_; }

 private:
  KioskServer() = default;
  std::unique_ptr<http::Server> server_;
  std::string url_;
};

}  // namespace warifu::apps
