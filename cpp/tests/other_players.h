// Small files of other players, as text, with random weights.
#pragma once

#include <cstddef>
#include <random>
#include <string>

namespace test {

inline std::string numbers(std::size_t count, double scale, unsigned seed = 1) {
  std::mt19937 random(seed);
  std::normal_distribution<double> normal(0, scale);
  std::string text = "[";
  for (std::size_t i = 0; i < count; ++i) {
    if (i > 0) text += ',';
    text += std::to_string(normal(random));
  }
  return text + "]";
}

inline std::string matrix(std::size_t rows, std::size_t columns, double scale, unsigned seed = 1) {
  std::string text = "[";
  for (std::size_t i = 0; i < rows; ++i) {
    if (i) text += ",";
    text += numbers(columns, scale, seed + static_cast<unsigned>(i));
  }
  return text + "]";
}

// Two arrays, gated, with most of what version 0.7.0 has. They have 3 and 4 channels.
inline std::string wavenet() {
  const std::string first =
      R"({"input_size":1,"condition_size":1,"channels":3,"bottleneck":2,"kernel_sizes":[3,2],
          "dilations":[1,4],"activation":["Tanh",{"type":"PReLU","negative_slope":0.3}],
          "gating_mode":["gated","none"],"secondary_activation":["Sigmoid",null],
          "head1x1":{"active":true,"out_channels":4,"groups":2},
          "head":{"out_channels":4,"kernel_size":2,"bias":true}})";
  const std::string second =
      R"({"input_size":3,"condition_size":1,"channels":4,"groups_input":2,"head_size":1,"head_bias":true,
          "kernel_size":3,"dilations":[1,2],"activation":{"type":"LeakyHardtanh","max_val":0.5}})";
  // Rechannelling; per layer: convolution, mixin, 1x1, the head's 1x1; the array's head.
  const std::size_t one = 3 + (36 + 4 + 4 + 9 + 8) + (12 + 2 + 2 + 9 + 8) + 36;
  const std::size_t two = 12 + 2 * (24 + 4 + 4 + 16 + 4) + 5;
  return R"({"version":"0.7.0","architecture":"WaveNet","sample_rate":44100,"config":{"layers":[)" +
         first + "," + second + R"(]},"weights":)" + numbers(one + two + 1, 0.4) + "}";
}

inline std::string lstm(const std::string& version = "0.5.4", std::size_t count = 4 * 3 * 4 + 18 + 4) {
  return R"({"version":")" + version +
         R"(","architecture":"LSTM","config":{"input_size":1,"hidden_size":3,"num_layers":1},)"
         R"("metadata":{"name":" Bright ","modeled_by":"Ann","gear_make":"Acme","gear_model":"One",)"
         R"("loudness":-20.5,"training":{"validation_esr":0.01}},"weights":)" + numbers(count, 0.8) + "}";
}

inline std::string aidax(const std::string& kind = "gru", const std::string& more = "") {
  const std::size_t rows = kind == "gru" ? 6 : 8;
  return R"({"in_shape":[null,null,1],)" + more + R"("layers":[{"type":")" + kind +
         R"(","activation":"","shape":[null,null,2],"weights":[)" + matrix(1, rows, 0.9) + "," +
         matrix(2, rows, 0.9, 5) + "," +
         (kind == "gru" ? matrix(2, rows, 0.5, 8) : numbers(rows, 0.5, 8)) +
         R"(]},{"type":"dense","activation":"","shape":[null,null,1],"weights":[)" +
         matrix(2, 1, 0.9, 11) + R"(,[0.1]]}],"metadata":{"author":"Bob","license":"CC0","esr":0.02}})";
}

inline std::string proteus(const std::string& unit = "LSTM") {
  const std::size_t rows = unit == "GRU" ? 6 : 8;
  return R"({"model_data":{"model":"SimpleRNN","input_size":2,"skip":1,"output_size":1,"unit_type":")" + unit +
         R"(","num_layers":1,"hidden_size":2,"bias_fl":true},"state_dict":{"rec.weight_ih_l0":)" +
         matrix(rows, 2, 0.9) + R"(,"rec.weight_hh_l0":)" + matrix(rows, 2, 0.9, 20) +
         R"(,"rec.bias_ih_l0":)" + numbers(rows, 0.3, 30) + R"(,"rec.bias_hh_l0":)" + numbers(rows, 0.3, 31) +
         R"(,"lin.weight":)" + matrix(1, 2, 0.9, 32) + R"(,"lin.bias":[0.2]}})";
}

}  // namespace test
