#pragma once
/* What an open handler asks for its answer: websocketRefuse and websocketAnswerHeader.
 *
 * It exists while the handler runs, on the stack of the loop thread, so that a connection keeps nothing of it. Handlers
 * that wait for a connect nest: the answers of a share form a list, the innermost first. On the connection's loop
 * thread. */
#include <stdbool.h>
#include <stddef.h>

#include "osprey/error.h"

struct ws_conn;

enum { WS_ANSWER_HEADERS_MAX = 32, WS_ANSWER_HEADER_BYTES_MAX = 8192, WS_ANSWER_REASON_MAX = 1024 };

struct ws_answer {
  struct ws_answer *outer;
  const struct ws_conn *conn;
  int status;    /* of a refusal; 0: none was asked for */
  char *reason;  /* its body */
  char *headers; /* lines, each with CR LF; may hold secrets; NULL: none */
  size_t size;   /* of the lines */
  int count;
};

/* Bracket the open handler of a connection. */
void ws_answer_begin(struct ws_answer *answer, const struct ws_conn *conn);
void ws_answer_leave(struct ws_answer *answer);

/* Wipes and frees what was asked for. */
void ws_answer_free(struct ws_answer *answer);

/* The builtins. `conn` is any connection, `here` if the caller is on its loop thread. 0, or -1 with the error set. */
int ws_answer_refuse(const struct ws_conn *conn, bool here, int64_t status, const char *reason, struct ws_error *error);
int ws_answer_add_header(const struct ws_conn *conn, bool here, const char *name, const char *value,
                         struct ws_error *error);

/* Checks their arguments. 0, or -1 with the error set. */
int ws_answer_check_refusal(int64_t status, const char *reason, struct ws_error *error);
int ws_answer_check_header(const char *name, const char *value, struct ws_error *error);
