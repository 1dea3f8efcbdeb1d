#include "tests/unit/session/random_session.h"

#include <algorithm>
#include <array>
#include <random>

#include "tests/unit/smtp/content_model.h"

namespace sallyport::session {

namespace {

using Kind = Step::Kind;

constexpr std::size_t most_steps = 40;

class Source {
 public:
  explicit Source(std::string_view octets) : octets_(octets) {}

  bool is_empty() const { return at_ >= octets_.size(); }
  // 0 when there is none left.
  unsigned next() { return is_empty() ? 0 : static_cast<unsigned char>(octets_[at_++]); }
  unsigned below(std::size_t count) { return next() % static_cast<unsigned>(count); }
  // Half of the time the first of its kind, which is well.
  std::uint8_t choose(std::size_t count) {
    unsigned octet = next();
    return static_cast<std::uint8_t>(octet < 128 ? 0 : octet % count);
  }

 private:
  std::string_view octets_;
  std::size_t at_ = 0;
};

Setting make_setting(Source& source) {
  Setting setting;
  unsigned a = source.next();
  unsigned b = source.next();
  unsigned c = source.next();
  setting.rejects_bare = a & 1;
  setting.starttls = a & 2;
  setting.chunking_upstream = a & 4;
  setting.pipelining_upstream = !(a & 8);
  setting.sized_upstream = a & 16;
  setting.has_policy = a & 32;
  setting.watches = a & 64;
  setting.spools = a & 128;
  setting.full_upstream = (b & 3) != 0;
  setting.requires_tls = setting.starttls && (b & 28) == 4;
  setting.handshakes = setting.starttls && (c & 128);
  if ((b & 224) == 32) setting.at_connect = Plan::accept;
  if ((b & 224) == 64 && (c & 3) == 0) setting.at_connect = (c & 4) ? Plan::reject : Plan::drop;
  if ((b & 224) == 96 && (c & 3) == 0) setting.at_connect = Plan::tempfail;
  if ((c & 24) == 8) setting.errors = 3;
  if ((c & 96) == 32) setting.junk = 2;
  return setting;
}

// What content is made of: line ends of all sorts, dots, what looks like an end and is none, and much of one thing.
const std::vector<std::string>& pieces() {
  static const std::vector<std::string> table{
      "x",
      "\r\n",
      "\n",
      "\r",
      ".",
      "\r\n.",
      "\r\n.\r",
      "\r\n.\n",
      "\n.\r\n",
      "\n.\n",
      "\r.\r",
      std::string(1, '\0'),
      "\x80",
      "two words",
      ": ",
      "MAIL FROM:<eve@evil.example>\r\nRCPT TO:<bob@example.com>\r\nDATA\r\n",
      "QUIT\r\n",
      std::string(120, 'y'),
      std::string(250, 'l'),
      std::string(150, 'a') + "\r\n" + std::string(150, 'b') + "\r\n" + std::string(150, 'c') + "\r\n",
      std::string(198, 'm') + "\r\n",
      std::string(199, 'n') + "\r\n",
  };
  return table;
}

std::string make_content(Source& source) {
  static const std::array<std::string, 5> heads{
      "Subject: x\r\n\r\n",
      "",
      "\r\n",
      std::string(forged_header) + "Subject: x\r\n\r\n",
      std::string(looping_header) + "\r\n",
  };
  std::string content = heads[source.choose(heads.size())];
  for (unsigned count = source.below(12); count > 0; --count) {
    unsigned octet = source.next();
    // Most of the time of the small ones, or hardly any content would be within its bounds.
    content += pieces()[octet < 200 ? octet % 17 : octet % pieces().size()];
  }
  return content;
}

// What would end the content early is cut off: the rest would not be content.
std::string as_data(std::string content) {
  std::string wire = content + "\r\n.\r\n";
  std::size_t end = smtp::model_data(wire, UINT64_MAX).consumed;
  if (end < wire.size()) content.resize(end >= 5 ? end - 5 : 0);
  return content;
}

void make_chunk(Step& step, Source& source, unsigned flags) {
  static const std::array<std::string, 9> odd{"5x",      "-1",    "LAST", "18446744073709551616", "0x10",
                                              "5 FIRST", "99999", "3001", "9223372036854775807"};
  step.kind = Kind::chunk;
  step.last = flags & 4;
  step.content = make_content(source);
  if ((flags & 248) == 8) step.announced = odd[source.below(odd.size())];
  if ((flags & 248) == 16) step.content = std::string(1201 + 100 * source.below(20), 'c');
  if ((flags & 248) == 24) step.content.clear();
  if ((flags & 248) == 32 && step.content.find(looping_header) == std::string::npos)
    step.content.resize(step.content.size() / 2);
  if (!step.announced.empty()) step.content.clear();
}

std::string make_junk(Source& source) {
  std::string junk;
  for (unsigned count = source.below(20); count > 0; --count) {
    char octet = static_cast<char>(source.next());
    // A line is one line, and no header field.
    junk += octet == '\r' || octet == '\n' || octet == '\0' || octet == ':' ? '?' : octet;
  }
  return junk;
}

std::vector<std::uint8_t> make_parameters(Source& source, const std::vector<Parameter>& table, bool is_bracketed) {
  std::vector<std::uint8_t> chosen;
  unsigned octet = source.next();
  for (unsigned count = octet < 160 ? 0 : octet % 4; count > 0; --count) {
    auto index = static_cast<std::uint8_t>(source.below(table.size()));
    bool is_glued = table[index].text.front() != ' ';
    if (!is_glued || (chosen.empty() && is_bracketed)) chosen.push_back(index);
  }
  return chosen;
}

Step make_step(Source& source) {
  Step step;
  unsigned kind = source.next() % 32;
  unsigned flags = source.next();
  step.is_alone = flags & 1;
  bool must_wait = false;  // for the answer, by the rules
  if (kind < 2) {
    step.kind = Kind::hello;
    step.extended = (flags & 14) != 2;
    step.index = source.choose(greetings().size());
    must_wait = true;
  } else if (kind < 8) {
    step.kind = Kind::mail;
    step.index = source.choose(senders().size());
    step.parameters = make_parameters(source, mail_parameters(), senders()[step.index].text.ends_with('>'));
    if (senders()[step.index].is_utf8 && (flags & 2)) step.parameters.push_back(9);
  } else if (kind < 15) {
    step.kind = Kind::rcpt;
    step.index = source.choose(recipients().size());
    step.parameters = make_parameters(source, rcpt_parameters(), true);
  } else if (kind < 19) {
    step.kind = Kind::data;
    step.content = as_data(make_content(source));
    step.at_once = (flags & 62) == 2;
    must_wait = true;
  } else if (kind < 23) {
    make_chunk(step, source, flags);
  } else if (kind < 27) {
    step.kind = Kind::simple;
    step.index = static_cast<std::uint8_t>(source.below(simple_lines().size()));
  } else if (kind == 27) {
    step.kind = Kind::junk;
    step.content = make_junk(source);
  } else if (kind == 28) {
    step.kind = (flags & 6) == 2 ? Kind::starttls : Kind::mail;
    must_wait = step.kind == Kind::starttls;
  } else if (kind == 29) {
    step.kind = (flags & 2) ? Kind::hang_up : Kind::come_back;
    step.last = flags & 4;
  } else if (kind == 30) {
    step.kind = Kind::wait;
    step.last = flags & 4;
  } else {
    step.kind = Kind::rcpt;
  }
  if (must_wait && (flags & 240) != 16) step.is_alone = true;
  if ((flags & 192) == 64) {
    for (unsigned count = 1 + source.below(3); count > 0; --count)
      step.cuts.push_back(static_cast<std::uint16_t>(source.next() | (count == 1 ? 0u : 256u * source.below(4))));
  }
  return step;
}

}  // namespace

Script make_script(std::string_view octets) {
  Source source(octets);
  Script script;
  script.setting = make_setting(source);
  unsigned beginning = source.next();
  script.breaks_off = (beginning & 12) == 4;
  script.resets = beginning & 16;
  if ((beginning & 3) != 0) script.steps.emplace_back().kind = Kind::hello;
  if (script.setting.handshakes && (beginning & 32)) {
    script.steps.emplace_back().kind = Kind::starttls;
    script.steps.emplace_back().kind = Kind::hello;
  }
  if ((beginning & 3) > 1) script.steps.emplace_back().kind = Kind::mail;
  if ((beginning & 3) > 2) script.steps.emplace_back().kind = Kind::rcpt;
  while (!source.is_empty() && script.steps.size() < most_steps) script.steps.push_back(make_step(source));
  return script;
}

std::string random_octets(std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::string octets(20 + random() % 140, '\0');
  for (char& octet : octets) octet = static_cast<char>(random());
  return octets;
}

Script shrink(Script script, const std::function<bool(const Script&)>& fails) {
  bool has_shrunk = true;
  auto try_without = [&](auto change) {
    Script smaller = script;
    change(smaller);
    if (!fails(smaller)) return false;
    script = std::move(smaller);
    has_shrunk = true;
    return true;
  };
  while (has_shrunk) {
    has_shrunk = false;
    for (std::size_t i = script.steps.size(); i-- > 0;) {
      auto at = static_cast<std::ptrdiff_t>(i);
      if (try_without([&](Script& smaller) { smaller.steps.erase(smaller.steps.begin() + at); })) continue;
      if (!script.steps[i].cuts.empty()) try_without([&](Script& smaller) { smaller.steps[i].cuts.clear(); });
      if (!script.steps[i].parameters.empty())
        try_without([&](Script& smaller) { smaller.steps[i].parameters.clear(); });
      if (!script.steps[i].is_alone) try_without([&](Script& smaller) { smaller.steps[i].is_alone = true; });
    }
    if (script.breaks_off) try_without([](Script& smaller) { smaller.breaks_off = false; });
  }
  return script;
}

}  // namespace sallyport::session
