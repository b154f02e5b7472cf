#include "loader/library.h"

#include <algorithm>

namespace fxkit::plugin {

juce::File usual_folder() {
  const auto variable = [](const char* name) {
    const auto path = juce::SystemStats::getEnvironmentVariable(name, {});
    return juce::File::isAbsolutePath(path) ? juce::File(path) : juce::File();
  };
  if (const auto own = variable("FXKIT_MODELS"); own != juce::File()) return own;
#if JUCE_LINUX || JUCE_BSD
  auto data = variable("XDG_DATA_HOME");
  if (data == juce::File()) {
    data = juce::File::getSpecialLocation(juce::File::userHomeDirectory).getChildFile(".local/share");
  }
#elif JUCE_MAC
  const auto data = juce::File::getSpecialLocation(juce::File::userApplicationDataDirectory)
                        .getChildFile("Application Support");
#else
  const auto data = juce::File::getSpecialLocation(juce::File::userApplicationDataDirectory);
#endif
  return data.getChildFile("fxkit").getChildFile("models");
}

std::vector<juce::File> models_in(const juce::File& folder) {
  constexpr std::size_t most = 2000;
  std::vector<juce::File> files;
  for (const auto& found : juce::RangedDirectoryIterator(
           folder, true, "*.fxkit;*.nam;*.json;*.aidax", juce::File::findFiles)) {
    files.push_back(found.getFile());
    if (files.size() == most) break;
  }
  std::sort(files.begin(), files.end(), [](const auto& a, const auto& b) {
    return a.getFullPathName().compareNatural(b.getFullPathName()) < 0;
  });
  return files;
}

juce::File neighbour(const std::vector<juce::File>& models, const juce::File& current, int by) {
  if (models.empty()) return {};
  const auto at = std::find(models.begin(), models.end(), current);
  const auto count = static_cast<int>(models.size());
  if (at == models.end()) return by > 0 ? models.front() : models.back();
  const int index = (static_cast<int>(at - models.begin()) + by) % count;
  return models[static_cast<std::size_t>((index + count) % count)];
}

}  // namespace fxkit::plugin
