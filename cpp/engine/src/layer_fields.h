// The settings of a layer as they stand in a file, taken one by one with their types checked.
#pragma once

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "error.h"
#include "graph.h"
#include "json.h"

namespace fxkit::engine {

class LayerFields {
 public:
  std::string name, type;
  std::vector<std::string> inputs;

  LayerFields(Json& json, const TensorMap& tensors) : tensors_(tensors) { read(json); }

  LoadError error(const std::string& why) const {
    return LoadError("layer " + quoted(name) + " (" + type + "): " + why);
  }

  std::optional<std::string> word(std::string_view key) {
    const auto* value = take(key);
    if (!value) return std::nullopt;
    if (const auto* text = std::get_if<std::string>(value)) return *text;
    throw error(std::string(key) + " must be a name");
  }

  const Tensor* tensor(std::string_view key, bool optional = false) {
    const auto referred = word(key);
    if (!referred) {
      if (optional) return nullptr;
      throw error(std::string(key) + " is missing");
    }
    const auto found = tensors_.find(*referred);
    if (found == tensors_.end()) {
      throw error("tensor " + quoted(*referred) + " is not in the file");
    }
    if (found->second.dtype != Dtype::f32) {
      throw LoadError("tensor " + quoted(*referred) + " of the graph must be of 32-bit floats");
    }
    return &found->second;
  }

  // A whole number from `low` to 2^53; `fallback` if it is not there, which below 0 means an error.
  std::size_t whole(std::string_view key, double low, double fallback) {
    const auto* value = take(key);
    if (!value) {
      if (fallback < 0) throw error(std::string(key) + " is missing");
      return static_cast<std::size_t>(fallback);
    }
    const auto* number = std::get_if<Json::Number>(value);
    if (!number || !number->whole) throw error(std::string(key) + " must be a whole number");
    if (number->value < low) {
      throw error(std::string(key) + " must be " + (low == 0 ? "0" : "1") + " or more");
    }
    return static_cast<std::size_t>(number->value);
  }

  std::optional<float> number(std::string_view key) {
    const auto* value = take(key);
    if (!value) return std::nullopt;
    const auto* number = std::get_if<Json::Number>(value);
    if (!number || !(std::abs(number->value) < 1e30)) {
      throw error(std::string(key) + " must be a finite number");
    }
    return static_cast<float>(number->value);
  }

  // Nothing may be left that the layer does not have.
  void end() const {
    for (const auto& entry : values_) {
      if (!entry.taken) {
        throw LoadError("layer " + quoted(name) + " (" + type + ") has no setting " +
                        quoted(entry.key));
      }
    }
  }

 private:
  using Value = std::variant<std::monostate, std::string, Json::Number>;
  struct Entry {
    std::string key;
    Value value;
    bool taken = false;
  };

  static constexpr std::size_t max_fields = 32;

  const Value* take(std::string_view key) {
    for (auto& entry : values_) {
      if (entry.key == key) {
        entry.taken = true;
        return &entry.value;
      }
    }
    return nullptr;
  }

  void read(Json& json) {
    if (json.peek() != Json::Kind::object) throw LoadError("a layer must be a JSON object");
    bool has_inputs = false;
    json.object([&](std::string key) {
      if (key == "inputs") {
        if (json.peek() != Json::Kind::array || has_inputs) throw bad_inputs();
        has_inputs = true;
        json.array([&] {
          if (json.peek() != Json::Kind::string) throw bad_inputs();
          inputs.push_back(json.string());
        });
        return;
      }
      const bool twice = std::any_of(values_.begin(), values_.end(),
                                     [&](const Entry& entry) { return entry.key == key; });
      if (twice || values_.size() >= max_fields) {
        throw LoadError("a layer has an entry twice, or too many");
      }
      Entry entry{std::move(key), {}};
      if (json.peek() == Json::Kind::string) {
        entry.value = json.string();
      } else if (json.peek() == Json::Kind::number) {
        entry.value = json.number();
      } else {
        json.skip();
      }
      values_.push_back(std::move(entry));
    });
    const auto text = [&](std::string_view key) {
      const auto* value = take(key);
      const auto* found = value ? std::get_if<std::string>(value) : nullptr;
      return found ? *found : std::string();
    };
    name = text("name");
    type = text("type");
    const auto characters = std::count_if(name.begin(), name.end(),
                                          [](char c) { return (c & 0xc0) != 0x80; });
    if (name.empty() || characters > 200) {
      throw LoadError("a layer must have a name of 1 to 200 characters");
    }
    if (!has_inputs) throw bad_inputs();
  }

  LoadError bad_inputs() const { return LoadError("a layer's inputs must be a list of names"); }

  const TensorMap& tensors_;
  std::vector<Entry> values_;
};

}  // namespace fxkit::engine
