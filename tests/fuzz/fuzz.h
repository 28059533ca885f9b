// What the fuzz targets share. A target feeds arbitrary bytes to one reader and requires: it
// answers (a value or a sentence), what it accepted can be written and read again, and nothing it
// accepted makes the evaluator fail or contradict itself.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "model/evaluate/evaluate.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace loopscape::fuzz {

std::string_view as_text(const std::uint8_t* data, std::size_t size);

// Aborts with the sentence unless it holds: that is a finding.
void require(bool holds, std::string_view sentence, std::string_view shown = {});

// An error must say something.
void require_sentence(const Status& status);

// A small strided convolution and evaluators of it on several machines (multicast and systolic,
// every kind of buffering), under several conventions. Tensors I, W, O; memories DRAM, Buffer,
// InputSpad, WeightSpad, PsumSpad; fan-outs PEs (x, y) and Lanes (l).
const Problem& small_problem();
const Arch& small_arch();
const std::vector<Evaluator>& small_evaluators();

// evaluate(), evaluate_batch(), explain() and check() tell one story.
void require_agreement(const Evaluator& evaluator, const Mapping& mapping);

}  // namespace loopscape::fuzz
