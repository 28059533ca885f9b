// The best mappings of a whole network: layers one after the other on one machine, so that energies
// and cycles add up.
//
//   NetworkResult found = map_network(network, arch, costs, conventions, {.goal = {...}}, ...);
//   if (found.best) use(found.best->copies, found.searches);
//
// Equal layers are searched once. For energy and delay the best network is made of the layers'
// best mappings; for EDP and ED2P it is not: those are products of sums. They are quasi-concave
// along a front, so the best network is a corner of the sum of the layers' fronts: best_of_sum().
// Only mappings that cost least at some price of a cycle are corners, and only prices near the
// network's own energy per cycle make good ones: the layers are searched for those, and bounds on
// what there is at other prices show that nothing was missed (optimum_of()).
// Where cycles or energy are bounded, or the whole front of the network is asked for, every sum of
// points counts: front_of_sum().
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mapper/search/search.h"
#include "model/network/network.h"

namespace loopscape {

// ---- sums of fronts ----

struct EnergyCycles {
  double energy_pj = 0;
  std::int64_t cycles = 0;
  friend bool operator==(const EnergyCycles&, const EnergyCycles&) = default;
};

// A layer, so many times; every copy may take another point. Points: at least one, by increasing
// energy and decreasing cycles.
struct Summand {
  std::vector<EnergyCycles> points;
  std::uint64_t count = 1;
};

// How many copies take which point: [summand][point]. A summand's add up to its count.
using Copies = std::vector<std::vector<std::uint64_t>>;

struct SumPoint {
  EnergyCycles total;
  Copies copies;
  friend bool operator==(const SumPoint&, const SumPoint&) = default;
};

// Added up in the order of the summands; an error: the cycles do not fit 63 bits.
Result<EnergyCycles> total_of(const std::vector<Summand>& summands, const Copies& copies);
// Would the cycles of any choice fit 63 bits?
Status check_sum(const std::vector<Summand>& summands);

// The least objective of any sum; equal ones: less energy (for energy: fewer cycles). The sum must
// have been checked.
SumPoint best_of_sum(Objective objective, const std::vector<Summand>& summands);

struct SumFront {
  std::vector<SumPoint> points;  // by increasing energy and decreasing cycles
  // 0: these are all. Else every sum has at least the energy of some point here and at least its
  // cycles / (1 + gap): points were left out to stay within the limit.
  double gap = 0;
};
struct SumLimits {
  std::size_t most_points = 1 << 12;  // of any partial sum; at least 8
};
SumFront front_of_sum(const std::vector<Summand>& summands, const SumLimits& limits = {});

// ---- networks ----

// Layers that are equal but for name, comment and count, conventions included.
struct EqualLayers {
  std::vector<std::size_t> layers;  // the first one is searched
  std::uint64_t count = 0;          // of all of them together
};
std::vector<EqualLayers> equal_layers(const LayerNetwork& network,
                                      const std::vector<Conventions>& conventions);

using LayerSearch = std::function<Result<SearchResult>(
    const Mapspace& space, const Evaluator& evaluator, const Goal& goal, const SearchLimits&)>;

// What a layer does not use is left for the others.
struct NetworkLimits : SearchLimits {
  double seconds = 0;  // 0: none
};

struct NetworkRequest {
  MapspaceOptions space;
  Goal goal;             // of the network
  NetworkLimits limits;  // of the network
  SumLimits sums;
  LayerSearch search;   // absent: search_optimal()
  bool optimal = true;  // `search` is search_optimal(): it takes goals with prices
  bool proves = true;   // false: a search of samples, which ends by itself and proves nothing
  // Told before each search: which of `of` classes of equal layers.
  std::function<void(std::size_t which, std::size_t of, const std::string& layer)> progress;
};

// What was found for one class of equal layers.
struct LayerAnswer {
  EqualLayers equal;
  SearchResult found;
  std::vector<Found> points;  // to choose from: the layer's front, or its best mapping
};

struct NetworkResult {
  std::vector<LayerAnswer> layers;
  std::optional<SumPoint> best;  // copies: [layers][points]
  std::vector<SumPoint> front;   // if the goal asks for it
  double front_gap = 0;          // as in SumFront
  bool proved = false;           // nothing is better, and the front is proved but for its gap
  double lower_bound = 0;        // of the objective
  // Which the layers were searched for; absent: for their fronts, or their best mappings alone.
  std::optional<PriceRange> prices;
  // There is none: this class has no mapping; absent: the bounds leave none, or a limit struck.
  std::optional<std::size_t> without_mapping;
  // Least cycles and energy of any network, where the bounds leave none and this is proved.
  std::optional<EnergyCycles> least;
};

// `conventions`: in force for each layer. Errors: of the inputs, or the cycles do not fit 63 bits.
Result<NetworkResult> map_network(const LayerNetwork& network, const Arch& arch,
                                  const ActionCosts& costs,
                                  const std::vector<Conventions>& conventions,
                                  const NetworkRequest& request);

// A lower bound for the network from lower bounds of the objective of its parts (each the least of
// a sum of layers of its own): energies and cycles add up, and for products Hoelder's inequality
// says that their roots do.
double lower_bound_of_sum(Objective objective, const std::vector<double>& parts);

// What the mappings found say about the network: the best choice, the front, the bound. Also what
// `verify` asks, of what a file says was found.
struct NetworkPart {
  Summand summand;
  bool proved = false;     // nothing outside of `points` is better
  double lower_bound = 0;  // of the objective of one copy
  // Absent: `points` is all there is to choose from. Else the ones that cost least at these prices
  // of a cycle, if proved; and of all mappings of a copy, at least:
  std::optional<PriceRange> prices = {};
  std::vector<LeastCost> least_costs = {};
  double least_cycles = 0;
};
struct NetworkOptimum {
  std::optional<SumPoint> best;
  SumFront front;  // if the goal asks for it or has bounds
  bool proved = false;
  double lower_bound = 0;
  // Parts searched for lower, or higher, prices of a cycle might make a better one.
  bool needs_lower_prices = false, needs_higher_prices = false;
};
Result<NetworkOptimum> optimum_of(const std::vector<NetworkPart>& parts, const Goal& goal,
                                  const SumLimits& limits = {});
// Does the goal need the layers' fronts, or only their best mappings? And is it enough to know of
// the fronts what costs least at some prices of a cycle?
bool needs_fronts(const Goal& goal);
bool prices_suffice(const Goal& goal);

// ---- the result of a network as a file (formats.md) ----

// A class of equal layers and one mapping of theirs, which so many of them have.
struct StoredLayer {
  std::vector<std::string> names;  // of the whole class
  std::int64_t count = 1;
  std::size_t search = 0;  // into StoredNetwork::searches
  StoredResult result;     // without options and certificate
};
// What the search of a class said: its best mapping, its front if it was asked for, its
// certificate.
struct StoredLayerSearch {
  std::vector<std::string> names;
  std::int64_t count = 1;
  StoredResult result;
};
struct StoredNetworkCertificate {
  bool proved = false;
  double lower_bound = 0;             // of the objective
  std::optional<double> gap;          // best / lower bound - 1; absent: the bound is 0
  double front_gap = 0;               // as in SumFront
  std::int64_t states = 0, work = 0;  // of all searches
  double seconds = 0;
};
struct StoredNetworkOptions {
  std::string objective;
  bool pareto = false;
  std::optional<double> max_cycles, max_energy_pj, time_limit_seconds;
  std::optional<std::int64_t> max_work;
};
struct StoredNetworkPoint {
  EnergyCycles total;
  Copies copies;  // [searches][points of its front, or its one mapping]
};
struct StoredNetwork {
  std::string name;
  EnergyCycles total;
  std::int64_t operations = 0, occurrences = 0;  // occurrences: layers, counts included
  double utilization = 0;
  StoredNetworkOptions options;
  StoredNetworkCertificate certificate;
  std::vector<StoredLayer> layers;
  std::vector<StoredLayerSearch> searches;
  std::vector<StoredNetworkPoint> front;
  std::string fingerprint;
  std::int64_t model_revision = kModelRevision;
};

// The points that a search has to choose from, in order.
std::vector<StoredMapping> points_of(const StoredResult& search);
// Fills the totals and the fingerprint from everything else. An error: they do not fit 63 bits.
Status complete(StoredNetwork& network);
std::string network_result_to_json(const StoredNetwork& network);
// Reads what network_result_to_json() writes. Whether it is true is for the caller to check.
Result<StoredNetwork> parse_network_result(std::string_view text);
std::string network_result_schema();
// Is this the text of a network's result, as far as its keys tell?
bool is_network_result(std::string_view text);

}  // namespace loopscape
