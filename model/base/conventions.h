// The counting conventions of model.md section 7 in which published tools differ.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "model/base/status.h"

namespace loopscape {

struct Conventions {
  enum class Preset : std::uint8_t { kPhysical, kTimeloop };
  enum class Footprint : std::uint8_t { kDistinct, kBox };
  // What a multicasting (or reducing) network shares: any common word, or only among children
  // whose whole delta is equal, fan-out by fan-out.
  enum class Sharing : std::uint8_t { kAnyWord, kEqualDelta };
  enum class Refill : std::uint8_t { kOneChild, kEveryChild };
  enum class Reuse : std::uint8_t { kMarch, kPreviousTile };

  Preset preset = Preset::kPhysical;  // what the fields below started from; informative
  bool drain_reads = true;            // drains cost energy and bandwidth
  Footprint footprint = Footprint::kDistinct;
  Sharing sharing = Sharing::kAnyWord;
  Refill refill = Refill::kOneChild;
  Reuse reuse = Reuse::kMarch;

  static constexpr Conventions physical() { return {}; }
  static constexpr Conventions timeloop() {
    return {Preset::kTimeloop,   false,        Footprint::kBox, Sharing::kEqualDelta,
            Refill::kEveryChild, Reuse::kMarch};
  }
  friend bool operator==(const Conventions&, const Conventions&) = default;
};

// "timeloop", "physical,footprint=box", "reuse=previous_tile,drain_reads=false": a preset, if any,
// comes first; the keys and values are those of the JSON form.
Result<Conventions> parse_conventions_text(std::string_view text);
std::string conventions_to_text(const Conventions& conventions);

// {"preset": "physical", "drain_reads": true, "footprint": "distinct|box", "multicast":
// "any|equal",
//  "refill": "one|every", "reuse": "march|previous_tile"}; given fields win over the preset.
Result<Conventions> parse_conventions(std::string_view text);
std::string conventions_to_json(const Conventions& conventions);
std::string conventions_schema();

}  // namespace loopscape
