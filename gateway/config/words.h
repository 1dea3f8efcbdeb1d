// The words of the configuration for the enumerations of the settings, in the order of their enumerators.
#pragma once

#include <array>
#include <string_view>

#include "gateway/config/gateway_settings.h"

namespace sallyport::config {

template <class E>
struct Words;

template <>
struct Words<ListenTls> {
  static constexpr std::array<std::string_view, 3> list{"off", "starttls", "implicit"};
};
template <>
struct Words<BareNewlinePolicy> {
  static constexpr std::array<std::string_view, 2> list{"normalize", "reject"};
};
template <>
struct Words<tls::ClientCertificates> {
  static constexpr std::array<std::string_view, 3> list{"off", "ask", "require"};
};
template <>
struct Words<Balance> {
  static constexpr std::array<std::string_view, 2> list{"least-sessions", "failover"};
};
template <>
struct Words<tls::UpstreamTls> {
  static constexpr std::array<std::string_view, 4> list{"off", "opportunistic", "require", "verify"};
};
template <>
struct Words<policies::Mode> {
  static constexpr std::array<std::string_view, 3> list{"enforce", "shadow", "off"};
};
template <>
struct Words<policies::SpfAction> {
  static constexpr std::array<std::string_view, 4> list{"none", "score", "tempfail", "reject"};
};
template <>
struct Words<policies::OrganizationalDomainBy> {
  static constexpr std::array<std::string_view, 2> list{"tree-walk", "psl"};
};
template <>
struct Words<policies::DmarcAction> {
  static constexpr std::array<std::string_view, 3> list{"tag", "quarantine", "reject"};
};
template <>
struct Words<policies::DmarcErrorAction> {
  static constexpr std::array<std::string_view, 2> list{"none", "tempfail"};
};
template <>
struct Words<lua::OnError> {
  static constexpr std::array<std::string_view, 2> list{"skip", "tempfail"};
};
template <>
struct Words<LogFormat> {
  static constexpr std::array<std::string_view, 2> list{"text", "json"};
};
template <>
struct Words<LogLevel> {
  static constexpr std::array<std::string_view, 4> list{"debug", "info", "warning", "error"};
};

}  // namespace sallyport::config
