// The field tables of the Result (formats.md). For this folder's .cc files only.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "model/base/json_fields.h"
#include "model/evaluate/evaluate.h"

namespace loopscape {

// What a Result says, before names are looked up in its own inputs.
struct ResultDoc {
  template <class Report, class AtTensor>
  struct Named {
    std::string name;
    double cycles = 0;
    Report report;
    std::vector<std::pair<std::string, AtTensor>> tensors;
  };
  using OfMemory = Named<MemoryReport, TensorAtMemory>;
  using OfNetwork = Named<FanoutReport, TensorAtNetwork>;
  struct OfCompute {
    std::string name;
    ComputeReport report;
  };
  struct OfTime {
    std::string part, node;
    double cycles = 0;
  };
  struct Inputs {
    fields::Json arch, problem;
    std::string tables;
    Conventions conventions;
    StoredOptions options;
  };

  struct OfFront {
    double energy_pj = 0;
    std::int64_t cycles = 0;
    fields::Json mapping;
  };

  Breakdown totals;
  double edp = 0;
  std::string bottleneck;
  std::vector<OfMemory> memories;
  std::vector<OfNetwork> networks;
  OfCompute compute;
  std::vector<OfTime> time;
  Inputs inputs;
  fields::Json mapping, prices;
  std::optional<StoredCertificate> certificate;
  std::optional<StoredStatistics> statistics;
  std::vector<OfFront> front;
  std::string fingerprint;
  std::int64_t model_revision = 0;
};

const fields::Table<ResultDoc>& result_table();
const fields::Table<StoredOptions>& options_table();
const fields::Table<StoredCertificate>& certificate_table();

// Names of TimePart::Kind, in its order.
const std::vector<std::string>& time_kinds();

}  // namespace loopscape
