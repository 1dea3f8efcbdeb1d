/* A filter that does what the MTA's macros tell it, and writes down each callback on standard output.
 *
 * At a callback NAME it obeys the macro {do_NAME}: commands separated by ';', words separated by '|'. `return|N` is the
 * callback's return value, every other command calls one function of the library and writes down what came of it. It is
 * compiled once and runs on libsallyport-milter and on libmilter, which must look the same from both sides.
 *
 * obedient_filter SOCKET [without=CALLBACK,...] [flags=N] [version=N] [timeout=SECONDS] [negotiate=1] [twice=1]
 *
 * With twice=1 two processes serve at the same socket, one forked from the other.
 *
 * With negotiate=1 the environment's DO_NEGOTIATE takes the macro's place: commands, and `actions|N`, `options|N`.
 */
#include <libmilter/mfapi.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { most_words = 40 };

static pthread_mutex_t writing = PTHREAD_MUTEX_INITIALIZER;

/* One line, whole, with what would break it written as \xNN. */
static void note(const char *format, ...) {
  char text[8192];
  va_list values;
  va_start(values, format);
  vsnprintf(text, sizeof text, format, values);
  va_end(values);
  pthread_mutex_lock(&writing);
  for (const char *c = text; *c; ++c) {
    if (*c < ' ' || *c > '~')
      printf("\\x%02x", (unsigned char)*c);
    else
      putchar(*c);
  }
  putchar('\n');
  fflush(stdout);
  pthread_mutex_unlock(&writing);
}

static char *optional(char *word) { return word == NULL || strcmp(word, "NULL") == 0 ? NULL : word; }

static int set_lines(SMFICTX *context, char **w) {
  return smfi_setmlreply(context, optional(w[1]), optional(w[2]), w[3], w[4], w[5], w[6], w[7], w[8], w[9], w[10], w[11],
                         w[12], w[13], w[14], w[15], w[16], w[17], w[18], w[19], w[20], w[21], w[22], w[23], w[24],
                         w[25], w[26], w[27], w[28], w[29], w[30], w[31], w[32], w[33], w[34], w[35], w[36],
                         (char *)NULL);
}

static int replace_body(SMFICTX *context, int octets) {
  /* Not from malloc(), which a test may have made fail: it is the library's that counts. */
  const size_t size = octets > 0 ? (size_t)octets : 1;
  unsigned char *body = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (body == MAP_FAILED) return -98;
  memset(body, 'b', size);
  const int result = smfi_replacebody(context, body, octets);
  munmap(body, size);
  return result;
}

/* What the function named by the first word gives. */
static int call(SMFICTX *context, char **w) {
  const char *name = w[0];
  if (!strcmp(name, "addheader")) return smfi_addheader(context, optional(w[1]), optional(w[2]));
  if (!strcmp(name, "chgheader")) return smfi_chgheader(context, optional(w[1]), atoi(w[2]), optional(w[3]));
  if (!strcmp(name, "insheader")) return smfi_insheader(context, atoi(w[1]), optional(w[2]), optional(w[3]));
  if (!strcmp(name, "chgfrom")) return smfi_chgfrom(context, optional(w[1]), optional(w[2]));
  if (!strcmp(name, "addrcpt")) return smfi_addrcpt(context, optional(w[1]));
  if (!strcmp(name, "addrcpt_par")) return smfi_addrcpt_par(context, optional(w[1]), optional(w[2]));
  if (!strcmp(name, "delrcpt")) return smfi_delrcpt(context, optional(w[1]));
  if (!strcmp(name, "quarantine")) return smfi_quarantine(context, optional(w[1]));
  if (!strcmp(name, "progress")) return smfi_progress(context);
  if (!strcmp(name, "replacebody")) return replace_body(context, atoi(w[1]));
  if (!strcmp(name, "replacenull")) return smfi_replacebody(context, NULL, atoi(w[1]));
  if (!strcmp(name, "setreply")) return smfi_setreply(context, optional(w[1]), optional(w[2]), optional(w[3]));
  if (!strcmp(name, "setmlreply")) return set_lines(context, w);
  if (!strcmp(name, "setsymlist")) return smfi_setsymlist(context, atoi(w[1]), optional(w[2]));
  if (!strcmp(name, "stop")) return smfi_stop();
  if (!strcmp(name, "sleep")) return usleep((useconds_t)atoi(w[1]) * 1000);
  return -99;
}

static void split(char *text, const char *separators, char **words) {
  int count = 0;
  char *rest = NULL;
  memset(words, 0, sizeof *words * most_words);
  for (char *word = strtok_r(text, separators, &rest); word && count < most_words - 2;
       word = strtok_r(NULL, separators, &rest))
    words[count++] = word;
}

static unsigned long wanted_actions, wanted_options;

static int obey_text(SMFICTX *context, const char *text) {
  int result = SMFIS_CONTINUE;
  char copy[strlen(text) + 1];
  char *commands[most_words];
  strcpy(copy, text);
  split(copy, ";", commands);
  for (char **command = commands; *command; ++command) {
    char *words[most_words];
    split(*command, "|", words);
    if (!strcmp(words[0], "return"))
      result = atoi(words[1]);
    else if (!strcmp(words[0], "actions"))
      wanted_actions = strtoul(words[1], NULL, 0);
    else if (!strcmp(words[0], "options"))
      wanted_options = strtoul(words[1], NULL, 0);
    else if (!strcmp(words[0], "getsymval"))
      note("  getsymval %s: %s", words[1], smfi_getsymval(context, words[1]));
    else if (!strcmp(words[0], "setpriv"))
      note("  setpriv: %d", smfi_setpriv(context, (void *)strtoul(words[1], NULL, 0)));
    else if (!strcmp(words[0], "getpriv"))
      note("  getpriv: %lu", (unsigned long)smfi_getpriv(context));
    else
      note("  %s: %d", words[0], call(context, words));
  }
  return result;
}

static sfsistat obey(SMFICTX *context, const char *callback) {
  char name[40];
  snprintf(name, sizeof name, "{do_%s}", callback);
  const char *text = smfi_getsymval(context, name);
  return text ? obey_text(context, text) : SMFIS_CONTINUE;
}

static void describe(const struct sockaddr *address, char *out, size_t size) {
  char ip[INET6_ADDRSTRLEN] = "";
  if (!address) {
    snprintf(out, size, "none");
  } else if (address->sa_family == AF_INET) {
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)address;
    snprintf(out, size, "4 %s %d", inet_ntop(AF_INET, &v4->sin_addr, ip, sizeof ip), ntohs(v4->sin_port));
  } else if (address->sa_family == AF_INET6) {
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)address;
    snprintf(out, size, "6 %s %d", inet_ntop(AF_INET6, &v6->sin6_addr, ip, sizeof ip), ntohs(v6->sin6_port));
  } else {
    snprintf(out, size, "unix %s", ((const struct sockaddr_un *)address)->sun_path);
  }
}

static sfsistat on_connect(SMFICTX *context, char *host, struct sockaddr *address) {
  char text[200];
  describe(address, text, sizeof text);
  note("connect %s %s", host, text);
  return obey(context, "connect");
}
static sfsistat on_helo(SMFICTX *context, char *name) {
  note("helo %s", name);
  return obey(context, "helo");
}
static sfsistat on_path(SMFICTX *context, const char *callback, char **words) {
  char text[4096] = "";
  for (; *words; ++words) {
    strncat(text, " ", sizeof text - strlen(text) - 1);
    strncat(text, *words, sizeof text - strlen(text) - 1);
  }
  note("%s%s", callback, text);
  return obey(context, callback);
}
static sfsistat on_envfrom(SMFICTX *context, char **words) { return on_path(context, "envfrom", words); }
static sfsistat on_envrcpt(SMFICTX *context, char **words) { return on_path(context, "envrcpt", words); }
static sfsistat on_data(SMFICTX *context) {
  note("data");
  return obey(context, "data");
}
static sfsistat on_unknown(SMFICTX *context, const char *line) {
  note("unknown %s", line);
  return obey(context, "unknown");
}
static sfsistat on_header(SMFICTX *context, char *name, char *value) {
  note("header [%s] [%s]", name, value);
  return obey(context, "header");
}
static sfsistat on_eoh(SMFICTX *context) {
  note("eoh");
  return obey(context, "eoh");
}
static sfsistat on_body(SMFICTX *context, unsigned char *octets, size_t size) {
  note("body %zu %.40s", size, size > 0 && size < 40 && octets[size - 1] == '\n' ? "line" : "octets");
  return obey(context, "body");
}
static sfsistat on_eom(SMFICTX *context) {
  note("eom");
  return obey(context, "eom");
}
static sfsistat on_abort(SMFICTX *context) {
  note("abort");
  return obey(context, "abort");
}
static sfsistat on_close(SMFICTX *context) {
  note("close %lu", (unsigned long)smfi_getpriv(context));
  smfi_setpriv(context, NULL);
  return SMFIS_CONTINUE;
}
static sfsistat on_negotiate(SMFICTX *context, unsigned long f0, unsigned long f1, unsigned long f2, unsigned long f3,
                             unsigned long *actions, unsigned long *options, unsigned long *third,
                             unsigned long *fourth) {
  note("negotiate %lx %lx %lx %lx, %lx %lx %lx %lx", f0, f1, f2, f3, *actions, *options, *third, *fourth);
  wanted_actions = *actions;
  wanted_options = *options;
  const char *text = getenv("DO_NEGOTIATE");
  const int result = text ? obey_text(context, text) : SMFIS_CONTINUE;
  *actions = wanted_actions;
  *options = wanted_options;
  *third = *fourth = 0;
  return result;
}

static void leave_out(struct smfiDesc *filter, const char *names) {
  if (strstr(names, "connect")) filter->xxfi_connect = NULL;
  if (strstr(names, "helo")) filter->xxfi_helo = NULL;
  if (strstr(names, "envfrom")) filter->xxfi_envfrom = NULL;
  if (strstr(names, "envrcpt")) filter->xxfi_envrcpt = NULL;
  if (strstr(names, "header")) filter->xxfi_header = NULL;
  if (strstr(names, "eoh")) filter->xxfi_eoh = NULL;
  if (strstr(names, "body")) filter->xxfi_body = NULL;
  if (strstr(names, "eom")) filter->xxfi_eom = NULL;
  if (strstr(names, "unknown")) filter->xxfi_unknown = NULL;
  if (strstr(names, "data")) filter->xxfi_data = NULL;
}

int main(int count, char **words) {
  char name[] = "obedient";
  struct smfiDesc filter = {name,      SMFI_VERSION, SMFI_CURR_ACTS, on_connect, on_helo,    on_envfrom, on_envrcpt,
                            on_header, on_eoh,       on_body,        on_eom,     on_abort,   on_close,   on_unknown,
                            on_data,   NULL};
  int is_twice = 0;
  if (count < 2) return 64;
  for (char **word = words + 2; *word; ++word) {
    char *value = strchr(*word, '=') + 1;
    if (!strncmp(*word, "without=", 8)) leave_out(&filter, value);
    if (!strncmp(*word, "flags=", 6)) filter.xxfi_flags = strtoul(value, NULL, 0);
    if (!strncmp(*word, "version=", 8)) filter.xxfi_version = (int)strtoul(value, NULL, 0);
    if (!strncmp(*word, "negotiate=", 10)) filter.xxfi_negotiate = on_negotiate;
    if (!strncmp(*word, "twice=", 6)) is_twice = atoi(value);
    if (!strncmp(*word, "timeout=", 8)) note("settimeout: %d", smfi_settimeout(atoi(value)));
    if (!strncmp(*word, "backlog=", 8)) note("setbacklog: %d", smfi_setbacklog(atoi(value)));
    if (!strncmp(*word, "maxdata=", 8)) note("setmaxdatasize: %zu", smfi_setmaxdatasize(strtoul(value, NULL, 0)));
  }
  note("setconn: %d", smfi_setconn(words[1]));
  const int is_registered = smfi_register(filter);
  note("register: %d", is_registered);
  if (is_registered != MI_SUCCESS) return 65;
  const int is_open = smfi_opensocket(true);
  note("opensocket: %d", is_open);
  if (is_open != MI_SUCCESS) return 66;
  const pid_t child = is_twice ? fork() : -1;
  if (child == 0) prctl(PR_SET_PDEATHSIG, SIGKILL);
  const int result = smfi_main();
  note("main: %d", result);
  if (child > 0) waitpid(child, NULL, 0);
  return result == MI_SUCCESS ? 0 : 67;
}
