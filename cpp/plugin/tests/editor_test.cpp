// What the window is told of the processor, and what it asks of it.
#include <thread>

#include "../../tests/test.h"
#include "files.h"
#include "fxkit/host/allowed_programs.h"
#include "processor/editor.h"
#include "program_file.h"

namespace fxkit::plugin {
namespace {

struct Shown {
  Processor processor;
  WindowPlayer player{processor};

  Shown() {
    processor.loader().limit = 1e9;  // the machine may be busy
    processor.setPlayConfigDetails(1, 1, 48000, 256);
    processor.prepareToPlay(48000, 256);
  }
  void wait() {
    for (int i = 0; i < 5000 && processor.loader().busy(); ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }
};

test::ModelFile model() {
  auto made = test::recurrent_model("gru", 12, 0.8);
  made.sample_rate = 44100;
  return made;
}

TEST(the_window_sees_the_model_and_its_latency) {
  const juce::ScopedJuceInitialiser_GUI juce;
  const test::Folder folder;
  const auto file = folder.model("amp.fxkit", model());
  Shown shown;
  CHECK(!shown.player.view().model);
  shown.player.load(file);
  CHECK(shown.player.view().playing == file);
  shown.wait();
  shown.processor.prepareToPlay(48000, 256);
  const auto view = shown.player.view();
  CHECK(view.model && view.model->sample_rate == 44100);
  CHECK(view.latency > 0.0005 && view.latency < 0.01);
  CHECK(view.message.isEmpty());
}

TEST(a_slow_model_is_a_question) {
  const juce::ScopedJuceInitialiser_GUI juce;
  const test::Folder folder;
  Shown shown;
  shown.processor.loader().limit = 0;
  shown.player.load(folder.model("amp.fxkit", model()));
  shown.wait();
  const auto held = shown.player.view();
  CHECK(held.tone == face::Tone::warning);
  CHECK(held.question.isNotEmpty());
  CHECK(held.message.contains("of a block's time"));
  shown.player.confirm();
  CHECK(shown.player.view().question.isEmpty());
  CHECK(shown.processor.loader().status().stage == Loader::Stage::playing);
}

TEST(a_program_is_a_question_too) {
  const juce::ScopedJuceInitialiser_GUI juce;
  const test::Home home;
  test::ModelFile model;
  model.latency = 63;
  model.tensor("probe.input", {64}, test::noise(64));
  model.tensor("probe.output", {64}, test::noise(64));
  Shown shown;
  shown.player.load(juce::File(test::write_program(home.folder, model, "one", 64, 32).string()));
  shown.wait();
  const auto refused = shown.player.view();
  CHECK(refused.tone == face::Tone::warning);
  CHECK(refused.question == "Allow it");
  CHECK(refused.message.contains("holds a program"));
  // What is allowed is what was asked about, not what the file has become.
  test::write_program(home.folder, model, "another", 64, 32);
  shown.player.confirm();
  shown.wait();
  CHECK(host::program_allowed(test::hash_of("one")));
  CHECK(!host::program_allowed(test::hash_of("another")));
  CHECK(shown.player.view().question == "Allow it");
  shown.player.confirm();
  shown.wait();
  CHECK(host::program_allowed(test::hash_of("another")));
  CHECK(shown.player.view().question.isEmpty());
  CHECK(shown.player.view().tone == face::Tone::error);
}

TEST(what_is_wrong_with_a_file_is_said) {
  const juce::ScopedJuceInitialiser_GUI juce;
  const test::Folder folder;
  Shown shown;
  shown.player.load(folder.file("gone.nam"));
  shown.wait();
  CHECK(shown.player.view().tone == face::Tone::error);
  CHECK(shown.player.view().message.contains("gone.nam"));
  shown.player.load(folder.model("amp.fxkit", model()));
  shown.wait();
  CHECK(shown.player.view().message.isEmpty());
  folder.file("text.wav").replaceWithText("no sound");
  shown.player.load_cabinet(folder.file("text.wav"));
  shown.wait();
  CHECK(shown.player.view().message.contains("text.wav"));
  shown.player.clear_cabinet();
  shown.wait();
  CHECK(shown.player.view().message.isEmpty());
  CHECK(shown.player.view().cabinet.isEmpty());
}

TEST(levels_are_those_since_the_last_call) {
  const juce::ScopedJuceInitialiser_GUI juce;
  Shown shown;
  *shown.processor.parameters().output = -6.0f;
  shown.processor.reset();
  juce::AudioBuffer<float> buffer(1, 256);
  buffer.clear();
  buffer.setSample(0, 100, -0.5f);
  juce::MidiBuffer midi;
  shown.processor.processBlock(buffer, midi);
  const auto levels = shown.player.take_levels();
  CHECK(std::abs(levels.input - 0.5f) < 1e-6f);
  CHECK(std::abs(levels.output - 0.2506f) < 1e-3f);
  CHECK(levels.load > 0);
  CHECK(shown.player.take_levels().input == 0);
}

TEST(the_window_opens_closes_and_keeps_its_size) {
  const juce::ScopedJuceInitialiser_GUI juce;
  Shown shown;
  for (const int width : {900, 1300}) {
    const std::unique_ptr<juce::AudioProcessorEditor> editor(shown.processor.createEditorIfNeeded());
    editor->setSize(width, 600);
    shown.processor.editorBeingDeleted(editor.get());
  }
  const std::unique_ptr<juce::AudioProcessorEditor> editor(shown.processor.createEditorIfNeeded());
  CHECK(editor->getWidth() == 1300);
  shown.processor.editorBeingDeleted(editor.get());
}

}  // namespace
}  // namespace fxkit::plugin
