// Rate conversion against its formula in double precision, and what it does to sines.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <random>
#include <string>
#include <vector>

#include "fxkit/fxkit.hpp"
#include "fxkit/host/resampler.h"
#include "test.h"

namespace {

using fxkit::host::Resampler;
using Samples = std::vector<float>;

constexpr double pi = std::numbers::pi;

struct Pair {
  std::uint32_t in, out;
  double tolerance;  // exact phases, or interpolated ones
};

constexpr double exact = 2e-7, interpolated = 1e-6;
const std::vector<Pair> pairs = {
    {48000, 44100, exact},     {44100, 48000, exact},      {44100, 88200, exact},
    {88200, 44100, exact},     {44100, 96000, exact},      {192000, 44100, exact},
    {44100, 192000, exact},    {8000, 44100, exact},       {96000, 48000, exact},
    {1000, 1000000, exact},    {1000000, 1000, exact},     {44100, 44101, interpolated},
    {48000, 44101, interpolated}, {44101, 96000, interpolated}, {999983, 44100, interpolated},
    {1009, 999983, interpolated},
};

std::string name(const Pair& p) {
  return std::to_string(p.in) + " to " + std::to_string(p.out) + " Hz";
}

Samples noise(std::size_t count, unsigned seed = 3) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<float> uniform(-1, 1);
  Samples x(count);
  for (float& v : x) v = uniform(random);
  return x;
}

// Cuts the input into blocks of these sizes, over and over.
Samples convert(Resampler& r, const Samples& x, const std::vector<std::size_t>& blocks) {
  Samples y(r.max_outputs(x.size()) + 1);
  std::size_t made = 0, start = 0;
  for (std::size_t i = 0; start < x.size(); ++i) {
    const std::size_t size = std::min(blocks[i % blocks.size()], x.size() - start);
    const float* in = x.data() + start;
    float* out = y.data() + made;
    const std::size_t got = r.process(&in, size, &out);
    CHECK(got <= r.max_outputs(size));
    made += got;
    start += size;
    if (made != r.outputs_of(start)) {
      CHECK_MORE(made == r.outputs_of(start), std::to_string(start) + " inputs");
      break;
    }
  }
  y.resize(made);
  return y;
}

Samples convert(const Pair& p, const Samples& x, const std::vector<std::size_t>& blocks = {512}) {
  Resampler r(p.in, p.out, 1);
  return convert(r, x, blocks);
}

double bessel(double x) {
  // The integral of exp(x cos t) over a circle; the trapezoid rule is exact for it.
  constexpr int points = 64;
  static const std::vector<double> cosines = [] {
    std::vector<double> all;
    for (int i = 0; i < points; ++i) all.push_back(std::cos(2 * pi * i / points));
    return all;
  }();
  double sum = 0;
  for (const double c : cosines) sum += std::exp(x * c);
  return sum / points;
}

// The formula of resampler.h, written for one output.
double wanted(const Pair& p, const Samples& x, std::uint64_t k) {
  constexpr double attenuation = 120, edge = 0.907;
  const double beta = 0.1102 * (attenuation - 8.7);
  const double half = (attenuation - 7.95) / (2.285 * 2 * pi * (1 - edge)) / 2;
  const double scale = std::min(1.0, static_cast<double>(p.out) / p.in);
  const std::uint64_t whole = k * p.in / p.out, rest = k * p.in % p.out;
  const double fraction = static_cast<double>(rest) / p.out;
  const auto reach = static_cast<std::int64_t>(half / scale) + 1;
  double sum = 0, weights = 0;
  for (std::int64_t i = -reach; i <= reach; ++i) {
    const double t = scale * (fraction - static_cast<double>(i));
    if (std::abs(t) >= half) continue;
    const double u = t / half;
    const double h = (t == 0 ? 1 : std::sin(pi * t) / (pi * t)) *
                     bessel(beta * std::sqrt(1 - u * u));
    weights += h;
    const std::int64_t j = static_cast<std::int64_t>(whole) + i;
    if (j >= 0 && j < static_cast<std::int64_t>(x.size())) sum += h * x[static_cast<std::size_t>(j)];
  }
  return sum / weights;
}

// How loud `y` is at a frequency, with a window that lets nothing else leak in.
double level(const Samples& y, double frequency, double rate, std::size_t skip) {
  const std::size_t count = y.size() - 2 * skip;
  double re = 0, im = 0, all = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const double u = 2.0 * (static_cast<double>(i) + 0.5) / static_cast<double>(count) - 1;
    const double w = bessel(18 * std::sqrt(1 - u * u));
    const double angle = 2 * pi * frequency / rate * static_cast<double>(i);
    re += w * y[skip + i] * std::cos(angle);
    im += w * y[skip + i] * std::sin(angle);
    all += w;
  }
  return 2 * std::hypot(re, im) / all;
}

Samples sine(double frequency, double rate, std::size_t count) {
  Samples x(count);
  for (std::size_t i = 0; i < count; ++i) {
    x[i] = static_cast<float>(std::sin(2 * pi * frequency / rate * static_cast<double>(i)));
  }
  return x;
}

TEST(every_sample_is_that_of_the_formula) {
  for (const Pair& p : pairs) {
    const std::size_t length = std::max<std::size_t>(2000, 120 * (p.in / p.out));
    const Samples x = noise(length);
    const Samples y = convert(p, x);
    CHECK_MORE(!y.empty(), name(p));
    double error = 0;
    const std::size_t step = std::max<std::size_t>(y.size() / 300, 1);
    for (std::size_t k = 0; k < y.size(); k += step) {
      error = std::max(error, std::abs(y[k] - wanted(p, x, k)));
    }
    CHECK_MORE(error <= p.tolerance, name(p) + ": " + std::to_string(error * 1e6) + "e-6");
  }
}

TEST(blocks_change_no_bit) {
  for (const Pair& p : pairs) {
    const Samples x = noise(2000);
    const Samples whole = convert(p, x, {x.size()});
    CHECK_MORE(convert(p, x, {1}) == whole, name(p));
    CHECK_MORE(convert(p, x, {1, 64, 7, 4096, 3, 512}) == whole, name(p));
  }
}

TEST(channels_do_not_mix_and_reset_starts_afresh) {
  const Samples a = noise(3000, 1), b = noise(3000, 2);
  Resampler r(48000, 44100, 2);
  Samples left(3000), right(3000);
  for (int pass = 0; pass < 2; ++pass) {
    const float* in[] = {a.data(), b.data()};
    float* out[] = {left.data(), right.data()};
    const std::size_t made = r.process(in, 3000, out);
    const Samples one = convert({48000, 44100, 0}, a), two = convert({48000, 44100, 0}, b);
    CHECK(made == one.size());
    CHECK(std::equal(one.begin(), one.end(), left.begin()));
    CHECK(std::equal(two.begin(), two.end(), right.begin()));
    r.reset();
  }
}

TEST(a_constant_stays_what_it_is) {
  for (const Pair& p : pairs) {
    const std::size_t reach = Resampler(p.in, p.out, 1).reach();
    const Samples y = convert(p, Samples(2 * reach + 3000, 1.0f));
    // The start still hears the zeros before it.
    const std::size_t skip = (reach * p.out + p.in - 1) / p.in + 1;
    for (std::size_t k = skip; k < y.size(); ++k) {
      if (std::abs(y[k] - 1.0f) > 2e-7f) {
        CHECK_MORE(std::abs(y[k] - 1.0f) <= 2e-7f, name(p) + ": " + std::to_string(y[k]));
        break;
      }
    }
  }
}

TEST(minutes_do_not_drift) {
  // A slow sine after five minutes: its phase is that of the formula.
  const std::size_t count = 5 * 60 * 48000;
  const double frequency = 997;
  Samples x(count);
  for (std::size_t i = 0; i < count; ++i) {
    const double turns = std::fmod(frequency * static_cast<double>(i) / 48000, 1.0);
    x[i] = static_cast<float>(std::sin(2 * pi * turns));
  }
  for (const std::uint32_t out : {44100u, 44101u}) {
    const Samples y = convert({48000, out, 0}, x, {4096});
    CHECK(y.size() > 5 * 60 * out - 50);
    double error = 0;
    for (std::size_t k = y.size() - 2000; k < y.size(); ++k) {
      const double turns = std::fmod(frequency * static_cast<double>(k) / out, 1.0);
      error = std::max(error, std::abs(y[k] - std::sin(2 * pi * turns)));
    }
    CHECK_MORE(error < 2e-6, std::to_string(out) + ": " + std::to_string(error * 1e6) + "e-6");
  }
}

TEST(the_pass_band_is_flat_and_the_rest_is_gone) {
  // Between 44.1 and 48 kHz nothing but the transition lies beyond the band.
  for (const Pair& p : {Pair{48000, 44100, 0}, Pair{44100, 48000, 0}, Pair{96000, 44100, 0},
                        Pair{44100, 96000, 0}, Pair{192000, 48000, 0}, Pair{96000, 44101, 0}}) {
    const double low = std::min(p.in, p.out) / 2.0;
    const std::size_t count = p.in / 5, skip = p.out / 100;
    double ripple = 0;
    for (const double share : {0.001, 0.05, 0.3, 0.6, 0.85, 0.9, 0.907}) {
      const double frequency = share * low;
      const Samples y = convert(p, sine(frequency, p.in, count));
      ripple = std::max(ripple, std::abs(20 * std::log10(level(y, frequency, p.out, skip))));
    }
    CHECK_MORE(ripple < 2e-4, name(p) + ": " + std::to_string(ripple) + " dB");
    // Downwards: what lies above the mirror of the band folds; upwards: images of the band.
    double worst = 0;
    for (const double share : {1.094, 1.15, 1.3, 1.6, 1.9}) {
      double frequency = share * low, lands = frequency;
      if (p.in > p.out) {
        if (frequency >= p.in / 2.0) continue;
        lands = std::abs(frequency - p.out * std::round(frequency / p.out));
      } else {
        frequency = p.in - frequency;  // whose image is asked for
        if (lands >= p.out / 2.0) continue;
      }
      const Samples y = convert(p, sine(frequency, p.in, count));
      worst = std::max(worst, level(y, lands, p.out, skip));
    }
    const bool near = std::max(p.in, p.out) < 2 * low * 1.093;
    CHECK_MORE(near || (worst > 0 && 20 * std::log10(worst) < -115),
               name(p) + ": " + std::to_string(20 * std::log10(worst)) + " dB");
    std::printf("  %s: ripple %.1e dB, folded or imaged %.1f dB\n", name(p).c_str(), ripple,
                20 * std::log10(worst));
  }
}

TEST(rates_out_of_range_are_refused) {
  for (const auto& [in, out] : {std::pair{999u, 48000u}, {48000u, 0u}, {1000001u, 48000u}}) {
    std::string message;
    try {
      Resampler(in, out, 1);
    } catch (const fxkit::Error& error) {
      message = error.what();
    }
    CHECK_MORE(message.find("Hz cannot be converted") != std::string::npos, message);
  }
}

}  // namespace
