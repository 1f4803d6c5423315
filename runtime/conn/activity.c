#include "activity.h"

static uint32_t ws_activity_now(const struct ws_loop *loop) {
  return (uint32_t)ws_loop_now(loop);
}

void ws_activity_start(struct ws_activity *activity, const struct ws_loop *loop) {
  uint32_t now = ws_activity_now(loop);
  *activity = (struct ws_activity){.alive = now, .output = now, .away = (uint32_t)ws_loop_away(loop)};
}

void ws_activity_heard(struct ws_activity *activity, const struct ws_loop *loop) {
  activity->alive = ws_activity_now(loop);
}

void ws_activity_backs_up(struct ws_activity *activity, const struct ws_loop *loop) {
  activity->output = ws_activity_now(loop);
}

void ws_activity_progressed(struct ws_activity *activity, const struct ws_loop *loop) {
  activity->alive = activity->output = ws_activity_now(loop);
}

size_t ws_activity_backlog(const struct ws_stream *stream, const struct ws_outq *out) {
  return ws_outq_bytes(out) + ws_stream_unacked(stream);
}

/* A time moves forward, but not past now. */
static void ws_activity_move(uint32_t *time, uint32_t by, uint32_t now) {
  *time += now - *time < by ? now - *time : by;
}

static uint32_t ws_activity_forgive(struct ws_activity *activity, uint32_t away, uint32_t now) {
  uint32_t by = away - activity->away;
  activity->away = away;
  ws_activity_move(&activity->alive, by, now);
  ws_activity_move(&activity->output, by, now);
  if (activity->message)
    ws_activity_move(&activity->message, by, now);
  return by;
}

uint32_t ws_activity_look(struct ws_activity *activity, const struct ws_loop *loop, const struct ws_stream *stream,
                          bool blocked) {
  uint32_t now = ws_activity_now(loop);
  uint32_t by = ws_activity_forgive(activity, (uint32_t)ws_loop_away(loop), now);
  /* What the socket was not offered yet is not the peer's to take. */
  bool backed_up = blocked || ws_stream_unacked(stream) > 0;
  if (backed_up && !activity->acked)
    activity->output = now;
  if ((backed_up || activity->acked) && ws_stream_acked_since(stream, &activity->acked))
    ws_activity_progressed(activity, loop);
  if (!backed_up)
    activity->acked = 0;
  return by;
}

/* In between, `away` is on the loop's clock, which is what ws_loop_away would be if the loop were away all the time. */
void ws_activity_pause(struct ws_activity *activity, const struct ws_loop *loop) {
  activity->away += ws_activity_now(loop) - (uint32_t)ws_loop_away(loop);
}

void ws_activity_resume(struct ws_activity *activity, const struct ws_loop *loop) {
  activity->away -= ws_activity_now(loop) - (uint32_t)ws_loop_away(loop);
}

uint32_t ws_activity_silent(const struct ws_activity *activity, const struct ws_loop *loop) {
  return ws_activity_now(loop) - activity->alive;
}

uint32_t ws_activity_full(const struct ws_activity *activity, const struct ws_loop *loop) {
  return ws_activity_now(loop) - activity->output;
}

uint32_t ws_activity_stalled(const struct ws_activity *activity, const struct ws_loop *loop) {
  return activity->acked ? ws_activity_now(loop) - activity->output : 0;
}

void ws_activity_message_ended(struct ws_activity *activity) {
  activity->message = 0;
}

bool ws_activity_message_is_slow(struct ws_activity *activity, const struct ws_loop *loop,
                                 const struct ws_session *session, int64_t over_ms) {
  uint32_t now = ws_activity_now(loop);
  uint32_t bytes = session ? ws_session_unfinished(session) : 0;
  uint32_t passed = now - activity->message;
  if (bytes == 0) {
    activity->message = 0;
    return false;
  }
  if (activity->message && passed < over_ms)
    return false;
  bool slow = activity->message && bytes - activity->message_bytes < (int64_t)passed * WS_ACTIVITY_MESSAGE_RATE / 1000;
  activity->message = now | 1;
  activity->message_bytes = bytes;
  return slow;
}
