// The JSON forms of a problem: one table for the einsum form, one per short form.
#include <algorithm>
#include <utility>

#include "model/base/json_fields.h"
#include "model/problem/einsum.h"
#include "model/problem/problem.h"
#include "model/problem/short_forms.h"

namespace loopscape {
namespace {

using fields::IntegerRange;
using fields::Json;
using fields::OrderedJson;
using fields::Reader;
using fields::Table;

constexpr IntegerRange kExtent{1, kMaxExtent};
constexpr IntegerRange kBits{1, 65536};

using Valid = std::optional<std::pair<std::int64_t, std::int64_t>>;

struct TensorSpec {
  std::optional<Role> role;
  std::uint32_t bits = 0, final_bits = 0;
  double density = 1;
  std::vector<Valid> valid;  // per rank
};

// One struct for all forms; each form's table shows the part that it has.
struct Spec {
  std::string name, comment, operation = "mac", einsum;
  std::map<std::string, std::int64_t> dims;
  std::vector<std::string> dim_order;  // for the writer: as in the einsum
  std::map<std::string, TensorSpec> tensors;
  std::optional<std::map<std::string, std::string>> dim_roles;
  std::uint64_t count = 1;
  std::optional<Conventions> conventions;
  ShortForm form;
};

// --- maps from names -------------------------------------------------------------------------

OrderedJson map_schema(OrderedJson value) {
  OrderedJson schema = fields::type_schema("object");
  schema["additionalProperties"] = std::move(value);
  return schema;
}

Status expect_object(const Json& json, const Reader& reader) {
  if (json.is_object()) return {};
  return reader.error(std::string("expected an object, found ") + fields::kind_name(json));
}

Status read_dims(const Json& json, const Reader& reader, Spec& out) {
  if (Status s = expect_object(json, reader); !s.ok()) return s;
  for (auto it = json.begin(); it != json.end(); ++it) {
    std::int64_t extent = 0;
    Status s = fields::read_integer(*it, reader.at(it.key()), kExtent, 1, extent);
    if (!s.ok()) return s;
    out.dims[it.key()] = extent;
  }
  return {};
}

OrderedJson write_dims(const Spec& spec) {
  OrderedJson json = OrderedJson::object();
  for (const std::string& name : spec.dim_order) json[name] = spec.dims.at(name);
  return json;
}

Status read_dim_roles(const Json& json, const Reader& reader, Spec& out) {
  if (Status s = expect_object(json, reader); !s.ok()) return s;
  out.dim_roles.emplace();
  for (auto it = json.begin(); it != json.end(); ++it) {
    Status s = fields::read_text(*it, reader.at(it.key()), (*out.dim_roles)[it.key()]);
    if (!s.ok()) return s;
  }
  return {};
}

OrderedJson write_dim_roles(const Spec& spec) {
  return spec.dim_roles ? OrderedJson(*spec.dim_roles) : OrderedJson();
}

// --- tensors ---------------------------------------------------------------------------------

Status read_valid(const Json& json, const Reader& reader, TensorSpec& out) {
  const std::string wanted = "expected one [begin, end) or null per rank, as in [null, [1, 57]]";
  if (!json.is_array()) return reader.error(wanted);
  for (std::size_t i = 0; i < json.size(); ++i) {
    out.valid.emplace_back();
    if (json[i].is_null()) continue;
    if (!json[i].is_array() || json[i].size() != 2) return reader.at(i).error(wanted);
    std::int64_t ends[2] = {0, 0};
    for (std::size_t e = 0; e < 2; ++e) {
      Status s = fields::read_integer(json[i][e], reader.at(i).at(e), {}, 1, ends[e]);
      if (!s.ok()) return s;
    }
    out.valid.back() = {ends[0], ends[1]};
  }
  return {};
}

OrderedJson write_valid(const TensorSpec& tensor) {
  OrderedJson json;
  for (const Valid& range : tensor.valid) {
    json.push_back(range ? OrderedJson{range->first, range->second} : OrderedJson());
  }
  return json;
}

OrderedJson valid_schema() {
  OrderedJson range = fields::type_schema("array");
  range["items"] = fields::integer_schema({}, false);
  range["minItems"] = range["maxItems"] = 2;
  OrderedJson schema = fields::type_schema("array");
  schema["items"]["anyOf"] = {fields::type_schema("null"), range};
  return schema;
}

const Table<TensorSpec>& tensor_table() {
  static const Table<TensorSpec> table =
      Table<TensorSpec>()
          .choice("role", &TensorSpec::role,
                  {{"weight", Role::kWeight}, {"input", Role::kInput}, {"output", Role::kOutput}},
                  "What architectures call it; default: the left-hand side is the output, W and "
                  "weights are weights, others inputs.")
          .integer("bits", &TensorSpec::bits, kBits,
                   "Width of a word; default: the architecture's word_bits.")
          .integer("final_bits", &TensorSpec::final_bits, kBits,
                   "Outputs: width of a word's last visit; default: bits.")
          .number("density", &TensorSpec::density, {0, 1, true}, "Share of non-zero words.")
          .custom("valid", valid_schema(), read_valid, write_valid,
                  "Per rank, the indices [begin, end) that are words that move, or null for all "
                  "of them; needs padding_free.");
  return table;
}

Status read_tensors(const Json& json, const Reader& reader, Spec& out) {
  if (Status s = expect_object(json, reader); !s.ok()) return s;
  for (auto it = json.begin(); it != json.end(); ++it) {
    Status s = tensor_table().read(*it, reader.at(it.key()), out.tensors[it.key()]);
    if (!s.ok()) return s;
  }
  return {};
}

OrderedJson write_tensors(const Spec& spec) {
  OrderedJson json;
  for (const auto& [name, tensor] : spec.tensors) {
    OrderedJson value = tensor_table().write(tensor);
    if (!value.empty()) json[name] = std::move(value);
  }
  return json;
}

// --- tables ----------------------------------------------------------------------------------

void add_common(Table<Spec>& table) {
  table.text("name", &Spec::name, "What reports call the layer.")
      .text("comment", &Spec::comment, "Where the numbers come from.")
      .custom("tensors", map_schema(tensor_table().schema()), read_tensors, write_tensors,
              "Roles, widths and densities by tensor.")
      .custom("dim_roles", map_schema(fields::type_schema("string")), read_dim_roles,
              write_dim_roles,
              "Which canonical dimension (n k c p q r s g) each own dimension plays.")
      .integer("count", &Spec::count, IntegerRange{1}, "How often the layer occurs.")
      .object("conventions", &Spec::conventions, fields::conventions_table(),
              "Counting conventions of this problem.");
}

void add_padding_free(Table<Spec>& table) {
  table.custom(
      "padding_free", fields::type_schema("boolean"),
      [](const Json& json, const Reader& reader, Spec& out) {
        return fields::read_flag(json, reader, out.form.padding_free);
      },
      [](const Spec& spec) { return spec.form.padding_free ? OrderedJson(true) : OrderedJson(); },
      "Padding is generated, not moved: it costs no words.");
}

void add_operation(Table<Spec>& table, std::vector<std::string> names) {
  OrderedJson schema =
      names.empty() ? fields::type_schema("string") : fields::enum_schema(OrderedJson(names));
  table.custom(
      "operation", std::move(schema),
      [names](const Json& json, const Reader& reader, Spec& out) {
        if (names.empty()) return fields::read_text(json, reader, out.operation);
        std::size_t which = 0;
        Status s = fields::read_choice(json, reader, names, which);
        if (s.ok()) out.operation = names[which];
        return s;
      },
      [](const Spec& spec) {
        return spec.operation == "mac" ? OrderedJson() : OrderedJson(spec.operation);
      },
      "What one point of the iteration space does; default: " + (names.empty() ? "mac" : names[0]) +
          ".");
}

const Table<Spec>& einsum_table() {
  static const Table<Spec> table = [] {
    Table<Spec> t;
    t.document()
        .text("einsum", &Spec::einsum, "O[n,k,p,q] += I[n,c,2*p+r,2*q+s] * W[k,c,r,s]")
        .required()
        .custom("dims", map_schema(fields::integer_schema(kExtent, false)), read_dims, write_dims,
                "The extent of every dimension.")
        .required();
    add_operation(t, {});
    add_padding_free(t);
    add_common(t);
    return t;
  }();
  return table;
}

// An extent of a short form, under one of several keys; `fallback` 0: it must be given or another
// key implies it.
void add_extent(Table<Spec>& table, std::vector<std::string> keys, std::int64_t fallback,
                bool required, const char* description) {
  fields::Field<Spec> field;
  field.keys = std::move(keys);
  field.schemas.assign(field.keys.size(), [] { return fields::integer_schema(kExtent, false); });
  field.description = description;
  field.required = required;
  const std::string name = field.keys[0];
  field.read = [name](const Json& json, std::size_t, const Reader& reader, Spec& out) {
    return fields::read_integer(json, reader, kExtent, 1, out.form.shape[name]);
  };
  field.write = [name, fallback](const Spec& spec, const Spec*) {
    const auto it = spec.form.shape.find(name);
    if (it == spec.form.shape.end() || it->second == fallback) return OrderedJson();
    return OrderedJson(it->second);
  };
  table.custom(std::move(field));
}

// "stride": 2 or [2, 1]; "padding" also [[low, high], [low, high]].
Status read_pair(const Json& json, const Reader& reader, IntegerRange range, std::int64_t& first,
                 std::int64_t& second) {
  if (!json.is_array()) {
    Status s = fields::read_integer(json, reader, range, 1, first);
    second = first;
    return s;
  }
  if (json.size() != 2) {
    return reader.error("expected one number or two (vertical, horizontal), found " +
                        std::to_string(json.size()));
  }
  Status s = fields::read_integer(json[0], reader.at(std::size_t{0}), range, 1, first);
  return s.ok() ? fields::read_integer(json[1], reader.at(std::size_t{1}), range, 1, second) : s;
}

Status read_padding(const Json& json, const Reader& reader, Spec& out) {
  constexpr IntegerRange kPad{0, kMaxExtent};
  auto& [vertical, horizontal] = out.form.windows;
  const bool sides = json.is_array() && json.size() == 2 && json[0].is_array();
  if (!sides) {
    Status s = read_pair(json, reader, kPad, vertical.pad_low, horizontal.pad_low);
    vertical.pad_high = vertical.pad_low;
    horizontal.pad_high = horizontal.pad_low;
    return s;
  }
  for (std::size_t axis = 0; axis < 2; ++axis) {
    Window& window = out.form.windows[axis];
    Status s = read_pair(json[axis], reader.at(axis), kPad, window.pad_low, window.pad_high);
    if (!s.ok()) return s;
  }
  return {};
}

OrderedJson pair_schema(IntegerRange range, bool sides) {
  OrderedJson one = fields::integer_schema(range, false);
  OrderedJson two = fields::type_schema("array");
  two["items"] = one;
  two["minItems"] = two["maxItems"] = 2;
  OrderedJson schema = OrderedJson::object();
  schema["anyOf"] = OrderedJson::array({one, two});
  if (!sides) return schema;
  OrderedJson four = two;
  OrderedJson either = schema;
  four["items"] = std::move(either);
  schema["anyOf"].push_back(std::move(four));
  return schema;
}

void add_window(Table<Spec>& table) {
  const auto pair_field = [&](const char* key, std::int64_t Window::*member,
                              const char* description) {
    table.custom(
        key, pair_schema(kExtent, false),
        [member](const Json& json, const Reader& reader, Spec& out) {
          return read_pair(json, reader, kExtent, out.form.windows[0].*member,
                           out.form.windows[1].*member);
        },
        [](const Spec&) { return OrderedJson(); }, description);
  };
  add_extent(table, {"n"}, 1, false, "Images in the batch; default 1.");
  add_extent(table, {"p"}, 0, false, "Output rows (or give h).");
  add_extent(table, {"q"}, 0, false, "Output columns (or give w).");
  add_extent(table, {"h"}, 0, false, "Input rows without padding (or give p).");
  add_extent(table, {"w"}, 0, false, "Input columns without padding (or give q).");
  add_extent(table, {"r"}, 0, true, "Kernel rows");
  add_extent(table, {"s"}, 0, true, "Kernel columns");
  pair_field("stride", &Window::stride, "Vertical and horizontal stride.");
  pair_field("dilation", &Window::dilation, "Vertical and horizontal dilation.");
  table.custom(
      "padding", pair_schema({0, kMaxExtent}, true), read_padding,
      [](const Spec&) { return OrderedJson(); },
      "One number, [vertical, horizontal], or [[top, bottom], [left, right]].");
  add_padding_free(table);
}

void add_form_integer(Table<Spec>& table, const char* key, std::int64_t ShortForm::*member,
                      IntegerRange range, const char* description) {
  table.custom(
      key, fields::integer_schema(range, false),
      [member, range](const Json& json, const Reader& reader, Spec& out) {
        return fields::read_integer(json, reader, range, 1, out.form.*member);
      },
      [](const Spec&) { return OrderedJson(); }, description);
}

void add_shape(Table<Spec>& t, const std::string& op) {
  if (op == "conv2d") {
    add_extent(t, {"k"}, 0, true, "Output channels");
    add_extent(t, {"c"}, 0, true, "Input channels");
    add_window(t);
    add_form_integer(t, "groups", &ShortForm::groups, kExtent, "Must divide k and c.");
  } else if (op == "depthwise") {
    add_extent(t, {"g", "c"}, 0, true, "Channels");
    add_window(t);
  } else if (op == "pool") {
    add_extent(t, {"c"}, 0, true, "Channels");
    add_window(t);
    add_operation(t, {"max", "add"});
  } else if (op == "gemm") {
    for (const char* key : {"m", "n", "k"})
      add_extent(t, {key}, 0, true, "O[m,n] += I[m,k] W[k,n]");
    add_form_integer(t, "batch", &ShortForm::batch, kExtent, "Independent products; default 1.");
  } else if (op == "fc") {
    add_extent(t, {"n"}, 1, false, "Vectors in the batch; default 1.");
    add_extent(t, {"k"}, 0, true, "Output features");
    add_extent(t, {"c"}, 0, true, "Input features");
  } else if (op == "elementwise") {
    t.custom("dims", map_schema(fields::integer_schema(kExtent, false)), read_dims, write_dims,
             "Extents; the ranks are in alphabetical order of the names.")
        .required();
    add_form_integer(t, "inputs", &ShortForm::inputs, {1, 2},
                     "One input tensor (I) or two (I, J).");
    add_operation(t, {"add", "mul", "sub", "max", "min", "map"});
  } else {  // attention_qk, attention_av
    add_extent(t, {"b"}, 1, false, "Sequences in the batch; default 1.");
    add_extent(t, {"h"}, 1, false, "Heads; default 1.");
    add_extent(t, {"m"}, 0, true, "Queries");
    add_extent(t, {"n"}, 0, true, "Keys");
    add_extent(t, {"k"}, 0, true, "Width of a head");
  }
}

const std::vector<std::string>& op_names() {
  static const std::vector<std::string> names = {
      "conv2d", "depthwise", "gemm", "fc", "attention_qk", "attention_av", "pool", "elementwise"};
  return names;
}

const std::map<std::string, Table<Spec>>& op_tables() {
  static const std::map<std::string, Table<Spec>> tables = [] {
    std::map<std::string, Table<Spec>> all;
    for (const std::string& op : op_names()) {
      Table<Spec> t;
      t.document().custom(
          "op", fields::enum_schema(OrderedJson::array({op})),
          [op](const Json&, const Reader&, Spec& out) {
            out.form.op = op;
            return Status();
          },
          [](const Spec& spec) { return OrderedJson(spec.form.op); }, "The short form.");
      t.required();
      add_shape(t, op);
      add_common(t);
      all.emplace(op, std::move(t));
    }
    return all;
  }();
  return tables;
}

// --- from a spec to a problem and back -------------------------------------------------------

Status apply_tensors(const Spec& spec, Problem& problem) {
  std::vector<std::string> names;
  for (const Tensor& tensor : problem.tensors) names.push_back(tensor.name);
  const Reader reader{"/tensors"};
  for (const auto& [name, given] : spec.tensors) {
    const std::optional<TensorId> id = problem.find_tensor(name);
    if (!id) {
      return reader.at(name).error("unknown tensor " + in_quotes(name) + suggestion(name, names));
    }
    Tensor& tensor = problem.tensors[index(*id)];
    if (given.role) tensor.role = *given.role;
    tensor.bits = given.bits;
    tensor.final_bits = given.final_bits;
    tensor.density = given.density;
    if (given.valid.empty()) continue;
    if (given.valid.size() != tensor.ranks.size()) {
      return reader.at(name).at("valid").error(in_quotes(name) + " has " +
                                               std::to_string(tensor.ranks.size()) +
                                               " ranks, not " + std::to_string(given.valid.size()));
    }
    for (std::size_t r = 0; r < tensor.ranks.size(); ++r) {
      if (!given.valid[r]) continue;
      tensor.ranks[r].valid_begin = given.valid[r]->first;
      tensor.ranks[r].valid_end = given.valid[r]->second;
    }
  }
  return {};
}

Result<Problem> finish(const Spec& spec, Problem draft) {
  draft.name = spec.name;
  draft.comment = spec.comment;
  draft.operation = spec.operation;
  draft.padding_free = spec.form.padding_free;
  draft.count = spec.count;
  draft.conventions = spec.conventions;
  if (spec.dim_roles) draft.dim_roles = *spec.dim_roles;
  if (Status s = apply_tensors(spec, draft); !s.ok()) return s;
  return make_problem(std::move(draft));
}

Result<Problem> from_einsum(const Spec& spec) {
  Result<Problem> draft = read_einsum(spec.einsum);
  if (!draft.ok()) return draft.status().at("/einsum");
  std::vector<std::string> names;
  for (Dim& dim : draft->dims) {
    names.push_back(dim.name);
    const auto extent = spec.dims.find(dim.name);
    if (extent == spec.dims.end()) {
      return Reader{"/dims"}.error("the dimension " + in_quotes(dim.name) +
                                   " of the einsum has no extent here");
    }
    dim.extent = extent->second;
  }
  for (const auto& extent : spec.dims) {
    if (draft->find_dim(extent.first)) continue;
    return Reader{"/dims"}
        .at(extent.first)
        .error("the dimension " + in_quotes(extent.first) + " does not occur in the einsum" +
               suggestion(extent.first, names));
  }
  return finish(spec, std::move(*draft));
}

Result<Problem> from_short_form(Spec spec) {
  const std::string& op = spec.form.op;
  if (op == "pool" && spec.operation == "mac") spec.operation = "max";
  if (op == "elementwise" && spec.operation == "mac") spec.operation = "add";
  for (const char* key : {"n", "b", "h"}) {  // those that may be left out
    const bool spatial = std::string(key) == "h" && op.substr(0, 9) != "attention";
    if (!spatial) spec.form.shape.emplace(key, 1);
  }
  spec.form.dims = spec.dims;
  Result<Problem> draft = expand(spec.form);
  if (!draft.ok()) return draft;
  if (!spec.dim_roles) spec.dim_roles = draft->dim_roles;
  Result<Problem> problem = finish(spec, std::move(*draft));
  if (problem.ok() || problem.status().place().rfind("/dims", 0) != 0) return problem;
  // A short form has no "dims" to point at.
  return Status(problem.status().code(), problem.status().message());
}

}  // namespace

Result<Problem> parse_problem(std::string_view text) {
  Json json;
  if (Status s = fields::parse_json(text, json); !s.ok()) return s;
  const Reader root;
  if (Status s = expect_object(json, root); !s.ok()) return s;
  const std::string kind = fields::file_kind(json);
  if (kind == "a network") {
    return (json.contains("layers") ? root.at("layers") : root)
        .error(
            "this is a network; one problem is expected here: each layer has mappings of its own, "
            "so "
            "give one of its layers by itself");
  }
  if (!kind.empty() && kind != "a problem") {
    return root.error("this is " + kind + "; a problem is expected here");
  }
  Spec spec;
  if (!json.contains("op")) {
    if (!json.contains("einsum")) {
      const Status s = einsum_table().read(json, root, spec);
      if (!s.ok() && s.message().rfind("unknown key", 0) == 0) return s;
      return root.error("a problem needs an \"einsum\" or a short form, \"op\": " +
                        listed(op_names()));
    }
    if (Status s = einsum_table().read(json, root, spec); !s.ok()) return s;
    return from_einsum(spec);
  }
  if (json.contains("einsum")) {
    return root.at("op").error("\"op\" and \"einsum\" say the same thing in two ways; keep one");
  }
  std::size_t op = 0;
  if (Status s = fields::read_choice(json["op"], root.at("op"), op_names(), op); !s.ok()) return s;
  if (Status s = op_tables().at(op_names()[op]).read(json, root, spec); !s.ok()) return s;
  return from_short_form(std::move(spec));
}

std::string problem_to_json(const Problem& problem) {
  Spec spec;
  spec.name = problem.name;
  spec.comment = problem.comment;
  spec.operation = problem.operation;
  spec.einsum = problem.einsum();
  spec.count = problem.count;
  spec.conventions = problem.conventions;
  spec.form.padding_free = problem.padding_free;
  if (!problem.dim_roles.empty()) spec.dim_roles = problem.dim_roles;
  for (const Dim& dim : problem.dims) {
    spec.dims[dim.name] = dim.extent;
    spec.dim_order.push_back(dim.name);
  }
  for (std::size_t t = 0; t < problem.tensors.size(); ++t) {
    const Tensor& tensor = problem.tensors[t];
    TensorSpec& out = spec.tensors[tensor.name];
    if (tensor.role != default_role(tensor.name, t == 0)) out.role = tensor.role;
    out.bits = tensor.bits;
    out.final_bits = tensor.final_bits;
    out.density = tensor.density;
    bool any = false;
    for (const Rank& rank : tensor.ranks) {
      out.valid.emplace_back();
      if (rank.valid_begin) out.valid.back() = {*rank.valid_begin, *rank.valid_end};
      any |= rank.valid_begin.has_value();
    }
    if (!any) out.valid.clear();
  }
  return fields::to_text(einsum_table().write(spec));
}

std::string problem_schema() {
  OrderedJson schema = OrderedJson::object();
  schema["$schema"] = "http://json-schema.org/draft-07/schema#";
  schema["title"] = "Loopscape problem, version 1";
  schema["anyOf"].push_back(einsum_table().schema());
  for (const std::string& op : op_names()) schema["anyOf"].push_back(op_tables().at(op).schema());
  return fields::to_text(schema);
}

}  // namespace loopscape
