// map_network(): one search for each class of equal layers, within limits that hold for all.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

#include "mapper/network/network.h"

namespace loopscape {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// Raises a flag of its own when a time is over or when the flag it was given is raised.
class Alarm {
 public:
  Alarm(const std::atomic<bool>* outer, double seconds) : outer_(outer) {
    if (seconds > 0) thread_ = std::thread([this, seconds] { wait(seconds); });
  }
  ~Alarm() {
    if (!thread_.joinable()) return;
    {
      const std::lock_guard lock(mutex_);
      over_ = true;
    }
    wake_.notify_one();
    thread_.join();
  }
  Alarm(const Alarm&) = delete;
  Alarm& operator=(const Alarm&) = delete;

  const std::atomic<bool>* flag() const { return thread_.joinable() ? &raised_ : outer_; }

 private:
  void wait(double seconds) {
    const auto end = Clock::now() + std::chrono::duration<double>(seconds);
    std::unique_lock lock(mutex_);
    while (!over_ && Clock::now() < end && !(outer_ && outer_->load())) {
      wake_.wait_for(lock, std::chrono::milliseconds(5));
    }
    raised_.store(true);
  }

  const std::atomic<bool>* outer_;
  std::atomic<bool> raised_{false};
  bool over_ = false;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::thread thread_;
};

class NetworkMapper {
 public:
  NetworkMapper(const LayerNetwork& network, const Arch& arch, const ActionCosts& costs,
                const std::vector<Conventions>& conventions, const NetworkRequest& request)
      : network_(network),
        arch_(arch),
        costs_(costs),
        conventions_(conventions),
        request_(request),
        start_(Clock::now()) {
    layer_goal_.objective = request.goal.objective;
    layer_goal_.front = needs_fronts(request.goal);
  }

  Result<NetworkResult> run() {
    for (EqualLayers& equal : equal_layers(network_, conventions_)) {
      classes_.push_back({});
      classes_.back().answer.equal = std::move(equal);
    }
    const bool by_prices = request_.optimal && prices_suffice(request_.goal);
    if (by_prices || (request_.optimal && request_.space.factors == Factors::kRagged)) {
      if (Status s = first_answers(); !s.ok()) return s;
    }
    const Status status = by_prices ? search_by_prices() : search_all(kFirstLook);
    if (!status.ok()) return status;
    return finish();
  }

 private:
  static constexpr std::uint64_t kFirstAnswer = 1 << 15, kFirstLook = 1 << 18,
                                 kPricedLook = 1 << 20, kLonger = 16;
  static constexpr double kLower = 0.48, kHigher = 1.5, kWider = 2, kWidest = 1e30;

  struct Class {
    LayerAnswer answer;
    bool searched = false, ended = false;  // ended: another search would say the same
    std::uint64_t work = 0;                // what the next search must be given twice of
    double seconds = 0;
  };

  // A look at each, so that there is an answer and a bound soon; then what is left, in equal
  // shares, or ever longer looks where nothing limits them. A search begins anew, so it is worth it
  // only with twice as much as before.
  Status search_all(std::uint64_t first_look) {
    const bool limited = request_.limits.max_work != UINT64_MAX || request_.limits.seconds != 0;
    const bool longer_and_longer = request_.optimal && !limited;
    std::uint64_t most_work = first_look;
    std::uint64_t before = 0;
    do {
      before = searches_;
      if (Status s = look(most_work); !s.ok()) return s;
      const bool more = longer_and_longer && most_work <= UINT64_MAX / kLonger;
      most_work = more ? most_work * kLonger : UINT64_MAX;
    } while (searches_ != before && !out_.without_mapping && !stopped() && !pending().empty());
    return {};
  }

  // Soon there is something for each layer: a good mapping with perfect factors, which is one of
  // any space. It proves nothing, not even that there is none.
  Status first_answers() {
    for (std::size_t c = 0; c < classes_.size() && !stopped(); ++c) {
      NetworkLimits share;
      if (!share_of_rest(classes_.size() - c, kFirstAnswer, share)) break;
      MapspaceOptions options = request_.space;
      options.factors = Factors::kPerfect;
      Goal goal;
      goal.objective = request_.goal.objective;
      Result<SearchResult> found = search_class(c, options, goal, share);
      if (!found.ok()) return found.status();
      const Problem& problem = network_.layers[classes_[c].answer.equal.layers.front()];
      const Result<Mapspace> space = Mapspace::create(problem, arch_, request_.space);
      if (!space.ok()) return in_layer(problem, space.status());
      SearchResult& answer = classes_[c].answer.found;
      answer.best = found->best;
      if (answer.best && needs_fronts(request_.goal)) answer.front = {*answer.best};
      answer.certificate.space = space->words();
      answer.certificate.states = found->certificate.states;
      answer.certificate.work = found->certificate.work;
      answer.certificate.seconds = found->certificate.seconds;
    }
    return {};
  }

  // What each layer can do at prices near the network's own energy per cycle; at more prices, if
  // something might be found there.
  Status search_by_prices() {
    layer_goal_.front = false;
    if (!own_price()) {
      if (Status s = look(kFirstLook); !s.ok()) return s;
    }
    const std::optional<double> price = own_price();
    layer_goal_.front = !price;
    if (price) layer_goal_.prices = PriceRange{*price * kLower, *price * kHigher};
    const bool soon_proved = price && request_.space.factors == Factors::kPerfect;
    for (double wider = kWider;; wider *= wider) {
      for (Class& at : classes_) begin_again(at);
      if (Status s = search_all(soon_proved ? kPricedLook : kFirstLook); !s.ok()) return s;
      if (!price || !all_proved() || wider > kWidest) return {};
      const Result<NetworkOptimum> optimum = optimum_of(parts(), request_.goal, request_.sums);
      if (!optimum.ok()) return optimum.status();
      if (optimum->needs_lower_prices) layer_goal_.prices->least /= wider;
      if (optimum->needs_higher_prices) layer_goal_.prices->most *= wider;
      if (!optimum->needs_lower_prices && !optimum->needs_higher_prices) return {};
    }
  }
  // What was found stays, but proves nothing of the goal that it is now.
  static void begin_again(Class& at) {
    at.searched = at.ended = false;
    at.work = 0;
    at.seconds = 0;
    SearchResult& found = at.answer.found;
    found.certificate.proved = false;
    if (found.best && found.front.empty()) found.front = {*found.best};
  }
  bool all_proved() const {
    return std::all_of(classes_.begin(), classes_.end(),
                       [](const Class& at) { return at.answer.found.certificate.proved; });
  }
  // At which the network's energy and cycles trade for each other.
  std::optional<double> own_price() const {
    double energy = 0, cycles = 0;
    for (const Class& at : classes_) {
      if (!at.answer.found.best) return std::nullopt;
      const auto count = static_cast<double>(at.answer.equal.count);
      energy += count * at.answer.found.best->energy_pj;
      cycles += count * static_cast<double>(at.answer.found.best->cycles);
    }
    const double price = (request_.goal.objective == Objective::kEd2p ? 2 : 1) * energy / cycles;
    if (!std::isnormal(price)) return std::nullopt;
    return price;
  }

  std::vector<std::size_t> pending() const {
    std::vector<std::size_t> left;
    for (std::size_t c = 0; c < classes_.size(); ++c) {
      if (!classes_[c].ended) left.push_back(c);
    }
    return left;
  }
  bool stopped() const { return request_.limits.stop != nullptr && request_.limits.stop->load(); }

  // An equal share of what is left, with at most so much work; false: the time is over.
  bool share_of_rest(std::size_t sharers, std::uint64_t most_work, NetworkLimits& share) const {
    share = request_.limits;
    if (share.max_work != UINT64_MAX) {
      share.max_work -= std::min(share.max_work, work_);
      share.max_work /= sharers;
    }
    share.max_work = std::min(share.max_work, most_work);
    if (share.seconds == 0) return true;
    share.seconds = (share.seconds - seconds_since(start_)) / static_cast<double>(sharers);
    return share.seconds > 0;
  }

  // Each class that is not proved gets its share of what is left, at most so much work.
  Status look(std::uint64_t most_work) {
    const std::vector<std::size_t> left = pending();
    for (std::size_t i = 0; i < left.size() && !out_.without_mapping && !stopped(); ++i) {
      Class& at = classes_[left[i]];
      NetworkLimits share;
      if (!share_of_rest(left.size() - i, most_work, share)) break;
      const bool more_work = share.max_work / 2 >= at.work;
      const bool more_time = share.seconds == 0 || share.seconds >= 2 * at.seconds;
      if (at.searched && !(more_work && more_time)) continue;
      if (Status s = search(left[i], share); !s.ok()) return s;
    }
    return {};
  }

  Status search(std::size_t c, const NetworkLimits& share) {
    Class& at = classes_[c];
    const Clock::time_point start = Clock::now();
    Result<SearchResult> found = search_class(c, request_.space, layer_goal_, share);
    if (!found.ok()) return found.status();
    at.searched = true;
    at.ended = found->certificate.proved || (!request_.proves && !found->limited) ||
               (share.max_work == UINT64_MAX && share.seconds == 0);
    // At least twice as much each time, whatever was used, so that this comes to an end.
    at.work = std::max<std::uint64_t>({found->certificate.work, 2 * at.work, 1});
    at.seconds = std::max(seconds_since(start), 2 * at.seconds);
    keep_better(std::move(found).value(), at.answer.found);
    if (at.answer.found.certificate.proved && !at.answer.found.best) out_.without_mapping = c;
    return {};
  }

  Result<SearchResult> search_class(std::size_t c, const MapspaceOptions& options, const Goal& goal,
                                    const NetworkLimits& share) {
    const std::size_t layer = classes_[c].answer.equal.layers.front();
    const Problem& problem = network_.layers[layer];
    if (request_.progress) request_.progress(c, classes_.size(), problem.name);
    const Result<Mapspace> space = Mapspace::create(problem, arch_, options);
    if (!space.ok()) return in_layer(problem, space.status());
    const Result<Evaluator> evaluator =
        Evaluator::create(problem, arch_, conventions_[layer], costs_);
    if (!evaluator.ok()) return in_layer(problem, evaluator.status());
    const Alarm alarm(share.stop, share.seconds);
    SearchLimits limits = share;
    limits.stop = alarm.flag();
    Result<SearchResult> found = request_.search ? request_.search(*space, *evaluator, goal, limits)
                                                 : search_optimal(*space, *evaluator, goal, limits);
    if (!found.ok()) return in_layer(problem, found.status());
    ++searches_;
    work_ += found->certificate.work;
    return found;
  }

  static Status in_layer(const Problem& problem, const Status& status) {
    return Status(status.code(), "layer " + in_quotes(problem.name) + ": " + status.message())
        .at(status.place());
  }

  // What an earlier, shorter search found is still there, and its bound is still true.
  void keep_better(SearchResult found, SearchResult& known) const {
    const auto value = [&](const SearchResult& result) {
      return objective_value(request_.goal.objective, result.best->energy_pj,
                             static_cast<double>(result.best->cycles));
    };
    const Certificate before = known.certificate;
    const bool worse =
        known.best && !found.certificate.proved && (!found.best || value(found) > value(known));
    if (worse) {
      known.certificate = std::move(found.certificate);
    } else {
      known = std::move(found);
    }
    Certificate& now = known.certificate;
    now.work += before.work;
    now.seconds += before.seconds;
    if (!now.proved) now.lower_bound = std::max(now.lower_bound, before.lower_bound);
    if (!now.proved && known.best && now.lower_bound > 0) {
      now.gap = value(known) / now.lower_bound - 1;
    }
  }

  Result<NetworkResult> finish() {
    const std::vector<NetworkPart> parts = this->parts();
    bool complete = true;
    for (Class& at : classes_) {
      at.answer.points = points_of(at.answer.found);
      complete = complete && !at.answer.points.empty();
      out_.layers.push_back(std::move(at.answer));
    }
    if (layer_goal_.prices) out_.prices = layer_goal_.prices;
    out_.proved = out_.without_mapping.has_value();
    if (!complete) return std::move(out_);
    Result<NetworkOptimum> optimum = optimum_of(parts, request_.goal, request_.sums);
    if (!optimum.ok()) return optimum.status();
    out_.best = std::move(optimum->best);
    out_.proved = optimum->proved;
    out_.lower_bound = optimum->lower_bound;
    if (request_.goal.front) out_.front = std::move(optimum->front.points);
    out_.front_gap = optimum->front.gap;
    if (!out_.best && out_.proved) out_.least = least_of(parts);
    return std::move(out_);
  }

  // To choose from.
  static std::vector<Found> points_of(const SearchResult& found) {
    if (!found.front.empty()) return found.front;
    return found.best ? std::vector<Found>{*found.best} : std::vector<Found>{};
  }

  std::vector<NetworkPart> parts() const {
    std::vector<NetworkPart> parts;
    for (const Class& at : classes_) {
      const Certificate& certificate = at.answer.found.certificate;
      NetworkPart& part = parts.emplace_back();
      part.proved = certificate.proved;
      part.lower_bound = certificate.lower_bound;
      part.summand.count = at.answer.equal.count;
      for (const Found& point : points_of(at.answer.found)) {
        part.summand.points.push_back({point.energy_pj, point.cycles});
      }
      part.prices = layer_goal_.prices;
      part.least_costs = certificate.least_costs;
      part.least_cycles = certificate.least_cycles;
    }
    return parts;
  }

  static EnergyCycles least_of(const std::vector<NetworkPart>& parts) {
    std::vector<Summand> summands;
    summands.reserve(parts.size());
    for (const NetworkPart& part : parts) summands.push_back(part.summand);
    return {best_of_sum(Objective::kEnergy, summands).total.energy_pj,
            best_of_sum(Objective::kDelay, summands).total.cycles};
  }

  const LayerNetwork& network_;
  const Arch& arch_;
  const ActionCosts& costs_;
  const std::vector<Conventions>& conventions_;
  const NetworkRequest& request_;
  const Clock::time_point start_;
  Goal layer_goal_;
  std::vector<Class> classes_;
  std::uint64_t work_ = 0, searches_ = 0;
  NetworkResult out_;
};

}  // namespace

std::vector<EqualLayers> equal_layers(const LayerNetwork& network,
                                      const std::vector<Conventions>& conventions) {
  std::vector<Problem> shapes;  // without what does not matter
  std::vector<EqualLayers> classes;
  for (std::size_t i = 0; i < network.layers.size(); ++i) {
    Problem shape = network.layers[i];
    shape.name = shape.comment = "";
    shape.count = 1;
    shape.conventions = conventions[i];
    const auto known = std::find(shapes.begin(), shapes.end(), shape);
    const auto which = static_cast<std::size_t>(known - shapes.begin());
    if (known == shapes.end()) {
      shapes.push_back(std::move(shape));
      classes.emplace_back();
    }
    classes[which].layers.push_back(i);
    classes[which].count += network.layers[i].count;
  }
  return classes;
}

Result<NetworkResult> map_network(const LayerNetwork& network, const Arch& arch,
                                  const ActionCosts& costs,
                                  const std::vector<Conventions>& conventions,
                                  const NetworkRequest& request) {
  return NetworkMapper(network, arch, costs, conventions, request).run();
}

}  // namespace loopscape
