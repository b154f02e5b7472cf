// A stranger's JSON, read with distrust: every value is asked for by its type and its range.
//
// What it takes is bounded by the file: lists of numbers are kept as such, and of other values there
// may not be more than a model needs. Everything wrong is a LoadError of one line that says where.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "json.h"

namespace fxkit::host::imports {

struct Value;
struct Entry;
using Numbers = std::vector<double>;
using Items = std::vector<Value>;
using Entries = std::vector<Entry>;

// A list that holds numbers only is `Numbers`; an empty list is one, too.
struct Value {
  std::variant<std::monostate, bool, engine::Json::Number, std::string, Numbers, Items, Entries> data;

  template <class T>
  const T* as() const {
    return std::get_if<T>(&data);
  }
  bool null() const { return data.index() == 0; }
};

struct Entry {
  std::string key;
  Value value;
};

// Reads text that must be one JSON object, after a byte order mark perhaps.
Value read_document(std::string_view text);

// An object whose entries are asked for. An entry that is null counts as absent.
class Section {
 public:
  // `where`: what it is called in messages; empty for the whole file.
  Section(const Entries& entries, std::string where) : entries_(&entries), where_(std::move(where)) {}
  static Section none(std::string where);

  const Entries& entries() const { return *entries_; }
  const std::string& where() const { return where_; }
  std::string name(std::string_view key) const;
  const Value* find(std::string_view key) const;  // null where absent
  bool has(std::string_view key) const { return find(key) != nullptr; }

  std::size_t whole(std::string_view key, std::size_t low, std::size_t high,
                    std::optional<std::size_t> otherwise = {}) const;
  std::vector<std::size_t> wholes(std::string_view key, std::size_t low, std::size_t high) const;
  double number(std::string_view key, std::optional<double> otherwise = {}) const;
  std::string text(std::string_view key, std::optional<std::string> otherwise = {}) const;
  bool flag(std::string_view key, std::optional<bool> otherwise = {}) const;
  Section section(std::string_view key) const;
  Section section_or_none(std::string_view key) const;
  std::vector<Section> sections(std::string_view key) const;  // at least one
  const Items& items(std::string_view key) const;             // at least one, not all numbers
  const Numbers& numbers(std::string_view key) const;         // may be empty

  // For what is shown only: the texts among these entries, joined by blanks, at most 10,000 bytes;
  // and a number if there is one.
  std::string shown(std::initializer_list<std::string_view> keys) const;
  std::optional<double> shown_number(std::string_view key) const;

 private:
  [[noreturn]] void missing(std::string_view key) const;
  [[noreturn]] void wrong(std::string_view key, const std::string& wanted) const;

  const Entries* entries_;
  std::string where_;
};

// Numbers that 32 bits can hold; exactly `count`, unless it is 0. `value` may be null.
const Numbers& numbers_of(const Value* value, const std::string& where, std::size_t count);

// A list of `rows` lists of `columns` numbers, row by row.
Numbers matrix_of(const Value* value, std::size_t rows, std::size_t columns,
                  const std::string& where);

// A value for a message.
std::string said(const Value& value);

}  // namespace fxkit::host::imports
