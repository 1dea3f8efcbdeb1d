#include "gateway/mime/html.h"

#include <gumbo.h>

#include <algorithm>
#include <array>
#include <csetjmp>
#include <cstdlib>
#include <map>
#include <utility>

#include "gateway/base/text.h"
#include "gateway/mime/html_stripper.h"

namespace sallyport::mime {

namespace {

// gumbo's time and memory are not linear in its input: for each tag it searches the elements that are open, and it
// opens formatting elements again in each block. So the nesting of what it gets is bounded, and its memory as well.
constexpr std::size_t most_nesting = 400;
constexpr std::size_t arena_base = std::size_t{1} << 20;
constexpr std::size_t arena_factor = 24;
constexpr std::size_t most_comments = 16;
constexpr std::size_t most_shown = 1024;

// All that gumbo allocates for one document, released at once: releasing its tree by itself would recurse as deep as
// the document is nested. When the memory is used up, gumbo is left by longjmp: it has no way to be told.
class Arena {
 public:
  explicit Arena(std::size_t most) : left_(most) {}
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;
  ~Arena() {
    while (blocks_ != nullptr) {
      Block* next = blocks_->next;
      std::free(blocks_);
      blocks_ = next;
    }
  }

  static void* allocate(void* arena, std::size_t size) { return static_cast<Arena*>(arena)->take(size); }
  static void release(void*, void*) {}

  std::jmp_buf is_used_up;

 private:
  struct Block {
    Block* next;
  };
  static constexpr std::size_t block_octets = std::size_t{64} * 1024;
  static constexpr std::size_t alignment = 16;

  void* take(std::size_t size) {
    size = (size + alignment - 1) / alignment * alignment;
    if (size > left_) std::longjmp(is_used_up, 1);
    left_ -= size;
    if (size > room_) {
      const std::size_t octets = std::max(size + alignment, block_octets);
      auto* block = static_cast<Block*>(std::malloc(octets));
      if (block == nullptr) std::longjmp(is_used_up, 1);
      block->next = blocks_;
      blocks_ = block;
      at_ = reinterpret_cast<char*>(block) + alignment;
      room_ = octets - alignment;
    }
    void* taken = at_;
    at_ += size;
    room_ -= size;
    return taken;
  }

  std::size_t left_;
  Block* blocks_ = nullptr;
  char* at_ = nullptr;
  std::size_t room_ = 0;
};

// Null when the document needs more memory than it may have. Holds no object that longjmp would pass over.
GumboOutput* parse(std::string_view html, Arena& arena) {
  GumboOptions options = kGumboDefaultOptions;
  options.allocator = Arena::allocate;
  options.deallocator = Arena::release;
  options.userdata = &arena;
  options.max_errors = 0;
  if (setjmp(arena.is_used_up) != 0) return nullptr;
  return gumbo_parse_with_options(&options, html.data(), html.size());
}

std::string_view trim(std::string_view text) {
  const auto is_white = [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f'; };
  while (!text.empty() && is_white(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_white(text.back())) text.remove_suffix(1);
  return text;
}

std::string_view attribute(const GumboNode& node, const char* name) {
  const GumboAttribute* found = gumbo_get_attribute(&node.v.element.attributes, name);
  return found == nullptr ? std::string_view() : std::string_view(found->value);
}
bool has_attribute(const GumboNode& node, const char* name) {
  return gumbo_get_attribute(&node.v.element.attributes, name) != nullptr;
}

bool is_block(GumboTag tag) {
  switch (tag) {
    case GUMBO_TAG_ADDRESS:
    case GUMBO_TAG_ARTICLE:
    case GUMBO_TAG_BLOCKQUOTE:
    case GUMBO_TAG_BR:
    case GUMBO_TAG_CENTER:
    case GUMBO_TAG_DD:
    case GUMBO_TAG_DIV:
    case GUMBO_TAG_DL:
    case GUMBO_TAG_DT:
    case GUMBO_TAG_FIELDSET:
    case GUMBO_TAG_FOOTER:
    case GUMBO_TAG_FORM:
    case GUMBO_TAG_H1:
    case GUMBO_TAG_H2:
    case GUMBO_TAG_H3:
    case GUMBO_TAG_H4:
    case GUMBO_TAG_H5:
    case GUMBO_TAG_H6:
    case GUMBO_TAG_HEADER:
    case GUMBO_TAG_HR:
    case GUMBO_TAG_LI:
    case GUMBO_TAG_OL:
    case GUMBO_TAG_P:
    case GUMBO_TAG_PRE:
    case GUMBO_TAG_SECTION:
    case GUMBO_TAG_TABLE:
    case GUMBO_TAG_TR:
    case GUMBO_TAG_UL:
      return true;
    default:
      return false;
  }
}

// Whether a style hides what has it.
bool hides(std::string_view style) {
  std::string plain;
  for (char c : style) {
    if (!text::is_space(c) && c != '\r' && c != '\n') plain += text::lower(c);
  }
  for (std::string_view what : {"display:none", "visibility:hidden", "mso-hide:all", "font-size:0;", "font-size:0px",
                                "font-size:0pt", "font-size:0em", "opacity:0;"}) {
    if (plain.find(what) != std::string::npos) return true;
  }
  return plain.ends_with("font-size:0") || plain.ends_with("opacity:0");
}

class Reading {
 public:
  Reading(const HtmlLimits& limits, Html& out) : limits_(limits), out_(out) {}

  // What Outlook shows though it stands in a comment.
  std::vector<std::string>& conditional() { return conditional_; }

  // Walks the tree with a stack of its own.
  void walk(const GumboNode* root) {
    struct Step {
      const GumboNode* node;
      bool is_leaving;
    };
    std::vector<Step> steps{{root, false}};
    while (!steps.empty()) {
      const Step step = steps.back();
      steps.pop_back();
      const GumboNode& node = *step.node;
      if (step.is_leaving) {
        leave(node);
        continue;
      }
      switch (node.type) {
        case GUMBO_NODE_TEXT:
        case GUMBO_NODE_CDATA:
        case GUMBO_NODE_WHITESPACE:
          add_text(node.v.text.text);
          break;
        case GUMBO_NODE_COMMENT:
          add_comment(node.v.text.text);
          break;
        case GUMBO_NODE_ELEMENT:
        case GUMBO_NODE_TEMPLATE:
        case GUMBO_NODE_DOCUMENT: {
          const bool is_document = node.type == GUMBO_NODE_DOCUMENT;
          const GumboVector& children = is_document ? node.v.document.children : node.v.element.children;
          if (!is_document && !enter(node)) break;
          if (!is_document) steps.push_back({&node, true});
          for (unsigned i = children.length; i-- > 0;)
            steps.push_back({static_cast<const GumboNode*>(children.data[i]), false});
          break;
        }
      }
    }
  }

 private:
  // Whether the text within counts.
  bool enter(const GumboNode& node) {
    const GumboTag tag = node.v.element.tag;
    add_links(node, tag);
    if (tag == GUMBO_TAG_SCRIPT) {
      out_.has_script = true;
      return false;
    }
    if (tag == GUMBO_TAG_STYLE) {
      for (unsigned i = 0; i < node.v.element.children.length; ++i) {
        const auto* child = static_cast<const GumboNode*>(node.v.element.children.data[i]);
        if (child->type == GUMBO_NODE_TEXT) add_style(child->v.text.text);
      }
      return false;
    }
    if (is_block(tag)) new_line();
    if (tag == GUMBO_TAG_TD || tag == GUMBO_TAG_TH) wants_space_ = true;
    const std::string_view style = attribute(node, "style");
    if (!style.empty()) add_style(style);
    if (hides(style) || has_attribute(node, "hidden")) ++hidden_;
    return true;
  }

  void leave(const GumboNode& node) {
    const GumboTag tag = node.v.element.tag;
    if (hides(attribute(node, "style")) || has_attribute(node, "hidden")) --hidden_;
    if (is_block(tag) && tag != GUMBO_TAG_BR) new_line();
    if (!anchors_.empty() && anchors_.back().node == &node) {
      const Anchor anchor = anchors_.back();
      anchors_.pop_back();
      std::string_view shown = trim(std::string_view(out_.text).substr(std::min(anchor.text_begin, out_.text.size())));
      shown = shown.substr(0, most_shown);
      out_.links[anchor.link].shown = shown;
    }
  }

  void add_links(const GumboNode& node, GumboTag tag) {
    const std::size_t before = out_.links.size();
    const std::string_view href = attribute(node, "href");
    switch (tag) {
      case GUMBO_TAG_BASE:
        add_link(href, LinkKind::base);
        break;
      case GUMBO_TAG_LINK:
        add_link(href, LinkKind::style);
        break;
      case GUMBO_TAG_FORM:
        out_.has_form = true;
        add_link(attribute(node, "action"), LinkKind::form);
        break;
      case GUMBO_TAG_IFRAME:
      case GUMBO_TAG_FRAME:
      case GUMBO_TAG_EMBED:
        add_link(attribute(node, "src"), LinkKind::frame);
        break;
      case GUMBO_TAG_OBJECT:
        add_link(attribute(node, "data"), LinkKind::frame);
        break;
      case GUMBO_TAG_SCRIPT:
        add_link(attribute(node, "src"), LinkKind::script);
        break;
      case GUMBO_TAG_META:
        add_refresh(node);
        break;
      default:
        add_link(href, LinkKind::anchor);
        add_link(attribute(node, "xlink:href"), LinkKind::anchor);
        add_link(attribute(node, "src"), LinkKind::image);
        break;
    }
    if (out_.links.size() > before &&
        (out_.links[before].kind == LinkKind::anchor || out_.links[before].kind == LinkKind::form))
      anchors_.push_back({&node, before, out_.text.size()});
    add_link(attribute(node, "formaction"), LinkKind::form);
    add_link(attribute(node, "background"), LinkKind::image);
    add_source_set(attribute(node, "srcset"));
    if (tag == GUMBO_TAG_INPUT && text::equals_ignoring_case(attribute(node, "type"), "password"))
      out_.has_password_field = true;
  }

  void add_link(std::string_view target, LinkKind kind) {
    target = trim(target);
    if (target.empty()) return;
    if (out_.links.size() >= limits_.links) {
      out_.is_whole = false;
      return;
    }
    out_.links.push_back({std::string(target.substr(0, limits_.target)), {}, kind});
  }

  // <meta http-equiv=refresh content="0; url=...">
  void add_refresh(const GumboNode& node) {
    if (!text::equals_ignoring_case(trim(attribute(node, "http-equiv")), "refresh")) return;
    const std::string_view content = attribute(node, "content");
    const std::size_t at = text::to_lower(content).find("url");
    if (at == std::string::npos) return;
    std::string_view target = trim(content.substr(at + 3));
    if (target.starts_with('=')) target = trim(target.substr(1));
    while (!target.empty() && (target.front() == '\'' || target.front() == '"')) target.remove_prefix(1);
    while (!target.empty() && (target.back() == '\'' || target.back() == '"')) target.remove_suffix(1);
    add_link(target, LinkKind::refresh);
  }

  void add_source_set(std::string_view set) {
    while (!set.empty()) {
      const std::size_t end = std::min(set.find(','), set.size());
      const std::string_view one = trim(set.substr(0, end));
      add_link(one.substr(0, one.find_first_of(" \t\r\n")), LinkKind::image);
      set.remove_prefix(std::min(end + 1, set.size()));
    }
  }

  void add_style(std::string_view style) {
    for (std::size_t at = style.find("url("); at != std::string_view::npos; at = style.find("url(", at + 4)) {
      std::string_view target = trim(style.substr(at + 4, style.find(')', at) - at - 4));
      while (!target.empty() && (target.front() == '\'' || target.front() == '"')) target.remove_prefix(1);
      while (!target.empty() && (target.back() == '\'' || target.back() == '"')) target.remove_suffix(1);
      add_link(target, LinkKind::style);
      if (!out_.is_whole) return;
    }
  }

  void add_comment(std::string_view comment) {
    if (!trim(comment).starts_with("[if") || conditional_.size() >= most_comments) return;
    const std::size_t begin = comment.find("]>");
    const std::size_t end = comment.rfind("<![endif");
    if (begin == std::string_view::npos || end == std::string_view::npos || end < begin + 2) return;
    conditional_.emplace_back(comment.substr(begin + 2, end - begin - 2));
  }

  void new_line() {
    wants_space_ = false;
    const bool has_room = out_.text.size() < limits_.text;
    if (has_room && !out_.text.empty() && out_.text.back() != '\n') out_.text += '\n';
  }

  void add_text(std::string_view text) {
    if (hidden_ > 0) {
      out_.hidden_octets += trim(text).size();
      return;
    }
    for (const char c : text) {
      if (c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f') {
        wants_space_ = true;
        continue;
      }
      if (out_.text.size() + 2 > limits_.text) {
        out_.is_whole = false;
        return;
      }
      if (wants_space_ && !out_.text.empty() && out_.text.back() != '\n') out_.text += ' ';
      wants_space_ = false;
      out_.text += c;
    }
  }

  struct Anchor {
    const GumboNode* node;
    std::size_t link;
    std::size_t text_begin;
  };

  const HtmlLimits& limits_;
  Html& out_;
  std::vector<std::string> conditional_;
  std::vector<Anchor> anchors_;
  std::size_t hidden_ = 0;  // elements around that are hidden
  bool wants_space_ = false;
};

}  // namespace

Html read_html(std::string_view utf8, const HtmlLimits& limits) {
  Html html;
  html.is_whole = utf8.size() <= limits.source;
  Reading reading(limits, html);
  std::vector<std::string> documents;
  std::size_t left = limits.source;
  const auto read = [&](std::string_view document) {
    document = document.substr(0, left);
    left -= document.size();
    if (nesting_of(document) > most_nesting) {
      html.is_whole = false;
      return strip(document, limits, html);
    }
    Arena arena(arena_base + arena_factor * document.size());
    const GumboOutput* parsed = parse(document, arena);
    if (parsed == nullptr) {
      html.is_whole = false;
      return strip(document, limits, html);
    }
    reading.walk(parsed->document);
  };
  read(utf8);
  // Comments within what stood in a comment are left out.
  documents = std::move(reading.conditional());
  for (const std::string& document : documents) read(document);
  // A cut may have left half a character.
  while (!html.text.empty() && !text::is_utf8(html.text) && html.text.size() + 4 > limits.text) html.text.pop_back();
  return html;
}

}  // namespace sallyport::mime
