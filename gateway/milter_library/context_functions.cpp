// The C functions that a filter calls in its callbacks. No exception leaves them: out of memory is MI_FAILURE, and the
// end of the connection.
#include <cstdarg>
#include <exception>

#include "gateway/milter_library/reply_words.h"
#include "gateway/milter_library/session.h"

namespace {

using sallyport::milter_library::Session;

// What smfi_setmlreply() reads at most of its arguments: one more than it takes.
constexpr std::size_t most_texts = 33;

// MI_SUCCESS where the session takes it. `what` gets the session.
template <class What>
int in_session(SMFICTX* context, const What& what) noexcept {
  if (context == nullptr) return MI_FAILURE;
  auto& session = *reinterpret_cast<Session*>(context);
  try {
    return what(session) ? MI_SUCCESS : MI_FAILURE;
  } catch (const std::exception&) {
    session.give_up();
    return MI_FAILURE;
  }
}

bool set_reply(Session& session, std::optional<std::string> words) {
  if (!words) return false;
  session.set_reply(std::move(*words));
  return true;
}

}  // namespace

extern "C" {

char* smfi_getsymval(SMFICTX* context, char* name) {
  char* value = nullptr;
  in_session(context, [&](Session& session) {
    if (name != nullptr && *name != '\0') value = session.macro(name);
    return true;
  });
  return value;
}

int smfi_setpriv(SMFICTX* context, void* data) {
  return in_session(context, [data](Session& session) {
    session.set_filter_data(data);
    return true;
  });
}

void* smfi_getpriv(SMFICTX* context) {
  return context == nullptr ? nullptr : reinterpret_cast<Session*>(context)->filter_data();
}

int smfi_setreply(SMFICTX* context, char* code, char* enhanced, char* text) {
  return in_session(context, [&](Session& session) {
    return set_reply(session, sallyport::milter_library::reply_words(code, enhanced, static_cast<const char*>(text)));
  });
}

int smfi_setmlreply(SMFICTX* context, const char* code, const char* enhanced, ...) {
  std::array<const char*, most_texts> texts{};
  std::size_t count = 0;
  std::va_list rest;
  va_start(rest, enhanced);
  while (count < texts.size() && (texts[count] = va_arg(rest, const char*)) != nullptr) ++count;
  va_end(rest);
  return in_session(context, [&](Session& session) {
    return set_reply(session, sallyport::milter_library::reply_words(
                                  code, enhanced, std::span<const char* const>(texts.data(), count)));
  });
}

int smfi_setsymlist(SMFICTX* context, int stage, char* names) {
  return in_session(context, [&](Session& session) { return session.set_macro_list(stage, names); });
}

int smfi_addheader(SMFICTX* context, char* name, char* value) {
  return in_session(context, [&](Session& session) { return session.add_header(name, value); });
}

int smfi_chgheader(SMFICTX* context, char* name, int index, char* value) {
  return in_session(context, [&](Session& session) { return session.change_header(name, index, value); });
}

int smfi_insheader(SMFICTX* context, int index, char* name, char* value) {
  return in_session(context, [&](Session& session) { return session.insert_header(index, name, value); });
}

int smfi_chgfrom(SMFICTX* context, char* path, char* parameters) {
  return in_session(context, [&](Session& session) { return session.change_sender(path, parameters); });
}

int smfi_addrcpt(SMFICTX* context, char* path) {
  return in_session(context, [&](Session& session) { return session.add_rcpt(path); });
}

int smfi_addrcpt_par(SMFICTX* context, char* path, char* parameters) {
  return in_session(context, [&](Session& session) { return session.add_rcpt_with_parameters(path, parameters); });
}

int smfi_delrcpt(SMFICTX* context, char* path) {
  return in_session(context, [&](Session& session) { return session.delete_rcpt(path); });
}

int smfi_replacebody(SMFICTX* context, unsigned char* octets, int size) {
  return in_session(context, [&](Session& session) { return session.replace_body(octets, size); });
}

int smfi_quarantine(SMFICTX* context, char* reason) {
  return in_session(context, [&](Session& session) { return session.quarantine(reason); });
}

int smfi_progress(SMFICTX* context) {
  return in_session(context, [](Session& session) { return session.progress(); });
}

}  // extern "C"
