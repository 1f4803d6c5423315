#include "answer.h"

#include <string.h>

#include "base/mem.h"
#include "protocol/answer_header.h"
#include "protocol/utf8.h"
#include "server.h"

void ws_answer_begin(struct ws_answer *answer, const struct ws_conn *conn) {
  struct ws_server_share *share = ws_server_share_of(conn);
  *answer = (struct ws_answer){.outer = share->answers, .conn = conn};
  share->answers = answer;
}

void ws_answer_leave(struct ws_answer *answer) {
  ws_server_share_of(answer->conn)->answers = answer->outer;
}

void ws_answer_free(struct ws_answer *answer) {
  ws_mem_free(answer->reason);
  if (answer->headers)
    ws_mem_wipe(answer->headers, answer->size);
  ws_mem_free(answer->headers);
}

/* NULL with the error set: the open handler of the connection does not run, or on another thread. */
static struct ws_answer *ws_answer_of(const char *op, const struct ws_conn *conn, bool here, struct ws_error *error) {
  struct ws_answer *answer = here && conn->group->ops->server_id ? ws_server_share_of(conn)->answers : NULL;
  while (answer && answer->conn != conn)
    answer = answer->outer;
  if (!answer)
    ws_error_not_opening(error, op, conn->id);
  return answer;
}

/* ---- refusing */

int ws_answer_check_refusal(int64_t status, const char *reason, struct ws_error *error) {
  size_t n = strlen(reason);
  size_t valid = ws_utf8_check((const uint8_t *)reason, n);
  if (status < 400 || status > 599)
    ws_error_refuse_status(error, status);
  else if (valid < n)
    ws_error_not_utf8(error, "refuse", "the reason", valid);
  else if (n > WS_ANSWER_REASON_MAX)
    ws_error_refuse_reason(error, n, WS_ANSWER_REASON_MAX);
  return ws_error_is_set(error) ? -1 : 0;
}

int ws_answer_refuse(const struct ws_conn *conn, bool here, int64_t status, const char *reason,
                     struct ws_error *error) {
  struct ws_answer *answer = ws_answer_of("refuse", conn, here, error);
  if (!answer)
    return -1;
  char *copy = ws_mem_strdup(reason);
  if (!copy) {
    ws_error_memory(error, "refuse");
    return -1;
  }
  ws_mem_free(answer->reason);
  answer->reason = copy;
  answer->status = (int)status;
  return 0;
}

/* ---- headers */

int ws_answer_check_header(const char *name, const char *value, struct ws_error *error) {
  const char *problem = ws_answer_header_problem(name, value);
  if (!problem)
    return 0;
  ws_error_answer_header(error, name, problem);
  return -1;
}

/* Appends by a copy: realloc would not wipe the old bytes. 0, or -1: no memory. */
static int ws_answer_append(struct ws_answer *answer, const char *name, const char *value) {
  size_t size = answer->size + ws_answer_header_size(name, value);
  char *longer = ws_mem_alloc(size);
  if (!longer)
    return -1;
  if (answer->headers) {
    memcpy(longer, answer->headers, answer->size);
    ws_mem_wipe(answer->headers, answer->size);
    ws_mem_free(answer->headers);
  }
  ws_answer_header_write(longer + answer->size, name, value);
  answer->headers = longer;
  answer->size = size;
  answer->count++;
  return 0;
}

int ws_answer_add_header(const struct ws_conn *conn, bool here, const char *name, const char *value,
                         struct ws_error *error) {
  struct ws_answer *answer = ws_answer_of("answer header", conn, here, error);
  if (!answer)
    return -1;
  if (answer->count == WS_ANSWER_HEADERS_MAX ||
      ws_answer_header_size(name, value) > WS_ANSWER_HEADER_BYTES_MAX - answer->size) {
    ws_error_answer_full(error, conn->id, WS_ANSWER_HEADERS_MAX, WS_ANSWER_HEADER_BYTES_MAX);
    return -1;
  }
  if (ws_answer_append(answer, name, value) == 0)
    return 0;
  ws_error_memory(error, "answer header");
  return -1;
}
