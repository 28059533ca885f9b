// The templates of json_fields.h.
#pragma once

#include "model/base/json_fields.h"

namespace loopscape::fields {

template <class T>
Status Table<T>::read(const Json& json, const Reader& reader, T& out) const {
  if (!json.is_object()) {
    return reader.error(std::string("expected an object, found ") + kind_name(json));
  }
  if (Status status = check_keys(json, reader, infos()); !status.ok()) return status;
  for (const Field<T>& field : fields_) {
    const Json* value = nullptr;
    std::size_t key = 0;
    if (Status status = find_value(json, reader, field, &value, &key); !status.ok()) return status;
    if (!value) continue;
    Status status = field.read(*value, key, reader.at(field.keys[key]), out);
    if (!status.ok()) return status;
  }
  return {};
}

template <class T>
OrderedJson Table<T>::write(const T& object) const {
  OrderedJson out = OrderedJson::object();
  const T defaults = baseline_(object);
  for (const Field<T>& field : fields_) {
    OrderedJson value = field.write(object, field.required ? nullptr : &defaults);
    if (!value.is_null()) out[field.keys[0]] = std::move(value);
  }
  return out;
}

template <class T>
Table<T>& Table<T>::document() {
  custom(
      "$schema", type_schema("string"),
      [](const Json& json, const Reader& reader, T&) {
        std::string ignored;
        return read_text(json, reader, ignored);
      },
      [](const T&) { return OrderedJson(); }, "Where the schema of this file is published.");
  return custom(
      "version", enum_schema({1}),
      [](const Json& json, const Reader& reader, T&) {
        if (json.is_number() && json == 1) return Status();
        return reader.error("only version 1 of this format exists; write 1");
      },
      [](const T&) { return OrderedJson(); }, "Version of the format.");
}

template <class T>
Table<T>& Table<T>::custom(std::string key, Schema schema,
                           std::function<Status(const Json&, const Reader&, T&)> read,
                           std::function<OrderedJson(const T&)> write,
                           const std::string& description) {
  Field<T> field;
  field.keys = {std::move(key)};
  field.schemas.push_back(std::move(schema));
  field.description = description;
  field.read = [read = std::move(read)](const Json& json, std::size_t, const Reader& reader,
                                        T& out) { return read(json, reader, out); };
  field.write = [write = std::move(write)](const T& object, const T*) { return write(object); };
  return custom(std::move(field));
}

template <class T>
Table<T>& Table<T>::text(std::string key, std::string T::*member, const std::string& description) {
  return custom(
      std::move(key), type_schema("string"),
      [member](const Json& json, const Reader& reader, T& out) {
        return read_text(json, reader, out.*member);
      },
      [member](const T& object) {
        return (object.*member).empty() ? OrderedJson() : OrderedJson(object.*member);
      },
      description);
}

template <class T>
Table<T>& Table<T>::flag(std::string key, bool T::*member, const std::string& description) {
  Field<T> field;
  field.keys = {std::move(key)};
  field.schemas.emplace_back([member] {
    OrderedJson schema = type_schema("boolean");
    schema["default"] = T{}.*member;
    return schema;
  });
  field.description = description;
  field.read = [member](const Json& json, std::size_t, const Reader& reader, T& out) {
    return read_flag(json, reader, out.*member);
  };
  field.write = [member](const T& object, const T* defaults) {
    return defaults && object.*member == defaults->*member ? OrderedJson()
                                                           : OrderedJson(object.*member);
  };
  return custom(std::move(field));
}

template <class T>
Table<T>& Table<T>::names(std::string key, std::vector<std::string> T::*member,
                          const std::string& description) {
  return custom(
      std::move(key), Schema(names_schema),
      [member](const Json& json, const Reader& reader, T& out) {
        return read_names(json, reader, out.*member);
      },
      [member](const T& object) {
        return (object.*member).empty() ? OrderedJson() : OrderedJson(object.*member);
      },
      description);
}

template <class T>
template <class M>
Table<T>& Table<T>::integer(const std::vector<Unit>& units, M T::*member, IntegerRange range,
                            const std::string& description) {
  using Value = unwrapped<M>;
  static_assert(std::is_integral_v<Value>);
  Field<T> field;
  for (const Unit& unit : units) {
    field.keys.push_back(unit.key);
    const bool first = field.schemas.empty();
    // In a larger unit a fraction may be a whole number of the field's own unit.
    field.schemas.emplace_back([=, whole = unit.scale == 1, expressions = expressions_] {
      OrderedJson schema =
          whole ? integer_schema(range, expressions) : number_schema(kNotNegative, expressions);
      if constexpr (std::is_same_v<Value, M>) {
        if (first) schema["default"] = T{}.*member;
      }
      return schema;
    });
  }
  field.description = description;
  field.read = [member, range, units](const Json& json, std::size_t key, const Reader& reader,
                                      T& out) {
    std::int64_t value = 0;
    const std::int64_t scale = units[key].scale ? units[key].scale : reader.word_bits;
    Status status = read_integer(json, reader, range, scale, value);
    if (status.ok()) out.*member = static_cast<Value>(value);
    return status;
  };
  field.write = [member](const T& object, const T* defaults) {
    if (defaults && object.*member == defaults->*member) return OrderedJson();
    if constexpr (std::is_same_v<Value, M>)
      return OrderedJson(object.*member);
    else
      return object.*member ? OrderedJson(*(object.*member)) : OrderedJson();
  };
  return custom(std::move(field));
}

template <class T>
template <class M>
Table<T>& Table<T>::number(const std::vector<Unit>& units, M T::*member, NumberRange range,
                           const std::string& description) {
  Field<T> field;
  for (const Unit& unit : units) {
    field.keys.push_back(unit.key);
    const bool first = field.schemas.empty();
    field.schemas.emplace_back([=, expressions = expressions_] {
      OrderedJson schema = number_schema(range, expressions);
      if constexpr (std::is_same_v<double, M>) {
        if (first) schema["default"] = T{}.*member;
      }
      return schema;
    });
  }
  field.description = description;
  field.read = [member, range, units](const Json& json, std::size_t key, const Reader& reader,
                                      T& out) {
    double value = 0;
    Status status = read_number(json, reader, range, units[key].factor, value);
    if (status.ok()) out.*member = value;
    return status;
  };
  field.write = [member](const T& object, const T* defaults) {
    if (defaults && object.*member == defaults->*member) return OrderedJson();
    if constexpr (std::is_same_v<double, M>)
      return number_json(object.*member);
    else
      return object.*member ? number_json(*(object.*member)) : OrderedJson();
  };
  return custom(std::move(field));
}

template <class T>
template <class M>
Table<T>& Table<T>::choice(std::string key, M T::*member,
                           std::vector<std::pair<std::string, unwrapped<M>>> names,
                           const std::string& description) {
  std::vector<std::string> words;
  words.reserve(names.size());
  for (const auto& name : names) words.push_back(name.first);
  Field<T> field;
  field.keys = {std::move(key)};
  field.schemas.emplace_back([words] { return enum_schema(words); });
  field.description = description;
  field.read = [member, names, words](const Json& json, std::size_t, const Reader& reader, T& out) {
    std::size_t which = 0;
    Status status = read_choice(json, reader, words, which);
    if (status.ok()) out.*member = names[which].second;
    return status;
  };
  field.write = [member, names](const T& object, const T* defaults) {
    if (defaults && object.*member == defaults->*member) return OrderedJson();
    for (const auto& name : names) {
      if (object.*member == name.second) return OrderedJson(name.first);
    }
    if constexpr (!std::is_same_v<unwrapped<M>, M>) {
      if (!(object.*member)) return OrderedJson();
    }
    // Not one of the enumeration's values: written as what no reader accepts.
    return OrderedJson(false);
  };
  return custom(std::move(field));
}

template <class T>
template <class M>
Table<T>& Table<T>::object(std::string key, M T::*member, const Table<unwrapped<M>>& table,
                           const std::string& description) {
  using Value = unwrapped<M>;
  return custom(
      std::move(key), Schema([&table] { return table.schema(); }),
      [member, &table](const Json& json, const Reader& reader, T& out) {
        Value value{};
        Status status = table.read(json, reader, value);
        if (status.ok()) out.*member = std::move(value);
        return status;
      },
      [member, &table](const T& object) {
        if constexpr (std::is_same_v<Value, M>) {
          OrderedJson json = table.write(object.*member);
          return json.empty() ? OrderedJson() : json;
        } else {
          return object.*member ? table.write(*(object.*member)) : OrderedJson();
        }
      },
      description);
}

template <class T>
template <class U>
Table<T>& Table<T>::list(std::string key, std::vector<U> T::*member, const Table<U>& table,
                         const std::string& description) {
  return custom(
      std::move(key), Schema([&table] { return list_schema(table.schema()); }),
      [member, &table](const Json& json, const Reader& reader, T& out) {
        if (!json.is_array()) {
          return reader.error(std::string("expected a list, found ") + kind_name(json));
        }
        for (std::size_t i = 0; i < json.size(); ++i) {
          U value{};
          if (Status s = table.read(json[i], reader.at(i), value); !s.ok()) return s;
          (out.*member).push_back(std::move(value));
        }
        return Status();
      },
      [member, &table](const T& object) {
        OrderedJson json;
        for (const U& value : object.*member) json.push_back(table.write(value));
        return json;
      },
      description);
}

template <class T>
template <class U>
Table<T>& Table<T>::include(U T::*member, const Table<U>& table) {
  for (const Field<U>& part : table.fields()) {
    Field<T> field;
    static_cast<FieldInfo&>(field) = part;
    field.read = [member, read = part.read](const Json& json, std::size_t key, const Reader& reader,
                                            T& out) {
      return read(json, key, reader, out.*member);
    };
    field.write = [member, write = part.write](const T& object, const T* defaults) {
      return write(object.*member, defaults ? &(defaults->*member) : nullptr);
    };
    fields_.push_back(std::move(field));
  }
  return *this;
}

}  // namespace loopscape::fields
