#include "gateway/mime/tnef.h"

#include <algorithm>
#include <utility>

#include "gateway/base/charset.h"
#include "gateway/mime/limits.h"
#include "gateway/mime/mismatch.h"

namespace sallyport::mime {

namespace {

constexpr std::uint32_t tnef_signature = 0x223e9f78;
constexpr std::size_t most_files = 200;

// Attributes.
constexpr std::uint32_t attachment_begins = 0x00069002;
constexpr std::uint32_t attachment_title = 0x00018010;
constexpr std::uint32_t attachment_data = 0x0006800f;
constexpr std::uint32_t attachment_properties = 0x00069005;
constexpr std::uint32_t message_properties = 0x00069003;
constexpr std::uint32_t message_body = 0x0002800c;

// Properties.
constexpr std::uint16_t body_text = 0x1000;
constexpr std::uint16_t body_rtf = 0x1009;
constexpr std::uint16_t body_html = 0x1013;
constexpr std::uint16_t display_name = 0x3001;
constexpr std::uint16_t attach_data = 0x3701;
constexpr std::uint16_t attach_name = 0x3704;
constexpr std::uint16_t attach_long_name = 0x3707;
constexpr std::uint16_t first_named = 0x8000;

// Types of properties.
constexpr std::uint16_t object = 0x0d;
constexpr std::uint16_t string_8 = 0x1e;
constexpr std::uint16_t string_16 = 0x1f;
constexpr std::uint16_t binary = 0x102;
constexpr std::uint16_t multiple = 0x1000;

std::uint32_t number(std::string_view octets, std::size_t at, std::size_t count) {
  std::uint32_t value = 0;
  for (std::size_t i = count; i-- > 0;) value = value << 8 | static_cast<unsigned char>(octets[at + i]);
  return value;
}

std::uint64_t padded(std::uint64_t length) { return (length + 3) / 4 * 4; }

bool is_variable(std::uint16_t type) {
  return type == object || type == string_8 || type == string_16 || type == binary;
}

// Octets of a value of a type of fixed size, padded.
std::uint64_t fixed_size(std::uint16_t type) {
  switch (type) {
    case 0x01:  // null
      return 0;
    case 0x05:  // double
    case 0x06:  // currency
    case 0x07:  // time
    case 0x14:  // integer of 64 bits
    case 0x40:  // system time
      return 8;
    case 0x48:  // GUID
      return 16;
    default:
      return 4;
  }
}

bool is_name(std::uint16_t id) { return id == display_name || id == attach_name || id == attach_long_name; }

}  // namespace

void TnefScan::feed(std::string_view octets) {
  while (!octets.empty() && !is_broken_) {
    if (skip_ > 0) {
      const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(skip_, octets.size()));
      skip_ -= count;
      offset_ += count;
      octets.remove_prefix(count);
      continue;
    }
    const std::size_t count = std::min(expected_ - collected_.size(), octets.size());
    collected_ += octets.substr(0, count);
    offset_ += count;
    octets.remove_prefix(count);
    // A step may expect nothing and be over at once; each of them moves on, so this ends.
    while (collected_.size() == expected_ && skip_ == 0 && !is_broken_) take_collected();
  }
}

void TnefScan::end() {
  // Some writers pad the envelope.
  const bool is_padding = collected_.find_first_not_of('\0') == std::string::npos;
  if (step_ != Step::attribute || !is_padding || skip_ > 2) is_broken_ = true;
  finish_file();
}

void TnefScan::give_up() { is_broken_ = true; }

void TnefScan::expect(Step step, std::uint64_t octets) {
  step_ = step;
  expected_ = static_cast<std::size_t>(octets);
  collected_.clear();
}

void TnefScan::pass_over(std::uint64_t octets, Step then, std::uint64_t expected) {
  skip_ = octets;
  expect(then, expected);
}

void TnefScan::take_collected() {
  switch (step_) {
    case Step::signature:
      if (number(collected_, 0, 4) != tnef_signature) return give_up();
      return expect(Step::attribute, 9);
    case Step::attribute:
      return begin_attribute();
    case Step::title:
      add_name(collected_, false);
      return end_attribute();
    case Step::count:
      properties_left_ = number(collected_, 0, 4);
      return next_property();
    case Step::property:
      return begin_property();
    case Step::named:
      if (number(collected_, 16, 4) == 0) return begin_values();  // an id, which was collected as well
      length_ = number(collected_, 20, 4);
      if (offset_ + padded(length_) > value_end_) return give_up();
      skip_ = padded(length_);
      return begin_values();
    case Step::values:
      values_left_ = number(collected_, 0, 4);
      return next_value();
    case Step::length:
      length_ = number(collected_, 0, 4);
      return begin_value();
    case Step::text:
      add_name(std::string_view(collected_)
                   .substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(length_, collected_.size()))),
               type_ == string_16);
      return next_value();
  }
}

void TnefScan::begin_attribute() {
  const std::uint32_t id = number(collected_, 1, 4);
  const std::uint64_t length = number(collected_, 5, 4);
  value_end_ = offset_ + length;
  switch (id) {
    case attachment_begins:
      begin_file();
      break;
    case attachment_title:
      if (length > 0 && length <= max_name_octets) return expect(Step::title, length);
      break;
    case attachment_data:
      file_.begin = offset_;
      file_.end = value_end_;
      break;
    case message_body:
      add_body(offset_, value_end_, TnefBody::text);
      break;
    case attachment_properties:
    case message_properties:
      if (length >= 4) return expect(Step::count, 4);
      break;
    default:
      break;
  }
  end_attribute();
}

// Passes over what is left of the attribute, and its checksum, which proves nothing.
void TnefScan::end_attribute() {
  if (offset_ > value_end_) return give_up();
  pass_over(value_end_ - offset_ + 2, Step::attribute, 9);
}

void TnefScan::next_property() {
  if (properties_left_ == 0) return end_attribute();
  --properties_left_;
  if (offset_ + skip_ + 4 > value_end_) return give_up();
  expect(Step::property, 4);
}

void TnefScan::begin_property() {
  type_ = static_cast<std::uint16_t>(number(collected_, 0, 2));
  id_ = static_cast<std::uint16_t>(number(collected_, 2, 2));
  if (id_ < first_named) return begin_values();
  if (offset_ + 24 > value_end_) return give_up();
  expect(Step::named, 24);
}

void TnefScan::begin_values() {
  const std::uint16_t type = type_ & static_cast<std::uint16_t>(~multiple);
  if ((type_ & multiple) != 0 || is_variable(type)) {
    if (offset_ + skip_ + 4 > value_end_) return give_up();
    return expect(Step::values, 4);
  }
  skip_ += fixed_size(type);
  if (offset_ + skip_ > value_end_) return give_up();
  next_property();
}

void TnefScan::next_value() {
  const std::uint16_t type = type_ & static_cast<std::uint16_t>(~multiple);
  if (!is_variable(type)) {
    skip_ += fixed_size(type) * values_left_;
    if (offset_ + skip_ > value_end_) return give_up();
    values_left_ = 0;
  }
  if (values_left_ == 0) return next_property();
  --values_left_;
  if (offset_ + skip_ + 4 > value_end_) return give_up();
  expect(Step::length, 4);
}

void TnefScan::begin_value() {
  if (offset_ + length_ > value_end_) return give_up();
  // The last value may lack its padding.
  const std::uint64_t whole = std::min(padded(length_), value_end_ - offset_);
  const std::uint16_t type = type_ & static_cast<std::uint16_t>(~multiple);
  if (is_name(id_) && (type == string_8 || type == string_16) && whole <= 2 * max_name_octets && has_file_) {
    return expect(Step::text, whole);
  }
  if (id_ == attach_data && has_file_ && type == binary) {
    file_.begin = offset_;
    file_.end = offset_ + length_;
  } else if (id_ == attach_data && has_file_ && type == object && length_ > 16) {
    file_.begin = offset_ + 16;  // behind the interface's id
    file_.end = offset_ + length_;
    file_.is_message = true;
  } else if (id_ == body_html && (type == binary || type == string_8)) {
    add_body(offset_, offset_ + length_, TnefBody::html);
  } else if (id_ == body_html && type == string_16) {
    add_body(offset_, offset_ + length_, TnefBody::wide_html);
  } else if (id_ == body_rtf && type == binary) {
    add_body(offset_, offset_ + length_, TnefBody::rtf);
  } else if (id_ == body_text && type == string_8) {
    add_body(offset_, offset_ + length_, TnefBody::text);
  } else if (id_ == body_text && type == string_16) {
    add_body(offset_, offset_ + length_, TnefBody::wide_text);
  }
  skip_ = whole;
  next_value();
}

void TnefScan::begin_file() {
  finish_file();
  has_file_ = true;
}

void TnefScan::finish_file() {
  if (has_file_ && (file_.end > file_.begin || !file_.names.empty()) && files_.size() < most_files)
    files_.push_back(std::move(file_));
  if (files_.size() == most_files) is_broken_ = true;
  file_ = {};
  has_file_ = false;
}

void TnefScan::add_body(std::uint64_t begin, std::uint64_t end, TnefBody body) {
  if (has_file_ || begin == end || files_.size() >= most_files) return;
  TnefFile added;
  added.begin = begin;
  added.end = end;
  added.body = body;
  files_.push_back(std::move(added));
}

void TnefScan::add_name(std::string_view octets, bool is_utf16) {
  std::string name;
  if (is_utf16) {
    auto converted = to_utf8(octets, "UTF-16LE", 4 * octets.size());
    if (converted) name = std::move(converted->utf8);
  } else {
    name = to_name_text(octets);
  }
  while (!name.empty() && name.back() == '\0') name.pop_back();
  if (name.size() > max_name_octets) name.resize(max_name_octets);
  const bool is_new = std::find(file_.names.begin(), file_.names.end(), name) == file_.names.end();
  if (!name.empty() && is_new && file_.names.size() < max_names) file_.names.push_back(std::move(name));
}

}  // namespace sallyport::mime
