#include "model/base/json_place.h"

#include <algorithm>
#include <charconv>

#include "model/base/json_fields.h"

namespace loopscape {

std::string written_place(std::string_view text, std::string_view place) {
  fields::Json document;
  if (!fields::parse_json(text, document).ok()) return std::string(place);
  const fields::Json* value = &document;
  std::string written;
  while (!place.empty()) {
    const std::size_t end = std::min(place.find('/', 1), place.size());
    const std::string step(place.substr(1, end - 1));
    place.remove_prefix(end);
    if (value->is_object() && value->contains(step)) {
      value = &(*value)[step];
    } else if (value->is_array()) {
      std::size_t index = value->size();
      std::from_chars(step.data(), step.data() + step.size(), index);
      if (index >= value->size()) continue;
      value = &(*value)[index];
    } else {
      continue;
    }
    written += "/" + step;
  }
  return written;
}

}  // namespace loopscape
