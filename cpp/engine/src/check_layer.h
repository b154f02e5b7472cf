// What each type of layer needs, and what comes out of it.
#pragma once

#include <cstddef>
#include <vector>

#include "graph.h"
#include "layer_fields.h"

namespace fxkit::engine {

// The type that a layer says it has; throws LoadError if there is none of that name.
LayerType layer_type(const LayerFields& fields);

// Checks the settings of a layer against its inputs, fills in all of `layer` but its name and
// inputs, and returns how many numbers it remembers. Throws LoadError.
std::size_t check_layer(LayerType type, LayerFields& fields, const std::vector<Signal>& inputs,
                        Layer& layer);

}  // namespace fxkit::engine
