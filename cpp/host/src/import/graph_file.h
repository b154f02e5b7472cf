// Makes a model file in memory: tensors, layers and a manifest, as docs/artifact.md defines them.
//
// The engine checks all of it again when it opens the file.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace fxkit::host::imports {

// A number of a layer, such as "dilation".
struct Setting {
  std::string name;
  double value;
};

class GraphFile {
 public:
  // Returns the tensor's name. Throws LoadError if a number is not finite in 32 bits.
  std::string tensor(const std::vector<std::size_t>& shape, const std::vector<double>& values);

  // Returns the layer's name. `words`: text settings, among them the names of its tensors; those
  // that are empty are left out.
  std::string layer(const std::string& type, const std::vector<std::string>& inputs,
                    const std::vector<std::pair<std::string, std::string>>& words,
                    const std::vector<Setting>& settings = {});

  // The bytes of the file whose output is the layer `output`.
  std::string bytes(const std::string& output, std::size_t sample_rate, std::size_t controls) const;

 private:
  std::string layers_, entries_, data_;
  std::size_t layer_count_ = 0, tensor_count_ = 0;
};

}  // namespace fxkit::host::imports
