#include "tests/reference/defects.h"

#include <array>
#include <utility>

namespace loopscape::reference {
namespace {

struct Entry {
  std::string_view name, rule;
};

constexpr std::array<Entry, static_cast<std::size_t>(Defect::kCount)> kEntries = {{
    {"none", ""},
    {"edge_not_cut", "A1, A2"},
    {"idle_lanes_work", "A1, A2"},
    {"box_for_distinct", "A1, A2"},
    {"distinct_for_box", "A1, A2"},
    {"box_for_outputs", "A1, A2"},
    {"padding_moves", "A1, A2"},
    {"no_run", "A4, A5"},
    {"run_past_relevant", "A4, A5"},
    {"no_march", "A4, A5"},
    {"march_past_spatial", "A4, A5"},
    {"march_past_irrelevant", "A4, A5"},
    {"march_not_split", "A4, A5"},
    {"march_for_previous", "A4, A5"},
    {"previous_for_march", "A4, A5"},
    {"idle_forgets", "A4, A5"},
    {"nothing_shared", "A6"},
    {"all_shared", "A6"},
    {"outer_shares_alone", "A6"},
    {"inner_shares_alone", "A6"},
    {"copies_merge", "A6"},
    {"any_word_for_equal", "A6"},
    {"equal_for_any_word", "A6"},
    {"no_forwarding", "A6"},
    {"forward_from_left_only", "A6"},
    {"forward_across_turns", "A6"},
    {"forward_outer_loop", "A6"},
    {"no_forward_at_compute", "A6"},
    {"refill_swapped", "A7"},
    {"refill_last_child", "A7"},
    {"first_visits_read", "A7"},
    {"no_refills", "A7"},
    {"first_visit_per_child", "A7"},
    {"first_visits_forgotten", "A7"},
    {"no_drains", "A7"},
    {"drain_reads_swapped", "A8"},
    {"round_totals", "A8"},
    {"round_actions_together", "A8"},
    {"no_rounding", "A8"},
    {"final_bits_ignored", "A8"},
    {"final_bits_always", "A8"},
    {"final_bits_every_visit", "A8"},
    {"steps_not_cut", "A9"},
    {"first_instance", "A9"},
    {"mean_instance", "A9"},
    {"double_whole", "A9"},
    {"capacity_largest_store", "A9"},
    {"double_hides_all", "A9"},
    {"buffet_as_double", "A9"},
    {"single_overlaps", "A9"},
    {"single_one_end", "A9"},
    {"drain_at_full_bits", "A9"},
    {"rate_of_child_only", "A9"},
    {"network_one_instance", "A9"},
    {"network_down_only", "A9"},
    {"skew_of_lanes", "A9"},
    {"no_skew", "A9"},
    {"folds_of_output", "A9"},
    {"never_pipelined", "A9"},
    {"no_preload", "A9"},
    {"preload_other_axis", "A9"},
    {"no_latency", "A9"},
    {"latency_without_store", "A9"},
    {"ceil_together", "A9"},
    {"used_leak", "A10 and model.md 8, 9"},
    {"gated_leak", "A10 and model.md 8, 9"},
}};

}  // namespace

std::string_view name_of(Defect defect) { return kEntries[static_cast<std::size_t>(defect)].name; }
std::string_view rule_of(Defect defect) { return kEntries[static_cast<std::size_t>(defect)].rule; }

}  // namespace loopscape::reference
