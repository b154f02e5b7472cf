// Models for the tests: every layer, alone and together.
#pragma once

#include <string>
#include <vector>

#include "model_file.h"

namespace test {

struct Named {
  std::string name;
  ModelFile file;
};

inline ModelFile recurrent_model(const std::string& cell, std::size_t hidden, double scale,
                                 const std::string& more = {}, std::size_t layers = 1,
                                 double memory = 1.0) {
  ModelFile f;
  f.random.seed(static_cast<unsigned>(hidden));
  const std::size_t gates = cell == "gru" ? 3 : 4;
  std::string input = "x";
  for (std::size_t i = 0; i < layers; ++i) {
    const std::string n = std::to_string(i);
    const std::size_t inputs = i == 0 ? 1 : hidden;
    f.random_tensor("ih" + n, {gates * hidden, inputs}, scale);
    f.random_tensor("hh" + n, {gates * hidden, hidden},
                    memory / std::sqrt(static_cast<double>(hidden)));
    f.random_tensor("bi" + n, {gates * hidden}, 0.3);
    f.random_tensor("bh" + n, {gates * hidden}, 0.3);
    f.random_tensor("h" + n, {hidden}, 0.3);
    f.random_tensor("c" + n, {hidden}, 0.3);
    f.layer(cell + n, cell, {input},
            "\"weight_ih\":\"ih" + n + "\",\"weight_hh\":\"hh" + n + "\",\"bias_ih\":\"bi" + n +
                "\",\"bias_hh\":\"bh" + n + "\"" + more);
    input = cell + n;
  }
  f.random_tensor("w", {1, hidden}, 0.3);
  f.layer("out", "dense", {input}, "\"weight\":\"w\"");
  return f;
}

// A recurrent layer whose readout is added to the dry signal; or that is also heard otherwise, so that
// its states are wanted themselves.
inline ModelFile residual_model(const std::string& cell, bool heard_twice) {
  ModelFile f = recurrent_model(cell, 20, 1.0, ",\"reset_every\":37");
  f.tensor("b", {1}, {0.4f});
  f.layers.pop_back();  // that readout has no bias
  f.layer("wet", "dense", {cell + "0"}, "\"weight\":\"w\",\"bias\":\"b\"");
  f.layer("out", "add", {"x", "wet"});
  if (heard_twice) {
    f.layer("unit", "slice", {cell + "0"}, "\"start\":3,\"stop\":4");
    f.layer("both", "multiply", {"out", "unit"});
  }
  return f;
}

inline ModelFile conv_model(std::size_t channels, std::size_t taps, std::size_t dilation) {
  ModelFile f;
  f.random_tensor("w", {channels, 1, taps}, 0.5);
  f.random_tensor("b", {channels}, 0.3);
  f.random_tensor("r", {1, channels, 2}, 0.3);
  f.layer("conv", "conv", {"x"},
          "\"weight\":\"w\",\"bias\":\"b\",\"dilation\":" + std::to_string(dilation));
  f.layer("out", "conv", {"conv"}, "\"weight\":\"r\"");
  return f;
}

// A stack of gated layers with residual paths, knobs and a sum over all of them.
inline ModelFile wavenet_model(std::size_t channels, std::size_t depth, bool knobs,
                               double drive = 1) {
  ModelFile f;
  f.controls = knobs ? 2 : 0;
  f.random_tensor("expand", {channels, 1, 1}, 0.7);
  f.layer("h", "conv", {"x"}, "\"weight\":\"expand\"");
  std::string h = "h";
  std::vector<std::string> skips;
  const double scale = 0.8 / std::sqrt(3.0 * static_cast<double>(channels));
  for (std::size_t i = 0; i < depth; ++i) {
    const std::string n = std::to_string(i);
    f.random_tensor("conv" + n, {2 * channels, channels, 3}, scale);
    f.random_tensor("mix" + n, {2 * channels, 1}, 0.5 * drive);
    f.random_tensor("res" + n, {channels, channels, 1}, scale);
    f.random_tensor("b" + n, {channels}, 0.1);
    f.layer("z" + n, "conv", {h},
            "\"weight\":\"conv" + n + "\",\"dilation\":" + std::to_string(1u << i));
    f.layer("m" + n, "dense", {"x"}, "\"weight\":\"mix" + n + "\"");
    f.layer("s" + n, "add", {"z" + n, "m" + n});
    std::string s = "s" + n;
    if (knobs) {
      f.random_tensor("film" + n, {4 * channels, 2}, 0.5);
      f.random_tensor("filmb" + n, {4 * channels}, 0.5);
      f.layer("f" + n, "film", {s, "controls"},
              "\"weight\":\"film" + n + "\",\"bias\":\"filmb" + n + "\"");
      s = "f" + n;
    }
    const std::string c = std::to_string(channels), c2 = std::to_string(2 * channels);
    f.layer("v" + n, "slice", {s}, "\"start\":0,\"stop\":" + c);
    f.layer("g" + n, "slice", {s}, "\"start\":" + c + ",\"stop\":" + c2);
    f.layer("t" + n, "activation", {"v" + n}, "\"function\":\"tanh\"");
    f.layer("q" + n, "activation", {"g" + n}, "\"function\":\"sigmoid\"");
    f.layer("a" + n, "multiply", {"t" + n, "q" + n});
    f.layer("r" + n, "conv", {"a" + n}, "\"weight\":\"res" + n + "\",\"bias\":\"b" + n + "\"");
    f.layer("h" + n, "add", {h, "r" + n});
    skips.push_back("a" + n);
    h = "h" + n;
  }
  skips.push_back(h);
  f.layer("total", "add", skips);
  f.random_tensor("head", {1, channels}, 0.4);
  f.layer("out", "dense", {"total"}, "\"weight\":\"head\"");
  return f;
}

// Neural Amp Modeler's "standard" WaveNet: two arrays of ten layers, of 16 and of 8 channels.
inline ModelFile nam_wavenet(std::size_t first, std::size_t second, double drive = 1) {
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
      f.random_tensor("m" + n, {channels, 1}, 0.3 * drive);
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

// Down to a third of the rate and back: strides, delays, resets, both ways up.
inline ModelFile rates_model(const std::string& mode) {
  ModelFile f;
  f.random_tensor("down", {6, 1, 5}, 0.5);
  f.random_tensor("down2", {8, 3, 3}, 0.5);
  f.random_tensor("ih", {9, 8}, 0.5);
  f.random_tensor("hh", {9, 3}, 0.9);
  f.random_tensor("h0", {3}, 0.5);
  f.random_tensor("up", {4, 3, 6}, 0.5);
  f.random_tensor("gain", {4}, 1.0);
  f.random_tensor("mix", {1, 5}, 0.5);
  f.layer("d1", "conv", {"x"}, "\"weight\":\"down\",\"stride\":3");
  f.layer("d2", "conv", {"d1"}, "\"weight\":\"down2\",\"stride\":2,\"groups\":2,\"dilation\":3");
  f.layer("g", "gru", {"d2"},
          "\"weight_ih\":\"ih\",\"weight_hh\":\"hh\",\"initial_h\":\"h0\",\"reset_every\":7");
  f.layer("u1", "upsample", {"g"}, "\"factor\":6,\"mode\":\"" + mode + "\"");
  f.layer("u2", "conv", {"u1"}, "\"weight\":\"up\"");
  f.layer("u3", "gain", {"u2"}, "\"weight\":\"gain\"");
  f.layer("slow", "downsample", {"x"}, "\"factor\":5");
  f.layer("held", "upsample", {"slow"}, "\"factor\":5");
  f.layer("late", "delay", {"held"}, "\"frames\":200");
  f.layer("all", "concat", {"u3", "late"});
  f.layer("out", "dense", {"all"}, "\"weight\":\"mix\"");
  return f;
}

inline ModelFile function_model(const std::string& function, const std::string& more = {}) {
  ModelFile f;
  f.random_tensor("spread", {5, 1}, 4.0);
  f.random_tensor("shift", {5}, 2.0);
  f.random_tensor("slopes", {5}, 0.5);
  f.random_tensor("back", {1, 5}, 0.3);
  f.layer("s", "dense", {"x"}, "\"weight\":\"spread\",\"bias\":\"shift\"");
  if (function == "prelu") {
    f.layer("f", "prelu", {"s"}, "\"weight\":\"slopes\"");
  } else {
    f.layer("f", "activation", {"s"}, "\"function\":\"" + function + "\"" + more);
  }
  f.layer("out", "dense", {"f"}, "\"weight\":\"back\"");
  return f;
}

// A front end of filters that the recurrent layer and the readout both hear.
inline ModelFile front_model(double drive = 1) {
  ModelFile f;
  f.random_tensor("filters", {12, 1, 64}, 0.2);
  f.random_tensor("ih", {144, 13}, 0.4 * drive);
  f.random_tensor("hh", {144, 48}, 0.2);
  f.random_tensor("b", {144}, 0.2);
  f.random_tensor("w", {1, 60}, 0.2);
  f.random_tensor("dry", {1}, 0.5);
  f.layer("features", "conv", {"x"}, "\"weight\":\"filters\"");
  f.layer("heard", "concat", {"features", "x"});
  f.layer("gru", "gru", {"heard"},
          "\"weight_ih\":\"ih\",\"weight_hh\":\"hh\",\"bias_hh\":\"b\"");
  f.layer("both", "concat", {"features", "gru"});
  f.layer("wet", "dense", {"both"}, "\"weight\":\"w\"");
  f.layer("dry", "gain", {"x"}, "\"weight\":\"dry\"");
  f.layer("out", "add", {"wet", "dry"});
  return f;
}

inline std::vector<Named> all_models() {
  std::vector<Named> models;
  const std::string start = ",\"initial_h\":\"h0\"";
  for (const std::size_t hidden : {1, 3, 8, 16, 20, 33, 48, 64, 96}) {
    const std::string n = std::to_string(hidden);
    models.push_back({"gru " + n, recurrent_model("gru", hidden, 1.0)});
    models.push_back({"lstm " + n, recurrent_model("lstm", hidden, 1.0)});
  }
  // Gates at their ends most of the time; with a larger memory the state would be chaotic, and no
  // two ways to add up would agree for long.
  models.push_back({"gru saturated", recurrent_model("gru", 24, 15.0, "", 1, 0.7)});
  models.push_back({"lstm saturated", recurrent_model("lstm", 24, 15.0, "", 1, 0.7)});
  models.push_back({"gru 48 saturated", recurrent_model("gru", 48, 15.0, "", 1, 0.7)});
  models.push_back({"lstm 48 saturated", recurrent_model("lstm", 48, 15.0, "", 1, 0.7)});
  models.push_back({"front end saturated", front_model(20)});
  models.push_back({"wavenet saturated", wavenet_model(8, 6, false, 20)});
  models.push_back({"NAM's wavenet", nam_wavenet(16, 8)});
  models.push_back({"NAM's wavenet saturated", nam_wavenet(16, 8, 20)});
  models.push_back({"gru started", recurrent_model("gru", 10, 1.0, start)});
  models.push_back({"gru reset", recurrent_model("gru", 10, 1.0, start + ",\"reset_every\":37")});
  models.push_back({"lstm started", recurrent_model("lstm", 10, 1.0,
                                                    start + ",\"initial_c\":\"c0\"")});
  for (const char* cell : {"gru", "lstm"}) {
    models.push_back({std::string(cell) + " and dry", residual_model(cell, false)});
    models.push_back({std::string(cell) + " heard twice", residual_model(cell, true)});
  }
  models.push_back({"gru layers", recurrent_model("gru", 18, 1.0, "", 3)});
  models.push_back({"lstm layers", recurrent_model("lstm", 18, 1.0, "", 2)});
  for (const std::size_t channels : {1, 2, 3, 4, 7, 16}) {
    models.push_back({"conv " + std::to_string(channels), conv_model(channels, 3, channels * 40)});
  }
  models.push_back({"filters", conv_model(12, 64, 1)});
  models.push_back({"wavenet", wavenet_model(8, 6, false)});
  models.push_back({"wavenet with knobs", wavenet_model(5, 4, true)});
  models.push_back({"rates, hold", rates_model("hold")});
  models.push_back({"rates, zeros", rates_model("zeros")});
  models.push_back({"front end", front_model()});
  for (const char* name : {"tanh", "sigmoid", "relu", "leaky_relu", "elu", "softplus", "hardtanh",
                           "leaky_hardtanh", "hardsigmoid", "hardswish", "softsign", "silu", "gelu",
                           "gelu_tanh", "sin", "prelu"}) {
    models.push_back({name, function_model(name)});
  }
  models.push_back({"leaky_relu 0.3", function_model("leaky_relu", ",\"slope\":0.3")});
  return models;
}

}  // namespace test
