// TnefScan: the files in an envelope of TNEF (winmail.dat; MS-OXTNEF), as it streams past.
//
// An own reader. Debian's libytnef (2.0) reads an envelope whole, allocates by lengths that the envelope claims, keeps
// every property, and has had heap overflows in most of its releases; here nothing is kept but names and places. A file
// is a range of the envelope, so that nothing is copied. Iterative and linear: attributes follow each other, and
// properties within one are stepped over by their lengths.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::mime {

// What is no file but the text of the mail, and in which form.
// Wide: in UTF-16, little-endian.
enum class TnefBody : std::uint8_t { none, text, wide_text, html, wide_html, rtf };

struct TnefFile {
  std::uint64_t begin = 0;  // in the envelope
  std::uint64_t end = 0;
  std::vector<std::string> names;  // UTF-8, as told: title, long name, short name
  bool is_message = false;         // an envelope of its own within this one
  TnefBody body = TnefBody::none;  // RTF is compressed
};

class TnefScan {
 public:
  void feed(std::string_view octets);
  void end();

  // True when the envelope is not one, or its lengths do not fit into each other.
  bool is_broken() const { return is_broken_; }
  const std::vector<TnefFile>& files() const { return files_; }

 private:
  // What the octets that are being collected are.
  enum class Step : std::uint8_t {
    signature,
    attribute,  // level, id, length
    title,      // the value of attAttachTitle
    count,      // of properties
    property,   // type and id
    named,      // of a named property: its set and kind
    values,     // how many
    length,     // of one value
    text,       // a value that is kept
  };

  void expect(Step step, std::uint64_t octets);
  void pass_over(std::uint64_t octets, Step then, std::uint64_t expected);
  void take_collected();
  void begin_attribute();
  void end_attribute();
  void next_property();
  void begin_property();
  void begin_values();
  void next_value();
  void begin_value();
  void begin_file();
  void finish_file();
  void add_body(std::uint64_t begin, std::uint64_t end, TnefBody body);
  void add_name(std::string_view octets, bool is_utf16);
  void give_up();

  std::uint64_t offset_ = 0;  // of the next octet
  std::uint64_t skip_ = 0;    // octets to be passed over first
  Step step_ = Step::signature;
  std::size_t expected_ = 6;
  std::string collected_;
  bool is_broken_ = false;

  std::uint64_t value_end_ = 0;  // of the attribute that is being read
  std::uint32_t properties_left_ = 0;
  std::uint32_t values_left_ = 0;
  std::uint16_t type_ = 0;  // of the property
  std::uint16_t id_ = 0;
  std::uint64_t length_ = 0;

  bool has_file_ = false;
  TnefFile file_;
  std::vector<TnefFile> files_;
};

}  // namespace sallyport::mime
