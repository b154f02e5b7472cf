#include "face/board.h"

#include "face/theme.h"

namespace fxkit::face {
namespace {

constexpr int widest = 104;      // of a knob
constexpr int label_room = 38;   // above and below its dial
constexpr int rule_width = 2 * unit;

}  // namespace

Board::Board(const Parameters& parameters)
    : model_parameters_(parameters.model),
      input_(parameters.input, "Input", "Level before the model"),
      gate_(parameters.gate, "Gate", "Noise gate: what is quieter than this is silenced"),
      bass_(parameters.bass, "Bass", "Low frequencies, after the model"),
      middle_(parameters.middle, "Middle", "Middle frequencies, after the model"),
      treble_(parameters.treble, "Treble", "High frequencies, after the model"),
      mix_(parameters.mix, "Mix", "How much of the effect; the rest is the dry input"),
      output_(parameters.output, "Output", "Level after everything"),
      level_(parameters.level, {"Raw", "Normalised"}, "Model level",
             "As the model was trained, or all models equally loud") {
  setTitle("Controls");
  for (auto* knob : {&input_, &gate_, &bass_, &middle_, &treble_, &mix_, &output_}) {
    addAndMakeVisible(knob);
  }
  addAndMakeVisible(cabinet);
  addAndMakeVisible(level_);
}

void Board::show(const std::vector<host::Knob>& knobs) {
  juce::StringArray names;
  for (const auto& knob : knobs) {
    if (names.size() == static_cast<int>(model_parameters_.size())) break;
    names.add(juce::String::fromUTF8(knob.name.c_str()));
  }
  if (names == model_names_ && model_.size() == static_cast<std::size_t>(names.size())) return;
  model_names_ = names;
  model_.clear();
  for (int i = 0; i < names.size(); ++i) {
    model_.push_back(std::make_unique<Knob>(*model_parameters_[static_cast<std::size_t>(i)], names[i],
                                            "A knob of the model"));
    addAndMakeVisible(*model_.back());
  }
  resized();
  repaint();
}

// How large the dials get if rows of so many knobs share an area.
int Board::dial_size(juce::Rectangle<int> area, const std::vector<Row>& rows) {
  int most = 1;
  for (const auto& row : rows) {
    int count = 0;
    for (const auto& group : row) count += static_cast<int>(group.size());
    most = std::max(most, count);
  }
  const int height = area.getHeight() / static_cast<int>(rows.size()) - label_room;
  return std::min({height, area.getWidth() / most, widest});
}

void Board::place(juce::Rectangle<int> area, const std::vector<Row>& rows) {
  panels_.push_back(area);
  area = area.reduced(gap / 2 + 2, area.getHeight() < 100 ? unit / 2 : 2 * unit);
  const int height = area.getHeight() / static_cast<int>(rows.size());
  for (const auto& row : rows) {
    const auto line = area.removeFromTop(height);
    int count = 0;
    for (const auto& group : row) count += static_cast<int>(group.size());
    const int rules = static_cast<int>(row.size()) - 1;
    const int room = line.getWidth() - rules * rule_width;
    const int width = std::clamp(room / std::max(1, count), 1, widest);
    const int tall = std::min(height - 2, width + label_room);
    int x = line.getX() + (room - count * width) / 2;
    for (std::size_t i = 0; i < row.size(); ++i) {
      for (auto* knob : row[i]) {
        knob->setBounds(juce::Rectangle<int>(x, line.getY(), width, height)
                            .withSizeKeepingCentre(width - 2, tall));
        x += width;
      }
      if (i + 1 == row.size()) break;
      rules_.push_back(juce::Rectangle<int>(x + rule_width / 2 - 1, line.getY(), 1, height)
                           .withSizeKeepingCentre(1, tall - label_room / 2));
      x += rule_width;
    }
  }
}

void Board::resized() {
  panels_.clear();
  rules_.clear();
  auto area = getLocalBounds();
  const int space = area.getHeight() < 280 ? 2 * unit : gap;
  auto strip = area.removeFromBottom(space == gap ? 12 * unit : 11 * unit);
  panels_.push_back(strip);
  area.removeFromBottom(space);
  const auto half = [&] {
    auto top = area.removeFromTop((area.getHeight() - space) / 2);
    area.removeFromTop(space);
    return top;
  };

  // Of the ways to arrange the knobs, that with the largest dials.
  const Group before{&input_, &gate_}, tone{&bass_, &middle_, &treble_}, after{&mix_, &output_};
  const std::vector<Row> in_a_row{{before, tone, after}}, stacked{{tone}, {before, after}};
  if (model_.empty()) {
    if (dial_size(area, in_a_row) >= dial_size(area, stacked)) {
      place(area, in_a_row);
    } else {
      place(half(), {stacked[0]});
      place(area, {stacked[1]});
    }
  } else {
    Group own;
    for (const auto& knob : model_) own.push_back(knob.get());
    const auto middle = own.begin() + static_cast<std::ptrdiff_t>((own.size() + 1) / 2);
    const std::vector<Row> one_row{{own}}, two_rows{{{own.begin(), middle}}, {{middle, own.end()}}};
    const auto better = [](juce::Rectangle<int> place, const auto& wide, const auto& high) {
      return dial_size(place, wide) >= dial_size(place, high) ? wide : high;
    };
    const auto top = half();
    place(top, own.size() < 4 ? one_row : better(top, one_row, two_rows));
    place(area, better(area, in_a_row, stacked));
  }

  strip = strip.reduced(gap, unit);
  level_.setBounds(strip.removeFromRight(level_.wanted_width()).withSizeKeepingCentre(
      level_.wanted_width(), 8 * unit));
  strip.removeFromRight(2 * gap);
  cabinet.setBounds(strip);
  rules_.push_back({strip.getRight() + gap, strip.getY() + 6, 1, strip.getHeight() - 12});
}

void Board::paint(juce::Graphics& g) {
  for (const auto& panel : panels_) draw_panel(g, panel.toFloat());
  g.setColour(colour::line);
  for (const auto& rule : rules_) g.fillRect(rule);
}

std::unique_ptr<juce::AccessibilityHandler> Board::createAccessibilityHandler() {
  return std::make_unique<juce::AccessibilityHandler>(*this, juce::AccessibilityRole::group);
}

}  // namespace fxkit::face
