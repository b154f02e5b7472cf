// program_allocation_test MODEL: plays a window model for some windows, as a plug-in does, and says
// how often the heap was called after the first of them: on the audio thread, and in its back end.
//
// It takes a model file that holds a program, and the back end for it, so the tests in Python start
// it. Ends with 1 where there was a call, or where nothing was heard.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <exception>
#include <thread>
#include <vector>

#include "counting_heap.h"
#include "fxkit/host/sound.h"

namespace {

constexpr std::size_t block = 256;

int count(const char* path) {
  const auto sound = fxkit::host::Sound::open(path);
  const double rate = sound->info().sample_rate;
  sound->prepare(rate, block, 2);
  sound->set_offline(true);
  // Two windows of sound are out before the counting begins, and eight are counted.
  const std::size_t blocks = sound->latency() / block + 1;
  std::vector<float> left(block), right(block);
  float* rows[] = {left.data(), right.data()};
  std::size_t time = 0;
  float peak = 0;
  long here = 0;
  const auto play = [&](std::size_t times) {
    for (std::size_t b = 0; b < times; ++b) {
      for (std::size_t i = 0; i < block; ++i, ++time) {
        left[i] = right[i] = 0.3f * std::sin(0.03f * static_cast<float>(time % 100000));
      }
      here += test::heap_calls([&] { sound->process(rows, rows, block); });
      for (const float value : left) peak = std::max(peak, std::abs(value));
    }
  };
  play(3 * blocks);
  here = 0;
  peak = 0;
  const long all = test::heap_calls_of_all([&] { play(8 * blocks); });
  std::printf("audio thread %ld, all threads %ld, peak %g\n", here, all, static_cast<double>(peak));
  return here == 0 && all == 0 && peak > 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: program_allocation_test MODEL\n", stderr);
    return 2;
  }
  try {
    return count(argv[1]);
  } catch (const std::exception& problem) {
    std::fprintf(stderr, "%s\n", problem.what());
    return 2;
  }
}
