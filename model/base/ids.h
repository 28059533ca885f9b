// Strong index types. An index of one kind cannot stand where another is meant.
#pragma once

#include <cstddef>
#include <cstdint>

namespace loopscape {

enum class DimId : std::uint8_t {};
enum class TensorId : std::uint8_t {};
enum class MemoryId : std::uint8_t {};
enum class FanoutId : std::uint8_t {};
// An axis is numbered across the whole architecture: the first fan-out's axes first.
enum class AxisId : std::uint8_t {};

template <class Id>
constexpr std::size_t index(Id id) {
  return static_cast<std::size_t>(id);
}

// Fixed limits of the hot path's arrays. Specs beyond them are refused with a sentence.
inline constexpr std::size_t kMaxDims = 16;
inline constexpr std::size_t kMaxTensors = 8;
inline constexpr std::size_t kMaxRanks = 8;
inline constexpr std::size_t kMaxTerms = 4;
inline constexpr std::size_t kMaxMemories = 16;
inline constexpr std::size_t kMaxFanouts = 8;
inline constexpr std::size_t kMaxAxesPerFanout = 4;
inline constexpr std::size_t kMaxAxes = kMaxFanouts * kMaxAxesPerFanout;
inline constexpr std::size_t kMaxMappingNodes = 96;
// One loop's bound and one dimension's extent fit 32 bits; products are checked 64-bit.
inline constexpr std::int64_t kMaxExtent = 0xffffffffLL;

using TensorMask = std::uint8_t;
using DimMask = std::uint16_t;

constexpr TensorMask bit(TensorId t) { return static_cast<TensorMask>(1u << index(t)); }
constexpr DimMask bit(DimId d) { return static_cast<DimMask>(1u << index(d)); }

}  // namespace loopscape
