// Reads whatever comes as one part of a model file, without making a model of it: the container, the
// manifest, or the list of layers over tensors that are there. The first byte says which. Many times
// as many executions a second as the whole way takes.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "container.h"
#include "error.h"
#include "graph.h"
#include "manifest.h"
#include "options.h"

using namespace fxkit::engine;

namespace {

// Tensors of many shapes, named a0, a1, ..., for the layers to refer to.
const TensorMap& tensors() {
  static const std::string data(4096 * 4, '\0');
  static const TensorMap map = [] {
    const std::vector<std::vector<std::size_t>> shapes = {
        {1},    {2},       {3},       {4},       {1, 1},    {2, 1},    {3, 1},    {4, 1},
        {3, 2}, {6, 2},    {6, 1},    {8, 2},    {8, 1},    {6},       {8},       {4, 2},
        {1, 2}, {1, 1, 3}, {2, 1, 2}, {2, 2, 3}, {1, 2, 1}, {4, 1, 2}, {4, 2, 3}, {1, 4, 5}};
    TensorMap made;
    for (const auto& shape : shapes) {
      std::size_t count = 1;
      for (const std::size_t n : shape) count *= n;
      made["a" + std::to_string(made.size())] = {
          Dtype::f32, shape, reinterpret_cast<const unsigned char*>(data.data()), count};
    }
    return made;
  }();
  return map;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return -1;
  const std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  try {
    switch (data[0]) {
      case 'c':
        read_container(rest);
        break;
      case 'm':
        read_manifest(std::string(rest));
        break;
      case 'g':
        read_graph(std::string(rest), tensors());
        break;
      default:
        return -1;  // not kept in the corpus
    }
  } catch (const LoadError& error) {
    const std::string_view text = error.what();
    if (text.empty() || text.find('\n') != text.npos) std::abort();  // one line, always
  }
  return 0;
}
