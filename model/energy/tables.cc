// The tables in force: those that come with the library, and those that a user adds.
#include <algorithm>
#include <map>

#include "model/base/fingerprint.h"
#include "model/energy/built_in.h"
#include "model/energy/estimate.h"

namespace loopscape {
namespace {

class TableSetBuilder {
 public:
  Status add(const std::string& name, std::string_view json) {
    Result<TableFile> parsed = parse_table_file(name, json);
    if (!parsed.ok()) return parsed.status();
    TableFile& file = *parsed;
    for (EnergyTable& table : file.tables) {
      const auto [known, is_new] = files_.emplace(table.name, name);
      if (!is_new) {
        return Status(StatusCode::kInvalidInput, "the table " + in_quotes(table.name) +
                                                     " stands in " + known->second +
                                                     " already; give it another name, and an "
                                                     "'accuracy' that says which is better")
            .in(name);
      }
      set_->tables.push_back(std::move(table));
    }
    for (TableCheck& check : file.checks) set_->checks.push_back(std::move(check));
    if (!file.scaling) return {};
    // The rules that come with the library may be replaced, once.
    if (added_ && !scaling_file_.empty()) {
      return Status(StatusCode::kInvalidInput, "rules for scaling stand in " + scaling_file_ +
                                                   " already; leave one of them out")
          .at("/scaling")
          .in(name);
    }
    if (added_) scaling_file_ = name;
    set_->scaling = *std::move(file.scaling);
    return {};
  }

  // What follows is not the library's own.
  void begin_added() { added_ = true; }

  TableSet& set() { return *set_; }
  std::shared_ptr<const TableSet> finish() { return set_; }

 private:
  std::shared_ptr<TableSet> set_ = std::make_shared<TableSet>();
  std::map<std::string, std::string> files_;  // of every table
  bool added_ = false;
  std::string scaling_file_;  // that replaced the library's rules
};

// A file that the library has already, word for word, adds nothing.
bool is_built_in(const std::string& json) {
  const auto tables = built_in_tables();
  return std::any_of(tables.begin(), tables.end(),
                     [&](const BuiltInTable& table) { return table.json == json; });
}

// Enough digits to tell one version of the tables from another.
constexpr std::size_t kIdentityDigits = 12;

std::string identity_of(const UserTables& more) {
  Fingerprint own, fingerprint;
  for (const BuiltInTable& table : built_in_tables()) own.add(table.json);
  const std::string built_in =
      std::string(kTablesBuiltIn) + " " + own.hex().substr(0, kIdentityDigits);
  if (more.tables.empty() && more.named.empty() && !more.external) return built_in;
  for (const TableText& text : more.tables) fingerprint.add(text.json);
  for (const NamedPrices& named : more.named) {
    fingerprint.add(named.node);
    for (const auto& [action, pj] : named.actions) fingerprint.add(action + number_text(pj));
    fingerprint.add(number_text(named.leakage_mw.value_or(-1)));
    fingerprint.add(number_text(named.area_um2.value_or(-1)));
  }
  fingerprint.add(more.external_name);
  return built_in + " and " + fingerprint.hex().substr(0, kIdentityDigits);
}

}  // namespace

Result<EnergyTables> EnergyTables::create(const UserTables& more) {
  TableSetBuilder builder;
  for (const BuiltInTable& table : built_in_tables()) {
    if (Status s = builder.add(std::string(table.name), table.json); !s.ok()) return s;
  }
  builder.begin_added();
  UserTables added = more;
  std::erase_if(added.tables, [](const TableText& text) { return is_built_in(text.json); });
  for (const TableText& text : added.tables) {
    if (Status s = builder.add(text.name, text.json); !s.ok()) return s;
  }
  builder.set().named = added.named;
  builder.set().external = added.external;
  builder.set().identity = identity_of(added);
  return EnergyTables(builder.finish());
}

const std::string& EnergyTables::identity() const { return set_->identity; }

}  // namespace loopscape
