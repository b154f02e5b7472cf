// Other players, from shared libraries that have the functions of player.h.
#pragma once

#include <dlfcn.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <vector>

#include "player.h"

namespace fxkit::bench {

struct Player {
  std::string name, reads;
  decltype(&fxkit_player_open) open;
  decltype(&fxkit_player_process) process;
  decltype(&fxkit_player_close) close;
};

// The library stays loaded. Throws std::runtime_error.
inline Player load_player(const std::string& path) {
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!library) throw std::runtime_error(dlerror());
  const auto find = [&](const char* name) {
    void* found = dlsym(library, name);
    if (!found) throw std::runtime_error(path + ": has no function " + name + ", see player.h");
    return found;
  };
  Player player;
  player.name = reinterpret_cast<decltype(&fxkit_player_name)>(find("fxkit_player_name"))();
  player.reads = reinterpret_cast<decltype(&fxkit_player_reads)>(find("fxkit_player_reads"))();
  player.open = reinterpret_cast<decltype(player.open)>(find("fxkit_player_open"));
  player.process = reinterpret_cast<decltype(player.process)>(find("fxkit_player_process"));
  player.close = reinterpret_cast<decltype(player.close)>(find("fxkit_player_close"));
  return player;
}

// One model in another player, and its fastest round.
struct Opponent {
  const Player* player;
  void* model;
  double best = 1e30;

  double time_per_sample(std::size_t block, std::size_t samples) const {
    std::vector<float> in(block), out(block);
    unsigned state = 1;
    for (float& x : in) {
      state = state * 1664525u + 1013904223u;
      x = static_cast<float>(state >> 8) / 16777216.0f - 0.5f;
    }
    const std::size_t rounds = samples / block + 1;
    const auto start = std::chrono::steady_clock::now();
    for (std::size_t i = 0; i < rounds; ++i) player->process(model, in.data(), out.data(), block);
    const std::chrono::duration<double, std::nano> taken = std::chrono::steady_clock::now() - start;
    return taken.count() / static_cast<double>(rounds * block);
  }

  std::vector<float> play(const std::vector<float>& in, std::size_t block) const {
    std::vector<float> out(in.size());
    for (std::size_t t = 0; t < in.size(); t += block) {
      player->process(model, in.data() + t, out.data() + t, std::min(block, in.size() - t));
    }
    return out;
  }
};

}  // namespace fxkit::bench
