#include "face/knob.h"

#include <cmath>

#include "face/theme.h"

namespace fxkit::face {
namespace {

constexpr float first_angle = -2.4f, last_angle = 2.4f;  // radians from the top
constexpr float drag_length = 220.0f;                    // pixels for the whole range
constexpr int label_height = 18;

// About a hundredth of the range, as a number that one would choose.
float round_step(float range) {
  const float wanted = range / 100;
  const float decade = std::pow(10.0f, std::floor(std::log10(wanted)));
  for (const float factor : {1.0f, 2.0f, 5.0f}) {
    if (decade * factor >= wanted * 0.99f) return decade * factor;
  }
  return decade * 10;
}

}  // namespace

class Knob::Value : public juce::AccessibilityValueInterface {
 public:
  explicit Value(Knob& knob) : knob_(knob) {}
  bool isReadOnly() const override { return !knob_.isEnabled(); }
  double getCurrentValue() const override { return static_cast<double>(knob_.value_); }
  juce::String getCurrentValueAsString() const override { return knob_.value_text(); }
  void setValue(double value) override { knob_.set_plain(static_cast<float>(value)); }
  void setValueAsString(const juce::String& text) override {
    setValue(static_cast<double>(
        knob_.parameter_.convertFrom0to1(knob_.parameter_.getValueForText(text))));
  }
  AccessibleValueRange getRange() const override {
    const auto& range = knob_.parameter_.getNormalisableRange();
    return {{static_cast<double>(range.start), static_cast<double>(range.end)},
            static_cast<double>(knob_.step_)};
  }

 private:
  Knob& knob_;
};

Knob::Knob(juce::RangedAudioParameter& parameter, const juce::String& name,
           const juce::String& description)
    : parameter_(parameter), attachment_(parameter, [this](float value) {
        value_ = value;
        repaint();
        if (auto* handler = getAccessibilityHandler()) {
          handler->notifyAccessibilityEvent(juce::AccessibilityEvent::valueChanged);
        }
      }) {
  set_name(name);
  setDescription(description);
  setTooltip(description);
  setWantsKeyboardFocus(true);
  setRepaintsOnMouseActivity(false);
  const auto& range = parameter.getNormalisableRange();
  step_ = std::max(range.interval, round_step(range.end - range.start));
  attachment_.sendInitialUpdate();
}

Knob::~Knob() = default;

void Knob::set_name(const juce::String& name) {
  setName(name);
  setTitle(name);
  repaint();
}

float Knob::position() const { return parameter_.convertTo0to1(value_); }

juce::String Knob::value_text() const {
  const auto text = parameter_.getText(position(), 0);
  const auto label = parameter_.getLabel();
  // "Off" has no unit.
  const bool is_number = juce::CharacterFunctions::isDigit(text.getLastCharacter());
  return label.isEmpty() || !is_number ? text : text + " " + label;
}

void Knob::reset() { set_plain(parameter_.convertFrom0to1(parameter_.getDefaultValue())); }

void Knob::set_plain(float value) {
  const auto& range = parameter_.getNormalisableRange();
  attachment_.setValueAsCompleteGesture(juce::jlimit(range.start, range.end, value));
}

void Knob::move_by_steps(float steps) { set_plain(value_ + steps * step_); }

juce::Rectangle<int> Knob::value_area() const {
  return getLocalBounds().removeFromBottom(label_height);
}

void Knob::paint(juce::Graphics& g) {
  auto area = getLocalBounds();
  const float strength = isEnabled() ? 1.0f : 0.4f;
  const auto label = area.removeFromTop(label_height);
  const auto value = area.removeFromBottom(label_height);
  g.setFont(font(12));
  g.setColour(colour::dim.withMultipliedAlpha(strength));
  g.drawFittedText(getName(), label, juce::Justification::centred, 1, 0.7f);
  if (!field_) {
    g.setColour(colour::text.withMultipliedAlpha(strength));
    g.setFont(font(12.5f));
    g.drawFittedText(value_text(), value, juce::Justification::centred, 1, 0.7f);
  }

  const float side = static_cast<float>(std::min(area.getWidth(), area.getHeight())) - 4.0f;
  const auto dial = juce::Rectangle<float>(side, side).withCentre(area.toFloat().getCentre());
  const float radius = side / 2 - 2, thickness = side > 56 ? 3.5f : 3.0f;
  const auto arc = [&](float from, float to, juce::Colour ink) {
    juce::Path path;
    path.addCentredArc(dial.getCentreX(), dial.getCentreY(), radius, radius, 0, from, to, true);
    g.setColour(ink.withMultipliedAlpha(strength));
    g.strokePath(path, juce::PathStrokeType(thickness, juce::PathStrokeType::curved,
                                            juce::PathStrokeType::rounded));
  };
  const auto angle_of = [](float at) { return first_angle + at * (last_angle - first_angle); };
  const float angle = angle_of(position());
  // What lies on both sides of zero is drawn from zero.
  const auto& range = parameter_.getNormalisableRange();
  const float origin =
      angle_of(range.start < 0 && range.end > 0 ? parameter_.convertTo0to1(0.0f) : 0.0f);
  arc(first_angle, last_angle, colour::line);
  if (std::abs(angle - origin) > 0.01f) {
    arc(std::min(angle, origin), std::max(angle, origin), colour::accent);
  }

  const bool hot = isEnabled() && (dragging_ || isMouseOver());
  const auto cap = dial.reduced(side * 0.17f);
  g.setColour((hot ? colour::raised.brighter(0.12f) : colour::raised).withMultipliedAlpha(strength));
  g.fillEllipse(cap);
  const auto tip = dial.getCentre().getPointOnCircumference(cap.getWidth() * 0.40f, angle);
  const auto root = dial.getCentre().getPointOnCircumference(cap.getWidth() * 0.20f, angle);
  g.setColour(colour::text.withMultipliedAlpha(strength));
  juce::Path hand;
  hand.startNewSubPath(root);
  hand.lineTo(tip);
  g.strokePath(hand, juce::PathStrokeType(2.2f, juce::PathStrokeType::curved,
                                          juce::PathStrokeType::rounded));
  if (hasKeyboardFocus(false)) draw_focus(g, getLocalBounds().toFloat());
}

void Knob::resized() {
  if (field_) field_->setBounds(value_area().reduced(2, 0));
}

void Knob::mouseDown(const juce::MouseEvent& event) {
  last_ = event.position;
  if (event.mods.isPopupMenu()) return;
  drag_ = position();
  dragging_ = true;
  attachment_.beginGesture();
  repaint();
}

void Knob::mouseDrag(const juce::MouseEvent& event) {
  if (!dragging_) return;
  const auto moved = event.position - last_;
  last_ = event.position;
  const float fine = event.mods.isShiftDown() ? 0.1f : 1.0f;
  drag_ = juce::jlimit(0.0f, 1.0f, drag_ + fine * (moved.x - moved.y) / drag_length);
  attachment_.setValueAsPartOfGesture(parameter_.convertFrom0to1(drag_));
}

void Knob::mouseUp(const juce::MouseEvent& event) {
  if (!dragging_) return;
  dragging_ = false;
  attachment_.endGesture();
  repaint();
  if (event.mouseWasClicked() && event.getNumberOfClicks() == 1 &&
      value_area().contains(event.getPosition())) {
    type({});
  }
}

void Knob::mouseDoubleClick(const juce::MouseEvent& event) {
  if (!value_area().contains(event.getPosition())) reset();
}

void Knob::mouseWheelMove(const juce::MouseEvent& event, const juce::MouseWheelDetails& wheel) {
  if (wheel.isInertial || !isEnabled()) return;
  const float turned = wheel.isReversed ? -wheel.deltaY : wheel.deltaY;
  const float fine = event.mods.isShiftDown() ? 0.1f : 1.0f;
  // Shift turns a vertical wheel into a horizontal one on some systems.
  wheel_ += turned != 0.0f ? turned : wheel.deltaX;
  constexpr float notch = 0.1f;
  const float steps = std::trunc(wheel_ / notch);
  if (steps == 0.0f) return;
  wheel_ -= steps * notch;
  move_by_steps(steps * fine);
}

bool Knob::keyPressed(const juce::KeyPress& key) {
  const float fine = key.getModifiers().isShiftDown() ? 0.1f : 1.0f;
  if (key.getModifiers().isCtrlDown() || key.getModifiers().isCommandDown()) return false;
  const int code = key.getKeyCode();
  const auto& range = parameter_.getNormalisableRange();
  if (code == juce::KeyPress::upKey || code == juce::KeyPress::rightKey) move_by_steps(fine);
  else if (code == juce::KeyPress::downKey || code == juce::KeyPress::leftKey) move_by_steps(-fine);
  else if (code == juce::KeyPress::pageUpKey) move_by_steps(10);
  else if (code == juce::KeyPress::pageDownKey) move_by_steps(-10);
  else if (code == juce::KeyPress::homeKey) set_plain(range.start);
  else if (code == juce::KeyPress::endKey) set_plain(range.end);
  else if (code == juce::KeyPress::deleteKey || code == juce::KeyPress::backspaceKey) reset();
  else if (code == juce::KeyPress::returnKey) type({});
  else if (juce::String("0123456789-+.").containsChar(key.getTextCharacter())) {
    type(juce::String::charToString(key.getTextCharacter()));
  } else {
    return false;
  }
  return true;
}

void Knob::type(const juce::String& first) {
  field_ = std::make_unique<juce::TextEditor>();
  field_->setTitle(getTitle() + ", typed");
  field_->setDescription("A value in the unit of the knob; Enter takes it, Escape leaves it");
  field_->setFont(font(12.5f));
  field_->setJustification(juce::Justification::centred);
  field_->setIndents(2, 0);
  field_->setText(first.isEmpty() ? value_text() : first, false);
  field_->onReturnKey = [this] { finish_typing(true); };
  field_->onEscapeKey = [this] { finish_typing(false); };
  field_->onFocusLost = [this] { finish_typing(true); };
  addAndMakeVisible(*field_);
  resized();
  field_->grabKeyboardFocus();
  if (first.isEmpty()) field_->selectAll();
  else field_->moveCaretToEnd();
  repaint();
}

void Knob::finish_typing(bool take) {
  if (!field_) return;
  // Moved out first: giving the focus back calls this again.
  const std::shared_ptr<juce::TextEditor> field{std::move(field_)};
  const auto text = field->getText().trim();
  if (take && text.containsAnyOf("0123456789")) {
    set_plain(parameter_.convertFrom0to1(parameter_.getValueForText(text)));
  }
  if (field->hasKeyboardFocus(true)) grabKeyboardFocus();
  // Freed after its own call-back has returned.
  juce::MessageManager::callAsync([field] {});
  removeChildComponent(field.get());
  repaint();
}

std::unique_ptr<juce::AccessibilityHandler> Knob::createAccessibilityHandler() {
  return std::make_unique<juce::AccessibilityHandler>(
      *this, juce::AccessibilityRole::slider, juce::AccessibilityActions{},
      juce::AccessibilityHandler::Interfaces{std::make_unique<Value>(*this)});
}

}  // namespace fxkit::face
