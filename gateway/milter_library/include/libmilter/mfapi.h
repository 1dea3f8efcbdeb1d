/* The interface between a mail filter (milter) and the library that speaks the milter protocol for it.
 *
 * A filter describes itself by callbacks in a struct smfiDesc, hands that to smfi_register(), says with smfi_setconn()
 * where the MTA finds it, and calls smfi_main(). Names, values and layout are those of libmilter 1.0.1, so that sources
 * and binaries written for it work; the text is Sallyport's own. The library is libsallyport-milter.
 *
 * Threads: the callbacks of one connection never run at the same time, but may run on different threads. Those of
 * different connections run at the same time.
 *
 * Functions give MI_SUCCESS or MI_FAILURE unless said otherwise. Pointers that a callback gets are valid until it
 * returns.
 */
#ifndef _LIBMILTER_MFAPI_H
#define _LIBMILTER_MFAPI_H 1

#include <libmilter/mfdef.h>
#include <sys/socket.h>
#include <sys/types.h>

/* The version of this interface, and its parts. */
#ifndef SMFI_VERSION
#define SMFI_VERSION 0x01000001
#endif
#define SM_LM_VRS_MAJOR(v) (((v)&0x7f000000) >> 24)
#define SM_LM_VRS_MINOR(v) (((v)&0x007fff00) >> 8)
#define SM_LM_VRS_PLVL(v) ((v)&0x0000007f)

#define MI_SUCCESS 0
#define MI_FAILURE (-1)

/* What C sources call bool has been an int here since before C had a bool, unless SM_CONF_STDBOOL_H is set. The library
 * works with both. */
#if SM_CONF_STDBOOL_H || (defined(__STDC_VERSION__) && __STDC_VERSION__ > 201710L) /* C23 has one of its own */
#include <stdbool.h>
#elif !defined(__cplusplus) && !defined(bool) && !defined(__bool_true_false_are_defined)
typedef int bool;
#define false 0
#define true 1
#define __bool_true_false_are_defined 1
#endif

#ifndef _SOCK_ADDR
#define _SOCK_ADDR struct sockaddr
#endif

#define LIBMILTER_API extern

#ifdef __cplusplus
extern "C" {
#endif

/* One SMTP connection, as the filter sees it. */
typedef struct smfi_str SMFICTX;
typedef struct smfi_str* SMFICTX_PTR;

typedef struct smfiDesc smfiDesc_str;
typedef struct smfiDesc* smfiDesc_ptr;

/* What a callback returns: one of SMFIS_*. */
typedef int sfsistat;

#define SMFIS_CONTINUE 0
#define SMFIS_REJECT 1    /* refuse the recipient, the message or the connection for good */
#define SMFIS_DISCARD 2   /* accept the message and drop it */
#define SMFIS_ACCEPT 3    /* accept the message or the connection without a further look */
#define SMFIS_TEMPFAIL 4  /* refuse for now */
#define SMFIS_NOREPLY 7   /* where it was negotiated that no answer comes */
#define SMFIS_SKIP 8      /* no more events of this kind for this message; with SMFIP_SKIP */
#define SMFIS_ALL_OPTS 10 /* of xxfi_negotiate only: everything that the MTA offers */

/* What a filter may do to a message; in xxfi_flags, or agreed on in xxfi_negotiate. */
#define SMFIF_NONE 0x00000000L
#define SMFIF_ADDHDRS 0x00000001L
#define SMFIF_CHGBODY 0x00000002L
#define SMFIF_MODBODY SMFIF_CHGBODY
#define SMFIF_ADDRCPT 0x00000004L
#define SMFIF_DELRCPT 0x00000008L
#define SMFIF_CHGHDRS 0x00000010L
#define SMFIF_QUARANTINE 0x00000020L
#define SMFIF_CHGFROM 0x00000040L
#define SMFIF_ADDRCPT_PAR 0x00000080L
#define SMFIF_SETSYMLIST 0x00000100L

/* Stages for which smfi_setsymlist() names macros. */
#define SMFIM_NOMACROS (-1)
#define SMFIM_FIRST 0
#define SMFIM_CONNECT 0
#define SMFIM_HELO 1
#define SMFIM_ENVFROM 2
#define SMFIM_ENVRCPT 3
#define SMFIM_DATA 4
#define SMFIM_EOM 5
#define SMFIM_EOH 6
#define SMFIM_LAST 6

struct smfiDesc {
  char* xxfi_name;
  int xxfi_version; /* SMFI_VERSION */
  unsigned long xxfi_flags;
  /* A client has connected: its name, and its address or NULL. */
  sfsistat (*xxfi_connect)(SMFICTX*, char*, _SOCK_ADDR*);
  sfsistat (*xxfi_helo)(SMFICTX*, char*);
  /* MAIL and RCPT: the address, then ESMTP parameters, then NULL. */
  sfsistat (*xxfi_envfrom)(SMFICTX*, char**);
  sfsistat (*xxfi_envrcpt)(SMFICTX*, char**);
  /* A field of the header: name and value. */
  sfsistat (*xxfi_header)(SMFICTX*, char*, char*);
  sfsistat (*xxfi_eoh)(SMFICTX*);
  /* A piece of the body, with CRLF at its lines' ends. */
  sfsistat (*xxfi_body)(SMFICTX*, unsigned char*, size_t);
  /* The message is complete. Only here may it be changed. */
  sfsistat (*xxfi_eom)(SMFICTX*);
  /* The message ends without xxfi_eom. */
  sfsistat (*xxfi_abort)(SMFICTX*);
  /* The connection is over: once for each. */
  sfsistat (*xxfi_close)(SMFICTX*);
  /* A command of SMTP that the MTA does not know. */
  sfsistat (*xxfi_unknown)(SMFICTX*, const char*);
  sfsistat (*xxfi_data)(SMFICTX*);
  /* The MTA offers actions and options; the filter writes what it wants of them. */
  sfsistat (*xxfi_negotiate)(SMFICTX*, unsigned long, unsigned long, unsigned long, unsigned long, unsigned long*,
                             unsigned long*, unsigned long*, unsigned long*);
};

/* Before and around the serving. */
LIBMILTER_API int smfi_register(struct smfiDesc);
/* "unix:/path", "local:/path", "/path", "inet:port", "inet:port@host", "inet6:port@host". */
LIBMILTER_API int smfi_setconn(char*);
/* Opens the socket now, so that its errors are seen before smfi_main(); true: an old unix-domain socket goes first. */
LIBMILTER_API int smfi_opensocket(bool);
LIBMILTER_API int smfi_settimeout(int); /* seconds for the MTA's next command, 7210 */
LIBMILTER_API int smfi_setbacklog(int);
LIBMILTER_API int smfi_setdbg(int);
LIBMILTER_API size_t smfi_setmaxdatasize(size_t); /* gives the value before */
LIBMILTER_API int smfi_version(unsigned int*, unsigned int*, unsigned int*);
LIBMILTER_API int smfi_main(void); /* serves until smfi_stop() or SIGTERM, SIGHUP, SIGINT */
LIBMILTER_API int smfi_stop(void);

/* In any callback. */
LIBMILTER_API char* smfi_getsymval(SMFICTX*, char*); /* a macro's value or NULL */
LIBMILTER_API int smfi_setpriv(SMFICTX*, void*);
LIBMILTER_API void* smfi_getpriv(SMFICTX*);
/* The words of a refusal: code, enhanced code or NULL, text; or up to 32 texts and a NULL. */
LIBMILTER_API int smfi_setreply(SMFICTX*, char*, char*, char*);
LIBMILTER_API int smfi_setmlreply(SMFICTX*, const char*, const char*, ...);
/* In xxfi_negotiate: the macros that the filter wants at a stage, separated by blanks. */
LIBMILTER_API int smfi_setsymlist(SMFICTX*, int, char*);

/* In xxfi_eom. */
LIBMILTER_API int smfi_addheader(SMFICTX*, char*, char*);
LIBMILTER_API int smfi_chgheader(SMFICTX*, char*, int, char*); /* the n-th of that name; NULL removes it */
LIBMILTER_API int smfi_insheader(SMFICTX*, int, char*, char*);
LIBMILTER_API int smfi_chgfrom(SMFICTX*, char*, char*);
LIBMILTER_API int smfi_addrcpt(SMFICTX*, char*);
LIBMILTER_API int smfi_addrcpt_par(SMFICTX*, char*, char*);
LIBMILTER_API int smfi_delrcpt(SMFICTX*, char*);
LIBMILTER_API int smfi_replacebody(SMFICTX*, unsigned char*, int);
LIBMILTER_API int smfi_quarantine(SMFICTX*, char*);
LIBMILTER_API int smfi_progress(SMFICTX*); /* the filter is still at work */

#ifdef __cplusplus
}
#endif

#endif
