#include "gateway/app/succession.h"

#include <charconv>
#include <chrono>
#include <utility>

#include "gateway/async/wait.h"
#include "gateway/cli/exit_code.h"
#include "gateway/control/upgrade.h"

namespace sallyport::app {

namespace {

constexpr Duration looking_interval = std::chrono::milliseconds(20);
// The supervisor gives up sooner.
constexpr Duration patience = std::chrono::seconds(90);

std::string refused(std::string why) {
  return control::encode_not_upgraded({cli::exit_code::temporary, std::move(why)});
}

int status_from(std::string_view text) {
  int status = cli::exit_code::temporary;
  std::from_chars(text.data(), text.data() + text.size(), status);
  return status;
}

}  // namespace

Task<std::string> Succession::upgrade() {
  const async::Lock::Held turn = co_await reloader_.hold_off();
  if (reloader_.is_superseded()) co_return control::encode_superseded();
  if (reloader_.is_stopping()) co_return refused("this process ends already");
  hear();
  answer_.reset();
  why_.clear();
  if (!link_.ask_for_upgrade()) co_return refused("there is no process that supervises this one");
  const Time end = loop_.scheduler().now() + patience;
  while (!answer_ && loop_.scheduler().now() < end) {
    co_await async::sleep_for(loop_.scheduler(), looking_interval);
    hear();
  }
  co_return answer_ ? *std::exchange(answer_, std::nullopt) : refused("the supervising process does not answer");
}

const std::vector<std::string>& Succession::gone_addresses() {
  hear();
  return gone_;
}

// The messages come in order: the reason before that it has failed, the addresses before the signal to hand over.
void Succession::hear() {
  while (auto message = link_.next()) {
    switch (message->word) {
      case supervise::Word::why:
        why_ += message->text();
        break;
      case supervise::Word::not_upgraded:
        answer_ = control::encode_not_upgraded({status_from(message->text()), std::exchange(why_, {})});
        break;
      case supervise::Word::upgraded:
        reloader_.supersede();
        answer_ = control::encode_upgraded(message->text());
        break;
      case supervise::Word::gone:
        gone_.emplace_back(message->text());
        break;
      default:
        break;
    }
  }
}

}  // namespace sallyport::app
