// One boundary of one tensor: a store (or compute) and its parent (counting.md A3 to A6).
#pragma once

#include <array>
#include <cstdint>

#include "model/base/base.h"
#include "model/counting/counting.h"
#include "model/counting/rank_sets.h"

namespace loopscape {

using LoopRoles = std::array<LoopRole, kMaxMappingNodes>;

struct Boundary {
  int tensor = 0;
  int child = 0, parent = 0;  // positions: how many loops lie outside
  bool to_compute = false;
  Levels levels;
  // What each loop outside the child does under `march`, the instances being summed: kHeld (run),
  // kMarch or kRuns; spatial ones kLane or kRuns.
  LoopRoles role;
};

// Words that cross, summed over time. [v]: the v innermost fan-outs of the boundary resolved.
struct Flow {
  std::array<std::int64_t, kMaxFanouts + 1> demand{};
  std::int64_t group = 0;
  std::int64_t forwarded = 0;
  std::int64_t arrivals() const { return demand[0]; }
};

// Which instances of the parent are looked at: all of them, or the one whose spatial loops outside
// stand at `lane` (indexed as nest.loop; null: every index 0).
struct Instances {
  bool summed = true;
  const std::uint32_t* lane = nullptr;
  static Instances all() { return {}; }
  static Instances first() { return {false, nullptr}; }
  static Instances at(const std::uint32_t* lane) { return {false, lane}; }
};

// Everything but the roles of loops.
Boundary outline_boundary(const CountingContext& context, const Nest& nest, int tensor, int child,
                          int parent, bool to_compute);
Boundary make_boundary(const CountingContext& context, const Nest& nest, int tensor, int child,
                       int parent, bool to_compute);

// Roles under `previous_tile` at the advances that temporal loop `event` names; -1: at the start.
void set_event_roles(const Nest& nest, const Boundary& boundary, int event, LoopRoles& roles);
// Do the rules of `march` give the boundary's counts, whatever the convention?
bool follows_march(const CountingContext& context, const Nest& nest, const Boundary& boundary);
// Rank r of the boundary's tensor, for rank_values() and its like. The query points to its shape
// and to boundary.levels.
void make_rank_query(const CountingContext& context, const Nest& nest, const Boundary& boundary,
                     const LoopRoles& roles, const Instances& instances, std::size_t r,
                     RankQuery& query);

// boundary_flow() in one pass for a tensor of simple ranks and perfect factors, all instances
// summed: words times what repeats (D4). Needs no roles.
void plain_flow(const CountingContext& context, const Nest& nest, const Boundary& boundary,
                OverflowFlag& flag, Flow& flow);

// False when the boundary cannot be counted exactly (counting.md B9 lists why).
bool boundary_flow(const CountingContext& context, const Nest& nest, const Boundary& boundary,
                   const Instances& instances, Workspace& workspace, OverflowFlag& flag,
                   Flow& flow);

// Words that the instance ever holds in dimensions of simple ranks (D2).
std::int64_t simple_coverage(const CountingContext& context, const Nest& nest, int tensor,
                             int position, const Instances& instances, OverflowFlag& flag);

}  // namespace loopscape
