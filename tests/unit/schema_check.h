// Does a published JSON Schema accept a text? An independent validator decides.
#pragma once

#include <memory>
#include <string>

namespace loopscape {

class SchemaCheck {
 public:
  explicit SchemaCheck(const std::string& schema);
  ~SchemaCheck();
  bool accepts(const std::string& json) const;

 private:
  struct Parsed;
  std::unique_ptr<Parsed> parsed_;
};

}  // namespace loopscape
