// Advice that is kept, of a configuration with one listener: 192.0.2.1:25.
#pragma once

#include <string>
#include <vector>

#include "policies/api/advice.h"

namespace sallyport::policies {

class ToldAdvice final : public Advice {
 public:
  explicit ToldAdvice(std::size_t workers = 1) : workers_(workers) {}

  std::string path(std::string_view key) const override { return "policy." + std::string(key); }
  bool is_given(std::string_view) const override { return true; }
  bool is_listened_on(const Endpoint& address) const override { return address.to_string() == "192.0.2.1:25"; }
  std::size_t workers() const override { return workers_; }
  void warn(std::initializer_list<std::string_view>, std::string message) override {
    warnings.push_back(std::move(message));
  }

  std::vector<std::string> warnings;

 private:
  const std::size_t workers_;
};

}  // namespace sallyport::policies
