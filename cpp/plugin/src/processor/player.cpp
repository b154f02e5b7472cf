#include "processor/player.h"

namespace fxkit::plugin {

face::Parameters WindowPlayer::parameters() {
  auto& all = processor_.parameters();
  return {*all.input, *all.gate,   *all.bass,  *all.middle, *all.treble, *all.mix, *all.output,
          *all.level, {all.knobs.begin(), all.knobs.end()}};
}

face::View WindowPlayer::view() {
  using Stage = Loader::Stage;
  const auto status = processor_.loader().status();
  face::View view;
  view.model = status.info;
  view.latency = processor_.latency_seconds();
  view.playing = status.model;
  view.folder = processor_.folder();
  view.cabinet = status.cabinet.getFileNameWithoutExtension();
  view.message = juce::String::fromUTF8(processor_.message().c_str());
  if (view.message.isEmpty()) return view;
  switch (status.stage) {
    case Stage::loading: view.tone = face::Tone::busy; break;
    case Stage::held:
    case Stage::refused:
    case Stage::playing: view.tone = face::Tone::warning; break;
    case Stage::empty:
    case Stage::failed: view.tone = face::Tone::error; break;
  }
  if (status.stage == Stage::held) view.question = "Play it anyway";
  if (status.stage == Stage::refused) view.question = "Allow it";
  return view;
}

void WindowPlayer::confirm() {
  auto& loader = processor_.loader();
  if (loader.status().stage == Loader::Stage::refused) loader.allow();
  else loader.confirm();
}

face::Levels WindowPlayer::take_levels() {
  return {processor_.chain().take_input_peak(), processor_.chain().take_output_peak(),
          static_cast<double>(processor_.load_share())};
}

}  // namespace fxkit::plugin
