// Neural Amp Modeler's files, versions 0.5.0 to 0.7.0; of a slimmable one, the full model.
#include "nam.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "error.h"
#include "imported.h"

namespace fxkit::host::imports {
namespace {

using engine::Json;
using engine::LoadError;
using engine::quoted;
using Version = std::array<int, 3>;

constexpr Version oldest{0, 5, 0}, newest{0, 7, 0};
constexpr std::size_t default_rate = 48'000;  // what players assume where the file has none
constexpr std::size_t max_weights = std::size_t{1} << 24;
constexpr std::string_view container = "SlimmableContainer";

void check_version(const Section& file) {
  const std::string text = file.text("version");
  Version version{};
  const char *at = text.data(), *const end = at + text.size();
  for (std::size_t i = 0; i < 3; ++i) {
    const bool digit = at < end && *at >= '0' && *at <= '9';
    const auto [next, error] = std::from_chars(at, end, version[i]);
    const bool last = i == 2;
    if (!digit || error != std::errc{} || (last ? next != end : next == end || *next != '.')) {
      throw LoadError(file.name("version") + " is " + quoted(text) + ", not like 0.5.4");
    }
    at = next + 1;
  }
  if (version < oldest || version > newest) {
    throw LoadError("version " + text + " of .nam is not known here, only 0.5.0 to 0.7.0");
  }
}

bool is_container(const Section& file) {
  const Value* value = file.find("architecture");
  const auto* text = value ? value->as<std::string>() : nullptr;
  return text && *text == container;
}

// The model in the file; of several, the full one.
Section choose(const Section& file) {
  check_version(file);
  if (!is_container(file)) return file;
  const auto models = file.section("config").sections("submodels");
  double before = -HUGE_VAL;
  for (const Section& entry : models) {
    const double top = entry.number("max_value");
    if (!(top > before)) throw LoadError("config.submodels: max_value must rise");
    before = top;
  }
  if (before < 1) throw LoadError("config.submodels: the last max_value must be 1 or more");
  const Section inner = models.back().section("model");
  check_version(inner);
  if (is_container(inner)) {
    throw LoadError(inner.where() + " is a " + std::string(container) + " in another");
  }
  return inner;
}

std::size_t rate_of(const Section& inner, const Section& outer) {
  for (const Section* file : {&inner, &outer}) {
    if (file->has("sample_rate")) {
      const double rate = file->number("sample_rate");
      if (rate == 0) continue;
      if (rate != std::floor(rate) || rate < 1000 || rate > 1'000'000) {
        throw LoadError("sample_rate must be a whole number from 1000 to 1000000 Hz");
      }
      return static_cast<std::size_t>(rate);
    }
  }
  return default_rate;
}

ModelInfo info_of(const Section& metadata) {
  ModelInfo info;
  info.format = "nam";
  info.name = metadata.shown({"name"});
  info.author = metadata.shown({"modeled_by"});
  info.gear = metadata.shown({"gear_make", "gear_model"});
  info.output_loudness = metadata.shown_number("loudness");
  if (const Value* training = metadata.find("training")) {
    if (const auto* entries = training->as<Entries>()) {
      info.esr = Section(*entries, "").shown_number("validation_esr");
    }
  }
  return info;
}

}  // namespace

Imported read_nam(const Section& file) {
  const Section inner = choose(file);
  const std::string architecture = inner.text("architecture");
  const Section config = inner.section("config");
  std::string (*const read)(const Section&, const Numbers&, std::size_t) =
      architecture == "LSTM"      ? read_nam_lstm
      : architecture == "WaveNet" ? read_nam_wavenet
                                  : nullptr;
  if (!read) {
    throw LoadError("architecture " + quoted(architecture) +
                    " is not known here, only LSTM, WaveNet and " + std::string(container));
  }
  const Numbers& weights = inner.numbers("weights");
  if (weights.empty()) throw LoadError(inner.name("weights") + " is empty");
  if (weights.size() > max_weights) throw LoadError(inner.name("weights") + " are too many");
  const Value* outer = file.find("metadata");
  const bool named = outer && outer->as<Entries>();
  Imported result;
  result.bytes = read(config, weights, rate_of(inner, file));
  result.info = info_of((named ? file : inner).section_or_none("metadata"));
  return result;
}

}  // namespace fxkit::host::imports
