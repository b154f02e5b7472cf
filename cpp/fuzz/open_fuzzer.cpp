// Opens whatever comes, and plays it if it opens. The mutator keeps the length of the header right,
// so that damage gets past the first check.
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>

#include "fxkit/fxkit.h"
#include "options.h"

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  char error[200];
  fxkit_engine* engine = fxkit_open_memory(data, size, nullptr, error, sizeof error);
  if (!engine) {
    if (!error[0] || std::strchr(error, '\n')) std::abort();  // one line, always
    return 0;
  }
  if (fxkit_prepare(engine, fxkit_sample_rate(engine), 64, 2, error, sizeof error)) {
    float in[100], out[2][100];
    for (int i = 0; i < 100; ++i) in[i] = static_cast<float>(i % 7) / 7;
    const float* inputs[] = {in, in};
    float* outputs[] = {out[0], out[1]};
    for (const std::size_t n : {std::size_t{1}, std::size_t{0}, std::size_t{100}}) {
      fxkit_process(engine, inputs, outputs, n);
    }
    fxkit_set_control(engine, 0, 1);
    fxkit_reset(engine);
    fxkit_process(engine, inputs, outputs, 3);
  }
  fxkit_close(engine);
  return 0;
}

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t max, unsigned seed) {
  std::uint64_t length = 0;
  if (size >= 8) std::memcpy(&length, data, 8);
  if (seed % 8 == 0 || size < 10 || length > size - 8) return LLVMFuzzerMutate(data, size, max);
  std::string header(reinterpret_cast<char*>(data) + 8, length);
  std::string rest(reinterpret_cast<char*>(data) + 8 + length, size - 8 - length);
  std::string& part = seed % 8 < 6 ? header : rest;
  const std::size_t room = max - size + part.size(), before = part.size();
  part.resize(room);
  part.resize(LLVMFuzzerMutate(reinterpret_cast<std::uint8_t*>(part.data()), before, room));
  length = header.size();
  std::memcpy(data, &length, 8);
  std::memcpy(data + 8, header.data(), header.size());
  std::memcpy(data + 8 + header.size(), rest.data(), rest.size());
  return 8 + header.size() + rest.size();
}
