// Requests over cached connections.
#include "channel/caller.h"

#include "base/log.h"

namespace warifu::channel {
namespace {
constexpr std::size_t kIdlePerPeer = 4;
constexpr std::chrono::seconds kConnectTimeout(5);
}  // namespace

Call::Call(Caller& caller, std::unique_ptr<Connection> connection, const Request& request,
           KeepWaiting keep_waiting)
    : caller_(&caller), connection_(std::move(connection)) {
  if (!keep_waiting) keep_waiting = [] { return true; };
  sender_ = std::make_unique<StreamSender>(*connection_, request.upload, request.job,
                                           std::move(keep_waiting));
}

Call::~Call() {
  if (connection_ != nullptr) connection_->close();
}

Result<Reply> Call::reply(const Progress& progress) {
  TRY_ASSIGN(const Frame frame, await_frame(*connection_, FrameType::kReply, progress));
  TRY_ASSIGN(Reply reply, decode_reply(frame.payload.bytes()));
  if (reply.download.frames == 0) {
    done();
  } else {
    receiver_ = std::make_unique<StreamReceiver>(*connection_, reply.download);
  }
  return reply;
}

Result<secret::Buffer> Call::receive() {
  return receiver_->receive();
}

Result<> Call::acknowledge() {
  TRY(receiver_->acknowledge());
  if (receiver_->finished()) done();
  return {};
}

void Call::on_working(Progress progress) {
  if (receiver_ != nullptr) receiver_->on_working(progress);
  if (sender_ != nullptr) sender_->on_working(std::move(progress));
}

void Call::cancel() {
  const std::lock_guard lock(*ending_);
  if (connection_ != nullptr) connection_->close();
}

void Call::done() {
  const std::lock_guard lock(*ending_);
  caller_->give_back(std::move(connection_));
}

Result<SiteName> Caller::next_hop(const SiteName& to) const {
  const auto it = routes_.next_hop.find(to);
  if (it == routes_.next_hop.end()) {
    return fail(Code::kNotFound,
                "there is no route from " + routes_.self.text() + " to '" + to.text() + "'");
  }
  return it->second;
}

Result<SiteName> Caller::own_hop(const SiteName& to) const {
  if (routes_.relayed.contains(to)) return to;
  return next_hop(to);
}

Result<std::unique_ptr<Connection>> Caller::connect(const SiteName& peer) {
  kme::Link* link = keys_.link_to(peer);
  const auto address = routes_.addresses.find(peer);
  if (link == nullptr || address == routes_.addresses.end()) {
    return fail(Code::kNotFound, "there is no link to " + peer.text());
  }
  // Twice: the first try may end with both ends brought into step after a restored backup.
  for (int attempt = 0;; ++attempt) {
    auto stream = dial_(address->second, kConnectTimeout);
    if (!stream) return fail_in("site " + peer.text(), stream.error());
    auto connection = Connection::call(*link, std::move(*stream));
    if (connection) return connection;
    const bool again = attempt == 0 && connection.error().code == Code::kUnavailable;
    if (!again) return fail_in("site " + peer.text(), connection.error());
  }
}

std::unique_ptr<Connection> Caller::take_idle(const SiteName& peer) {
  const std::lock_guard lock(mutex_);
  auto& connections = idle_[peer];
  std::erase_if(connections, [](const auto& idle) { return idle->is_stale(); });
  if (connections.empty()) return nullptr;
  auto connection = std::move(connections.back());
  connections.pop_back();
  return connection;
}

void Caller::give_back(std::unique_ptr<Connection> connection) {
  const std::lock_guard lock(mutex_);
  auto& connections = idle_[connection->link().peer()];
  if (connections.size() < kIdlePerPeer) connections.push_back(std::move(connection));
}

Result<Call> Caller::start(Request request, KeepWaiting keep_waiting) {
  if (request.from.empty()) request.from = routes_.self;
  SiteName hop;
  if (!request.way.empty()) {
    hop = request.way.front();
    request.way.erase(request.way.begin());
  } else {
    const bool own = request.from == routes_.self;
    TRY_ASSIGN(hop, own ? own_hop(request.to) : next_hop(request.to));
  }
  if (request.upload.drawn && hop != request.to) {
    return fail(Code::kRefused, "key becomes a share between neighbours only; " +
                                    request.to.text() + " lies behind " + hop.text());
  }
  // A cached connection may have died while idle; then one fresh connection is tried. Nothing of
  // the request can have been acted on, because a dead connection delivers no whole frame.
  for (;;) {
    std::unique_ptr<Connection> connection = take_idle(hop);
    const bool cached = connection != nullptr;
    if (!cached) {
      TRY_ASSIGN(connection, connect(hop));
    }
    connection->work_for(request.job);
    Bytes payload = encode(request);
    const auto sent = connection->send(FrameType::kRequest, payload);
    if (sent) return Call(*this, std::move(connection), request, std::move(keep_waiting));
    if (!cached) return fail_in("site " + hop.text(), sent.error());
  }
}

Result<Bytes> Caller::ask(const SiteName& to, std::uint16_t method, Bytes body) {
  for (int attempt = 0;; ++attempt) {
    Request request{.to = to, .method = method, .body = body};
    TRY_ASSIGN(Call call, start(std::move(request)));
    auto reply = call.reply();
    if (reply) return std::move(reply->body);
    // A cached connection that the far end closed shows only now; all questions can be repeated.
    const bool again = attempt < 2 && reply.error().code == Code::kUnavailable;
    if (again) continue;
    const bool named = reply.error().message.find(to.text()) != std::string::npos;
    if (named) return std::unexpected(reply.error());
    return fail_in("site " + to.text(), reply.error());
  }
}

}  // namespace warifu::channel
