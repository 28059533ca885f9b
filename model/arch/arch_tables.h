// The field tables of an architecture and what checks the whole of it. Inside model/arch only, and
// only for .cc files (it brings in nlohmann/json.hpp).
#pragma once

#include "model/arch/arch.h"
#include "model/base/json_fields.h"

namespace loopscape {

const fields::Table<Memory>& memory_table();
const fields::Table<Fanout>& fanout_table();
const fields::Table<Compute>& compute_table();
const fields::Table<Constraint>& constraint_table();

// A name that spec texts and mappings can carry; `what` says whose.
Status read_node_name(const fields::Json& json, const fields::Reader& reader, const char* what,
                      std::string& out);
// Names of dimensions, tensors or roles.
Status read_identifiers(const fields::Json& json, const fields::Reader& reader,
                        std::vector<std::string>& out);

// A name that both lists have; "" if there is none.
std::string common_name(const std::vector<std::string>& a, const std::vector<std::string>& b);

// What no single field can see: the order of nodes, references, contradictions.
Status check_nodes(const Arch& arch);
Status check_constraints(const Arch& arch);

}  // namespace loopscape
