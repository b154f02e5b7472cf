#include "processor/parameters.h"

namespace fxkit::plugin {
namespace {

using Float = juce::AudioParameterFloat;
constexpr int version_hint = 1;

// "-12.4", "+3", "0": no digits that say nothing.
juce::String number(float value, bool sign) {
  auto text = juce::String(value, 2);
  if (text.containsChar('.')) text = text.trimCharactersAtEnd("0").trimCharactersAtEnd(".");
  if (text == "-0") text = "0";
  return sign && value > 0 && text != "0" ? "+" + text : text;
}

juce::AudioParameterFloatAttributes attributes(const juce::String& unit, bool sign) {
  return juce::AudioParameterFloatAttributes()
      .withLabel(unit)
      .withStringFromValueFunction([sign](float value, int) { return number(value, sign); })
      .withValueFromStringFunction([](const juce::String& text) { return text.getFloatValue(); });
}

Float* decibels(const char* id, const char* name, float range) {
  return new Float({id, version_hint}, name, {-range, range, 0.01f}, 0, attributes("dB", true));
}

Float* make_gate() {
  const auto text = [](float value, int) {
    return value <= Gate::off_db ? juce::String("Off") : number(value, false);
  };
  const auto value = [](const juce::String& text) {
    return text.trim().equalsIgnoreCase("off") ? Gate::off_db : text.getFloatValue();
  };
  return new Float({"gate", version_hint}, "Gate", {Gate::off_db, 0, 0.1f}, Gate::off_db,
                   attributes("dB", false)
                       .withStringFromValueFunction(text)
                       .withValueFromStringFunction(value));
}

juce::AudioParameterBool* make_switch(const char* id, const char* name, bool automatable = true) {
  return new juce::AudioParameterBool(
      {id, version_hint}, name, false,
      juce::AudioParameterBoolAttributes().withAutomatable(automatable));
}

}  // namespace

KnobParameter::KnobParameter(const juce::ParameterID& id, const juce::String& own_name)
    : AudioParameterFloat(id, own_name, {0, highest, 0.01f}, highest / 2, attributes("", false)),
      own_name_(own_name),
      name_(own_name) {}

void KnobParameter::describe(const host::Knob* knob) {
  const juce::ScopedLock hold(lock_);
  name_ = knob ? juce::String::fromUTF8(knob->name.c_str()) : own_name_;
  standard_ = knob ? juce::jlimit(0.0f, 1.0f, knob->standard) : 0.5f;
}

juce::String KnobParameter::getName(int longest) const {
  const juce::ScopedLock hold(lock_);
  return name_.substring(0, longest);
}

Parameters::Parameters(juce::AudioProcessor& processor) {
  const auto add = [&](auto* parameter, bool store = true) {
    processor.addParameter(parameter);
    if (store) stored.push_back(parameter);
    return parameter;
  };
  input = add(decibels("input", "Input", 24));
  gate = add(make_gate());
  bass = add(decibels("bass", "Bass", 12));
  middle = add(decibels("mid", "Mid", 12));
  treble = add(decibels("treble", "Treble", 12));
  mix = add(new Float({"mix", version_hint}, "Mix", {0, 100, 0.1f}, 100, attributes("%", false)));
  output = add(decibels("output", "Output", 24));
  level = add(new juce::AudioParameterChoice({"level", version_hint}, "Level",
                                             {"Raw", "Normalised"}, 0));
  bypass = add(make_switch("bypass", "Bypass"));
  previous = add(make_switch("previous", "Previous model"), false);
  next = add(make_switch("next", "Next model"), false);
  for (std::size_t i = 0; i < knob_count; ++i) {
    const auto number = juce::String(static_cast<int>(i + 1));
    knobs[i] = add(new KnobParameter({"knob" + number, version_hint}, "Knob " + number));
  }
}

Settings Parameters::settings(float level_factor) const {
  Settings all;
  all.input_db = input->get();
  all.gate_db = gate->get();
  all.bands_db = {bass->get(), middle->get(), treble->get()};
  all.mix = mix->get() >= 100 ? 1.0f : mix->get() / 100;
  all.output_db = output->get();
  all.level = level->getIndex() == 1 ? level_factor : 1.0f;
  all.bypass = bypass->get();
  return all;
}

void Parameters::show_knobs(const host::ModelInfo* model) {
  const std::size_t count = model ? model->knobs.size() : 0;
  for (std::size_t i = 0; i < knob_count; ++i) {
    knobs[i]->describe(i < count ? &model->knobs[i] : nullptr);
  }
}

void Parameters::reset_knobs() {
  for (auto* knob : knobs) knob->setValueNotifyingHost(knob->getDefaultValue());
}

void Parameters::reset() {
  for (auto* parameter : stored) parameter->setValueNotifyingHost(parameter->getDefaultValue());
}

}  // namespace fxkit::plugin
