// Nanoseconds per sample, real-time factor and share of the measured FMA peak of every instruction
// set, for GRU, LSTM and WaveNets. Minima over interleaved runs: what else the machine does is left
// out as far as it can be.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <vector>

#include "fxkit/fxkit.hpp"
#include "models.h"
#include "peak.h"
#include "timing.h"

namespace {

using test::ModelFile;

// Neural Amp Modeler's "standard" WaveNet: two arrays of ten layers, of 16 and of 8 channels.
ModelFile nam_wavenet(std::size_t first, std::size_t second) {
  ModelFile f;
  std::string input = "x", head, last;
  for (int array = 0; array < 2; ++array) {
    const std::size_t channels = array == 0 ? first : second;
    const std::size_t from = array == 0 ? 1 : first;
    const std::size_t out = array == 0 ? second : 1;
    const std::string a = std::to_string(array);
    f.random_tensor("in" + a, {channels, from}, 0.3);
    f.layer("i" + a, "dense", {input}, "\"weight\":\"in" + a + "\"");
    std::string h = "i" + a;
    std::vector<std::string> sum;
    if (!head.empty()) sum.push_back(head);
    for (int i = 0; i < 10; ++i) {
      const std::string n = a + "_" + std::to_string(i);
      f.random_tensor("w" + n, {channels, channels, 3}, 0.1);
      f.random_tensor("b" + n, {channels}, 0.1);
      f.random_tensor("m" + n, {channels, 1}, 0.3);
      f.random_tensor("o" + n, {channels, channels}, 0.2);
      f.layer("c" + n, "conv", {h},
              "\"weight\":\"w" + n + "\",\"bias\":\"b" + n +
                  "\",\"dilation\":" + std::to_string(1 << i));
      f.layer("k" + n, "dense", {"x"}, "\"weight\":\"m" + n + "\"");
      f.layer("z" + n, "add", {"c" + n, "k" + n});
      f.layer("t" + n, "activation", {"z" + n}, "\"function\":\"tanh\"");
      f.layer("r" + n, "dense", {"t" + n}, "\"weight\":\"o" + n + "\",\"bias\":\"b" + n + "\"");
      f.layer("h" + n, "add", {h, "r" + n});
      sum.push_back("t" + n);
      h = "h" + n;
    }
    input = h;
    f.layer("sum" + a, "add", sum);
    f.random_tensor("head" + a, {out, channels}, 0.2);
    f.layer("head" + a, "dense", {"sum" + a}, "\"weight\":\"head" + a + "\"");
    head = "head" + a;
  }
  f.output = head;
  return f;
}

double multiplications(const ModelFile& file) {
  double count = 0;
  for (const auto& [name, tensor] : file.tensors) {
    if (tensor.shape.size() > 1) count += static_cast<double>(tensor.bytes.size()) / 4;
  }
  return count;
}

struct Cell {
  std::string model, isa;
  std::size_t channels;
  double work;
  fxkit::Engine engine;
  double best = 1e30;
};

}  // namespace

int main(int argc, char** argv) {
  const std::size_t block = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 64;
  const int rounds = argc > 2 ? std::atoi(argv[2]) : 30;
  if (block < 1 || rounds < 1) return std::fputs("usage: engine_bench [BLOCK [ROUNDS]]\n", stderr), 2;
  std::vector<std::pair<std::string, ModelFile>> models;
  for (const char* cell : {"gru", "lstm"}) {
    for (const std::size_t hidden : {8, 16, 32, 48, 64, 96}) {
      models.emplace_back(cell + ("-" + std::to_string(hidden)),
                          test::recurrent_model(cell, hidden, 0.5));
    }
  }
  models.emplace_back("nn-gru-48", test::front_model());
  models.emplace_back("wavenet standard", nam_wavenet(16, 8));
  models.emplace_back("wavenet lite", nam_wavenet(12, 6));
  models.emplace_back("wavenet feather", nam_wavenet(8, 4));
  std::vector<Cell> cells;
  for (auto& [name, file] : models) {
    file.add_probe(32);
    const std::string bytes = file.bytes();
    for (const char* isa : {"avx512", "avx2", "baseline"}) {
      for (const std::size_t channels : {1, 2}) {
        try {
          cells.push_back({name, isa, channels, multiplications(file),
                           fxkit::Engine::open(bytes.data(), bytes.size(), isa)});
          cells.back().engine.prepare(48000, block, channels);
        } catch (const fxkit::Error& error) {
          if (channels == 1) std::fprintf(stderr, "%s %s: %s\n", name.c_str(), isa, error.what());
        }
      }
    }
  }
  std::map<std::string, double> peak;
  for (int round = 0; round < rounds; ++round) {
    for (const char* isa : {"avx512", "avx2", "baseline"}) {
      peak[isa] = std::max(peak[isa], fxkit::bench::multiply_adds_per_ns(isa));
    }
    for (Cell& cell : cells) {
      cell.best = std::min(
          cell.best, fxkit::tools::time_per_sample(cell.engine, cell.channels, block, 1500));
    }
  }
  std::printf("blocks of %zu, minima of %d interleaved runs\n", block, rounds);
  for (const auto& [isa, value] : peak) {
    if (value > 0) std::printf("FMA peak %-8s %.1f GFLOP/s\n", isa.c_str(), 2 * value);
  }
  std::printf("%-18s %-9s %9s %9s %14s %10s\n", "model", "isa", "ns mono", "stereo", "of real time",
              "of peak");
  for (std::size_t i = 0; i < cells.size(); i += 2) {
    const Cell& mono = cells[i];
    std::printf("%-18s %-9s %9.1f %9.1f %14.5f %9.0f%%\n", mono.model.c_str(), mono.isa.c_str(),
                mono.best, cells[i + 1].best, mono.best * 48000e-9,
                100 * mono.work / mono.best / std::max(peak[mono.isa], 1e-9));
  }
  return 0;
}
