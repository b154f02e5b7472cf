// fxkit-probe MODEL: does this file prove itself on this machine, and how fast does it play?
#include <algorithm>
#include <cstdio>
#include <exception>
#include <string>

#include "fxkit/fxkit.hpp"
#include "timing.h"

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: fxkit-probe MODEL\n", stderr);
    return 2;
  }
  constexpr std::size_t block = 64;
  bool any = false, all = true;
  for (const char* isa : {"avx512", "avx2", "baseline"}) {
    if (!fxkit::Engine::available(isa)) continue;
    try {
      auto engine = fxkit::Engine::open(argv[1], isa);
      if (!any) {
        std::printf("%.0f Hz, latency %zu samples\n", engine.sample_rate(), engine.latency());
        for (std::size_t i = 0; i < engine.control_names().size(); ++i) {
          std::printf("knob %s, default %g\n", engine.control_names()[i].c_str(),
                      static_cast<double>(engine.control_default(i)));
        }
      }
      any = true;
      double best[2];
      for (const std::size_t channels : {1, 2}) {
        engine.prepare(engine.sample_rate(), block, channels);
        double& least = best[channels - 1] = 1e30;
        for (int i = 0; i < 20; ++i) {
          least = std::min(least, fxkit::tools::time_per_sample(engine, channels, block, 2000));
        }
      }
      std::printf("%-8s  probe %.1e of its peak  %7.1f ns a sample (stereo %.1f), %.4f of real time\n",
                  isa, engine.probe_error(), best[0], best[1],
                  best[0] * 1e-9 * engine.sample_rate());
    } catch (const std::exception& error) {
      std::fprintf(stderr, "fxkit-probe: %s%s\n", any ? (std::string(isa) + ": ").c_str() : "",
                   error.what());
      // Where the strongest kernels fail, so will most likely the others, for the same reason.
      if (!any) return 1;
      all = false;
    }
  }
  return all ? 0 : 1;
}
