// The Python face of the engine: numpy arrays in and out.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/filesystem.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "fxkit/fxkit.hpp"

namespace nb = nanobind;
using nb::literals::operator""_a;

namespace {

using Input = nb::ndarray<const float, nb::c_contig, nb::device::cpu>;
using Output = nb::ndarray<nb::numpy, float, nb::c_contig>;

const char* c_string(const std::optional<std::string>& text) {
  return text ? text->c_str() : nullptr;
}

class Engine {
 public:
  Engine(fxkit::Engine engine, std::size_t channels) : engine_(std::move(engine)) {
    prepare(channels);
  }

  static Engine open(const std::filesystem::path& path, const std::optional<std::string>& isa,
                     std::size_t channels) {
    const nb::gil_scoped_release release;
    return Engine(fxkit::Engine::open(path.string(), c_string(isa)), channels);
  }

  static Engine from_bytes(const nb::bytes& data, const std::optional<std::string>& isa,
                           std::size_t channels) {
    const auto* bytes = data.c_str();
    const std::size_t size = data.size();
    const nb::gil_scoped_release release;
    return Engine(fxkit::Engine::open(bytes, size, c_string(isa)), channels);
  }

  Output process(const Input& input) {
    if (input.ndim() != 1 && input.ndim() != 2) {
      throw nb::value_error("the samples must be [time] or [channels, time]");
    }
    const std::size_t channels = input.ndim() == 1 ? 1 : input.shape(0);
    const std::size_t frames = input.shape(input.ndim() - 1);
    if (channels != engine_.channels()) {
      throw nb::value_error(("this engine plays " + std::to_string(engine_.channels()) +
                             " channels, not " + std::to_string(channels) +
                             ": say so when it is opened, or to prepare()")
                                .c_str());
    }
    auto samples = std::make_unique<float[]>(std::max<std::size_t>(channels * frames, 1));
    std::vector<const float*> in;
    std::vector<float*> out;
    for (std::size_t c = 0; c < channels; ++c) {
      in.push_back(input.data() + c * frames);
      out.push_back(samples.get() + c * frames);
    }
    {
      const nb::gil_scoped_release release;
      engine_.process(in.data(), out.data(), frames);
    }
    float* data = samples.get();
    nb::capsule owner(data, [](void* p) noexcept { delete[] static_cast<float*>(p); });
    samples.release();
    const std::size_t shape[] = {channels, frames};
    return Output(data, input.ndim(), shape + 2 - input.ndim(), owner);
  }

  void prepare(std::size_t channels) {
    engine_.prepare(engine_.sample_rate(), 512, channels);
  }

  void set_control(std::size_t index, double value) {
    if (index >= engine_.control_names().size()) throw nb::index_error("no such control");
    if (!(value >= 0 && value <= 1)) throw nb::value_error("a control must be from 0 to 1");
    engine_.set_control(index, static_cast<float>(value));
  }

  std::vector<std::pair<std::string, double>> controls() const {
    std::vector<std::pair<std::string, double>> pairs;
    const auto names = engine_.control_names();
    for (std::size_t i = 0; i < names.size(); ++i) {
      pairs.emplace_back(names[i], engine_.control_default(i));
    }
    return pairs;
  }

  fxkit::Engine& get() { return engine_; }

 private:
  fxkit::Engine engine_;
};

}  // namespace

NB_MODULE(_engine, m) {
  nb::exception<fxkit::Error>(m, "EngineError", PyExc_ValueError);
  nb::class_<Engine>(m, "Engine")
      .def_static("open", &Engine::open, "path"_a, "isa"_a = nb::none(), "channels"_a = 1)
      .def_static("from_bytes", &Engine::from_bytes, "data"_a, "isa"_a = nb::none(),
                  "channels"_a = 1)
      .def("process", &Engine::process, "samples"_a)
      .def("prepare", &Engine::prepare, "channels"_a)
      .def("reset", [](Engine& e) { e.get().reset(); })
      .def("set_control", &Engine::set_control, "index"_a, "value"_a)
      .def_prop_ro("controls",
                   [](Engine& e) {
                     nb::list list;
                     for (const auto& [name, value] : e.controls()) {
                       list.append(nb::make_tuple(name, value));
                     }
                     return list;
                   })
      .def_prop_ro("channels", [](Engine& e) { return e.get().channels(); })
      .def_prop_ro("latency", [](Engine& e) { return e.get().latency(); })
      .def_prop_ro("sample_rate", [](Engine& e) { return static_cast<int>(e.get().sample_rate()); })
      .def_prop_ro("probe_error", [](Engine& e) { return e.get().probe_error(); })
      .def_prop_ro("isa", [](Engine& e) { return std::string(e.get().isa()); })
      .def_prop_ro("manifest", [](Engine& e) { return std::string(e.get().manifest()); });
}
