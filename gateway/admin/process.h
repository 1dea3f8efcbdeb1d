// AdminProcess: what `sallyport admin` is: a listening socket, then serving at it until a signal comes.
//
// Two steps, because privileges are given up between them.
#pragma once

#include <sys/types.h>

#include <memory>
#include <optional>
#include <string>

#include "gateway/base/address.h"
#include "gateway/base/result.h"

namespace sallyport::admin {

class AdminProcess {
 public:
  // Listens at the address. The failure names it.
  static Result<std::unique_ptr<AdminProcess>> listen(const SocketAddress& address);
  ~AdminProcess();

  // Serves until SIGTERM or SIGINT, or until `parent`, where one is given, is this process's parent no more.
  // `control_socket`: where the gateway answers.
  void serve(const std::string& control_socket, std::optional<::pid_t> parent);

 private:
  struct Parts;
  explicit AdminProcess(std::unique_ptr<Parts> parts);

  std::unique_ptr<Parts> parts_;
};

}  // namespace sallyport::admin
