#include "gateway/mime/content_fields.h"

#include <algorithm>
#include <array>
#include <utility>

#include "gateway/base/text.h"
#include "gateway/mail/encoded_words.h"
#include "gateway/mail/header.h"
#include "gateway/mime/limits.h"

namespace sallyport::mime {

namespace {

constexpr std::size_t max_subject = 998;
constexpr std::size_t max_charsets = 4;  // that one part declares
constexpr std::size_t max_charset_octets = 64;

constexpr std::string_view type_keys[] = {"boundary", "name", "filename", "charset", "smime-type"};
constexpr std::string_view disposition_keys[] = {"filename", "name"};

// Readers drop white space and controls around a name.
std::string_view trim_name(std::string_view name) {
  const auto is_dropped = [](char c) { return text::is_control(c) || c == ' '; };
  while (!name.empty() && is_dropped(name.front())) name.remove_prefix(1);
  while (!name.empty() && is_dropped(name.back())) name.remove_suffix(1);
  return name;
}

bool has_field_name(std::string_view name) {
  return std::all_of(name.begin(), name.end(), [](char c) { return text::is_printable(c) && c != ' '; });
}

// Comments, quotes, escapes and encoded words undone; in lower case.
std::string to_label(std::string_view value) {
  std::string label = without_comments(mail::unfold(value));
  if (label.find("=?") != std::string::npos) label = mail::decode_words(label);
  std::erase_if(label, [](char c) { return c == '\\' || c == '"'; });
  return text::to_lower(trim_name(label));
}

// Of a media type: white space around the slash is left out, and what stands behind more of it.
std::string to_type(std::string_view value) {
  const std::string label = to_label(value);
  std::string type;
  for (std::size_t i = 0; i < label.size(); ++i) {
    if (!text::is_space(label[i])) {
      type += label[i];
      continue;
    }
    const std::size_t next = label.find_first_not_of(" \t", i);
    const bool is_at_slash = type.ends_with('/') || (next != std::string::npos && label[next] == '/');
    if (!is_at_slash) break;
  }
  return type;
}

template <class T>
void add_once(std::vector<T>& all, T one) {
  if (std::find(all.begin(), all.end(), one) == all.end()) all.push_back(std::move(one));
}

struct CodingWord {
  std::string_view word;
  Coding coding;
};

constexpr CodingWord coding_words[] = {
    {"7bit", Coding::identity},
    {"8bit", Coding::identity},
    {"binary", Coding::identity},
    {"7-bit", Coding::identity},
    {"8-bit", Coding::identity},
    {"base64", Coding::base64},
    {"quoted-printable", Coding::quoted_printable},
    {"uuencode", Coding::uuencode},
    {"x-uuencode", Coding::uuencode},
    {"uue", Coding::uuencode},
    {"x-uue", Coding::uuencode},
    {"x-uu", Coding::uuencode},
    {"uu", Coding::uuencode},
    {"x-yencode", Coding::yenc},
    {"yenc", Coding::yenc},
    {"x-yenc", Coding::yenc},
    {"binhex", Coding::binhex},
    {"mac-binhex40", Coding::binhex},
    {"x-binhex", Coding::binhex},
    {"binhex40", Coding::binhex},
    {"binhex4", Coding::binhex},
};

// Pieces of words by which a value is recognized that is none of them.
constexpr CodingWord coding_pieces[] = {
    {"base64", Coding::base64},
    {"gzip64", Coding::base64},
    {"64", Coding::base64},
    {"quoted", Coding::quoted_printable},
    {"printab", Coding::quoted_printable},
    {"qp", Coding::quoted_printable},
    {"uue", Coding::uuencode},
    {"x-uu", Coding::uuencode},
    {"yenc", Coding::yenc},
    {"binhex", Coding::binhex},
    {"bit", Coding::identity},  // "8 bit", "7bits"
};

bool has_type_form(std::string_view type) {
  const std::size_t slash = type.find('/');
  return slash != std::string_view::npos && slash > 0 && slash + 1 < type.size();
}

bool looks_like_file_name(std::string_view text) {
  const std::size_t dot = text.rfind('.');
  if (dot == std::string_view::npos || dot == 0 || text.size() > 255) return false;
  const std::string_view extension = text.substr(dot + 1);
  return !extension.empty() && extension.size() <= 10 &&
         std::all_of(extension.begin(), extension.end(), [](char c) { return text::is_alnum(c) || c == '_'; });
}

bool is_of_program(const Name& name) {
  const std::vector<std::string> extensions = extensions_of({name});
  return std::any_of(extensions.begin(), extensions.end(), is_executable_extension);
}

// Puts together what the kept fields of a section say.
class FieldsBuilder {
 public:
  explicit FieldsBuilder(ContentFields& out) : out_(out) {}

  void type(const std::string& value, bool is_hidden) {
    ParameterField read = read_parameters(value, type_keys);
    out_.oddities.add(read.oddities);
    out_.is_over_limit |= read.is_over_limit;
    std::string type = to_type(read.value);
    if (!is_hidden) {
      ++type_fields_;
      add_once(types_, type);
    }
    if (has_type_form(type)) {
      add_once(out_.types, std::move(type));
    } else {
      out_.oddities.add(Oddity::malformed_field);
    }
    add_names(read.parameters, "name", NameSource::type, other_names_);
    add_names(read.parameters, "filename", NameSource::type, other_names_);
    std::move(read.parameters.begin(), read.parameters.end(), std::back_inserter(type_parameters_));
  }

  void disposition(const std::string& value) {
    ParameterField read = read_parameters(value, disposition_keys);
    out_.oddities.add(read.oddities);
    out_.is_over_limit |= read.is_over_limit;
    out_.is_attachment |= to_label(read.value).starts_with("attachment");
    add_names(read.parameters, "filename", NameSource::disposition, first_names_);
    add_names(read.parameters, "name", NameSource::disposition, first_names_);
    std::copy_if(read.parameters.begin(), read.parameters.end(), std::back_inserter(pieces_),
                 [](const Parameter& one) { return one.section.has_value(); });
  }

  void encoding(const std::string& value, bool is_hidden) {
    bool is_unknown = false;
    const std::vector<Coding> codings = read_codings(value, is_unknown);
    if (is_unknown) out_.oddities.add(Oddity::unknown_encoding);
    if (!is_hidden) ++encoding_fields_;
    for (Coding coding : codings) {
      add_once(out_.codings, coding);
      if (!is_hidden) add_once(codings_, coding);
    }
  }

  void description(const std::string& value) {
    std::string text = mail::decode_words(value);
    if (looks_like_file_name(text)) other_names_.push_back({std::move(text), NameSource::description});
  }

  void location(const std::string& value) {
    const std::string text = mail::decode_words(value);
    const std::string_view path = std::string_view(text).substr(0, text.find_first_of("?#"));
    const std::string_view last = path.substr(path.find_last_of("/\\") + 1);
    if (looks_like_file_name(last)) other_names_.push_back({std::string(last), NameSource::location});
  }

  void version(const std::string& value) { add_once(versions_, to_label(value)); }

  void subject(std::string_view value) {
    if (out_.subject.empty()) out_.subject = mail::decode_words(value.substr(0, max_subject));
  }

  void finish() {
    finish_names();
    finish_boundaries();
    Oddities ignored;
    for (const std::string& charset : values_of(type_parameters_, "charset", ignored)) {
      if (out_.charsets.size() < max_charsets)
        add_once(out_.charsets, text::to_lower(trim_name(charset)).substr(0, max_charset_octets));
    }
    if (auto values = values_of(type_parameters_, "delsp", ignored); !values.empty())
      out_.joins_lines = text::equals_ignoring_case(values.front(), "yes");
    if (auto types = values_of(type_parameters_, "smime-type", ignored); !types.empty())
      out_.smime_type = text::to_lower(types.front());
    if (types_.size() > 1) out_.oddities.add(Oddity::conflicting_type);
    if (codings_.size() > 1) out_.oddities.add(Oddity::conflicting_encoding);
    if (versions_.size() > 1) out_.oddities.add(Oddity::conflicting_version);
    if (type_fields_ > 1 || encoding_fields_ > 1) out_.oddities.add(Oddity::duplicate_field);
    if (out_.names.size() > 1) out_.oddities.add(Oddity::conflicting_name);
  }

 private:
  void add_names(const std::vector<Parameter>& parameters, std::string_view key, NameSource source,
                 std::vector<Name>& to) {
    for (std::string& name : values_of(parameters, key, out_.oddities)) to.push_back({std::move(name), source});
  }

  void add_name(Name name) {
    const auto is_same = [&name](const Name& one) { return one.text == name.text; };
    if (name.text.empty() || std::any_of(out_.names.begin(), out_.names.end(), is_same)) return;
    if (out_.names.size() < max_names) {
      out_.names.push_back(std::move(name));
    } else if (is_of_program(name) && !is_of_program(out_.names.back())) {
      // Of more names than are kept, those matter that would run.
      out_.names.back() = std::move(name);
    }
  }

  // What the disposition says is the name to most readers, so it comes first.
  void finish_names() {
    for (Name& name : first_names_) add_name(std::move(name));
    for (Name& name : other_names_) add_name(std::move(name));
    // Pieces of one name may stand in different fields.
    if (type_fields_ <= 1 && pieces_.empty()) return;
    for (const Parameter& one : type_parameters_) {
      if (one.section && (one.key == "name" || one.key == "filename")) pieces_.push_back(one);
    }
    for (Parameter& one : pieces_) one.key = "filename";
    Oddities ignored;
    for (std::string& name : values_of(pieces_, "filename", ignored))
      add_name({std::move(name), NameSource::disposition});
  }

  void finish_boundaries() {
    for (std::string& boundary : values_of(type_parameters_, "boundary", out_.oddities)) {
      if (boundary.size() <= max_boundary_octets && out_.boundaries.size() < max_boundaries) {
        add_once(out_.boundaries, std::move(boundary));
      } else {
        out_.oddities.add(Oddity::bad_boundary);
      }
    }
    std::vector<std::string> plain;
    for (const Parameter& one : type_parameters_) {
      if (one.key == "boundary" && !one.is_found && !one.section && !one.is_extended) add_once(plain, one.value);
    }
    if (plain.size() > 1) out_.oddities.add(Oddity::conflicting_boundary);
  }

  ContentFields& out_;
  std::vector<Parameter> type_parameters_;
  std::vector<Parameter> pieces_;  // of names, of all fields
  std::vector<Name> first_names_;
  std::vector<Name> other_names_;
  // What fields that are none but to some readers say is left out here.
  std::vector<std::string> types_;
  std::vector<Coding> codings_;
  std::vector<std::string> versions_;
  std::size_t type_fields_ = 0;
  std::size_t encoding_fields_ = 0;
};

}  // namespace

bool is_field_like(std::string_view line) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || colon == 0 || colon > 76) return false;
  std::string_view name = line.substr(0, colon);
  while (text::is_space(name.back())) {
    name.remove_suffix(1);
    if (name.empty()) return false;
  }
  return std::all_of(name.begin(), name.end(), [](char c) { return text::is_alnum(c) || c == '-' || c == '_'; });
}

bool is_content_field(std::string_view line) {
  return text::starts_with_ignoring_case(line, "content-") && is_field_like(line);
}

std::vector<Coding> read_codings(std::string_view value, bool& is_unknown) {
  std::vector<Coding> codings;
  std::string label = to_label(value);
  std::size_t words = 0;
  for (std::string_view rest = label; !rest.empty();) {
    const std::size_t begin = std::min(rest.find_first_not_of(" ,;\t"), rest.size());
    const std::size_t end = std::min(rest.find_first_of(" ,;\t", begin), rest.size());
    const std::string_view word = rest.substr(begin, end - begin);
    rest.remove_prefix(end);
    if (word.empty()) continue;
    if (++words > 16) {
      is_unknown = true;
      break;
    }
    const auto known = std::find_if(std::begin(coding_words), std::end(coding_words),
                                    [word](const CodingWord& one) { return one.word == word; });
    if (known != std::end(coding_words)) {
      add_once(codings, known->coding);
      continue;
    }
    is_unknown = true;
    for (const CodingWord& piece : coding_pieces) {
      if (word.find(piece.word) != std::string_view::npos) add_once(codings, piece.coding);
    }
  }
  if (words == 0) is_unknown = true;
  return codings;
}

HeaderReader::Kind HeaderReader::kind_of(std::string_view name) {
  constexpr std::pair<std::string_view, Kind> names[] = {
      {"content-type", Kind::type},
      {"content-transfer-encoding", Kind::encoding},
      {"content-disposition", Kind::disposition},
      {"content-description", Kind::description},
      {"content-location", Kind::location},
      {"mime-version", Kind::version},
      {"subject", Kind::subject},
  };
  for (const auto& [known, kind] : names) {
    if (text::equals_ignoring_case(name, known)) return kind;
  }
  return Kind::other;
}

void HeaderReader::begin_field(std::string_view line, std::size_t colon) {
  const std::string_view written = line.substr(0, colon);
  const std::string_view name = trim_name(written);
  if (name.size() != written.size()) {
    const bool only_spaces =
        written.find_last_not_of(" \t") + 1 == static_cast<std::size_t>(name.data() + name.size() - written.data());
    oddities_.add(only_spaces && name.data() == written.data() ? Oddity::malformed_line : Oddity::control_in_name);
  }
  const Kind kind = kind_of(name);
  keeps_ = kind != Kind::other;
  if (keeps_) kept_.push_back({kind, false, std::string(line.substr(colon + 1))});
}

// Fields about the content that stand in a continuation, or behind a bare CR, are fields to some readers.
void HeaderReader::look_for_hidden(std::string_view line) {
  const std::string_view text = line.substr(std::min(line.find_first_not_of(" \t\r\v\f"), line.size()));
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos || !text::starts_with_ignoring_case(text, "content-")) return;
  const Kind kind = kind_of(trim_name(text.substr(0, colon)));
  if (kind == Kind::other || kept_.size() >= max_part_fields) return;
  octets_ += text.size();
  // In front of the field that its line continues, so that further lines belong to that one.
  Field hidden{kind, true, std::string(text.substr(colon + 1))};
  kept_.insert(keeps_ ? kept_.end() - 1 : kept_.end(), std::move(hidden));
}

HeaderReader::Line HeaderReader::take(std::string_view line) {
  if (is_over_limit_) return Line::field;
  if (std::any_of(line.begin(), line.end(), [](char c) { return c == '\0'; })) oddities_.add(Oddity::nul);
  if (const std::size_t cr = line.find('\r'); cr != std::string_view::npos) {
    oddities_.add(Oddity::bare_cr);
    look_for_hidden(line.substr(cr + 1));
  }
  const bool is_white = line.find_first_not_of(" \t") == std::string_view::npos;
  if (is_white) oddities_.add(Oddity::malformed_line);
  if (text::is_space(line.front())) {
    if (keeps_) {
      kept_.back().value += "\r\n";
      kept_.back().value += line;
      octets_ += line.size();
    }
    look_for_hidden(line);
    if (fields_ == 0) oddities_.add(Oddity::malformed_line);
  } else {
    ++fields_;
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) {
      keeps_ = false;
      oddities_.add(Oddity::malformed_line);
      return Line::malformed;
    }
    begin_field(line, colon);
    if (keeps_) octets_ += line.size();
    // A name with other octets than RFC 5322 allows (3.6.8) makes a field to some readers, and none to others.
    if (!has_field_name(line.substr(0, colon))) {
      oddities_.add(Oddity::malformed_line);
      is_over_limit_ |= fields_ > max_part_fields || octets_ > max_part_header_octets;
      return Line::malformed;
    }
  }
  is_over_limit_ |= fields_ > max_part_fields || octets_ > max_part_header_octets;
  return is_white ? Line::white : text::is_space(line.front()) && fields_ == 0 ? Line::malformed : Line::field;
}

ContentFields HeaderReader::finish() {
  ContentFields fields;
  fields.fields = fields_;
  fields.oddities = oddities_;
  // Hidden fields count after all others.
  std::stable_sort(kept_.begin(), kept_.end(),
                   [](const Field& a, const Field& b) { return a.is_hidden < b.is_hidden; });
  FieldsBuilder builder(fields);
  for (const Field& field : kept_) {
    switch (field.kind) {
      case Kind::type:
        builder.type(field.value, field.is_hidden);
        break;
      case Kind::disposition:
        builder.disposition(field.value);
        break;
      case Kind::encoding:
        builder.encoding(field.value, field.is_hidden);
        break;
      case Kind::description:
        builder.description(field.value);
        break;
      case Kind::location:
        builder.location(field.value);
        break;
      case Kind::version:
        if (!field.is_hidden) builder.version(field.value);
        break;
      case Kind::subject:
        builder.subject(field.value);
        break;
      case Kind::other:
        break;
    }
  }
  builder.finish();
  return fields;
}

}  // namespace sallyport::mime
