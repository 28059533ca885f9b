// optimal: the recursion of optimal_search.md, placement by placement and one choice of spatial
// loops after another, each climbed from one operation to the whole problem. Guarantees: when the
// certificate says proved, no mapping of the space that the model prices is better. Choices are
// followed in batches of a fixed size, and what one finds reaches the others at the batch's end: so
// the answer and the certificate are the same for any number of threads.
#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <limits>
#include <memory>

#include <tbb/enumerable_thread_specific.h>
#include <tbb/info.h>
#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>

#include "mapper/search/choices.h"
#include "mapper/search/climb.h"
#include "mapper/search/kin.h"

namespace loopscape {
namespace {

class Optimal {
 public:
  Optimal(const Mapspace& space, const Evaluator& evaluator, const Goal& goal,
          const SearchLimits& limits, const PruningRules& rules)
      : space_(space),
        evaluator_(evaluator),
        limits_(limits),
        rules_(rules),
        incumbents_(goal),
        least_(goal.prices),
        arena_(limits.threads == 0 ? tbb::task_arena::automatic
                                   : std::min(limits.threads, tbb::info::default_concurrency())),
        tools_([this] { return std::make_unique<Tools>(space_, evaluator_, rules_.coarse_tiles); }),
        coarse_tells_(are_many_tiles()) {}

  SearchResult run() {
    const auto start = std::chrono::steady_clock::now();
    if (!incumbents_.useful(least_of_all())) return nothing(start);
    begin_with_perfect();
    if (!incumbents_.best() && nothing_fits()) return nothing(start);
    const bool complete = follow_all();
    if (!complete) answer_with_what_fits();
    SearchResult result;
    result.best = incumbents_.best();
    result.front = incumbents_.front();
    certify(complete, result);
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    result.certificate.seconds = seconds.count();
    return result;
  }

 private:
  static constexpr std::size_t kDives = 4, kFirst = 2, kBatch = 4;
  static constexpr std::size_t kBeam = 16;
  static constexpr std::uint64_t kPerfectWork = 1 << 20;
  static constexpr std::uint64_t kFitSteps = 5'000'000;
  // A unit of work is some 10 us: a mapping priced, with the states that led to it, or so many
  // looks at choices of lanes, or numbers of an outlook. A choice whose bounds are taken is so many
  // units.
  static constexpr std::uint64_t kLooks = 64, kOutlookNumbers = 256, kOpened = 8;
  // That are taken whatever was spent already, and not counted: what they list tells a bound.
  static constexpr std::uint64_t kFirstLooks = 1 << 18;
  static constexpr double kSteep = 4;

  struct Listed : Choice {
    std::size_t number = 0;   // in the order in which they came
    std::size_t order = 0;    // among kin
    bool with_kin = true;     // stands for all of them
    std::size_t glances = 0;  // at what is ahead: two at each coarse lattice
  };
  // What a thread works with; none of it decides an answer.
  struct Tools {
    Tools(const Mapspace& space, const Evaluator& evaluator, std::size_t coarse_tiles)
        : climb{BoundaryCounter(evaluator), lattices_of(space, OutlookLattice::kMostTiles)},
          coarse{{lattices_of(space, coarse_tiles), lattices_of(space, 10 * coarse_tiles),
                  lattices_of(space, 40 * coarse_tiles)}},
          scratch(evaluator.make_scratch()) {}
    static OutlookLattices lattices_of(const Mapspace& space, std::size_t most_tiles) {
      return {extents_of(space.problem()), space.options().factors == Factors::kPerfect,
              most_tiles};
    }
    ClimbTools climb;
    std::array<OutlookLattices, 3> coarse;  // ever finer
    ScratchPtr scratch;
  };
  // A choice on its way through a batch.
  struct Followed {
    Listed choice;
    Incumbents incumbents;
    ClimbWork work;
    enum class End : std::uint8_t { kDone, kWaits, kDived, kParts, kUseless, kInterrupted } end;
  };
  // Most promising first; equal ones in the documented order.
  static bool later(const Listed& a, const Listed& b) {
    if (a.value != b.value) return a.value > b.value;
    return a.number != b.number ? a.number > b.number : a.order > b.order;
  }

  bool are_many_tiles() const {
    constexpr double kMany = 40;  // times as many as for a first glance
    const OutlookLattice::Lanes no_lanes(space_.problem().dims.size());
    return space_.options().factors == Factors::kRagged &&
           OutlookLattice::classes(extents_of(space_.problem()), false, no_lanes) >
               kMany * static_cast<double>(rules_.coarse_tiles);
  }

  // Where nothing does, every choice would have to be climbed to show it.
  bool nothing_fits() {
    FitLimits limits;
    limits.most_steps = kFitSteps;  // less than a second, whatever --max-work says
    limits.stop = limits_.stop;
    const Result<Fit> fit = find_fit(space_.problem(), space_.arch(), space_.options(),
                                     evaluator_.conventions(), limits);
    if (!fit.ok()) return false;
    fitting_ = fit->mapping;
    if (!fit->settled || fitting_) return false;
    work_.work += fit->steps;
    return true;
  }
  // Rather than with nothing; a search that comes to a mapping of its own does not ask for this
  // one.
  void answer_with_what_fits() {
    if (incumbents_.best() || !fitting_) return;
    const Cost cost = evaluator_.evaluate(*fitting_, *tools_.local()->scratch);
    if (cost.ok()) incumbents_.offer({*fitting_, cost.energy_pj, cost.cycles});
  }
  SearchResult nothing(std::chrono::steady_clock::time_point start) const {
    SearchResult result;
    certify(true, result);
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    result.certificate.seconds = seconds.count();
    return result;
  }
  bool enough() const { return limits_.first && incumbents_.best().has_value(); }

  // Round by round. False: some were left open.
  bool follow_all() {
    beyond_ = incumbents_.value(least_of_all());
    if (stopped() || enough() || limits_.max_work == 0) return false;
    Choices all(space_, evaluator_, tools_.local()->climb.counter, incumbents_, rules_.bound,
                limits_.most_choices, limits_.stop);
    do {
      list(all);
      beyond_ = std::max(beyond_, all.value_beyond());
      if (!follow_listed()) return false;
      if (stopped() || enough() || work_.work >= limits_.max_work) return all.all();
    } while (!all.all());
    return true;
  }

  void list(Choices& all) {
    const std::uint64_t looks = all.looks();
    const std::uint64_t work = limits_.max_work - std::min(limits_.max_work, work_.work);
    const std::uint64_t most_looks =
        work < (UINT64_MAX - kFirstLooks) / kLooks ? kFirstLooks + work * kLooks : UINT64_MAX;
    const std::uint64_t left_out = all.left_out();
    for (Choice& choice : all.next(incumbents_, most_looks)) {
      choices_.push_back({std::move(choice), listed_++});
    }
    work_.work += work_of(all.looks()) - work_of(looks);
    bounded_choices_ += all.left_out() - left_out;
    least_.take(all.least_left_out());
    std::make_heap(choices_.begin(), choices_.end(), later);
    dives_ = 0;
  }

  static std::uint64_t work_of(std::uint64_t looks) {
    return (looks - std::min(looks, kFirstLooks)) / kLooks;
  }

  bool follow_listed() {
    bool goes_on = true;
    while (!choices_.empty() || !dived_.empty()) {
      if (choices_.empty()) dives_ = kDives;
      if (dives_ >= kDives) {
        for (Listed& choice : dived_) put_back(std::move(choice));
        dived_.clear();
      }
      if (stopped() || enough()) return false;
      std::vector<Followed> batch = take_batch();
      follow(batch);
      for (Followed& followed : batch) {
        if (settle(followed)) continue;
        goes_on = false;
        put_back(std::move(followed.choice));
      }
      tell();
      if (!goes_on || (work_.work >= limits_.max_work && !choices_.empty())) return false;
    }
    return true;
  }

  Listed take() {
    std::pop_heap(choices_.begin(), choices_.end(), later);
    Listed choice = std::move(choices_.back());
    choices_.pop_back();
    return choice;
  }

  void put_back(Listed choice) {
    choices_.push_back(std::move(choice));
    std::push_heap(choices_.begin(), choices_.end(), later);
  }

  void put_kin(const Listed& choice) {
    Listed one = choice;
    one.with_kin = false;
    const Placement& placement = space_.placements()[choice.placement];
    for (SpatialLoops& spatial : kin_of(placement, choice.spatial)) {
      one.spatial = std::move(spatial);
      put_back(one);
      ++one.order;
    }
  }

  std::vector<Followed> take_batch() {
    std::vector<Followed> batch;
    // The first ones tell the most, and each is worth waiting for.
    const std::size_t most = dives_ < kDives || climbs_ < kFirst ? 1 : kBatch;
    while (batch.size() < most && !choices_.empty()) {
      Listed choice = take();
      if (rules_.bound && !incumbents_.useful(choice.least)) {
        ++bounded_choices_;
        least_.take(choice.least);
        continue;
      }
      batch.push_back({std::move(choice), incumbents_, {}, Followed::End::kDone});
    }
    return batch;
  }

  void follow(std::vector<Followed>& batch) {
    const double next =
        choices_.empty() ? std::numeric_limits<double>::infinity() : choices_.front().value;
    const bool dives = dives_ < kDives && rules_.bound;
    SearchLimits limits = limits_;
    limits.max_work -= std::min(limits.max_work, work_.work);
    const auto one = [&](std::size_t i) {
      batch[i].end = follow_one(batch[i], next, dives, limits);
    };
    if (limits_.threads == 1 || batch.size() < 2) {
      for (std::size_t i = 0; i < batch.size(); ++i) one(i);
    } else {
      arena_.execute([&] { tbb::parallel_for(std::size_t{0}, batch.size(), one); });
    }
  }

  // Ever closer bounds, and at last the climb itself, unless others are more promising now; the
  // first choices are only dived into, to know a good mapping early.
  typename Followed::End follow_one(Followed& followed, double next, bool dives,
                                    const SearchLimits& limits) {
    using End = typename Followed::End;
    Tools& tools = *tools_.local();
    Listed& choice = followed.choice;
    std::vector<SpatialLoops> kin;
    if (choice.with_kin) {
      kin = kin_of(space_.placements()[choice.placement], choice.spatial);
      if (kin.size() == 1) kin.clear();
      if (!kin.empty() && !(rules_.bound && rules_.kin)) return End::kParts;
    }
    Climb climb(space_, evaluator_, tools.climb, choice.placement, choice.spatial, rules_, kin,
                most_cycles(followed));
    followed.work.work += kOpened + kin.size();
    come_closer(climb, followed);
    if (choice.value > next) return End::kWaits;
    if (const auto end = look(climb, followed, next, tools)) return *end;
    return climb_through(climb, followed, dives, limits, *tools.scratch);
  }

  static void come_closer(const Climb& climb, Followed& followed) {
    Listed& choice = followed.choice;
    const CostBound former = std::exchange(choice.least, climb.least());
    choice.least.energy_pj = std::max(choice.least.energy_pj, former.energy_pj);
    choice.least.cycles = std::max(choice.least.cycles, former.cycles);
    if (choice.least.lines == 0) {
      choice.least.line = former.line;
      choice.least.lines = former.lines;
    }
    choice.value = std::max(choice.value, followed.incumbents.value(choice.least));
  }

  // Ahead, from afar and then closer. Why the choice is not to be climbed now, if it is not.
  std::optional<typename Followed::End> look(Climb& climb, Followed& followed, double next,
                                             Tools& tools) {
    using End = typename Followed::End;
    Listed& choice = followed.choice;
    const auto turned_away = [&](const auto& looks_on) -> std::optional<End> {
      const std::uint64_t before = climb.outlook_numbers();
      looks_on();
      followed.work.work += (climb.outlook_numbers() - before) / kOutlookNumbers;
      come_closer(climb, followed);
      if (rules_.bound && !followed.incumbents.useful(choice.least)) return End::kUseless;
      if (choice.value > next) return End::kWaits;
      return std::nullopt;
    };
    if (climb.tilings() <= rules_.few_tilings) return turned_away([] {});
    // For energy, which tells the most from afar; then along a line, but not from the farthest.
    const double sizes = coarse_tells_ ? climb.sizes() : 0;
    while (choice.glances < 2 * tools.coarse.size() &&
           sizes > static_cast<double>(tools.coarse[choice.glances / 2].most_tiles())) {
      OutlookLattices& coarse = tools.coarse[choice.glances / 2];
      const bool farthest = choice.glances < 2, along = choice.glances++ % 2 != 0;
      if (along && (farthest || blends_.empty())) continue;
      const Blend blend = along ? blends_.front() : Blend{};
      if (const auto end = turned_away([&] { climb.glance(blend, coarse); })) return end;
    }
    // From near lines tell the most.
    for (const Blend& blend : blends_) {
      if (const auto end = turned_away([&] { climb.look_out(blend); })) return end;
    }
    if (const auto end = turned_away([&] { climb.look_out({}); })) return end;
    if (!steep_) return std::nullopt;
    return turned_away([&] {
      climb.look_also(*steep_, [&](const CostBound& least) { return steep_tells(least); });
    });
  }

  // Corners that lines leave may promise more than any mapping between these lines gives. True: the
  // choice is of no use.
  bool look_at_corners(Climb& climb, Followed& followed) const {
    if (!rules_.bound || blends_.empty() || !followed.incumbents.best()) return false;
    const std::uint64_t before = climb.outlook_numbers();
    for (std::size_t i = 0; i < kMostBlends && look_at_corner(climb, followed); ++i) {
    }
    followed.work.work += (climb.outlook_numbers() - before) / kOutlookNumbers;
    return !followed.incumbents.useful(followed.choice.least);
  }

  bool look_at_corner(Climb& climb, Followed& followed) const {
    constexpr double kTells = 0.2;  // of what is left to prove
    const Incumbents& incumbents = followed.incumbents;
    const std::optional<double> price = incumbents.price_at_corner(climb.least());
    if (!price) return false;
    const double best = best_value(incumbents), value = incumbents.value(climb.least());
    bool tells = false;
    climb.look_also({*price, blends_.front().resource}, [&](const CostBound& least) {
      tells = incumbents.value(least) > value + kTells * (best - value);
      return tells;
    });
    if (tells) come_closer(climb, followed);
    return tells && incumbents.useful(followed.choice.least);
  }

  // A dive is a narrow climb, to know good mappings. Of kin first by their sums alone.
  typename Followed::End climb_through(Climb& climb, Followed& followed, bool dives,
                                       const SearchLimits& limits, Scratch& scratch) {
    using End = typename Followed::End;
    for (const bool strict : {false, true}) {
      if (!dives && look_at_corners(climb, followed)) return End::kUseless;
      ClimbWork work;
      const Climb::End end =
          climb.run(followed.incumbents, scratch, work, limits_after(limits, followed),
                    dives ? kBeam : SIZE_MAX, strict);
      if (end != Climb::End::kDone) work.bounded = work.dominated = 0;  // seen again
      followed.work.add(work);
      if (end == Climb::End::kInterrupted) return End::kInterrupted;
      if (end == Climb::End::kDone) return End::kDone;
      if (dives) return End::kDived;
      if (!climb.may_be_strict()) return End::kParts;
      come_closer(climb, followed);
    }
    return End::kDone;  // a strict climb settles it
  }

  static double best_value(const Incumbents& incumbents) {
    if (!incumbents.best()) return std::numeric_limits<double>::infinity();
    const Found& best = *incumbents.best();
    return incumbents.value(best.energy_pj, static_cast<double>(best.cycles));
  }

  double most_cycles(const Followed& followed) const {
    constexpr double kMargin = 1 + 1e-9;
    if (!rules_.bound) return std::numeric_limits<double>::infinity();
    return kMargin * followed.incumbents.most_cycles(followed.choice.least.energy_pj);
  }

  static SearchLimits limits_after(SearchLimits limits, const Followed& followed) {
    limits.max_work -= std::min(limits.max_work, followed.work.work);
    return limits;
  }

  // At the end of a batch, in its order. False: interrupted.
  bool settle(Followed& followed) {
    using End = typename Followed::End;
    work_.add(followed.work);
    if (followed.incumbents.best()) {
      const auto blend = followed.incumbents.tangent();
      if (incumbents_.offer(*followed.incumbents.best(),
                            blend ? blend->resource : Blend::kNoResource)) {
        set_blends();
      }
    }
    for (const Found& found : followed.incumbents.front()) incumbents_.offer(found);
    if (followed.end == End::kUseless) ++bounded_choices_;
    if (followed.end == End::kUseless || followed.end == End::kDone) {
      least_.take(followed.choice.least);
    }
    if (followed.end == End::kDived) {
      dived_.push_back(followed.choice);
      ++dives_;
    }
    if (followed.end == End::kDone) ++climbs_;
    if (followed.end == End::kWaits) put_back(followed.choice);
    if (followed.end == End::kParts) put_kin(followed.choice);
    return followed.end != End::kInterrupted;
  }

  // Touching the best mapping known, by what it waits for and by what the one before it did.
  void set_blends() {
    const auto tangent = incumbents_.tangent();
    if (!tangent) return;
    // What has most to gain at a range of prices costs the most cycles.
    const auto& prices = incumbents_.goal().prices;
    const double price = prices ? prices->least : tangent->pj_per_cycle;
    std::vector<Blend> blends{{price, tangent->resource}};
    for (Blend former : blends_) {
      if (blends.size() + 1 == kMostBlends) break;
      if (former.resource == tangent->resource) continue;
      former.pj_per_cycle = price;
      blends.push_back(former);
    }
    blends_ = std::move(blends);
    steep_.reset();
    if (!prices && tangent->resource != Blend::kNoResource) {
      steep_ = Blend{kSteep * price, tangent->resource};
    }
  }

  // With the energy of the best mapping, does the steep line demand more cycles than are known?
  bool steep_tells(const CostBound& least) const {
    constexpr double kMore = 1.02;
    if (least.lines == 0 || !incumbents_.best()) return false;
    const CostBound::Line& line = least.line[least.lines - 1];
    return line.least - incumbents_.best()->energy_pj > kMore * line.pj_per_cycle * least.cycles;
  }

  double open_bound() const {
    double least = beyond_;
    for (const Listed& choice : choices_) least = std::min(least, choice.value);
    for (const Listed& choice : dived_) least = std::min(least, choice.value);
    return least;
  }

  void tell() const {
    if (!limits_.progress) return;
    SearchProgress progress;
    progress.best = incumbents_.best();
    progress.lower_bound = open_bound();
    progress.open = choices_.size() + dived_.size();
    progress.states = work_.states;
    limits_.progress(progress);
  }

  bool stopped() const {
    return limits_.stop != nullptr && limits_.stop->load(std::memory_order_relaxed);
  }

  CostBound least_of_all() const {
    return least_of_any(space_.problem(), space_.arch(), evaluator_);
  }

  // Good mappings to begin with: the best with perfect factors, which are ragged ones too.
  void begin_with_perfect() {
    if (space_.options().factors != Factors::kRagged) return;
    MapspaceOptions options = space_.options();
    options.factors = Factors::kPerfect;
    const Result<Mapspace> perfect = Mapspace::create(space_.problem(), space_.arch(), options);
    if (!perfect.ok()) return;
    SearchLimits limits = limits_;
    limits.max_work = std::min(limits.max_work, kPerfectWork);
    if (limits_.progress) {
      limits.progress = [this](SearchProgress progress) {
        progress.lower_bound = 0;  // of perfect mappings only
        limits_.progress(progress);
      };
    }
    Optimal inner(*perfect, evaluator_, incumbents_.goal(), limits, rules_);
    const SearchResult found = inner.run();
    for (const Found& one : found.front) incumbents_.offer(one);
    if (found.best) incumbents_.offer(*found.best);
    blends_ = inner.blends_;
    steep_ = inner.steep_;
    work_.work += inner.work_.work;
  }

  void certify(bool complete, SearchResult& result) const {
    Certificate& certificate = result.certificate;
    certificate.proved = complete;
    certificate.space = space_.words();
    certificate.states = work_.states;
    certificate.work = work_.work;
    certificate.unpriced = work_.unpriced;
    certificate.pruned["bound"] = work_.bounded;
    certificate.pruned["dominance"] = work_.dominated;
    certificate.pruned["spatial bound"] = bounded_choices_;
    if (incumbents_.goal().prices) certify_costs(complete, certificate);
    if (!result.best) return;
    const double best =
        incumbents_.value(result.best->energy_pj, static_cast<double>(result.best->cycles));
    certificate.lower_bound = complete ? best : std::min(best, open_bound());
    certificate.gap = best / certificate.lower_bound - 1;
  }

  void certify_costs(bool complete, Certificate& certificate) const {
    constexpr double kMargin = 1 - 1e-12;  // bounds are sums in another order
    const CostBound any = least_of_all();
    certificate.least_cycles = complete ? std::max(any.cycles, least_.cycles) : any.cycles;
    for (LeastCost cost : least_.costs) {
      const double of_any = any.at(cost.pj_per_cycle);
      cost.pj = kMargin * (complete ? std::max(of_any, cost.pj) : of_any);
      certificate.least_costs.push_back(cost);
    }
  }

  const Mapspace& space_;
  const Evaluator& evaluator_;
  SearchLimits limits_;
  PruningRules rules_;
  Incumbents incumbents_;
  LeastOfMany least_;  // of choices that are done with
  tbb::task_arena arena_;
  tbb::enumerable_thread_specific<std::unique_ptr<Tools>> tools_;
  bool coarse_tells_;
  std::optional<Mapping> fitting_;  // some mapping
  std::vector<Blend> blends_;
  std::optional<Blend> steep_;  // tells how few cycles can be, whatever the energy
  ClimbWork work_;
  std::vector<Listed> choices_;  // a heap
  std::vector<Listed> dived_;    // wait until all dives are done
  std::size_t dives_ = 0, climbs_ = 0, listed_ = 0;
  double beyond_ = 0;  // the value of choices that are not listed yet, at least
  std::uint64_t bounded_choices_ = 0;
};

}  // namespace

SearchResult search_optimal(const Mapspace& space, const Evaluator& evaluator, const Goal& goal,
                            const SearchLimits& limits, const PruningRules& rules) {
  return Optimal(space, evaluator, goal, limits, rules).run();
}

}  // namespace loopscape
