// The networks of problems/ against published totals: layers, operations, weights. Where a
// literature count follows from no shapes, the exact one stands here and the comment says so.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include <catch2/catch.hpp>

#include "model/network/network.h"
#include "tests/validation/report.h"

using namespace loopscape;

namespace {

using validation::Report;
const Report kReport("problems");

std::string text_of(const std::filesystem::path& path) {
  std::ifstream in(path);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

std::vector<std::filesystem::path> files_in(const std::string& folder) {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry :
       std::filesystem::directory_iterator(LOOPSCAPE_SOURCE_DIR "/problems/" + folder)) {
    paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

LayerNetwork load(const std::string& name) {
  const Result<LayerNetwork> network =
      parse_network(text_of(LOOPSCAPE_SOURCE_DIR "/problems/networks/" + name + ".json"));
  INFO(name << ": " << network.status().to_string());
  REQUIRE(network.ok());
  return *network;
}

// Parameters of a layer; the second operand of an attention product is none.
std::int64_t weights_of(const Problem& layer) {
  const Tensor& weight = layer.tensors[2];
  if (layer.find_dim("h")) return 0;
  std::int64_t words = 1;
  for (std::size_t d = 0; d < layer.dims.size(); ++d) {
    if (weight.relevant & bit(static_cast<DimId>(d))) words *= layer.dims[d].extent;
  }
  return words;
}

std::int64_t weights_of(const LayerNetwork& network) {
  std::int64_t words = 0;
  for (const Problem& layer : network.layers) {
    words += weights_of(layer) * static_cast<std::int64_t>(layer.count);
  }
  return words;
}

struct Totals {
  const char* name;
  std::int64_t layers, operations, weights;
};

}  // namespace

TEST_CASE("networks have the published number of layers, operations and weights") {
  const Totals all[] = {
      // He et al. 2016 and the MLPerf reference: 53 convolutions (4 of them shortcuts) and a
      // product.
      {"resnet50", 54, 3'857'973'248, 25'502'912},
      {"resnet50_v1_5", 54, 4'089'184'256, 25'502'912},
      // torchvision: 1.81 GMAC; 11,689,512 parameters less 9,600 of normalisation and 1,000 biases.
      {"resnet18", 21, 1'814'073'344, 11'678'912},
      // Sze et al. 2017, table of popular networks: 14.7 M and 124 M weights, 15.3 G and 124 M
      // MACs.
      {"vgg16", 16, 15'470'264'320, 138'344'128},
      // The same: 2.3 M and 58.6 M weights, 666 M and 58.6 M MACs, groups counted.
      {"alexnet", 8, 724'406'816, 60'954'656},
      // Howard et al. 2017, table 4: 569 M MACs, 4.2 M parameters.
      {"mobilenet_v1", 28, 568'740'352, 4'209'088},
      // Sandler et al. 2018, table 4: 300 M MACs, 3.4 M parameters.
      {"mobilenet_v2", 53, 300'774'272, 3'469'760},
      // Devlin et al. 2019: 12 blocks with 7,077,888 weights each, embeddings left out.
      {"bert_base_512", 96, 48'318'382'080, 84'934'656},
      {"bert_base_128", 96, 11'173'625'856, 84'934'656},
      {"bert_large_384", 192, 123'211'874'304, 301'989'888},
      // 2.6 k and 58 k weights; the literature's 283 k MACs follow from no shapes.
      {"lenet5", 4, 415'680, 60'630},
      // 7 M weights; the literature's 1.43 G MACs are lower than the shapes of table 1 give.
      {"googlenet", 58, 1'582'671'872, 6'990'272},
      {"efficientnet_b0", 82, 385'814'752, 5'236'192},  // 0.39 G, 5.3 M with normalisation
      // Iandola et al. 2016: 1,248,424 parameters less 3,976 biases.
      {"squeezenet", 26, 818'924'576, 1'244'448},
      // Radford et al. 2019: as BERT base; 24 d^2 + 4 d L operations for a token of a block,
      // halved.
      {"gpt2_1024", 96, 106'300'440'576, 84'934'656},
      {"gpt2_decode_1024", 96, 103'809'024, 84'934'656},
      // Brown et al. 2020: 96 blocks of 12 d^2 weights, 173.9 of the 175 G parameters.
      {"gpt3_prefill_2048", 768, 366'137'372'049'408, 173'946'175'488},
      {"gpt3_decode_2048", 768, 178'778'013'696, 173'946'175'488},
      // Touvron et al. 2023: 6,738,415,616 parameters less 2 * 32,000 * 4,096 of embedding and
      // output and 65 * 4,096 of normalisation.
      {"llama_7b_prefill_2048", 288, 14'362'370'637'824, 6'476'005'376},
      {"llama_7b_decode_2048", 288, 7'012'876'288, 6'476'005'376},
      // Stand-ins for Jouppi et al. 2017, table 1: the shapes are not published, see below.
      {"tpu_mlp0", 5, 4'000'000'000, 20'000'000},
      {"tpu_mlp1", 4, 842'956'800, 5'017'600},
      {"tpu_lstm0", 6, 3'221'225'472, 50'331'648},
      {"tpu_lstm1", 94, 3'248'640'000, 33'840'000},
      {"tpu_cnn0", 13, 22'144'352'256, 7'667'712},
      {"tpu_cnn1", 76, 175'672'150'016, 100'053'568},
      // Vaswani et al. 2017: 6 blocks of 12 d^2 weights; Radford et al. 2019: 48 of them, 1.47 of
      // the
      // 1.5 G parameters.
      {"transformer_base_128", 48, 2'516'582'400, 18'874'368},
      {"bert_base_384", 96, 35'332'816'896, 84'934'656},
      {"gpt2_xl_1024", 384, 1'671'010'713'600, 1'474'560'000},
      // Chi et al. 2016.
      {"prime_mlp_l", 4, 3'181'000, 3'181'000},
      {"prime_mlp_m", 4, 1'411'500, 1'411'500},
      {"prime_mlp_s", 3, 519'500, 519'500},
      {"dlrm_bottom", 3, 170'496, 170'496},
      {"dlrm_top", 5, 2'194'688, 2'194'688},
  };
  std::vector<std::string> names;
  for (const Totals& wanted : all) {
    names.push_back(wanted.name);
    const LayerNetwork network = load(wanted.name);
    const std::int64_t weights = weights_of(network);
    INFO(wanted.name);
    CHECK(network.occurrences() == wanted.layers);
    CHECK(network.operations() == wanted.operations);
    CHECK(weights == wanted.weights);
  }
  for (const std::filesystem::path& path : files_in("networks")) {
    INFO("no total of " << path);
    CHECK(std::count(names.begin(), names.end(), path.stem().string()) == 1);
  }
  kReport.table(
      {"networks: layers, operations, weights", std::to_string(std::size(all)) + " networks",
       "the same", "0", "the papers' tables, MLPerf, surveys (`problems_test.cc`)",
       "where a literature count follows from no shapes (LeNet-5, GoogLeNet), the exact one"});
}

TEST_CASE("layers of networks have the published operations and weights") {
  // Chen, CS217 2018: AlexNet's layers 1, 2, 3 and 8.
  const LayerNetwork alexnet = load("alexnet");
  const std::int64_t expected[][3] = {{0, 105'415'200, 34'848},
                                      {1, 223'948'800, 307'200},
                                      {2, 149'520'384, 884'736},
                                      {7, 4'096'000, 4'096'000}};
  for (const auto& [layer, operations, weights] : expected) {
    const Problem& problem = alexnet.layers[static_cast<std::size_t>(layer)];
    CHECK(problem.operations() == operations);
    CHECK(weights_of(problem) == weights);
  }
  // Brown et al. 2020: 175 G parameters, 12 d^2 of them in each of 96 blocks of width 12288.
  for (const char* name : {"gpt3_prefill_2048", "gpt3_decode_2048"}) {
    CHECK(weights_of(load(name)) == std::int64_t{96} * 12 * 12288 * 12288);
  }
  // Jouppi et al. 2017, table 1: operations per weight byte.
  const std::pair<const char*, std::int64_t> intensities[] = {{"tpu_mlp0", 200},
                                                              {"tpu_mlp1", 168},
                                                              {"tpu_lstm0", 64},
                                                              {"tpu_lstm1", 96},
                                                              {"tpu_cnn0", 2888}};
  for (const auto& [name, intensity] : intensities) {
    for (const Problem& layer : load(name).layers) {
      CHECK(layer.operations() == intensity * weights_of(layer));
    }
  }
  kReport.table({"single layers: operations and weights",
                 "AlexNet 1, 2, 3, 8; GPT-3; TPU's MLP0 and 1, LSTM0 and 1, CNN0", "the same", "0",
                 "CS217 2018; Brown et al. 2020; Jouppi et al. 2017"});
}

TEST_CASE("totals that papers and surveys print") {
  const auto total = [](const char* name) { return double(load(name).operations()); };
  const auto convolutions = [](const char* name) {
    std::pair<double, double> count_and_operations;
    for (const Problem& layer : load(name).layers) {
      if (!layer.find_dim("p") || layer.name.find("fc") == 0) continue;
      count_and_operations.first += static_cast<double>(layer.count);
      count_and_operations.second +=
          static_cast<double>(layer.operations()) * static_cast<double>(layer.count);
    }
    return count_and_operations;
  };
  const std::string survey = "Sze et al., Proc. IEEE 2017, popular networks";
  kReport.row({"AlexNet: MACs", 724e6, total("alexnet"), 0.001, survey});
  kReport.row({"VGG-16: MACs", 15.5e9, total("vgg16"), 0.003, survey});
  kReport.row({"ResNet-50: MACs", 3.9e9, total("resnet50"), 0.013, survey, "two digits"});
  kReport.row({"MobileNet v1: MACs", 569e6, total("mobilenet_v1"), 0.001, "Howard et al. 2017"});
  kReport.row({"MobileNet v2: MACs", 300e6, total("mobilenet_v2"), 0.005, "Sandler et al. 2018"});
  kReport.row({"EfficientNet-B0: MACs", 0.39e9, total("efficientnet_b0"), 0.013, "Tan and Le 2019",
               "two digits"});
  kReport.row({"TPU's CNN1: operations per weight", 1750,
               total("tpu_cnn1") / double(weights_of(load("tpu_cnn1"))), 0.005,
               "Jouppi et al. 2017, table 1", "a stand-in: the shapes are not published"});
  kReport.row({"LeNet-5: MACs of convolutions", 283e3, convolutions("lenet5").second, 0.005, survey,
               "follows from no shapes: 357,600 with padding, 240,000 without", 357'600});
  kReport.row({"GoogLeNet: MACs of convolutions", 1.43e9, convolutions("googlenet").second, 0.005,
               survey, "the shapes of the paper's table 1 give 1.58 G", 1'581'647'872});
  kReport.row({"VGG-16: convolutions", 16, convolutions("vgg16").first, 0, survey,
               "16 layers have weights, three of them fully connected", 13});
  kReport.row({"ResNet-50: convolutions", 49, convolutions("resnet50").first, 0, survey,
               "without the four shortcuts, which its weights and MACs include", 53});
}

TEST_CASE("every problem and network can be read and says where it comes from") {
  for (const std::filesystem::path& path : files_in("networks")) {
    INFO(path);
    const Result<LayerNetwork> network = parse_network(text_of(path));
    REQUIRE(network.status().to_string() == "");
    CHECK(network->name == path.stem().string());
    CHECK_FALSE(network->comment.empty());
    CHECK(*parse_network(network_to_json(*network)) == *network);
  }
  for (const std::filesystem::path& path : files_in("layers")) {
    INFO(path);
    const Result<Problem> problem = parse_problem(text_of(path));
    REQUIRE(problem.status().to_string() == "");
    CHECK(problem->name == path.stem().string());
    CHECK_FALSE(problem->comment.empty());
  }
}
