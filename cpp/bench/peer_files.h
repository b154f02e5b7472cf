// The benchmark's models as files of other players, with the same weights.
#pragma once

#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "model_file.h"

namespace fxkit::bench {

inline std::vector<float> values(const test::ModelFile& file, const std::string& name) {
  const std::string& bytes = file.tensors.at(name).bytes;
  std::vector<float> found(bytes.size() / sizeof(float));
  std::memcpy(found.data(), bytes.data(), bytes.size());
  return found;
}

inline std::string number(float value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.9g", static_cast<double>(value));
  return text;
}

// A JSON list of `count` numbers, each from its index.
template <class F>
std::string list(std::size_t count, F value) {
  std::string text = "[";
  for (std::size_t i = 0; i < count; ++i) text += (i ? "," : "") + number(value(i));
  return text + "]";
}

// RTNeural's JSON of `test::recurrent_model`: matrices transposed, a GRU's gates as z, r, n.
inline std::string rtneural_file(const test::ModelFile& file, const std::string& cell,
                                 std::size_t hidden) {
  const bool gru = cell == "gru";
  const std::size_t rows = (gru ? 3 : 4) * hidden;
  const auto ih = values(file, "ih0"), hh = values(file, "hh0"), bi = values(file, "bi0"),
             bh = values(file, "bh0"), w = values(file, "w");
  const auto row = [&](std::size_t i) {
    return gru && i < 2 * hidden ? (i + hidden) % (2 * hidden) : i;
  };
  const auto lists = [&](std::size_t count, auto each) {
    std::string text = "[";
    for (std::size_t i = 0; i < count; ++i) text += (i ? "," : "") + each(i);
    return text + "]";
  };
  const auto shape = [](std::size_t n) { return "\"shape\":[null,null," + std::to_string(n) + "]"; };
  const std::string input = list(rows, [&](auto i) { return ih[row(i)]; });
  const std::string memory = lists(hidden, [&](std::size_t k) {
    return list(rows, [&](auto i) { return hh[row(i) * hidden + k]; });
  });
  const std::string both = list(rows, [&](auto i) { return bi[row(i)] + bh[row(i)]; });
  const std::string first = list(rows, [&](auto i) { return bi[row(i)]; });
  const std::string second = list(rows, [&](auto i) { return bh[row(i)]; });
  const std::string dense = lists(hidden, [&](std::size_t k) { return "[" + number(w[k]) + "]"; });
  return "{\"in_shape\":[null,null,1],\"layers\":[{\"type\":\"" + cell +
         "\",\"activation\":\"\"," + shape(hidden) + ",\"weights\":[[" + input + "]," + memory +
         "," + (gru ? "[" + first + "," + second + "]" : both) +
         "]},{\"type\":\"dense\",\"activation\":\"\"," + shape(1) + ",\"weights\":[" + dense +
         ",[0]]}]}";
}

inline std::string nam_file(const std::string& architecture, const std::string& config,
                            const std::vector<float>& weights) {
  return "{\"version\":\"0.5.4\",\"metadata\":{},\"architecture\":\"" + architecture +
         "\",\"config\":" + config + ",\"weights\":" +
         list(weights.size(), [&](auto i) { return weights[i]; }) + ",\"sample_rate\":48000}";
}

// The .nam file of `test::recurrent_model` of LSTM layers.
inline std::string nam_lstm_file(const test::ModelFile& file, std::size_t hidden) {
  const auto ih = values(file, "ih0"), hh = values(file, "hh0"), bi = values(file, "bi0"),
             bh = values(file, "bh0"), w = values(file, "w");
  std::vector<float> flat;
  for (std::size_t row = 0; row < 4 * hidden; ++row) {
    flat.push_back(ih[row]);
    for (std::size_t k = 0; k < hidden; ++k) flat.push_back(hh[row * hidden + k]);
  }
  for (std::size_t row = 0; row < 4 * hidden; ++row) flat.push_back(bi[row] + bh[row]);
  flat.resize(flat.size() + 2 * hidden);
  flat.insert(flat.end(), w.begin(), w.end());
  flat.push_back(0);
  return nam_file("LSTM",
                  "{\"input_size\":1,\"hidden_size\":" + std::to_string(hidden) +
                      ",\"num_layers\":1}",
                  flat);
}

// The .nam file of `test::nam_wavenet`.
inline std::string nam_wavenet_file(const test::ModelFile& file, std::size_t first,
                                    std::size_t second) {
  std::vector<float> flat;
  const auto take = [&](const std::string& name) {
    const auto more = values(file, name);
    flat.insert(flat.end(), more.begin(), more.end());
  };
  std::string layers;
  for (int array = 0; array < 2; ++array) {
    const std::string a = std::to_string(array);
    const std::size_t channels = array == 0 ? first : second;
    take("in" + a);
    for (int i = 0; i < 10; ++i) {
      const std::string n = a + "_" + std::to_string(i);
      take("w" + n);
      take("b" + n);
      take("m" + n);
      // The last residual path leads nowhere: the model has none, the file must.
      take("o" + n);
      take("b" + n);
    }
    take("head" + a);
    layers += std::string(array ? "," : "") + "{\"input_size\":" +
              std::to_string(array == 0 ? 1 : first) + ",\"condition_size\":1,\"channels\":" +
              std::to_string(channels) + ",\"head_size\":" + std::to_string(array ? 1 : second) +
              ",\"head_bias\":false,\"kernel_size\":3,\"dilations\":[1,2,4,8,16,32,64,128,256,512],"
              "\"activation\":\"Tanh\",\"gated\":false}";
  }
  flat.push_back(1);
  return nam_file("WaveNet", "{\"layers\":[" + layers + "],\"head\":null,\"head_scale\":1.0}",
                  flat);
}

}  // namespace fxkit::bench
