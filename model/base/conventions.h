// The counting conventions of model.md section 7 in which published tools differ.
#pragma once

#include <cstdint>

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
    return {Preset::kTimeloop, false, Footprint::kBox, Sharing::kEqualDelta, Refill::kEveryChild,
            Reuse::kMarch};
  }
  friend bool operator==(const Conventions&, const Conventions&) = default;
};

}  // namespace loopscape
