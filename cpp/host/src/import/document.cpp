#include "document.h"

#include <cmath>
#include <limits>
#include <set>

#include "error.h"

namespace fxkit::host::imports {
namespace {

using engine::Json;
using engine::LoadError;
using engine::quoted;

constexpr std::size_t max_values = 1 << 18;  // that are not in a list of numbers

class Reader {
 public:
  explicit Reader(std::string_view text) : json_(text, "the file") {}

  Value read() {
    if (json_.peek() != Json::Kind::object) {
      throw LoadError("is not a model file: it must be one JSON object");
    }
    Value value = read_value();
    json_.end();
    return value;
  }

 private:
  Value read_value() {
    if (++values_ > max_values) throw LoadError("has more entries than a model file has");
    switch (json_.peek()) {
      case Json::Kind::object:
        return read_object();
      case Json::Kind::array:
        return read_array();
      case Json::Kind::string:
        return {json_.string()};
      case Json::Kind::boolean:
        return {json_.boolean()};
      case Json::Kind::null:
        json_.null();
        return {};
      default:
        return {read_number()};
    }
  }

  Json::Number read_number() {
    const Json::Number number = json_.number();
    if (!std::isfinite(number.value)) throw LoadError("holds a number that is too large");
    return number;
  }

  Value read_object() {
    Entries entries;
    std::set<std::string, std::less<>> seen;
    json_.object([&](std::string key) {
      if (!seen.insert(key).second) throw LoadError(quoted(key) + " is there twice");
      entries.push_back({std::move(key), read_value()});
    });
    return {std::move(entries)};
  }

  Value read_array() {
    Numbers numbers;
    std::optional<Items> items;
    json_.array([&] {
      if (!items && json_.peek() == Json::Kind::number) {
        numbers.push_back(read_number().value);
        return;
      }
      if (!items) {
        // Not only numbers: what was read so far becomes values as well.
        if (numbers.size() > max_values) throw LoadError("has more entries than a model file has");
        items.emplace();
        for (const double n : numbers) items->push_back({Json::Number{n, n == std::floor(n)}});
        values_ += numbers.size();
      }
      items->push_back(read_value());
    });
    if (items) return {std::move(*items)};
    numbers.shrink_to_fit();
    return {std::move(numbers)};
  }

  Json json_;
  std::size_t values_ = 0;
};

std::string plain(double value) {
  char text[40];
  std::snprintf(text, sizeof text, "%.9g", value);
  return text;
}

}  // namespace

Value read_document(std::string_view text) {
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  return Reader(text).read();
}

Section Section::none(std::string where) {
  static const Entries nothing;
  return {nothing, std::move(where)};
}

std::string Section::name(std::string_view key) const {
  return where_.empty() ? std::string(key) : where_ + "." + std::string(key);
}

const Value* Section::find(std::string_view key) const {
  for (const auto& [name, value] : *entries_) {
    if (name == key) return value.null() ? nullptr : &value;
  }
  return nullptr;
}

void Section::missing(std::string_view key) const { throw LoadError(name(key) + " is missing"); }

void Section::wrong(std::string_view key, const std::string& wanted) const {
  const Value* value = find(key);
  if (!value) missing(key);
  throw LoadError(name(key) + " is " + said(*value) + ", it must be " + wanted);
}

std::size_t Section::whole(std::string_view key, std::size_t low, std::size_t high,
                           std::optional<std::size_t> otherwise) const {
  const Value* value = find(key);
  if (!value && otherwise) return *otherwise;
  const auto* number = value ? value->as<Json::Number>() : nullptr;
  if (!number || !number->whole || number->value < static_cast<double>(low) ||
      number->value > static_cast<double>(high)) {
    wrong(key, "a whole number from " + std::to_string(low) + " to " + std::to_string(high));
  }
  return static_cast<std::size_t>(number->value);
}

std::vector<std::size_t> Section::wholes(std::string_view key, std::size_t low,
                                         std::size_t high) const {
  const Value* value = find(key);
  const auto* list = value ? value->as<Numbers>() : nullptr;
  std::vector<std::size_t> found;
  for (const double number : list ? *list : Numbers{}) {
    if (number != std::floor(number) || number < static_cast<double>(low) ||
        number > static_cast<double>(high)) {
      list = nullptr;
      break;
    }
    found.push_back(static_cast<std::size_t>(number));
  }
  if (!list || found.empty()) {
    wrong(key, "a list of whole numbers from " + std::to_string(low) + " to " +
                   std::to_string(high));
  }
  return found;
}

double Section::number(std::string_view key, std::optional<double> otherwise) const {
  const Value* value = find(key);
  if (!value && otherwise) return *otherwise;
  const auto* number = value ? value->as<Json::Number>() : nullptr;
  if (!number) wrong(key, "a number");
  return number->value;
}

std::string Section::text(std::string_view key, std::optional<std::string> otherwise) const {
  const Value* value = find(key);
  if (!value && otherwise) return *otherwise;
  const auto* text = value ? value->as<std::string>() : nullptr;
  if (!text) wrong(key, "a text");
  return *text;
}

bool Section::flag(std::string_view key, std::optional<bool> otherwise) const {
  const Value* value = find(key);
  if (!value && otherwise) return *otherwise;
  const auto* flag = value ? value->as<bool>() : nullptr;
  if (!flag) wrong(key, "true or false");
  return *flag;
}

Section Section::section(std::string_view key) const {
  const Value* value = find(key);
  const auto* entries = value ? value->as<Entries>() : nullptr;
  if (!entries) wrong(key, "an object");
  return {*entries, name(key)};
}

Section Section::section_or_none(std::string_view key) const {
  return has(key) ? section(key) : none(name(key));
}

std::vector<Section> Section::sections(std::string_view key) const {
  std::vector<Section> found;
  for (const Value& value : items(key)) {
    const auto* entries = value.as<Entries>();
    if (!entries) wrong(key, "a list of objects");
    found.emplace_back(*entries, name(key) + "[" + std::to_string(found.size()) + "]");
  }
  return found;
}

const Items& Section::items(std::string_view key) const {
  const Value* value = find(key);
  const auto* items = value ? value->as<Items>() : nullptr;
  if (!items) wrong(key, "a list with something in it");
  return *items;
}

const Numbers& Section::numbers(std::string_view key) const {
  const Value* value = find(key);
  if (!value) missing(key);
  return numbers_of(value, name(key), 0);
}

std::string Section::shown(std::initializer_list<std::string_view> keys) const {
  constexpr std::size_t longest = 10'000;
  std::string joined;
  for (const std::string_view key : keys) {
    const Value* value = find(key);
    const auto* text = value ? value->as<std::string>() : nullptr;
    if (!text) continue;
    const auto first = text->find_first_not_of(" \t\r\n");
    if (first == text->npos) continue;
    if (!joined.empty()) joined += ' ';
    joined += text->substr(first, text->find_last_not_of(" \t\r\n") + 1 - first);
  }
  if (joined.size() > longest) {
    std::size_t end = longest;
    while (end > 0 && (joined[end] & 0xc0) == 0x80) --end;  // not half a character
    joined.resize(end);
  }
  return joined;
}

std::optional<double> Section::shown_number(std::string_view key) const {
  const Value* value = find(key);
  const auto* number = value ? value->as<Json::Number>() : nullptr;
  if (!number) return std::nullopt;
  return number->value;
}

const Numbers& numbers_of(const Value* value, const std::string& where, std::size_t count) {
  const auto* numbers = value ? value->as<Numbers>() : nullptr;
  if (!numbers) throw LoadError(where + " must be a list of numbers");
  if (count > 0 && numbers->size() != count) {
    throw LoadError(where + " has " + std::to_string(numbers->size()) + " numbers, it must have " +
                    std::to_string(count));
  }
  for (const double number : *numbers) {
    if (std::abs(number) > std::numeric_limits<float>::max()) {
      throw LoadError(where + " has a number that 32 bits cannot hold");
    }
  }
  return *numbers;
}

Numbers matrix_of(const Value* value, std::size_t rows, std::size_t columns,
                  const std::string& where) {
  const auto* items = value ? value->as<Items>() : nullptr;
  if (!items || items->size() != rows) {
    throw LoadError(where + " is " + (value ? said(*value) : "missing") + ", it must have " +
                    std::to_string(rows) + " rows");
  }
  Numbers all;
  // Each row is looked at before room is made for the next.
  for (std::size_t i = 0; i < rows; ++i) {
    const Numbers& row = numbers_of(&(*items)[i], where + "[" + std::to_string(i) + "]", columns);
    all.insert(all.end(), row.begin(), row.end());
  }
  return all;
}

std::string said(const Value& value) {
  if (const auto* flag = value.as<bool>()) return *flag ? "true" : "false";
  if (const auto* number = value.as<Json::Number>()) return plain(number->value);
  if (const auto* text = value.as<std::string>()) return quoted(*text);
  if (const auto* list = value.as<Numbers>()) return "a list of " + std::to_string(list->size());
  if (const auto* list = value.as<Items>()) return "a list of " + std::to_string(list->size());
  return value.null() ? "null" : "an object";
}

}  // namespace fxkit::host::imports
