#include "probe.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "error.h"

namespace fxkit::engine {
namespace {

constexpr std::size_t max_probe = 1 << 20;
constexpr double tolerance = 1e-4, floor_level = 1e-6;  // as fxkit in Python

std::vector<float> row(const Container& file, const std::string& name, std::size_t length = 0) {
  const auto found = file.tensors.find(name);
  if (found == file.tensors.end() || found->second.shape.size() != 1 ||
      found->second.dtype != Dtype::f32) {
    throw LoadError("damaged: " + name + " must be there, one row of 32-bit floats");
  }
  const std::size_t count = found->second.count;
  if (count == 0 || count > max_probe || (length > 0 && count != length)) {
    throw LoadError("damaged: " + name + " has " + std::to_string(count) + " numbers");
  }
  return found->second.floats();
}

}  // namespace

Probe read_probe(const Container& file, std::size_t knobs) {
  Probe probe;
  probe.input = row(file, "probe.input");
  probe.output = row(file, "probe.output", probe.input.size());
  if (knobs > 0) probe.knobs = row(file, "probe.controls", knobs);
  return probe;
}

double check_probe(const Probe& probe, const std::vector<float>& played) {
  double error = 0, peak = 0;
  for (std::size_t i = 0; i < probe.output.size(); ++i) {
    const double difference = std::abs(static_cast<double>(played.at(i)) - probe.output[i]);
    if (!(difference <= error)) error = difference;  // NaN too
    peak = std::max(peak, std::abs(static_cast<double>(probe.output[i])));
  }
  const double share = error / std::max(peak, floor_level);
  if (!(error <= std::max(tolerance * peak, floor_level))) {
    throw LoadError("damaged: its probe comes out " + std::to_string(share) +
                    " of the peak away from what the model played when it was saved");
  }
  return share;
}

}  // namespace fxkit::engine
