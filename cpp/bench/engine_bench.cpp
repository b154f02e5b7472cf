// engine_bench [BLOCK [ROUNDS]] [--markdown] [--against LIBRARY.so ...]
//
// Nanoseconds per sample, real-time factor and share of the measured FMA peak of every instruction
// set, for GRU, LSTM and WaveNets. Minima over interleaved runs: what else the machine does is left
// out as far as it can be. Other players (see player.h) play the same weights in the same runs, and
// how far they come out from this engine is printed with their times.
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "fxkit/fxkit.hpp"
#include "models.h"
#include "peak.h"
#include "peer_files.h"
#include "players.h"
#include "timing.h"

namespace {

using test::ModelFile;

double multiplications(const ModelFile& file) {
  double count = 0;
  for (const auto& [name, tensor] : file.tensors) {
    if (tensor.shape.size() > 1) count += static_cast<double>(tensor.bytes.size()) / 4;
  }
  return count;
}

struct Cell {
  std::size_t model;
  std::string isa;
  std::size_t channels;
  fxkit::Engine engine;
  double best = 1e30;
};

struct Model {
  std::string name;
  ModelFile file;
  std::string nam, rtneural;  // the same as other players' files; empty where they have none
};

std::vector<Model> all_models() {
  std::vector<Model> models;
  for (const std::string cell : {"gru", "lstm"}) {
    for (const std::size_t hidden : {8, 16, 32, 48, 64, 96}) {
      ModelFile file = test::recurrent_model(cell, hidden, 0.5);
      std::string nam = cell == "lstm" ? fxkit::bench::nam_lstm_file(file, hidden) : "";
      std::string rtneural = fxkit::bench::rtneural_file(file, cell, hidden);
      models.push_back({cell + "-" + std::to_string(hidden), file, nam, rtneural});
    }
  }
  models.push_back({"nn-gru-48", test::front_model(), "", ""});
  const std::pair<const char*, std::size_t> sizes[] = {{"standard", 16}, {"lite", 12}, {"feather", 8}};
  for (const auto& [name, width] : sizes) {
    ModelFile file = test::nam_wavenet(width, width / 2);
    std::string nam = fxkit::bench::nam_wavenet_file(file, width, width / 2);
    models.push_back({std::string("wavenet ") + name, file, nam, ""});
  }
  for (auto& model : models) model.file.add_probe(32);
  return models;
}

struct Options {
  std::size_t block = 64;
  int rounds = 30;
  bool markdown = false;
  std::vector<std::string> libraries;
};

Options read_options(int argc, char** argv) {
  Options options;
  int numbers = 0;
  for (int i = 1; i < argc; ++i) {
    const std::string text = argv[i];
    char* end = nullptr;
    const long number = std::strtol(argv[i], &end, 10);
    if (text == "--markdown") {
      options.markdown = true;
    } else if (text == "--against" && i + 1 < argc) {
      options.libraries.push_back(argv[++i]);
    } else if (!text.empty() && *end == '\0' && number >= 1 && number <= 1 << 20 && numbers < 2) {
      if (numbers++ == 0) {
        options.block = static_cast<std::size_t>(number);
      } else {
        options.rounds = static_cast<int>(number);
      }
    } else {
      std::fputs("usage: engine_bench [BLOCK [ROUNDS]] [--markdown] [--against LIBRARY.so ...]\n",
                 stderr);
      std::exit(2);
    }
  }
  return options;
}

// Opens the file of every model that the player reads; others stay null.
std::vector<fxkit::bench::Opponent> opponents(const fxkit::bench::Player& player,
                                              const std::vector<Model>& models, std::size_t block) {
  namespace fs = std::filesystem;
  const bool nam = player.reads == "nam";
  const fs::path path =
      fs::temp_directory_path() / ("engine_bench_" + std::to_string(getpid()) + (nam ? ".nam" : ".json"));
  std::vector<fxkit::bench::Opponent> found;
  for (const Model& model : models) {
    const std::string& text = nam ? model.nam : model.rtneural;
    void* opened = nullptr;
    if (!text.empty()) {
      std::ofstream(path) << text;
      opened = player.open(path.c_str(), block);
    }
    found.push_back({&player, opened});
  }
  fs::remove(path);
  return found;
}

// The largest difference at the end of some noise, over the peak: what was before is forgotten.
double difference(fxkit::Engine& engine, const fxkit::bench::Opponent& other, ModelFile noise,
                  std::size_t block) {
  const auto x = noise.noise(12000, 0.2);
  std::vector<float> ours(x.size());
  const float* in = x.data();
  float* out = ours.data();
  engine.reset();
  engine.process(&in, &out, x.size());
  const auto theirs = other.play(x, block);
  double error = 0, peak = 1e-9;
  for (std::size_t t = x.size() - 2000; t < x.size(); ++t) {
    error = std::max(error, static_cast<double>(std::abs(theirs[t] - ours[t])));
    peak = std::max(peak, static_cast<double>(std::abs(ours[t])));
  }
  return error / peak;
}

}  // namespace

int main(int argc, char** argv) {
  const Options options = read_options(argc, argv);
  const std::vector<Model> models = all_models();
  std::vector<Cell> cells;
  for (std::size_t i = 0; i < models.size(); ++i) {
    const std::string bytes = models[i].file.bytes();
    for (const char* isa : {"avx512", "avx2", "baseline"}) {
      for (const std::size_t channels : {1, 2}) {
        try {
          cells.push_back({i, isa, channels,
                           fxkit::Engine::open(bytes.data(), bytes.size(), isa)});
          cells.back().engine.prepare(48000, options.block, channels);
        } catch (const fxkit::Error& error) {
          const std::string& name = models[i].name;
          if (channels == 1) std::fprintf(stderr, "%s %s: %s\n", name.c_str(), isa, error.what());
        }
      }
    }
  }
  std::vector<fxkit::bench::Player> players;
  std::vector<std::vector<fxkit::bench::Opponent>> others;
  try {
    for (const auto& path : options.libraries) players.push_back(fxkit::bench::load_player(path));
  } catch (const std::exception& error) {
    return std::fprintf(stderr, "engine_bench: %s\n", error.what()), 2;
  }
  for (const auto& player : players) others.push_back(opponents(player, models, options.block));
  std::map<std::string, double> peak, from_memory;  // multiply-adds per ns
  for (int round = 0; round < options.rounds; ++round) {
    for (const char* isa : {"avx512", "avx2", "baseline"}) {
      using fxkit::bench::Factors, fxkit::bench::multiply_adds_per_ns;
      peak[isa] = std::max(peak[isa], multiply_adds_per_ns(isa, Factors::in_registers));
      from_memory[isa] = std::max(from_memory[isa], multiply_adds_per_ns(isa, Factors::from_memory));
    }
    for (std::size_t i = 0; i < models.size(); ++i) {
      for (Cell& cell : cells) {
        if (cell.model != i) continue;
        cell.best = std::min(cell.best, fxkit::tools::time_per_sample(
                                            cell.engine, cell.channels, options.block, 1500));
      }
      for (auto& all : others) {
        auto& other = all[i];
        if (other.model) other.best = std::min(other.best, other.time_per_sample(options.block, 1500));
      }
    }
  }
  const char* mark = options.markdown ? "| " : "";
  const char* bar = options.markdown ? " |" : "";
  std::printf("blocks of %zu, minima of %d interleaved runs\n", options.block, options.rounds);
  for (const auto& [isa, value] : peak) {
    if (value <= 0) continue;
    std::printf("FMA peak %-8s %.1f GFLOP/s, with a factor from memory %.1f\n", isa.c_str(), 2 * value,
                2 * from_memory[isa]);
  }
  std::printf("\n%s%-17s%s %-8s%s %8s%s %7s%s %12s%s %8s%s\n", mark, "model", bar, "isa", bar,
              "ns mono", bar, "stereo", bar, "of real time", bar, "of peak", bar);
  if (options.markdown) std::printf("|---|---|---|---|---|---|\n");
  for (std::size_t i = 0; i + 1 < cells.size(); i += 2) {
    const Cell& mono = cells[i];
    const Model& model = models[mono.model];
    std::printf("%s%-17s%s %-8s%s %8.1f%s %7.1f%s %12.5f%s %7.0f%%%s\n", mark, model.name.c_str(), bar,
                mono.isa.c_str(), bar, mono.best, bar, cells[i + 1].best, bar,
                mono.best * 48000e-9, bar,
                100 * multiplications(model.file) / mono.best / std::max(peak[mono.isa], 1e-9), bar);
  }
  if (players.empty()) return 0;
  std::printf("\n%s%-17s%s %-32s%s %8s%s %10s%s %9s%s\n", mark, "model", bar, "player", bar, "ns mono",
              bar, "times ours", bar, "differs", bar);
  if (options.markdown) std::printf("|---|---|---|---|---|\n");
  for (std::size_t i = 0; i < models.size(); ++i) {
    // Against the fastest kernels, which come first.
    const auto ours = std::find_if(cells.begin(), cells.end(), [&](const Cell& c) { return c.model == i; });
    for (auto& all : others) {
      if (!all[i].model) continue;
      std::printf("%s%-17s%s %-32s%s %8.1f%s %10.2f%s %9.1e%s\n", mark, models[i].name.c_str(), bar,
                  all[i].player->name.c_str(), bar, all[i].best, bar, all[i].best / ours->best, bar,
                  difference(ours->engine, all[i], models[i].file, options.block), bar);
      all[i].player->close(all[i].model);
    }
  }
  return 0;
}
