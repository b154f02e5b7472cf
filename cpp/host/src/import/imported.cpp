#include "imported.h"

#include "error.h"

namespace fxkit::host::imports {

Imported read_json(std::string_view text) {
  const Value document = read_document(text);
  const Section file(*document.as<Entries>(), "");
  const auto has = [&](std::string_view a, std::string_view b) { return file.has(a) && file.has(b); };
  if (has("architecture", "config")) return read_nam(file);
  if (has("in_shape", "layers")) return read_aidax(file);
  if (has("model_data", "state_dict")) return read_proteus(file);
  throw engine::LoadError("is JSON, but not a model of Neural Amp Modeler, AIDA-X or Proteus");
}

}  // namespace fxkit::host::imports
