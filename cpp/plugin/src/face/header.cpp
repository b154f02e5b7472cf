#include "face/header.h"

#include "face/theme.h"
#include "face/words.h"

namespace fxkit::face {

Header::Header()
    : previous("Previous model", "The model before this one in the folder (Ctrl+Left)",
               Button::Kind::plain, Sign::previous),
      next("Next model", "The model after this one in the folder (Ctrl+Right)",
           Button::Kind::plain, Sign::next),
      load("Load...", "Choose a model file (Ctrl+O)"),
      list("Models", "Shows or hides the list of models (Ctrl+L)", Button::Kind::plain, Sign::list),
      audio("Audio...", "Choose the sound card, its rate and its block size"),
      bypass("Bypass", "Lets the input through as it is, at the same latency (B)",
             Button::Kind::toggle) {
  setTitle("Model");
  for (auto* button : {&list, &previous, &next, &load, &audio, &bypass}) addAndMakeVisible(button);
  list.setVisible(false);
  audio.setVisible(false);
  show({}, 0);
}

void Header::show(const std::optional<host::ModelInfo>& model, double latency) {
  juce::String name, about;
  std::vector<Fact> facts;
  if (model) {
    name = juce::String::fromUTF8(model->name.c_str());
    about = subject(*model);
    const auto hertz = rate(model->sample_rate), delay = milliseconds(latency);
    facts = {{"Sample rate", hertz, hertz}, {"Latency", delay, delay + " latency"}};
    if (model->esr) {
      const auto score = esr_in_digits(*model->esr) + ", " + esr_in_words(*model->esr);
      facts.push_back({"Held-out ESR", score, "ESR " + score});
    }
    const auto format = format_name(model->format);
    facts.push_back({"Format", format, format});
  } else {
    name = "No model";
    about = "Load a model file, or drop one here. Until then the input goes through.";
  }
  const auto words = [](const std::vector<Fact>& all) {
    juce::StringArray parts;
    for (const auto& fact : all) parts.add(fact.label + " " + fact.value);
    return parts.joinIntoString("; ");
  };
  if (name == name_ && about == subject_ && words(facts) == words(facts_)) return;
  name_ = name;
  subject_ = about;
  facts_ = std::move(facts);
  setTitle("Model: " + name_);
  setDescription(subject_ + (facts_.empty() ? "" : "; ") + words(facts_));
  repaint();
}

void Header::show_list_button(bool shown) {
  list.setVisible(shown);
  resized();
}

void Header::show_audio_button(bool shown) {
  audio.setVisible(shown);
  resized();
}

void Header::resized() {
  auto area = getLocalBounds();
  auto row = area.removeFromTop(9 * unit);
  const auto take = [&](Button& button) {
    if (!button.isVisible()) return;
    button.setBounds(row.removeFromRight(button.wanted_width()).withSizeKeepingCentre(
        button.wanted_width(), 8 * unit));
    row.removeFromRight(unit + 2);
  };
  take(bypass);
  take(audio);
  take(load);
  take(next);
  take(previous);
  take(list);
  text_ = getLocalBounds().withRight(row.getRight() - unit);
}

void Header::paint(juce::Graphics& g) {
  auto area = getLocalBounds();
  g.setColour(colour::text);
  g.setFont(font(26, Weight::bold));
  g.drawFittedText(name_, area.removeFromTop(9 * unit).withRight(text_.getRight()),
                   juce::Justification::centredLeft, 1, 0.75f);
  g.setColour(colour::dim);
  g.setFont(font(13.5f));
  g.drawText(subject_, area.removeFromTop(20), juce::Justification::centredLeft, true);
  area.removeFromTop(2 * unit);

  const bool roomy = area.getHeight() >= 40;
  int x = area.getX();
  for (const auto& fact : facts_) {
    const auto value_type = font(roomy ? 14.0f : 13.0f);
    const auto& value = roomy ? fact.value : fact.alone;
    const int width = std::max(text_width(value_type, value),
                               roomy ? text_width(font(11), fact.label) : 0);
    if (x > 0) {
      g.setColour(colour::line);
      g.fillRect(x - gap - 1, area.getY() + 3, 1, roomy ? 34 : 12);
    }
    const int right = std::min(x + width, area.getRight());
    auto cell = area.withX(x).withRight(right);
    if (roomy) {
      g.setColour(colour::faint.brighter(0.25f));
      g.setFont(font(11));
      g.drawText(fact.label, cell.removeFromTop(18), juce::Justification::centredLeft, true);
    }
    g.setColour(colour::text);
    g.setFont(value_type);
    g.drawText(value, cell.removeFromTop(20), juce::Justification::centredLeft, true);
    x += width + 2 * gap + 1;
    if (x >= area.getRight()) break;
  }
}

std::unique_ptr<juce::AccessibilityHandler> Header::createAccessibilityHandler() {
  return std::make_unique<juce::AccessibilityHandler>(*this, juce::AccessibilityRole::group);
}

}  // namespace fxkit::face
