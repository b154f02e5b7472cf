// Model files on disk, for the tests of what hosts them.
#pragma once

#include <filesystem>
#include <fstream>
#include <random>
#include <string>

#include "model_file.h"

namespace test {

// A folder that is gone afterwards.
struct Folder {
  std::filesystem::path path =
      std::filesystem::temp_directory_path() /
      std::string("fxkit-host-").append(std::to_string(std::random_device{}()));
  Folder() { std::filesystem::create_directory(path); }
  ~Folder() { std::filesystem::remove_all(path); }

  std::string file(const std::string& name, const std::string& bytes) const {
    std::ofstream(path / name, std::ios::binary) << bytes;
    return (path / name).string();
  }
};

// A small GRU with a dry path, `latency` samples late.
inline ModelFile late_gru(std::size_t latency, std::size_t sample_rate, unsigned seed = 7) {
  ModelFile file;
  file.random.seed(seed);
  file.latency = latency;
  file.sample_rate = sample_rate;
  file.random_tensor("ih", {12, 1}, 1.5);
  file.random_tensor("hh", {12, 4}, 0.7);
  file.random_tensor("head", {1, 4}, 0.8);
  file.layer("late", "delay", {"x"}, std::string("\"frames\":").append(std::to_string(latency)));
  file.layer("gru", "gru", {"late"}, "\"weight_ih\":\"ih\",\"weight_hh\":\"hh\"");
  file.layer("dense", "dense", {"gru"}, "\"weight\":\"head\"");
  file.layer("out", "add", {"dense", "late"});
  file.add_probe();
  return file;
}

// Multiplies by a number.
inline ModelFile gain(float factor, std::size_t sample_rate, std::size_t latency = 0) {
  ModelFile file;
  file.sample_rate = sample_rate;
  file.latency = latency;
  file.tensor("g", {1}, {factor});
  file.layer("late", "delay", {"x"}, std::string("\"frames\":").append(std::to_string(latency)));
  file.layer("out", "gain", {"late"}, "\"weight\":\"g\"");
  file.add_probe();
  return file;
}

// Adds its knob, which stands at 0.25, to the input.
inline ModelFile knob(std::size_t sample_rate) {
  ModelFile file;
  file.sample_rate = sample_rate;
  file.controls = 1;
  file.layer("out", "add", {"x", "controls"});
  file.add_probe();
  return file;
}

}  // namespace test
