// The processor as a host drives it: sessions, files that are missing, models that are too slow.
#include <cstdlib>
#include <thread>

#include "../../tests/test.h"
#include "files.h"
#include "fxkit/host/allowed_programs.h"
#include "loader/library.h"
#include "processor/processor.h"
#include "processor/state.h"
#include "program_file.h"

namespace fxkit::plugin {
namespace {

using Samples = std::vector<float>;
using Stage = Loader::Stage;

struct Host {
  Processor processor;
  double rate;

  explicit Host(double sample_rate = 48000, int block = 256) : rate(sample_rate) {
    processor.loader().limit = 1e9;  // the machine may be busy
    processor.setPlayConfigDetails(1, 1, rate, block);
    processor.prepareToPlay(rate, block);
  }

  Samples play(const Samples& x, std::size_t block = 256) {
    juce::MidiBuffer midi;
    Samples y(x);
    for (std::size_t start = 0; start < y.size(); start += block) {
      float* row = y.data() + start;
      juce::AudioBuffer<float> buffer(&row, 1, static_cast<int>(std::min(block, y.size() - start)));
      processor.processBlock(buffer, midi);
    }
    return y;
  }

  void load(const juce::File& file) {
    processor.loader().load_now(file, Loader::Knobs::reset, false);
    processor.reset();
  }
  Stage stage() { return processor.loader().status().stage; }
  juce::MemoryBlock state() {
    juce::MemoryBlock block;
    processor.getStateInformation(block);
    return block;
  }
  void restore(const juce::MemoryBlock& block) {
    processor.setStateInformation(block.getData(), static_cast<int>(block.getSize()));
    processor.reset();
  }
};

test::ModelFile with_knobs() { return test::wavenet_model(4, 3, true); }
test::ModelFile gru() { return test::recurrent_model("gru", 12, 0.8); }

TEST(a_session_comes_back) {
  const juce::ScopedJuceInitialiser_GUI juce;
  const test::Folder folder;
  Samples response(100);
  response[7] = 0.5f;
  Host a;
  a.load(folder.model("amp.fxkit", with_knobs()));
  a.processor.loader().load_cabinet_now(folder.sound("cab.wav", 48000, {response}));
  auto& all = a.processor.parameters();
  CHECK(all.knobs[0]->getName(100) == "knob 0");
  CHECK(std::abs(all.knobs[0]->get() - 2.5f) < 1e-6f);  // the model's default of 0.25
  *all.input = 3.5f;
  *all.gate = -70.0f;
  *all.bass = -4.0f;
  *all.mix = 80.0f;
  *all.knobs[1] = 9.0f;
  a.processor.set_folder(folder.get());
  a.processor.reset();
  const auto x = test::noise(4000);
  const auto expected = a.play(x);

  Host b;
  b.restore(a.state());
  CHECK(b.play(x) == expected);
  CHECK(b.processor.folder() == folder.get());
  CHECK(b.processor.parameters().knobs[1]->getName(100) == "knob 1");
  CHECK(b.processor.parameters().knobs[2]->getName(100) == "Knob 3");
  CHECK(b.processor.message().empty());
  CHECK(b.state() == a.state());
  *b.processor.parameters().knobs[1] = 1.0f;
  b.processor.reset();
  CHECK(test::distance(b.play(x), expected) > 1e-4);
}

TEST(a_state_that_is_none_gives_defaults_and_a_message) {
  const juce::ScopedJuceInitialiser_GUI juce;
  const test::Folder folder;
  Host host;
  host.load(folder.model("amp.fxkit", gru()));
  juce::MemoryBlock newer;
  juce::XmlElement xml("fxkit");
  xml.setAttribute("version", State::version + 1);
  juce::AudioProcessor::copyXmlToBinary(xml, newer);
  const auto x = test::noise(1000);
  for (const auto& [state, word] : {std::pair{juce::MemoryBlock("rubbish", 7), "cannot be read"},
                                    std::pair{newer, "newer"}}) {
    *host.processor.parameters().input = 12.0f;
    host.restore(state);
    CHECK(host.processor.message().find(word) != std::string::npos);
    CHECK(host.processor.parameters().input->get() == 0);
    CHECK(host.stage() == Stage::empty);
    CHECK(host.play(x) == x);
  }
}

TEST(a_missing_or_broken_model_is_dry_and_keeps_its_place) {
  const juce::ScopedJuceInitialiser_GUI juce;
  const test::Folder folder;
  const auto missing = folder.model("gone.fxkit", gru());
  const auto broken = folder.file("broken.fxkit");
  broken.replaceWithText("not a model");
  Host host;
  host.load(missing);
  const auto state = host.state();
  missing.deleteFile();
  const auto x = test::noise(1000);
  host.restore(state);
  CHECK(host.processor.message().find("gone.fxkit is missing") != std::string::npos);
  CHECK(host.play(x) == x);
  CHECK(host.state() == state);
  host.load(broken);
  CHECK(host.stage() == Stage::failed);
  CHECK(host.processor.message().find("broken.fxkit") != std::string::npos);
  CHECK(host.play(x) == x);
}

TEST(a_model_that_is_too_slow_waits_for_a_yes) {
  const juce::ScopedJuceInitialiser_GUI juce;
  const test::Folder folder;
  const auto file = folder.model("slow.fxkit", gru());
  Host host;
  host.processor.loader().limit = 0;
  host.load(file);
  const auto x = test::noise(2000);
  CHECK(host.stage() == Stage::held);
  CHECK(host.processor.loader().status().cost > 0);
  CHECK(host.processor.message().find("of a block's time") != std::string::npos);
  CHECK(host.play(x) == x);
  // Also after the host has stopped and started.
  host.processor.prepareToPlay(48000, 256);
  CHECK(host.stage() == Stage::held);
  host.processor.loader().confirm();
  host.processor.reset();
  CHECK(host.stage() == Stage::playing);
  CHECK(test::distance(host.play(x), x) > 0.01);

  Host again;
  again.processor.loader().limit = 0;
  again.restore(host.state());
  CHECK(again.stage() == Stage::playing);
  CHECK(!again.processor.message().empty());

  Host offline;
  offline.processor.loader().limit = 0;
  offline.processor.setNonRealtime(true);
  offline.load(file);
  CHECK(offline.stage() == Stage::playing);
}

TEST(a_program_runs_once_it_is_allowed) {
  const juce::ScopedJuceInitialiser_GUI juce;
  const test::Home home;
  const std::size_t window = 64;
  test::ModelFile model;
  model.latency = window - 1;
  model.tensor("probe.input", {window}, test::noise(window));
  model.tensor("probe.output", {window}, test::noise(window));
  const juce::File file(test::write_program(home.folder, model, "a program", window, 32).string());
  const auto hash = test::hash_of("a program");
  const auto x = test::noise(1000);

  Host host;
  host.load(file);
  CHECK(host.stage() == Stage::refused);
  CHECK(host.processor.message().find("model.fxkit holds a program (test, unknown author)") == 0);
  CHECK(host.play(x) == x);
  CHECK(!host::program_allowed(hash));
  host.processor.loader().confirm();  // of a program this is no answer
  CHECK(host.stage() == Stage::refused);

  // The session comes back as it was, and asks again.
  Host again;
  again.restore(host.state());
  CHECK(again.stage() == Stage::refused);
  again.processor.loader().allow();
  for (int i = 0; i < 1000 && again.processor.loader().busy(); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  CHECK(host::program_allowed(hash));
  // There is nothing that could run it; but it was tried.
  CHECK(again.stage() == Stage::failed);
  CHECK(!again.processor.loader().status().refused);
  CHECK(again.processor.message().find("back end") != std::string::npos);
  again.processor.loader().allow();  // there is nothing to allow
  CHECK(again.stage() == Stage::failed);
}

TEST(what_an_export_has_played_is_held_back_again_afterwards) {
  const juce::ScopedJuceInitialiser_GUI juce;
  const test::Folder folder;
  Host host;
  host.processor.loader().limit = 0;
  host.load(folder.model("slow.fxkit", gru()));
  CHECK(host.stage() == Stage::held);
  const auto x = test::noise(2000);
  host.processor.setNonRealtime(true);
  CHECK(test::distance(host.play(x), x) > 0.01);
  CHECK(host.stage() == Stage::playing);
  host.processor.setNonRealtime(false);
  for (int i = 0; i < 1000 && host.stage() != Stage::held; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  CHECK(host.stage() == Stage::held);
  host.processor.reset();
  CHECK(host.play(x) == x);
  // And again: the knobs stand where they stood.
  host.processor.setNonRealtime(true);
  CHECK(test::distance(host.play(x), x) > 0.01);
}

TEST(loading_in_the_background_is_there_in_the_first_block_offline) {
  const juce::ScopedJuceInitialiser_GUI juce;
  const test::Folder folder;
  Host host;
  host.processor.setNonRealtime(true);
  host.processor.load(folder.model("amp.fxkit", gru()));
  const auto x = test::noise(2000);
  const auto y = host.play(x);
  CHECK(host.stage() == Stage::playing);
  CHECK(test::distance(y, x) > 0.01);
}

TEST(triggers_step_through_the_folder) {
  const juce::ScopedJuceInitialiser_GUI juce;
  const test::Folder folder;
  const juce::File files[] = {folder.model("a2.fxkit", gru()), folder.model("a10.fxkit", gru()),
                              folder.model("b.fxkit", gru())};
  CHECK(models_in(folder.get()) == std::vector<juce::File>(std::begin(files), std::end(files)));
  Host host;
  host.processor.setNonRealtime(true);
  host.processor.set_folder(folder.get());
  auto& all = host.processor.parameters();
  const auto press = [&](juce::AudioParameterBool* trigger) {
    *trigger = true;
    host.play(Samples(64));
    *trigger = false;
    host.play(Samples(64));
    return host.processor.loader().status().model;
  };
  for (const auto& file : files) CHECK(press(all.next) == file);
  CHECK(press(all.next) == files[0]);
  CHECK(press(all.previous) == files[2]);
  CHECK(press(all.previous) == files[1]);
  // Two at once, as from a foot switch in a hurry.
  for (int i = 0; i < 2; ++i) {
    *all.next = true;
    *all.next = false;
  }
  host.play(Samples(64));
  CHECK(host.processor.loader().status().model == files[0]);
}

TEST(a_file_that_does_not_fit_the_folder_begins_it) {
  const juce::File a("/x/a.nam"), b("/x/b.nam"), c("/x/c.nam");
  CHECK(neighbour({a, b, c}, c, 1) == a);
  CHECK(neighbour({a, b, c}, a, -1) == c);
  CHECK(neighbour({a, b, c}, a, -8) == b);
  CHECK(neighbour({a, b, c}, juce::File("/y/z.nam"), 1) == a);
  CHECK(neighbour({a, b, c}, juce::File("/y/z.nam"), -1) == c);
  CHECK(neighbour({}, a, 1) == juce::File());
}

TEST(the_latency_is_reported) {
  const juce::ScopedJuceInitialiser_GUI juce;
  const test::Folder folder;
  auto model = gru();
  model.sample_rate = 44100;
  const auto file = folder.model("amp.fxkit", model);
  Host host(96000);
  CHECK(host.processor.getLatencySamples() == 0);
  host.load(file);
  host.restore(host.state());
  CHECK(host.processor.getLatencySamples() > 0);  // a host that renders at once asks now
  host.processor.prepareToPlay(96000, 256);
  CHECK(host.processor.getLatencySamples() > 0);
  CHECK(host.processor.getLatencySamples() ==
        static_cast<int>(host.processor.chain().slot.latency()));
}

TEST(a_new_rate_keeps_the_model) {
  const juce::ScopedJuceInitialiser_GUI juce;
  const test::Folder folder;
  const auto file = folder.model("amp.fxkit", gru());
  Host fresh(96000), moved(48000);
  fresh.load(file);
  moved.load(file);
  moved.play(test::noise(1000));
  moved.processor.setPlayConfigDetails(1, 1, 96000, 64);
  moved.processor.prepareToPlay(96000, 64);
  const auto x = test::noise(4000);
  CHECK(moved.play(x, 64) == fresh.play(x));
}

TEST(programs_are_the_demo_models) {
  const juce::ScopedJuceInitialiser_GUI juce;
  const test::Folder folder;
  const auto light = folder.model("demo-light.fxkit", gru());
  const auto heavy = folder.model("demo-heavy.fxkit", gru());
  setenv("FXKIT_MODELS", folder.get().getFullPathName().toRawUTF8(), 1);
  Host host;
  unsetenv("FXKIT_MODELS");
  host.processor.setNonRealtime(true);
  CHECK(host.processor.getNumPrograms() == 3);
  CHECK(host.processor.getProgramName(1) == "demo-light");
  host.processor.setCurrentProgram(0);
  CHECK(host.stage() == Stage::empty);
  *host.processor.parameters().bass = 5.0f;
  host.processor.setCurrentProgram(1);
  host.play(Samples(64));
  CHECK(host.processor.loader().status().model == light);
  CHECK(host.processor.parameters().bass->get() == 0);
  CHECK(host.processor.getCurrentProgram() == 1);
  // Another model is not that program any more, so that a host can choose it again.
  host.processor.load(heavy);
  host.play(Samples(64));
  CHECK(host.processor.loader().status().model == heavy);
  CHECK(host.processor.getCurrentProgram() == 0);
  host.processor.setCurrentProgram(1);
  host.play(Samples(64));
  CHECK(host.processor.loader().status().model == light);
  CHECK(host.processor.getCurrentProgram() == 1);
}

TEST(the_level_of_a_model_waits_until_it_is_heard) {
  const juce::ScopedJuceInitialiser_GUI juce;
  const test::Folder folder;
  auto model = gru();
  model.more = ",\"output\":{\"rms\":0.1,\"peak\":0.5,\"loudness\":-18}";
  const auto loud = folder.model("loud.fxkit", model);
  model.more = ",\"output\":{\"rms\":0.1,\"peak\":0.5,\"loudness\":-38}";  // which is raised by 20 dB
  const auto quiet = folder.model("quiet.fxkit", model);
  Host host;
  *host.processor.parameters().level = 1;
  host.load(loud);
  const auto x = test::sine(4800, 300, 48000);
  const auto power = [](const Samples& y, std::size_t begin, std::size_t end) {
    double sum = 0;
    for (std::size_t t = begin; t < end; ++t) sum += static_cast<double>(y[t]) * y[t];
    return sum / static_cast<double>(end - begin);
  };
  host.play(x);
  const auto before = host.play(x);
  host.processor.loader().load_now(quiet, Loader::Knobs::keep, false);
  const auto after = host.play(x, 32);
  CHECK(power(after, 0, 480) < 2 * power(before, 0, 480));
  const double raised = power(after, 3840, 4800) / power(before, 3840, 4800);
  CHECK_MORE(std::abs(raised - 100) < 5, std::to_string(raised));
}

TEST(texts_of_parameters_go_both_ways) {
  const juce::ScopedJuceInitialiser_GUI juce;
  Host host;
  auto& all = host.processor.parameters();
  const juce::RangedAudioParameter &gate = *all.gate, &bass = *all.bass, &level = *all.level;
  CHECK(gate.getText(0, 0) == "Off");
  CHECK(gate.getValueForText("off") == 0);
  CHECK(bass.getText(bass.convertTo0to1(3.5f), 0) == "+3.5");
  CHECK(bass.getText(bass.convertTo0to1(0.0f), 0) == "0");
  CHECK(std::abs(bass.convertFrom0to1(bass.getValueForText("-7.25")) + 7.25f) < 1e-4f);
  CHECK(all.mix->getLabel() == "%");
  CHECK(level.getText(1, 0) == "Normalised");
}

}  // namespace
}  // namespace fxkit::plugin
