#include "tests/unit/schema_check.h"

#include <nlohmann/json.hpp>
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validator.hpp>

namespace loopscape {

struct SchemaCheck::Parsed {
  valijson::Schema schema;
};

SchemaCheck::SchemaCheck(const std::string& schema) : parsed_(std::make_unique<Parsed>()) {
  const nlohmann::json json = nlohmann::json::parse(schema);
  const valijson::adapters::NlohmannJsonAdapter adapter(json);
  valijson::SchemaParser(valijson::SchemaParser::kDraft7).populateSchema(adapter, parsed_->schema);
}

SchemaCheck::~SchemaCheck() = default;

bool SchemaCheck::accepts(const std::string& text) const {
  const nlohmann::json json = nlohmann::json::parse(text);
  const valijson::adapters::NlohmannJsonAdapter adapter(json);
  return valijson::Validator().validate(parsed_->schema, adapter, nullptr);
}

}  // namespace loopscape
