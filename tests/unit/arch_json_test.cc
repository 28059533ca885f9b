// Architecture files: what is read, every mistake at its place, look-ups, overrides, round-trips.
#include <random>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "model/arch/arch.h"
#include "tests/unit/schema_check.h"

using namespace loopscape;

namespace {

const char* const kEyeriss = R"({
  "$schema": "x", "version": 1,
  "name": "eyeriss_v1", "comment": "JSSC 2017", "technology_nm": 65, "voltage": 1.0,
  "clock_mhz": 200, "word_bits": 16,
  "variables": {"pes_x": 14, "pes_y": "pes_x - 2", "glb_kib": 100},
  "nodes": [
    {"memory": "DRAM", "class": "dram", "type": "lpddr3", "bandwidth_bits": 19.2,
     "latency_cycles": 100},
    {"memory": "GlobalBuffer", "class": "sram", "size_kib": "glb_kib", "width_bits": 64,
     "banks": 25, "ports": 2, "buffering": "double", "keep": ["input", "output"],
     "bypass": ["weight"], "read_bits": 64, "write_bytes": 8, "depth": 4096,
     "energy_pj": {"read": 6, "write": 6.5, "update": 7}, "leakage_mw": 0.25, "area_mm2": 1.5,
     "power_gated": true, "extrapolate": true},
    {"fanout": "PEs", "axes": {"y": "pes_y", "x": "pes_x"},
     "dims": {"x": ["p", "k"], "y": ["r", "c"]},
     "network": [{"class": "multicast_bus", "tensors": ["input", "weight"],
                  "multicast": ["input", "weight"], "energy_pj_per_bit_hop": 0.01,
                  "hop_um": 250, "bandwidth_bits": 64, "latency_cycles": 2},
                 {"class": "systolic", "reduce": "output", "preload": false,
                  "preload_axis": "y"}]},
    {"memory": "InputSpad", "class": "regfile", "words": 12, "keep": ["input"]},
    {"memory": "WeightSpad", "class": "sram", "words": 224, "keep": ["weight"]},
    {"memory": "PsumSpad", "class": "regfile", "words": 24, "keep": ["output"]},
    {"compute": "MAC", "class": "int_mac", "bits": 16, "interval_cycles": 2,
     "latency_cycles": 3, "energy_pj": {"compute": 1}, "leakage_uw": 2, "area_um2": 9}],
  "constraints": [
    {"node": "PEs", "factors": {"r": "all", "c": "<=pes_y", "k": 4, "p": ">= 2", "q": "pes_x/2"},
     "utilization": ">=0.5", "dims": ["r", "c", "k", "p", "q"]},
    {"node": "PsumSpad", "order": "s c k", "stationary": "output"},
    {"node": "InputSpad", "order": ["p", "q"], "keep": ["input"], "bypass": ["weight"]},
    {"dataflow": "RS"}],
  "conventions": {"preset": "timeloop"} })";

// A small legal file with one node's fields replaced: {M} the buffer's, {F} the fan-out's,
// {C} compute's, {A} more at the top.
std::string small(const std::string& memory, const std::string& fanout = "",
                  const std::string& compute = "", const std::string& top = "") {
  return R"({"nodes": [{"memory": "D"}, {"memory": "B")" + memory + R"(},
          {"fanout": "F", "axes": {"x": 4, "y": 2})" +
         fanout + R"(}, {"compute": "C")" + compute + "}]" + top + "}";
}

std::string error(const std::string& json) { return parse_arch(json).status().to_string(); }

using Cases = std::vector<std::pair<std::string, std::string>>;

// Every text is refused with a sentence that starts as given: place and reason.
void check_refused(const Cases& cases) {
  for (const auto& [json, expected] : cases) {
    CAPTURE(json);
    const Result<Arch> result = parse_arch(json);
    REQUIRE_FALSE(result.ok());
    CHECK(result.status().code() == StatusCode::kInvalidInput);
    CHECK_THAT(result.status().to_string(), Catch::StartsWith(expected));
  }
}

}  // namespace

TEST_CASE("an Eyeriss-like architecture file", "[arch]") {
  const Result<Arch> result = parse_arch(kEyeriss);
  REQUIRE(result.status().to_string() == "");
  const Arch& arch = *result;
  CHECK(arch.name == "eyeriss_v1");
  CHECK(*arch.clock_mhz == 200);
  REQUIRE(arch.nodes.size() == 7);
  REQUIRE(arch.memories.size() == 5);
  const Memory& glb = arch.memories[1];
  CHECK(*glb.size_bits == 819200);
  CHECK(*glb.write_bits == 64);
  CHECK(glb.buffering == Buffering::kDouble);
  CHECK(*glb.area_um2 == 1.5e6);
  CHECK(glb.attributes == Attributes{{"depth", "4096"}, {"extrapolate", "true"}});
  CHECK(arch.memories[0].attributes == Attributes{{"type", "lpddr3"}});
  CHECK_FALSE(arch.memories[0].size_bits.has_value());
  CHECK(*arch.memories[2].size_bits == 192);
  const Fanout& pes = arch.fanouts[0];
  REQUIRE(pes.axes.size() == 2);
  CHECK(pes.axes[0].name == "x");  // alphabetical
  CHECK(pes.axes[0].size == 14);
  CHECK(pes.axes[1].dims == std::vector<std::string>{"r", "c"});
  CHECK(pes.children() == 168);
  REQUIRE(pes.networks.size() == 2);
  CHECK(pes.networks[0].hop_mm == 0.25);
  CHECK(pes.networks[1].network_class == NetworkClass::kSystolic);
  CHECK(pes.networks[1].reduce == std::vector<std::string>{"output"});
  CHECK_FALSE(pes.networks[1].preload);
  CHECK(arch.compute.interval_cycles == 2);
  CHECK(*arch.compute.leakage_mw == 0.002);
  REQUIRE(arch.constraints.size() == 4);
  const std::vector<FactorConstraint>& f = arch.constraints[0].factors;
  using Kind = FactorConstraint::Kind;
  REQUIRE(f.size() == 5);  // alphabetical: c k p q r
  CHECK((f[0].kind == Kind::kAtMost && f[0].value == 12));
  CHECK((f[1].kind == Kind::kExactly && f[1].value == 4));
  CHECK((f[2].kind == Kind::kAtLeast && f[2].value == 2));
  CHECK((f[3].kind == Kind::kExactly && f[3].value == 7));
  CHECK((f[4].dim == "r" && f[4].kind == Kind::kAll));
  CHECK(*arch.constraints[0].min_utilization == 0.5);
  CHECK(arch.constraints[1].order == std::vector<std::string>{"s", "c", "k"});
  CHECK(arch.constraints[3].dataflow == "RS");
  CHECK(*arch.conventions == Conventions::timeloop());
  CHECK(SchemaCheck(arch_schema()).accepts(kEyeriss));
}

TEST_CASE("names are looked up", "[arch]") {
  const Arch arch = *parse_arch(R"({"nodes": [{"memory": "D"}, {"fanout": "A", "axes": {"x": 4}},
      {"fanout": "B", "axes": {"y": 2, "x": 3}}, {"memory": "M"},
      {"fanout": "E", "axes": {"z": 5}}, {"compute": "C"}]})");
  CHECK(arch.axis_count() == 4);
  CHECK(arch.find_memory("M") == MemoryId{1});
  CHECK_FALSE(arch.find_memory("A").has_value());
  CHECK(arch.find_fanout("E") == FanoutId{2});
  CHECK(arch.find_axis("A.x") == AxisId{0});
  CHECK(arch.find_axis("A") == AxisId{0});
  CHECK(arch.find_axis("B.x") == AxisId{1});
  CHECK(arch.find_axis("y") == AxisId{2});
  CHECK(arch.find_axis("z") == AxisId{3});
  CHECK_FALSE(arch.find_axis("x").has_value());  // two fan-outs have one
  CHECK_FALSE(arch.find_axis("B").has_value());  // two axes
  CHECK_FALSE(arch.find_axis("nope").has_value());
  CHECK(arch.first_axis(FanoutId{1}) == AxisId{1});
  CHECK(arch.fanout_of(AxisId{2}) == FanoutId{1});
  CHECK(arch.fanout_of(AxisId{3}) == FanoutId{2});
  CHECK(arch.axis(AxisId{2}).size == 2);
  CHECK(arch.axis_name(AxisId{3}) == "E.z");
}

TEST_CASE("sweeps override variables", "[arch]") {
  const Result<Arch> arch = parse_arch(kEyeriss, {{"pes_x", 8}, {"glb_kib", 0.5}});
  REQUIRE(arch.ok());
  CHECK(arch->fanouts[0].children() == 48);
  CHECK(*arch->memories[1].size_bits == 4096);
  CHECK(arch->variables.at("pes_x") == "8");
  CHECK(*parse_arch(arch_to_json(*arch)) == *arch);
  CHECK(parse_arch(kEyeriss, {{"pes_z", 8}}).status().to_string() ==
        "/variables: no variable 'pes_z' to override (did you mean 'pes_x'?)");
  CHECK_FALSE(parse_arch(kEyeriss, {{"pes_x", 0.0 / 0.0}}).ok());
  CHECK_THAT(parse_arch(kEyeriss, {{"pes_x", 8.5}}).status().to_string(),
             Catch::StartsWith("/nodes/2/axes/x: expected a whole number"));
}

TEST_CASE("mistakes in the list of nodes are refused at their place", "[arch]") {
  REQUIRE(error(small("")) == "");
  check_refused({
      {"[]", "expected an object, found a list"},
      {"{}", "the key 'nodes' is missing"},
      {R"({"op": "gemm"})", "this is a problem; an architecture is expected here"},
      {R"({"fingerprint": "0"})", "this is a result; an architecture is expected here"},
      {R"({"node": []})", "/node: unknown key 'node' (did you mean 'nodes'?)"},
      {R"({"nodes": {}})", "/nodes: expected a list of nodes, found an object"},
      {R"({"nodes": []})", "/nodes: an architecture has at least a memory and compute"},
      {R"({"nodes": [3]})", "/nodes/0: a node is {\"memory\": NAME"},
      {R"({"nodes": [{"mem": "D"}]})", "/nodes/0: a node is"},
      {R"({"nodes": [{"memory": "D", "compute": "C"}]})", "/nodes/0: a node is one thing: both"},
      {R"({"nodes": [{"memory": "D"}]})", "/nodes: the last node must be the compute node"},
      {R"({"nodes": [{"compute": "C"}]})", "/nodes/0: the first node is the outermost memory"},
      {R"({"nodes": [{"fanout": "F", "axes": {"x": 2}}, {"compute": "C"}]})",
       "/nodes/0: the first node is the outermost memory"},
      {R"({"nodes": [{"memory": "D"}, {"compute": "C"}, {"memory": "M"}]})",
       "/nodes/1: the compute node is the last one"},
      {R"({"nodes": [{"memory": "D"}, {"compute": "C"}, {"compute": "E"}]})",
       "/nodes/2: there is one compute node, not two"},
      {R"({"nodes": [{"memory": "D"}, {"memory": "D"}, {"compute": "C"}]})",
       "/nodes/1: two nodes are called 'D'"},
      {R"({"nodes": [{"memory": "D"}, {"compute": "D"}]})", "/nodes/1: two nodes are called 'D'"},
      {R"({"nodes": [{"memory": "a b"}]})", "/nodes/0/memory: 'a b' is no name for a memory"},
      {R"({"nodes": [{"memory": "a.b"}]})", "/nodes/0/memory: 'a.b' is no name"},
      {R"({"nodes": [{"memory": 3}]})", "/nodes/0/memory: expected a text, found 3"},
      {R"({"nodes": [{"memory": "D", "bypass": ["W"]}, {"compute": "C"}]})",
       "/nodes/0/bypass: the outermost memory keeps every tensor; it cannot bypass 'W'"},
  });
}

TEST_CASE("mistakes in memories and compute are refused at their place", "[arch]") {
  check_refused({
      {small(R"(, "size": 3)"), "/nodes/1/size: unknown key 'size'"},
      {small(R"(, "size_kb": 3)"), "/nodes/1/size_kb: unknown key 'size_kb' (did you mean 'size_"},
      {small(R"(, "size_bits": 0)"), "/nodes/1/size_bits: expected a whole number from 1 to"},
      {small(R"(, "size_kib": 1, "words": 1)"), "/nodes/1/words: 'size_kib' and 'words' say"},
      {small(R"(, "size_mib": 9e15)"), "/nodes/1/size_mib: expected a whole number"},
      {small(R"(, "size_mib": 1099511627776)"), "/nodes/1/size_mib: expected a whole number"},
      {small(R"(, "width_bits": 0)"), "/nodes/1/width_bits: expected a whole number from 1"},
      {small(R"(, "banks": 1.5)"), "/nodes/1/banks: expected a whole number"},
      {small(R"(, "banks": "7/2")"),
       "/nodes/1/banks: expected a whole number from 1 to 65536, "
       "found the text '7/2' = 3.5"},
      {small(R"(, "read_bits": 0)"), "/nodes/1/read_bits: expected a number above 0, found 0"},
      {small(R"(, "latency_cycles": -1)"), "/nodes/1/latency_cycles: expected a number of at le"},
      {small(R"(, "buffering": "triple")"), "/nodes/1/buffering: expected one of ideal, single,"},
      {small(R"(, "keep": ["a b"])"), "/nodes/1/keep/0: 'a b' is no name"},
      {small(R"(, "keep": ["W", "W"])"), "/nodes/1/keep/1: 'W' is listed twice"},
      {small(R"(, "keep": ["W"], "bypass": ["I", "W"])"), "/nodes/1/bypass: 'W' is kept and byp"},
      {small(R"(, "energy_pj": {"compute": 1})"), "/nodes/1/energy_pj/compute: unknown key"},
      {small(R"(, "energy_pj": {"read": -1})"), "/nodes/1/energy_pj/read: expected a number of"},
      {small(R"(, "energy_pj": 3)"), "/nodes/1/energy_pj: expected an object, found a number"},
      {small(R"(, "leakage_mw": 1)"),
       "/nodes/1/leakage_mw: leakage becomes energy through the "
       "clock: give the architecture's 'clock_mhz'"},
      {small(R"(, "tecnology_nm": 1)"),
       "/nodes/1/tecnology_nm: unknown key 'tecnology_nm' (did "
       "you mean 'technology_nm'?)"},
      {small("", "", R"(, "leakage_mw": 1)"), "/nodes/3/leakage_mw: leakage becomes energy"},
      {small("", "", R"(, "interval_cycles": 0)"), "/nodes/3/interval_cycles: expected a number"},
      {small("", "", R"(, "energy_pj": {"read": 1})"), "/nodes/3/energy_pj/read: unknown key"},
      {small("", "", R"(, "size_bits": 1)"), "/nodes/3/size_bits: unknown key"},
  });
}

TEST_CASE("mistakes in fan-outs and networks are refused at their place", "[arch]") {
  const std::string net = R"(, "network": )";
  check_refused({
      {R"({"nodes": [{"memory": "D"}, {"fanout": "F"}, {"compute": "C"}]})",
       "/nodes/1: the key 'axes' is missing"},
      {R"({"nodes": [{"memory": "D"}, {"fanout": "F", "axes": {}}, {"compute": "C"}]})",
       "/nodes/1/axes: a fan-out has at least one axis"},
      {R"({"nodes": [{"memory": "D"}, {"fanout": "F", "axes": {"x": 0}}, {"compute": "C"}]})",
       "/nodes/1/axes/x: expected a whole number from 1 to 2147483647, found 0"},
      {R"({"nodes": [{"memory": "D"}, {"fanout": "F", "axes": {"x.y": 1}}, {"compute": "C"}]})",
       "/nodes/1/axes/x.y: 'x.y' is no name for an axis"},
      {R"({"nodes": [{"memory": "D"}, {"fanout": "F", "axes": {"a":1,"b":1,"c":1,"d":1,"e":1}},
          {"compute": "C"}]})",
       "/nodes/1/axes: a fan-out has at most 4 axes"},
      {R"({"nodes": [{"memory": "D"}, {"fanout": "F", "axes": {"a":2147483647,"b":2147483647,
          "c": 4}}, {"compute": "C"}]})",
       "/nodes/1/axes: the number of instances does not fit 63 bits"},
      {small("", R"(, "dims": {"z": ["k"]})"), "/nodes/2/dims/z: unknown axis 'z'"},
      {small("", R"(, "dims": {"x": ["k", "k"]})"), "/nodes/2/dims/x/1: 'k' is listed twice"},
      {small("", R"(, "dims": ["k"])"), "/nodes/2/dims: expected an object, found a list"},
      {small("", net + R"({"class": "bsu"})"), "/nodes/2/network/class: expected one of free, bus"},
      {small("", net + R"({"energy_pj_per_bit_hop": 1})"),
       "/nodes/2/network/energy_pj_per_bit_hop: a network of class 'free' has no energy"},
      {small("", net + R"({"class": "bus", "hop_mm": -1})"), "/nodes/2/network/hop_mm: expected"},
      {small("", net + R"([{"class": "bus"}, {"class": "mesh"}])"),
       "/nodes/2/network/1: two networks carry 'all not named elsewhere'"},
      {small("", net + R"([{"tensors": ["W"]}, {"tensors": ["I", "W"]}])"),
       "/nodes/2/network/1/tensors: 'W' is carried by another network already"},
      {small("", net + R"({"multicast": ["output"]})"), "/nodes/2/network/multicast: outputs are"},
      {small("", net + R"({"forward": ["output"]})"), "/nodes/2/network/forward: only inputs"},
      {small("", net + R"({"reduce": ["weight"]})"), "/nodes/2/network/reduce: only outputs"},
      {small("", net + R"({"class": "bus", "preload": false})"),
       "/nodes/2/network/preload: only a systolic fan-out preloads"},
      {small("", net + R"({"class": "systolic", "preload_axis": "z"})"),
       "/nodes/2/network/preload_axis: unknown axis 'z'"},
      {small("", net + R"({"class": "systolic", "pipelined": true})"),
       "/nodes/2/network/pipelined: folds follow each other without a gap only if"},
      {small("", net + R"({"class": "bus", "pipelined": true})"),
       "/nodes/2/network/pipelined: only a systolic fan-out has folds"},
      {small("", net + "3"), "/nodes/2/network: expected an object, found a number"},
  });
}

TEST_CASE("mistakes in the whole and its constraints are refused at their place", "[arch]") {
  const std::string con = R"(, "constraints": )";
  check_refused({
      {small("", "", "", R"(, "word_bits": 0)"), "/word_bits: expected a whole number from 1"},
      {small("", "", "", R"(, "role_bits": {"outputs": 8})"),
       "/role_bits/outputs: unknown key 'outputs'"},
      {small("", "", "", R"(, "role_bits": {"final": 0})"),
       "/role_bits/final: expected a whole number from 1"},
      {small("", "", "", R"(, "clock_mhz": 0)"), "/clock_mhz: expected a number above 0"},
      {small("", "", "", R"(, "clock_mhz": 1, "clock_ghz": 1)"), "/clock_ghz: 'clock_mhz' and"},
      {small("", "", "", con + "{}"), "/constraints: expected a list, found an object"},
      {small("", "", "", con + "[{}]"), "/constraints/0: the key 'node' is missing"},
      {small("", "", "", con + R"([{"node": "Bf", "dims": ["k"]}])"),
       "/constraints/0/node: unknown node 'Bf' (did you mean 'B'?)"},
      {small("", "", "", con + R"([{"node": "C", "dims": ["k"]}])"),
       "/constraints/0/node: nothing can be constrained at the compute node"},
      {small("", "", "", con + R"([{"node": "B"}])"), "/constraints/0: this constrains nothing"},
      {small("", "", "", con + R"([{"node": "B", "factors": {"k": 0}}])"),
       "/constraints/0/factors/k: expected a whole number from 1 to"},
      {small("", "", "", con + R"([{"node": "B", "factors": {"k": "<8"}}])"),
       "/constraints/0/factors/k: expected a factor: 4, \"<=8\", \">=2\", \"all\""},
      {small("", "", "", con + R"([{"node": "B", "factors": {"k": "=<8"}}])"),
       "/constraints/0/factors/k: expected a factor"},
      {small("", "", "", con + R"([{"node": "B", "factors": {"k": "any"}}])"),
       "/constraints/0/factors/k: unknown variable 'any'"},
      {small("", "", "", con + R"([{"node": "B", "order": "k c k"}])"),
       "/constraints/0/order/2: 'k' is listed twice"},
      {small("", "", "", con + R"([{"node": "F", "utilization": ">=1.5"}])"),
       "/constraints/0/utilization: expected a number above 0 and at most 1"},
      {small("", "", "", con + R"([{"node": "B", "utilization": 0.5}])"),
       "/constraints/0/utilization: only a fan-out has a utilization"},
      {small("", "", "", con + R"([{"node": "F", "keep": ["W"]}])"),
       "/constraints/0/keep: only a memory keeps or bypasses"},
      {small("", "", "", con + R"([{"node": "D", "bypass": ["W"]}])"),
       "/constraints/0/bypass: the outermost memory keeps every tensor"},
      {small("", "", "", con + R"([{"node": "B", "keep": ["W"], "bypass": ["W"]}])"),
       "/constraints/0/keep: 'W' would have to be kept and bypassed at 'B'"},
      {small(R"(, "bypass": ["W"])", "", "", con + R"([{"node": "B", "keep": ["W"]}])"),
       "/constraints/0/keep: 'W' would have to be kept and bypassed"},
      {small("", "", "", con + R"([{"node": "B", "stationary": "weights"}])"),
       "/constraints/0/stationary: expected one of weight, input, output; found 'weights' (did "
       "you mean 'weight'?)"},
      {small("", "", "", con + R"([{"dataflow": "WS-LSO"}])"),
       "/constraints/0/dataflow: expected one of WS, OS, OSA, OSB, OSC, IS, NLR, RS, WS-LOS, "
       "OS-LWS; found 'WS-LSO' (did you mean 'WS-LOS'?)"},
  });
}

TEST_CASE("limits of nodes are sentences", "[arch]") {
  std::string memories, fanouts;
  for (int i = 0; i < 17; ++i) memories += "{\"memory\": \"M" + std::to_string(i) + "\"},";
  for (int i = 0; i < 9; ++i) {
    fanouts += "{\"fanout\": \"F" + std::to_string(i) + "\", \"axes\": {\"x\": 1}},";
  }
  CHECK(error("{\"nodes\": [" + memories + "{\"compute\": \"C\"}]}") ==
        "/nodes/16: more than 16 memories");
  CHECK(error("{\"nodes\": [{\"memory\": \"D\"}," + fanouts + "{\"compute\": \"C\"}]}") ==
        "/nodes/9: more than 8 fan-outs");
}

TEST_CASE("make_arch refuses what no text could give", "[arch]") {
  const Arch good = *parse_arch(kEyeriss);
  REQUIRE(*make_arch(good) == good);
  const auto refused = [&](void (*spoil)(Arch&)) {
    Arch draft = good;
    spoil(draft);
    return make_arch(draft).status().to_string();
  };
  CHECK(refused([](Arch&) {}).empty());
  CHECK_THAT(refused([](Arch& a) { a.nodes[1].id = 7; }), Catch::Contains("numbered in order"));
  CHECK_THAT(refused([](Arch& a) { a.memories.emplace_back(); }),
             Catch::Contains("one of the nodes"));
  CHECK_THAT(refused([](Arch& a) { a.nodes.pop_back(); }), Catch::Contains("the last node"));
  CHECK_THAT(refused([](Arch& a) { a.memories[1].latency_cycles = 0.0 / 0.0; }),
             Catch::Contains("/nodes/1/latency_cycles: expected a number"));
  CHECK_THAT(refused([](Arch& a) { a.memories[1].read_bits = -1; }),
             Catch::Contains("/nodes/1/read_bits"));
  CHECK_THAT(refused([](Arch& a) { a.memories[1].buffering = static_cast<Buffering>(9); }),
             Catch::Contains("/nodes/1/buffering"));
  CHECK_THAT(refused([](Arch& a) { a.memories[1].name = ""; }), Catch::Contains("/nodes/1/memory"));
  CHECK_THAT(refused([](Arch& a) { a.fanouts[0].axes[1].name = "x"; }),
             Catch::Contains("two axes"));
  CHECK_THAT(refused([](Arch& a) { a.fanouts[0].axes[1].size = 0; }),
             Catch::Contains("/nodes/2/axes/y"));
  CHECK_THAT(refused([](Arch& a) { a.memories[1].attributes["colour"] = "red"; }),
             Catch::Contains("unknown attribute 'colour' of 'GlobalBuffer'"));
  CHECK_THAT(refused([](Arch& a) { a.memories[1].attributes["extrapolate"] = "perhaps"; }),
             Catch::Contains("/nodes/1/extrapolate"));
  CHECK_THAT(refused([](Arch& a) { a.variables["x"] = "y"; }), Catch::Contains("unknown variable"));
  CHECK_THAT(refused([](Arch& a) { a.clock_mhz.reset(); }), Catch::Contains("leakage_mw"));
  CHECK_THAT(refused([](Arch& a) { a.constraints[0].node = "x"; }),
             Catch::Contains("unknown node"));
  CHECK_THAT(refused([](Arch& a) { a.constraints[0].factors[1].dim = "c"; }),
             Catch::Contains("two factors"));
  CHECK_THAT(refused([](Arch& a) { a.comment = "\xff"; }), Catch::Contains("UTF-8"));
}

namespace {

class RandomArch {
 public:
  explicit RandomArch(unsigned seed) : random_(seed) {}

  Arch make() {
    Arch arch;
    if (pick(2)) arch.name = "a\\b \xe2\x82\xac";
    if (pick(2)) arch.technology_nm = real();
    if (pick(2)) arch.voltage = real();
    arch.clock_mhz = real();
    arch.word_bits = static_cast<std::uint32_t>(1 + pick(64));
    if (pick(3) == 0) arch.role_bits = {8, 0, 24, static_cast<std::uint32_t>(pick(16))};
    if (pick(2)) arch.variables = {{"v", "0.1"}, {"w", "v * 2"}, {"z", "1e+300"}, {"q", "1E2"}};
    add_memory(arch);
    for (std::size_t i = pick(6); i > 0; --i) pick(2) ? add_memory(arch) : add_fanout(arch);
    arch.nodes.push_back({NodeKind::kCompute, 0});
    arch.compute.name = "mac";
    if (pick(2)) arch.compute.interval_cycles = real();
    if (pick(2)) arch.compute.energy_pj.compute = real();
    if (pick(2)) arch.compute.attributes = {{"operand_bits", "8"}, {"type", "booth"}};
    if (pick(2)) arch.conventions = Conventions::timeloop();
    if (pick(2)) add_constraint(arch);
    return arch;
  }

 private:
  std::size_t pick(std::size_t n) { return static_cast<std::size_t>(random_() % n); }
  double real() { return std::uniform_real_distribution<>(1e-6, 1e6)(random_); }
  std::optional<double> maybe() { return pick(2) ? std::optional(real()) : std::nullopt; }

  void add_memory(Arch& arch) {
    const auto id = static_cast<std::uint8_t>(arch.memories.size());
    arch.nodes.push_back({NodeKind::kMemory, id});
    Memory m;
    m.name = "M-" + std::to_string(id);
    if (pick(2)) m.class_name = "sram";
    if (pick(2)) m.size_bits = 1 + pick(1u << 30) * (std::uint64_t{1} << pick(30));
    if (pick(2)) m.width_bits = static_cast<std::uint32_t>(1 + pick(512));
    m.banks = static_cast<std::uint32_t>(1 + pick(4));
    m.read_bits = maybe();
    m.write_bits = maybe();
    m.bandwidth_bits = maybe();
    if (pick(2)) m.latency_cycles = real();
    m.buffering = static_cast<Buffering>(pick(4));
    if (pick(2)) m.keep = {"input", "O"};
    if (id > 0 && pick(2)) m.bypass = {"weight"};
    m.energy_pj = {maybe(), maybe(), maybe(), std::nullopt};
    m.leakage_mw = maybe();
    m.area_um2 = maybe();
    m.power_gated = pick(2);
    if (pick(2)) m.attributes = {{"depth", "1024"}, {"voltage", "0.95"}, {"extrapolate", "false"}};
    arch.memories.push_back(m);
  }

  void add_fanout(Arch& arch) {
    const auto id = static_cast<std::uint8_t>(arch.fanouts.size());
    arch.nodes.push_back({NodeKind::kFanout, id});
    Fanout f;
    f.name = "F" + std::to_string(id);
    const char* const names[] = {"a", "b", "x", "y"};
    for (std::size_t a = 0; a < 1 + pick(4); ++a) {
      f.axes.push_back({names[a], static_cast<std::uint32_t>(1 + pick(9)), {}});
      if (pick(2)) f.axes.back().dims = {"k", "p"};
    }
    const char* const tensors[] = {"weight", "input", "output"};
    for (std::size_t n = 0; n < pick(4); ++n) {
      Network net;
      net.network_class = static_cast<NetworkClass>(1 + pick(6));
      net.tensors = {tensors[n]};
      if (n == 2)
        net.reduce = {"output"};
      else if (pick(2))
        net.multicast = {tensors[n]};
      if (pick(2)) net.energy_pj_per_bit_hop = real();
      net.bandwidth_bits = maybe();
      if (net.network_class == NetworkClass::kSystolic) {
        net.preload = pick(2);
        net.pipelined = !net.preload && pick(2);
        net.preload_axis = pick(2) ? "a" : "";
      }
      f.networks.push_back(net);
    }
    arch.fanouts.push_back(f);
  }

  void add_constraint(Arch& arch) {
    Constraint c;
    c.node = "M-0";
    c.order = {"s", "r"};
    using Kind = FactorConstraint::Kind;
    c.factors = {{"a", Kind::kExactly, 4},
                 {"b", Kind::kAtMost, 8},
                 {"c", Kind::kAtLeast, 2},
                 {"d", Kind::kAll, 1}};
    if (pick(2)) c.stationary = "weight";
    arch.constraints.push_back(c);
    if (arch.fanouts.empty()) return;
    Constraint u;
    u.node = arch.fanouts[0].name;
    u.min_utilization = real() / 1e6;
    arch.constraints.push_back(u);
  }

  std::mt19937 random_;
};

}  // namespace

TEST_CASE("random architectures round-trip and meet the schema", "[arch]") {
  const SchemaCheck schema(arch_schema());
  RandomArch random(42);
  for (int i = 0; i < 2000; ++i) {
    const Arch draft = random.make();
    const Result<Arch> arch = make_arch(draft);
    CAPTURE(i, arch.status().to_string());
    REQUIRE(arch.ok());
    CHECK(*arch == draft);
    const std::string json = arch_to_json(*arch);
    const Result<Arch> back = parse_arch(json);
    REQUIRE(back.status().to_string() == "");
    CHECK(*back == *arch);
    CHECK(arch_to_json(*back) == json);
    if (i % 20 == 0) CHECK(schema.accepts(json));
  }
}

TEST_CASE("the schema of architectures refuses what the reader refuses", "[arch]") {
  const SchemaCheck schema(arch_schema());
  CHECK(schema.accepts(small("")));
  const std::string refused[] = {small(R"(, "size": 3)"),
                                 small(R"(, "size_kib": 1, "words": 1)"),
                                 small(R"(, "buffering": "triple")"),
                                 small(R"(, "keep": ["W", "W"])"),
                                 small(R"(, "energy_pj": {"compute": 1})"),
                                 small("", R"(, "dims": ["k"])"),
                                 small("", R"(, "network": {"class": "bsu"})"),
                                 small("", R"(, "network": 3)"),
                                 small("", "", R"(, "size_bits": 1)"),
                                 small("", "", "", R"(, "word_bits": 0)"),
                                 small("", "", "", R"(, "wordbits": 8)"),
                                 small("", "", "", R"(, "constraints": [{"dataflow": "XS"}])"),
                                 small("", "", "", R"(, "constraints": {})"),
                                 R"({"nodes": [{"memory": "D"}]})",
                                 "{}"};
  for (const std::string& json : refused) {
    CAPTURE(json);
    CHECK_FALSE(schema.accepts(json));
    CHECK_FALSE(parse_arch(json).ok());
  }
}
