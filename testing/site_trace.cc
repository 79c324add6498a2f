// Words for uses, frames and violations.
#include "testing/site_trace.h"

#include <string>

#include "channel/frame.h"

namespace warifu::sim {
namespace {

std::string_view purpose_text(keypool::Purpose purpose) {
  switch (purpose) {
    case keypool::Purpose::kControl: return "control";
    case keypool::Purpose::kBulk: return "bulk";
    case keypool::Purpose::kShare: return "a share";
    case keypool::Purpose::kRandom: return "random numbers";
    case keypool::Purpose::kApplication: return "an application";
  }
  return "nothing known";
}

std::string_view type_text(channel::FrameType type) {
  switch (type) {
    case channel::FrameType::kHello: return "hello";
    case channel::FrameType::kWelcome: return "welcome";
    case channel::FrameType::kOpen: return "open";
    case channel::FrameType::kBehind: return "behind";
    case channel::FrameType::kSorry: return "sorry";
    case channel::FrameType::kGrantRequest: return "grant request";
    case channel::FrameType::kGrant: return "grant";
    case channel::FrameType::kGrantDenied: return "grant denied";
    case channel::FrameType::kRequest: return "request";
    case channel::FrameType::kReply: return "reply";
    case channel::FrameType::kError: return "error";
    case channel::FrameType::kData: return "data";
    case channel::FrameType::kAck: return "acknowledgement";
    case channel::FrameType::kWorking: return "working";
    case channel::FrameType::kDrawn: return "drawn";
  }
  return "unknown frame";
}

}  // namespace

void SiteTrace::tell_violations() {
  if (!on()) return;
  for (const ViolationKind& kind : violation_kinds()) {
    if (found_.*kind.count == told_.*kind.count) continue;
    *out_ << "  VIOLATION: " << found_.*kind.count - told_.*kind.count << ' ' << kind.name << '\n';
  }
  told_ = found_;
}

std::ostream& operator<<(std::ostream& out, const Use& use) {
  return out << "left " << use.begin.value << " to " << use.end().value << " for "
             << purpose_text(use.purpose) << " in conversation " << use.conversation;
}

std::string frame_text(ByteView frame) {
  if (frame.size() < channel::kHeaderBytes) return "a piece of a frame";
  const auto header = channel::decode_header(frame.first(channel::kHeaderBytes));
  if (!header) return "no frame: " + header.error().message;
  std::string text =
      std::string(type_text(header->type)) + " of " + std::to_string(header->length) + " bytes";
  if (channel::is_clear(header->type)) return text;
  return text + ", pad " + std::to_string(header->pad_offset.value) + ", number " +
         std::to_string(header->sequence);
}

}  // namespace warifu::sim
