// Files that are damaged, or made to do harm: each is refused with a line of text.
#include <cmath>
#include <cstdio>
#include <cstring>
#include <limits>
#include <random>

#include "fxkit/fxkit.hpp"
#include "models.h"
#include "test.h"

namespace {

using test::ModelFile;

// Empty if the file opens.
std::string refusal(const std::string& bytes) {
  char error[300] = "";
  auto* engine = fxkit_open_memory(bytes.data(), bytes.size(), nullptr, error, sizeof error);
  if (engine) {
    fxkit_close(engine);
    return "";
  }
  return *error ? error : "(no message)";
}

ModelFile sound_file() {
  ModelFile f = test::rates_model("hold");
  f.add_probe(80);
  return f;
}

#define REFUSED(bytes, words)                                              \
  do {                                                                     \
    const std::string why = refusal(bytes);                                \
    CHECK_MORE(why.find(words) != std::string::npos, "says: " + why);      \
    CHECK_MORE(why.find('\n') == std::string::npos, "in several lines");   \
  } while (false)

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const auto at = text.find(from);
  if (at == std::string::npos) return "(nothing replaced)";
  return text.replace(at, from.size(), to);
}

using Metadata = std::map<std::string, std::string>;

Metadata metadata_of(const ModelFile& f) {
  return {{"fxkit.format", "1"}, {"fxkit.manifest", f.manifest()}, {"fxkit.graph", f.graph()}};
}

TEST(a_sound_file_opens) { CHECK(refusal(sound_file().bytes()).empty()); }

TEST(not_a_model_file) {
  REFUSED(std::string(1, 'x'), "not a model file");
  REFUSED(std::string("PK\3\4aaaaaaaaaaaaa"), "zip");
  REFUSED(std::string("\x80\2aaaaaaaaaaaaaaaa"), "not a model file");
  REFUSED(std::string(100, '\0'), "not a model file");
  REFUSED(ModelFile::with_header("{}", ""), "not a model file of fxkit");
  REFUSED(ModelFile::with_header("{\"__metadata__\":{}}", ""), "not a model file of fxkit");
  REFUSED(ModelFile::with_header("{\"__metadata__\":{\"a\":1}}", ""), "text");
  REFUSED(ModelFile::with_header("{\"__metadata__\":3}", ""), "text");
  REFUSED(ModelFile::with_header("{\"a\":3,\"__metadata__\":{}}", ""), "not described");
  REFUSED(ModelFile::with_header("{\"__metadata__\":{},}", ""), "not JSON");
}

TEST(every_truncation_is_refused) {
  const std::string bytes = sound_file().bytes();
  for (std::size_t n = 0; n < bytes.size(); n += n < 200 ? 1 : 37) {
    CHECK_MORE(!refusal(bytes.substr(0, n)).empty(), std::to_string(n));
  }
  REFUSED(bytes + "x", "do not fill");
}

TEST(a_header_that_claims_too_much) {
  std::string bytes = sound_file().bytes();
  for (const char top : {'\x7f', '\xff'}) {
    std::string huge = bytes;
    huge[7] = top;
    REFUSED(huge, "longer than the file");
  }
  bytes[2] = '\x7f';
  REFUSED(bytes, "longer than the file");
}

TEST(tensors_that_lie) {
  const auto with = [](const std::string& entry, std::size_t data) {
    return ModelFile::with_header(
        "{\"__metadata__\":{\"fxkit.format\":\"1\"},\"t\":" + entry + "}", std::string(data, '\0'));
  };
  REFUSED(with("{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,4]}", 4), "should");
  REFUSED(with("{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,0]}", 4), "should");
  REFUSED(with("{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,8]}", 4), "should");
  REFUSED(with("{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296],\"data_offsets\":[0,0]}", 0),
          "should");
  REFUSED(with("{\"dtype\":\"F32\",\"shape\":[4611686018427387904],\"data_offsets\":[0,0]}", 0),
          "number");
  REFUSED(with("{\"dtype\":\"F32\",\"shape\":[-1],\"data_offsets\":[0,0]}", 0), "number");
  REFUSED(with("{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}", 8), "gaps");
  REFUSED(with("{\"dtype\":\"F8\",\"shape\":[1],\"data_offsets\":[0,1]}", 1), "not allowed");
  REFUSED(with("{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0]}", 4), "nowhere");
  REFUSED(with("{\"dtype\":\"F32\",\"shape\":[1]}", 4), "not described");
  REFUSED(with("{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4],\"x\":1}", 4), "strange");
}

TEST(numbers_that_are_not_finite) {
  for (const float bad : {std::nanf(""), std::numeric_limits<float>::infinity()}) {
    ModelFile f = sound_file();
    f.tensor("gain", {4}, {1, bad, 1, 1});
    REFUSED(f.bytes(), "NaN or infinite");
  }
  ModelFile f = sound_file();
  f.tensors["extra"] = {"F16", {1}, std::string("\x00\x7c", 2)};
  REFUSED(f.bytes(), "NaN or infinite");
  f.tensors["extra"] = {"BF16", {1}, std::string("\x80\x7f", 2)};
  REFUSED(f.bytes(), "NaN or infinite");
  f.tensors["extra"] = {"F64", {1}, std::string("\0\0\0\0\0\0\xf0\x7f", 8)};
  REFUSED(f.bytes(), "NaN or infinite");
}

TEST(versions_and_metadata) {
  const ModelFile f = sound_file();
  auto change = [&](const std::string& key, const std::string& value) {
    Metadata metadata = metadata_of(f);
    metadata[key] = value;
    return f.pack(metadata);
  };
  REFUSED(change("fxkit.format", "2"), "update fxkit");
  REFUSED(change("fxkit.format", "0"), "never was");
  REFUSED(change("fxkit.format", "-1"), "not a model file");
  REFUSED(change("fxkit.format", "99999999999999"), "not a model file");
  REFUSED(change("fxkit.manifest", "{"), "not JSON");
  REFUSED(change("fxkit.graph", "{"), "not JSON");
  REFUSED(change("fxkit.graph", "[]"), "must be a JSON object");
  REFUSED(change("fxkit.graph", "{\"version\":" + std::string(100000, '[')), "not JSON");
  REFUSED(change("fxkit.manifest", "{\"config\":" + std::string(100000, '{')), "not JSON");
  for (const char* key : {"fxkit.format", "fxkit.manifest", "fxkit.graph"}) {
    Metadata metadata = metadata_of(f);
    metadata.erase(key);
    CHECK_MORE(!refusal(f.pack(metadata)).empty(), key);
  }
}

TEST(manifests) {
  const ModelFile f = sound_file();
  const auto with = [&](const std::string& from, const std::string& to) {
    Metadata metadata = metadata_of(f);
    metadata["fxkit.manifest"] = replaced(f.manifest(), from, to);
    return f.pack(metadata);
  };
  CHECK(refusal(with("}", ",\"training\":{\"a\":[1,{\"b\":null}]},\"input\":null}")).empty());
  REFUSED(with("\"name\":\"test\",", ""), "name");
  REFUSED(with("48000", "999"), "sample_rate");
  REFUSED(with("48000", "48000.5"), "sample_rate");
  REFUSED(with("48000", "1e5"), "sample_rate");
  REFUSED(with("\"latency\":0", "\"latency\":-1"), "latency");
  REFUSED(with("\"latency\":0", "\"latency\":true"), "latency");
  REFUSED(with("\"latency\":0", "\"latency\":0,\"latency\":0"), "twice");
  REFUSED(with("\"latency\":0", "\"other\":0"), "not known");
  REFUSED(with("\"controls\":[]", "\"controls\":[{\"name\":\"\"}]"), "name");
  REFUSED(with("\"controls\":[]", "\"controls\":[{\"name\":\"a\",\"default\":2}]"), "default");
  REFUSED(with("\"controls\":[]", "\"controls\":[{\"name\":\"a\"}]"), "number of controls");
  REFUSED(with("}", ",\"metrics\":{\"esr\":1e999}}"), "range");
  REFUSED(with("}", ",\"metrics\":{\"esr\":1" + std::string(400, '0') + "}}"), "range");
  CHECK(refusal(with("}", ",\"metrics\":{\"esr\":1e-999}}")).empty());
  CHECK(refusal(with("}", ",\"metrics\":{\"esr\":0." + std::string(400, '0') + "1e9}}")).empty());
  REFUSED(with("}", ",\"input\":{\"rms\":1}}"), "peak");
  REFUSED(with("\"test\"", "\"\\ud800\""), "not JSON");
  REFUSED(with("\"test\"", "\"\xff\""), "not JSON");
}

TEST(graphs) {
  const auto with = [](const std::string& from, const std::string& to) {
    const ModelFile f = sound_file();
    Metadata metadata = metadata_of(f);
    metadata["fxkit.graph"] = replaced(f.graph(), from, to);
    return f.pack(metadata);
  };
  REFUSED(with("\"version\":1", "\"version\":2"), "newer");
  REFUSED(with("\"version\":1", "\"version\":1.0"), "no version");
  REFUSED(with("\"version\":1", "\"version\":1,\"more\":1"), "no more");
  REFUSED(with("\"controls\":0", "\"controls\":65"), "0 to 64");
  REFUSED(with("\"controls\":0", "\"controls\":1"), "number of controls");
  REFUSED(with("\"output\":\"out\"", "\"output\":\"nothing\""), "not one of its layers");
  REFUSED(with("\"output\":\"out\"", "\"output\":\"d1\""), "channels every");
  REFUSED(with("\"type\":\"gru\"", "\"type\":\"shell\""), "not a layer type");
  REFUSED(with("\"inputs\":[\"d1\"]", "\"inputs\":[\"out\"]"), "not an earlier layer");
  REFUSED(with("\"inputs\":[\"d1\"]", "\"inputs\":[\"controls\"]"), "the model has none");
  REFUSED(with("\"inputs\":[\"d1\"]", "\"inputs\":[]"), "1 input");
  REFUSED(with("\"name\":\"d2\"", "\"name\":\"d1\""), "taken");
  REFUSED(with("\"name\":\"d2\"", "\"name\":\"x\""), "taken");
  REFUSED(with("\"name\":\"d2\"", "\"name\":\"\""), "name");
  REFUSED(with("\"stride\":3", "\"stride\":0"), "stride");
  REFUSED(with("\"stride\":3", "\"stride\":3.5"), "whole");
  REFUSED(with("\"stride\":3", "\"stride\":9007199254740991"), "at most 65536");
  REFUSED(with("\"stride\":3", "\"colour\":3"), "no setting");
  REFUSED(with("\"stride\":3", "\"stride\":3,\"stride\":3"), "twice");
  REFUSED(with("\"stride\":3", "\"dilation\":9007199254740991"), "remembers");
  REFUSED(with("\"weight\":\"down\"", "\"weight\":\"probe\""), "not in the file");
  REFUSED(with("\"weight\":\"down\"", "\"weight\":\"gain\""), "must be");
  REFUSED(with("\"weight\":\"down\"", "\"weight\":null"), "must be a name");
  REFUSED(with("\"weight\":\"down\",", ""), "is missing");
  REFUSED(with("\"groups\":2", "\"groups\":4"), "groups");
  REFUSED(with("\"frames\":200", "\"frames\":20000000"), "remembers");
  REFUSED(with("\"frames\":200", "\"frames\":-1"), "0 or more");
  REFUSED(with("\"factor\":6", "\"factor\":7"), "as often");
  REFUSED(with("\"mode\":\"hold\"", "\"mode\":\"fold\""), "hold or zeros");
  REFUSED(with("\"factor\":5}", "\"factor\":5,\"name\":\"slow\"}"), "twice");
}

TEST(graphs_that_grow) {
  // Each layer doubles the channels: 2^13 would be reached with a few hundred bytes.
  ModelFile f;
  f.layer("c0", "concat", {"x", "x"});
  for (int i = 1; i < 40; ++i) {
    const std::string before = "c" + std::to_string(i - 1);
    f.layer("c" + std::to_string(i), "concat", {before, before});
  }
  f.tensor("probe.input", {1}, {0});
  f.tensor("probe.output", {1}, {0});
  REFUSED(f.bytes(), "at most 4096");
}

TEST(one_weight_used_by_thousands_of_layers_is_stored_once) {
  ModelFile f;
  f.random_tensor("ih", {3 * 64, 1}, 0.01);
  f.random_tensor("hh", {3 * 64, 64}, 0.01);
  f.random_tensor("w", {1, 64}, 0.01);
  std::string input = "x";
  for (int i = 0; i < 300; ++i) {
    const std::string n = std::to_string(i);
    f.layer("g" + n, "gru", {input}, "\"weight_ih\":\"ih\",\"weight_hh\":\"hh\"");
    f.layer("d" + n, "dense", {"g" + n}, "\"weight\":\"w\"");
    input = "d" + n;
  }
  f.add_probe(2);
  CHECK(refusal(f.bytes()).empty());
}

TEST(probes) {
  ModelFile f = sound_file();
  auto y = f.noise(80, 0.3);
  f.tensor("probe.output", {80}, y);
  REFUSED(f.bytes(), "of the peak away");
  f.tensor("probe.output", {79}, f.noise(79, 0.3));
  REFUSED(f.bytes(), "has 79 numbers");
  f.tensors.erase("probe.output");
  REFUSED(f.bytes(), "must be there");
}

TEST(random_damage_never_does_harm) {
  const std::string bytes = sound_file().bytes();
  std::mt19937 random(3);
  int refused = 0;
  for (int i = 0; i < 3000; ++i) {
    std::string damaged = bytes;
    for (unsigned j = 0; j <= random() % 3; ++j) {
      damaged[random() % damaged.size()] = static_cast<char>(random());
    }
    refused += !refusal(damaged).empty();
  }
  // Most of a file is text or weights that the probe depends on; low bits may pass.
  CHECK(refused > 2000);
}

TEST(files) {
  char error[300];
  CHECK(!fxkit_open("/", nullptr, error, sizeof error) && std::strstr(error, "folder"));
  CHECK(!fxkit_open("/dev/null", nullptr, error, sizeof error) && std::strstr(error, "ordinary"));
  CHECK(!fxkit_open("/no/such", nullptr, error, sizeof error) && std::strstr(error, "no such"));
  CHECK(!fxkit_open("/no/such", "mmx", error, sizeof error) && *error);
  const std::string path = "hostile_test.tmp", bytes = sound_file().bytes();
  if (std::FILE* file = std::fopen(path.c_str(), "wb")) {
    std::fwrite(bytes.data(), 1, bytes.size(), file);
    std::fclose(file);
    auto* engine = fxkit_open(path.c_str(), nullptr, error, sizeof error);
    CHECK_MORE(engine, error);
    fxkit_close(engine);
    std::remove(path.c_str());
  }
}

}  // namespace
