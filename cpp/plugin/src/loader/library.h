// The models of a folder, in the order in which previous and next walk through them.
#pragma once

#include <juce_core/juce_core.h>

#include <vector>

namespace fxkit::plugin {

// Where models are looked for first: $FXKIT_MODELS, or fxkit/models in the user's data folder.
juce::File usual_folder();

// .fxkit, .nam, .json and .aidax, also in folders inside, in natural order; at most 2,000.
std::vector<juce::File> models_in(const juce::File& folder);

// The one `by` places after `current`, around the end. The first (by > 0) or last one if `current`
// is not among them; none if there are none.
juce::File neighbour(const std::vector<juce::File>& models, const juce::File& current, int by);

}  // namespace fxkit::plugin
