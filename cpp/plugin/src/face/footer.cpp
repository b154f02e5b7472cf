#include "face/footer.h"

#include "face/theme.h"

namespace fxkit::face {
namespace {

juce::Colour ink(Tone tone) {
  switch (tone) {
    case Tone::busy: return colour::accent;
    case Tone::warning: return colour::warning;
    case Tone::error: return colour::error;
    case Tone::calm: break;
  }
  return colour::faint;
}

}  // namespace

Footer::Footer()
    : answer_("Play it anyway", "Answers the question in the status line", Button::Kind::accent) {
  setTitle("Status");
  addChildComponent(answer_);
  answer_.onClick = [this] {
    if (on_answer) on_answer();
  };
}

void Footer::show(Tone tone, const juce::String& message, const juce::String& answer) {
  const auto old_answer = answer_.isVisible() ? answer_.getButtonText() : juce::String();
  if (tone == tone_ && message == message_ && answer == old_answer) return;
  const bool news = message != message_;
  tone_ = tone;
  message_ = message;
  setDescription(message);
  if (answer.isNotEmpty()) answer_.set_words(answer);
  answer_.setVisible(answer.isNotEmpty());
  resized();
  repaint();
  if (news && message.isNotEmpty() && tone != Tone::calm) {
    juce::AccessibilityHandler::postAnnouncement(
        message, tone == Tone::error ? juce::AccessibilityHandler::AnnouncementPriority::high
                                     : juce::AccessibilityHandler::AnnouncementPriority::medium);
  }
}

void Footer::resized() {
  answer_.setBounds(getLocalBounds().removeFromRight(answer_.wanted_width()).withSizeKeepingCentre(
      answer_.wanted_width(), 7 * unit));
}

void Footer::paint(juce::Graphics& g) {
  if (message_.isEmpty()) return;
  auto area = getLocalBounds();
  if (answer_.isVisible()) area.setRight(answer_.getX() - gap);
  const auto dot = area.removeFromLeft(4 * unit).toFloat();
  g.setColour(ink(tone_));
  g.fillEllipse(juce::Rectangle<float>(7, 7).withCentre(dot.getCentre()));
  g.setFont(font(13));
  g.setColour(tone_ == Tone::calm ? colour::dim : colour::text);
  g.drawFittedText(message_, area.withTrimmedLeft(unit), juce::Justification::centredLeft, 2, 0.85f);
}

std::unique_ptr<juce::AccessibilityHandler> Footer::createAccessibilityHandler() {
  return std::make_unique<juce::AccessibilityHandler>(*this, juce::AccessibilityRole::group);
}

}  // namespace fxkit::face
