// A reader of JSON that makes no tree: the caller takes each value as it comes, or skips it.
//
// Strict (RFC 8259, valid UTF-8 only), of bounded depth, and using no memory but that of the strings
// it returns. Everything wrong is a LoadError.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace fxkit::engine {

class Json {
 public:
  enum class Kind { object, array, string, number, boolean, null };

  struct Number {
    double value;
    bool whole;  // written without fraction and exponent, and within +-2^53
  };

  static constexpr int max_depth = 128;

  // `what` names the text in errors.
  Json(std::string_view text, std::string_view what) : text_(text), what_(what) {}

  // What comes next, without taking it.
  Kind peek();

  std::string string();
  Number number();
  bool boolean();
  void null();
  void skip();

  // Calls each(key) for every key; it has to take the value.
  template <class F>
  void object(F each) {
    enter('{');
    if (!leave_if('}')) {
      do {
        std::string key = string();
        expect(':');
        each(std::move(key));
      } while (more('}'));
    }
    --depth_;
  }

  // Calls each() for every element; it has to take it.
  template <class F>
  void array(F each) {
    enter('[');
    if (!leave_if(']')) {
      do {
        each();
      } while (more(']'));
    }
    --depth_;
  }

  // Nothing but white space may be left.
  void end();

  // The position in the text, for a second look at a value.
  std::size_t position() const { return at_; }

 private:
  [[noreturn]] void fail() const;
  void space();
  char next() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  void enter(char open);
  bool leave_if(char close);
  bool more(char close);
  void expect(char c);
  bool take(char c);
  bool digits();
  void word(std::string_view word);
  std::uint32_t hex();
  void escape(std::string* out);
  std::size_t character() const;
  void string(std::string* out);
  Number scan_number();

  std::string_view text_;
  std::string_view what_;
  std::size_t at_ = 0;
  int depth_ = 0;
};

}  // namespace fxkit::engine
