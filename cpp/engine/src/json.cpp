#include "json.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "error.h"

namespace fxkit::engine {

void Json::fail() const { throw LoadError("damaged: " + std::string(what_) + " is not JSON"); }

void Json::space() {
  while (at_ < text_.size()) {
    const char c = text_[at_];
    if (c != ' ' && c != '\t' && c != '\n' && c != '\r') break;
    ++at_;
  }
}

void Json::expect(char c) {
  space();
  if (next() != c || at_ >= text_.size()) fail();
  ++at_;
  space();
}

bool Json::take(char c) {
  if (at_ >= text_.size() || text_[at_] != c) return false;
  ++at_;
  return true;
}

void Json::enter(char open) {
  expect(open);
  if (++depth_ > max_depth) fail();
}

bool Json::leave_if(char close) {
  space();
  return take(close);
}

bool Json::more(char close) {
  space();
  if (take(close)) return false;
  expect(',');
  return true;
}

Json::Kind Json::peek() {
  space();
  if (at_ >= text_.size()) fail();
  switch (text_[at_]) {
    case '{':
      return Kind::object;
    case '[':
      return Kind::array;
    case '"':
      return Kind::string;
    case 't':
    case 'f':
      return Kind::boolean;
    case 'n':
      return Kind::null;
    default:
      return Kind::number;
  }
}

void Json::word(std::string_view word) {
  if (text_.substr(at_, word.size()) != word) fail();
  at_ += word.size();
}

bool Json::boolean() {
  if (peek() != Kind::boolean) fail();
  const bool value = text_[at_] == 't';
  word(value ? "true" : "false");
  return value;
}

void Json::null() {
  if (peek() != Kind::null) fail();
  word("null");
}

bool Json::digits() {
  const std::size_t start = at_;
  while (next() >= '0' && next() <= '9') ++at_;
  return at_ > start;
}

namespace {

// Whether a number that no double can hold is too large; otherwise it is too close to 0.
bool huge(std::string_view text) {
  long exponent = 0;
  if (const auto e = text.find_first_of("eE"); e != text.npos) {
    const bool negative = text[e + 1] == '-';
    for (const char c : text.substr(e + 1)) {
      if (c >= '0' && c <= '9' && exponent < 1'000'000'000) exponent = 10 * exponent + (c - '0');
    }
    if (negative) exponent = -exponent;
    text = text.substr(0, e);
  }
  // The place of the first digit that is not 0, before or behind the point.
  const auto point = static_cast<long>(std::min(text.find('.'), text.size()));
  const auto first = static_cast<long>(std::min(text.find_first_of("123456789"), text.size()));
  return point - first + exponent > 0;
}

}  // namespace

Json::Number Json::scan_number() {
  space();
  const std::size_t start = at_;
  take('-');
  if (!take('0') && !digits()) fail();
  bool whole = true;
  if (take('.')) {
    whole = false;
    if (!digits()) fail();
  }
  if (take('e') || take('E')) {
    whole = false;
    if (!take('+')) take('-');
    if (!digits()) fail();
  }
  double value = 0;
  const char* end = text_.data() + at_;
  const auto result = std::from_chars(text_.data() + start, end, value);
  if (result.ec == std::errc::result_out_of_range) {
    // Too small counts as 0; too large is what the caller has to refuse as not finite.
    value = huge(text_.substr(start, at_ - start)) ? HUGE_VAL : 0;
  } else if (result.ec != std::errc{} || result.ptr != end) {
    fail();
  }
  return {value, whole && std::abs(value) <= 9007199254740992.0};
}

Json::Number Json::number() {
  if (peek() != Kind::number) fail();
  return scan_number();
}

// The length of the valid UTF-8 character that comes next; 0 if it is none (Unicode 15, table 3-7).
std::size_t Json::character() const {
  const auto byte = [&](std::size_t i) -> unsigned {
    return at_ + i < text_.size() ? static_cast<unsigned char>(text_[at_ + i]) : 0;
  };
  const auto tail = [&](std::size_t i) { return (byte(i) & 0xc0) == 0x80; };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first <= 0xdf) return tail(1) ? 2 : 0;
  if ((first & 0xf0) == 0xe0) {
    const unsigned second = byte(1);
    const bool sound = (first != 0xe0 || second >= 0xa0) && (first != 0xed || second < 0xa0);
    return sound && tail(1) && tail(2) ? 3 : 0;
  }
  if (first >= 0xf0 && first <= 0xf4) {
    const unsigned second = byte(1);
    const bool sound = (first != 0xf0 || second >= 0x90) && (first != 0xf4 || second < 0x90);
    return sound && tail(1) && tail(2) && tail(3) ? 4 : 0;
  }
  return 0;
}

std::uint32_t Json::hex() {
  std::uint32_t value = 0;
  for (int i = 0; i < 4; ++i) {
    const char c = next();
    value <<= 4;
    if (c >= '0' && c <= '9') {
      value += static_cast<std::uint32_t>(c - '0');
    } else if ((c | 32) >= 'a' && (c | 32) <= 'f') {
      value += static_cast<std::uint32_t>((c | 32) - 'a' + 10);
    } else {
      fail();
    }
    ++at_;
  }
  return value;
}

void Json::escape(std::string* out) {
  static constexpr std::string_view names = "\"\\/bfnrt", values = "\"\\/\b\f\n\r\t";
  const char c = next();
  if (at_ >= text_.size()) fail();
  ++at_;
  if (const auto i = names.find(c); i != names.npos) {
    if (out) *out += values[i];
    return;
  }
  if (c != 'u') fail();
  std::uint32_t code = hex();
  if (code >= 0xd800 && code < 0xdc00) {
    if (!take('\\') || !take('u')) fail();
    const std::uint32_t low = hex();
    if (low < 0xdc00 || low > 0xdfff) fail();
    code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
  } else if (code >= 0xdc00 && code < 0xe000) {
    fail();
  }
  if (!out) return;
  const auto put = [&](std::uint32_t byte) { *out += static_cast<char>(byte); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xc0 | code >> 6);
    put(0x80 | (code & 63));
  } else if (code < 0x10000) {
    put(0xe0 | code >> 12);
    put(0x80 | (code >> 6 & 63));
    put(0x80 | (code & 63));
  } else {
    put(0xf0 | code >> 18);
    put(0x80 | (code >> 12 & 63));
    put(0x80 | (code >> 6 & 63));
    put(0x80 | (code & 63));
  }
}

void Json::string(std::string* out) {
  space();
  if (!take('"')) fail();
  while (!take('"')) {
    if (take('\\')) {
      escape(out);
      continue;
    }
    const std::size_t length = character();
    if (at_ >= text_.size() || length == 0 || static_cast<unsigned char>(next()) < 0x20) fail();
    if (out) out->append(text_.substr(at_, length));
    at_ += length;
  }
}

std::string Json::string() {
  std::string out;
  string(&out);
  return out;
}

void Json::skip() {
  switch (peek()) {
    case Kind::object:
      enter('{');
      if (!leave_if('}')) {
        do {
          string(nullptr);
          expect(':');
          skip();
        } while (more('}'));
      }
      --depth_;
      return;
    case Kind::array:
      array([&] { skip(); });
      return;
    case Kind::string:
      string(nullptr);
      return;
    case Kind::boolean:
      boolean();
      return;
    case Kind::null:
      null();
      return;
    case Kind::number:
      number();
      return;
  }
}

void Json::end() {
  space();
  if (at_ != text_.size()) fail();
}

}  // namespace fxkit::engine
