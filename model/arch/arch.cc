#include "model/arch/arch.h"

namespace loopscape {

std::int64_t Fanout::children() const {
  std::int64_t product = 1;
  for (const Axis& axis : axes) product *= axis.size;  // fits: make_arch() checked it
  return product;
}

std::optional<MemoryId> Arch::find_memory(std::string_view memory) const {
  for (std::size_t i = 0; i < memories.size(); ++i) {
    if (memories[i].name == memory) return static_cast<MemoryId>(i);
  }
  return std::nullopt;
}

std::optional<FanoutId> Arch::find_fanout(std::string_view fanout) const {
  for (std::size_t i = 0; i < fanouts.size(); ++i) {
    if (fanouts[i].name == fanout) return static_cast<FanoutId>(i);
  }
  return std::nullopt;
}

std::optional<AxisId> Arch::find_axis(std::string_view wanted) const {
  const std::size_t count = axis_count();
  for (std::size_t a = 0; a < count; ++a) {
    if (axis_name(static_cast<AxisId>(a)) == wanted) return static_cast<AxisId>(a);
  }
  if (const std::optional<FanoutId> fanout = find_fanout(wanted)) {
    if (fanouts[index(*fanout)].axes.size() == 1) return first_axis(*fanout);
  }
  std::optional<AxisId> only;
  for (std::size_t a = 0; a < count; ++a) {
    if (axis(static_cast<AxisId>(a)).name != wanted) continue;
    if (only) return std::nullopt;
    only = static_cast<AxisId>(a);
  }
  return only;
}

AxisId Arch::first_axis(FanoutId fanout) const {
  std::size_t first = 0;
  for (std::size_t f = 0; f < index(fanout); ++f) first += fanouts[f].axes.size();
  return static_cast<AxisId>(first);
}

FanoutId Arch::fanout_of(AxisId wanted) const {
  std::size_t fanout = 0, before = 0;
  while (index(wanted) >= before + fanouts[fanout].axes.size()) {
    before += fanouts[fanout++].axes.size();
  }
  return static_cast<FanoutId>(fanout);
}

const Axis& Arch::axis(AxisId wanted) const {
  const FanoutId fanout = fanout_of(wanted);
  return fanouts[index(fanout)].axes[index(wanted) - index(first_axis(fanout))];
}

std::string Arch::axis_name(AxisId wanted) const {
  return fanouts[index(fanout_of(wanted))].name + "." + axis(wanted).name;
}

std::size_t Arch::axis_count() const {
  std::size_t count = 0;
  for (const Fanout& fanout : fanouts) count += fanout.axes.size();
  return count;
}

}  // namespace loopscape
