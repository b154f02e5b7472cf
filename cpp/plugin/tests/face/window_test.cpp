// The face without a screen: every control has a name and a place, and does what it says.
#include <algorithm>
#include <cstdlib>

#include "face/window.h"
#include "face/words.h"
#include "face/fake_player.h"
#include "../../../tests/test.h"

namespace fxkit::face {
namespace {

// Everything that is visible in `root`, which is itself on no screen.
template <typename Visit>
void walk(juce::Component& root, Visit visit) {
  visit(root);
  for (auto* child : root.getChildren()) {
    if (child->isVisible()) walk(*child, visit);
  }
}

template <typename Type>
Type* find(juce::Component& root, const juce::String& title) {
  Type* found = nullptr;
  walk(root, [&](juce::Component& component) {
    if (auto* fits = dynamic_cast<Type*>(&component); fits && component.getTitle() == title) found = fits;
  });
  return found;
}

bool press(juce::Component& component, int code, int modifiers = 0) {
  return component.keyPressed(juce::KeyPress(code, juce::ModifierKeys(modifiers), 0));
}

juce::String name_of(int width, int height, int knobs) {
  return juce::String(width) + "x" + juce::String(height) + "-" + juce::String(knobs);
}

// With FACE_PICTURES=DIR each scene becomes a picture, to be looked at.
void picture(juce::Component& window, const juce::String& name, float scale = 1) {
  const char* folder = std::getenv("FACE_PICTURES");
  if (!folder) return;
  const auto image = window.createComponentSnapshot(window.getLocalBounds(), false, scale);
  const auto file = juce::File(folder).getChildFile(name + ".png");
  file.deleteFile();
  juce::FileOutputStream out(file);
  juce::PNGImageFormat().writeImageToStream(image, out);
}

constexpr int sizes[][2] = {{640, 400}, {640, 900}, {839, 400}, {960, 580}, {1600, 420}, {1920, 1080}};
constexpr int knob_counts[] = {0, 3, 8};

TEST(every_control_has_a_name_and_says_what_it_does) {
  for (const int knobs : knob_counts) {
    for (const auto& size : sizes) {
      FakePlayer player(knobs);
      player.shown.cabinet = "room.wav";
      player.shown.question = "Play it anyway";
      Window window(player);
      window.stand_alone([] {});
      window.setSize(size[0], size[1]);
      int controls = 0;
      walk(window, [&](juce::Component& component) {
        if (!component.getWantsKeyboardFocus() || &component == &window) return;
        ++controls;
        const auto where = component.getName().toStdString();
        CHECK_MORE(component.getTitle().isNotEmpty(), where);
        CHECK_MORE(component.getDescription().isNotEmpty(), component.getTitle().toStdString());
      });
      CHECK(controls >= 15 + knobs);
    }
  }
}

TEST(nothing_is_cut_off_or_covered) {
  for (const int knobs : knob_counts) {
    for (const auto& size : sizes) {
      FakePlayer player(knobs);
      player.shown.cabinet = "a room with a rather long name, far mic.wav";
      Window window(player);
      window.setSize(size[0], size[1]);
      picture(window, "size-" + name_of(size[0], size[1], knobs));
      std::vector<juce::Component*> controls;
      walk(window, [&](juce::Component& component) {
        if (component.getWantsKeyboardFocus() && &component != &window) controls.push_back(&component);
      });
      for (auto* one : controls) {
        const auto place = window.getLocalArea(one, one->getLocalBounds());
        const auto what = (one->getTitle() + " in " + name_of(size[0], size[1], knobs) + " at " +
                           place.toString()).toStdString();
        CHECK_MORE(window.getLocalBounds().contains(place), what);
        CHECK_MORE(place.getWidth() >= 24 && place.getHeight() >= 24, what);
        if (dynamic_cast<Knob*>(one)) CHECK_MORE(place.getWidth() >= 50 && place.getHeight() >= 70, what);
        for (auto* other : controls) {
          if (other == one || one->isParentOf(other) || other->isParentOf(one)) continue;
          const auto there = window.getLocalArea(other, other->getLocalBounds());
          CHECK_MORE(!place.reduced(1).intersects(there.reduced(1)),
                     what + " and " + other->getTitle().toStdString());
        }
      }
    }
  }
}

TEST(only_the_knobs_that_the_model_has) {
  FakePlayer player(3);
  Window window(player);
  CHECK(find<Knob>(window, "Gain") && find<Knob>(window, "Presence") && find<Knob>(window, "Knob 3"));
  CHECK(!find<Knob>(window, "Knob 4"));
  player.shown.model->knobs.clear();
  window.refresh();
  CHECK(!find<Knob>(window, "Gain"));
  CHECK(find<Knob>(window, "Bass"));
  player.shown.model.reset();
  window.refresh();
  CHECK(find<Header>(window, "Model: No model"));
}

TEST(a_knob_follows_the_keys) {
  FakePlayer player(1);
  Window window(player);
  auto& knob = *find<Knob>(window, "Bass");
  const auto near = [&](float wanted) { return std::abs(player.bass.get() - wanted) < 1e-3f; };
  CHECK(press(knob, juce::KeyPress::upKey));
  CHECK(near(0.5f));
  press(knob, juce::KeyPress::upKey, juce::ModifierKeys::shiftModifier);
  CHECK(near(0.55f));
  press(knob, juce::KeyPress::endKey);
  CHECK(near(12));
  press(knob, juce::KeyPress::rightKey);
  CHECK(near(12));
  press(knob, juce::KeyPress::homeKey);
  CHECK(near(-12));
  press(knob, juce::KeyPress::deleteKey);
  CHECK(near(0));
  CHECK(!press(knob, juce::KeyPress::rightKey, juce::ModifierKeys::ctrlModifier));
  CHECK(near(0));
}

TEST(a_value_can_be_typed) {
  FakePlayer player;
  Window window(player);
  auto& knob = *find<Knob>(window, "Treble");
  const auto type = [&](const juce::String& text, bool take) {
    press(knob, juce::KeyPress::returnKey);
    auto* field = find<juce::TextEditor>(window, "Treble, typed");
    CHECK(field != nullptr);
    if (!field) return;
    field->setText(text);
    (take ? field->onReturnKey : field->onEscapeKey)();
    CHECK(find<juce::TextEditor>(window, "Treble, typed") == nullptr);
  };
  type("-7.5 dB", true);
  CHECK(std::abs(player.treble.get() + 7.5f) < 1e-3f);
  CHECK(knob.value_text() == "-7.5 dB");
  type("99", true);
  CHECK(player.treble.get() == 12);
  type("-3", false);
  CHECK(player.treble.get() == 12);
  type("loud", true);
  CHECK(player.treble.get() == 12);
}

TEST(a_dropped_file_goes_where_it_belongs) {
  FakePlayer player;
  Window window(player);
  window.filesDropped({"/nowhere/amp.fxkit"}, 0, 0);
  CHECK(player.loaded.getFileName() == "amp.fxkit");
  window.filesDropped({"/nowhere/ROOM.WAV"}, 0, 0);
  CHECK(player.cabinet.getFileName() == "ROOM.WAV");
  CHECK(player.loaded.getFileName() == "amp.fxkit");
  window.filesDropped({"/nowhere/notes.txt"}, 0, 0);
  CHECK(player.loaded.getFileName() == "amp.fxkit");
  auto* footer = find<Footer>(window, "Status");
  CHECK(footer && footer->message().startsWith("notes.txt is neither a model"));
  picture(window, "dropped-text");
  // What the player says next takes its place.
  player.shown.message = "amp.fxkit does not exist";
  player.shown.tone = Tone::error;
  window.refresh();
  CHECK(footer->message() == "amp.fxkit does not exist");
  window.fileDragEnter({"/nowhere/amp.nam"}, 0, 0);
  picture(window, "dragging");
  const auto folder = juce::File::getSpecialLocation(juce::File::tempDirectory);
  window.filesDropped({folder.getFullPathName()}, 0, 0);
  CHECK(player.shown.folder == folder);
}

TEST(keys_of_the_window) {
  FakePlayer player;
  Window window(player);
  CHECK(press(window, juce::KeyPress::rightKey, juce::ModifierKeys::ctrlModifier));
  CHECK(player.stepped == 1);
  press(window, juce::KeyPress::leftKey, juce::ModifierKeys::ctrlModifier);
  CHECK(player.stepped == 0);
  // A plug-in leaves Space to the host.
  CHECK(!press(window, juce::KeyPress::spaceKey));
  CHECK(!press(window, 'X'));
  CHECK(press(window, 'O', juce::ModifierKeys::ctrlModifier));
}

TEST(the_question_is_answered_by_its_button) {
  FakePlayer player;
  Window window(player);
  CHECK(!find<Button>(window, "Play it anyway"));
  player.shown.message = "This model needs 140 % of a block's time on this machine";
  player.shown.tone = Tone::warning;
  player.shown.question = "Play it anyway";
  window.refresh();
  picture(window, "question");
  auto* button = find<Button>(window, "Play it anyway");
  CHECK(button != nullptr);
  if (button) button->onClick();
  CHECK(player.confirmed == 1);
}

TEST(long_names_and_hot_levels_are_drawn) {
  FakePlayer player(8);
  player.shown.model->name = std::string(300, 'W');
  player.shown.model->gear = std::string(5000, 'g');
  for (auto& knob : player.shown.model->knobs) knob.name = "A knob with much to say about itself";
  player.shown.cabinet = juce::String::repeatedString("cab ", 500);
  player.shown.message = juce::String::repeatedString("a long error ", 100);
  player.shown.tone = Tone::error;
  player.levels = {0.4f, 1.4f, 0.83};
  Window window(player);
  for (int i = 0; i < 60; ++i) window.refresh();
  picture(window, "long", 2);
  window.setSize(640, 400);
  picture(window, "long-small");
  player.levels = {std::nanf(""), INFINITY, std::nan("")};
  window.refresh();
  picture(window, "nan");
}

TEST(words) {
  CHECK(esr_in_digits(0.0062) == "0.0062");
  CHECK(esr_in_digits(0.00008) == "0.000080");
  CHECK(esr_in_digits(0.53) == "0.53");
  CHECK(esr_in_digits(1.4) == "1.4");
  CHECK(esr_in_digits(0) == "0");
  CHECK(esr_in_words(0.0005) == "hard to tell from the target");
  CHECK(esr_in_words(0.005) == "very close");
  CHECK(rate(44100) == "44.1 kHz");
  CHECK(rate(48000) == "48 kHz");
  CHECK(rate(22050) == "22.05 kHz");
  CHECK(percent(0.083) == "8.3 %");
  CHECK(percent(1.2) == "120 %");
  CHECK(decibels(1) == "0.0");
  CHECK(decibels(0) == "-inf");
}

}  // namespace
}  // namespace fxkit::face

int main() {
  const juce::ScopedJuceInitialiser_GUI gui;
  for (const auto& one : test::cases()) {
    const int before = test::failures();
    one.run();
    std::printf("%s %s\n", test::failures() == before ? "ok  " : "FAIL", one.name);
  }
  return test::failures() > 0 || test::cases().empty() ? 1 : 0;
}
