#include "model/base/status.h"

namespace loopscape {

std::string Status::to_string() const {
  std::string out = file_;
  for (const std::string* part : {&place_, &message_}) {
    if (part->empty()) continue;
    if (!out.empty()) out += ": ";
    out += *part;
  }
  return out;
}

}  // namespace loopscape
