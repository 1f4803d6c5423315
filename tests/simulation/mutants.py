#!/usr/bin/python3
"""Puts faults that this project had back into the runtime, one by one, and shows after how many seeds each is found.

A mutant replaces texts, each of which its file contains once. The file is compiled as the build compiles it, and
linked before the runtime's libraries, whose own object the linker then leaves out.

Usage: mutants.py BUILD [NAME...]
       mutants.py --check: only that the files contain the texts
"""
import json
import pathlib
import re
import subprocess
import sys
import tempfile

SEEDS_MAX = 6000
FIRST = 1 << 20
# Where the seeds begin for mutants that few worlds show.
FROM = {"output waits for the connect of a close handler": 1057000,
        "who waits for receivers is watched": 789691200200, "who falls asleep is counted": 532420086380,
        "the end waits for a stuck handler twice": 1060000, "a page that nobody reads is kept": 2015000,
        "a stop overtakes its listen": 2000000, "a close frame follows a refusal": 3000000}

MUTANTS = {
    "a dial outlives its connection": ("runtime/client/client.c", """  if (client->dial)
    ws_dial_cancel(client->dial);
  client->dial = NULL;
  /* A server""", """  /* A server""", """  if (!conn->admitted)
    return;
""", """  if (client->dial)
    ws_dial_cancel(client->dial);
  client->dial = NULL;
  if (!conn->admitted)
    return;
"""),
    "who falls asleep is counted": ("runtime/conn/held.c", "  if (held < conn->held)\n    ws_held_change(conn, held);",
                                    "  if (conn->group->budget)\n    ws_held_change(conn, held);"),
    "deadlines before input": ("runtime/io/loop.c", """  ws_loop_dispatch(loop, &batch);
  ws_loop_dispatch_rest(""", """  ws_timer_heap_run(&loop->timers, loop, turn_ms);
  ws_loop_dispatch(loop, &batch);
  ws_loop_dispatch_rest("""),
    "time away is not forgiven": ("runtime/io/loop.c", "  return loop->away + (busy_ms > 0 ? busy_ms : 0);",
                                 "  (void)busy_ms; return 0;"),
    "the present turn is not forgiven": ("runtime/io/loop.c", "  return loop->away + (busy_ms > 0 ? busy_ms : 0);",
                                         "  return (void)busy_ms, loop->away;",
                                         "  loop->away = ws_loop_away(loop);",
                                         "  int64_t busy_ms = loop->now - loop->listened - WS_LOOP_AWAY_MS;\n"
                                         "  loop->away += busy_ms > 0 ? busy_ms : 0;"),
    "forgotten wake-up": ("runtime/io/loop.c", """    if (atomic_load(&loop->posted))
      timeout_ms = 0;""", ""),
    "deferred work waits": ("runtime/io/loop.c", "if (max_wait_ms == 0 || loop->deferred || loop->tasks)",
                            "if (max_wait_ms == 0)"),
    "busy senders count as idle": ("runtime/conn/activity.c", """&activity->acked))
    ws_activity_progressed(activity, loop);""", """&activity->acked))
    activity->output = now;"""),
    "stalled output is not ended": ("runtime/conn/turn.c", "ws_activity_stalled(&conn->activity, loop) >= timeout_ms",
                                    "timeout_ms < 0"),
    "a handshake's deadline counts a stop": ("runtime/conn/turn.c", "  if (away_ms == 0 && !conn->shaking)",
                                             "  if (!conn->shaking)"),
    "unparsed input is not life": ("runtime/conn/turn.c", "  if (conn->buffered)\n    ws_activity_heard",
                                   "  if (false)\n    ws_activity_heard"),
    "unread input is not life": ("runtime/conn/turn.c", " && !ws_stream_has_unread(&conn->stream)", ""),
    "a close waits from its start": ("runtime/conn/end.c", "(now - conn->activity.output);",
                                     "(now - conn->closing_since);"),
    "a close forgives time before it": ("runtime/conn/end.c",
                                        "    conn->activity.away = (uint32_t)ws_loop_away(ws_conn_loop(conn));\n",
                                        ""),
    "a close forgives the turn before it": ("runtime/conn/end.c", """< WS_CONN_CLOSING) {
    conn->closing_since""", """< WS_CONN_CLOSING) {
    uint32_t away = (uint32_t)ws_loop_away(ws_conn_loop(conn));
    conn->closing_since""", "activity.away = (uint32_t)ws_loop_away(ws_conn_loop(conn));", "activity.away = away;"),
    "a lingering close takes longer than closeTimeoutMs": ("runtime/conn/end.c", "now + (left_ms < WS_END_LOOK_MS ?",
                                                           "now + (left_ms < 0 ?"),
    "unfinished messages are mixed up": ("runtime/conn/input.c", "  ws_activity_message_ended(&conn->activity);\n", ""),
    "input waits for the connect of another's handler": ("runtime/conn/input.c",
                                                         """  if (thread->buffered_count > 0)
    ws_loop_defer(thread->loop, &thread->resume);
  bool ran""", "  bool ran"),
    "a request that waits waits in two queues": ("runtime/conn/input.c",
                                                 "  if (ws_conn_state(conn) <= WS_CONN_HANDSHAKE)\n    return false;\n",
                                                 ""),
    "who waits for receivers is watched": ("runtime/conn/input.c", "  if (held)\n    ws_input_unwatch(conn);\n", ""),
    "output waits for the connect of a close handler": ("runtime/conn/turn.c",
                                                        "    ws_loop_defer(thread->loop, &thread->end_of_turn);\n",
                                                        "    (void)thread;\n"),
    "memory of ended connections is counted": ("runtime/conn/end.c", "  ws_held_forget(conn);\n",
                                               "  (void)ws_held_forget;\n"),
    "the reason leaks": ("runtime/conn/end.c", "  ws_mem_free(conn->reason);\n  conn->reason = NULL;\n  if (ops",
                         "  conn->reason = NULL;\n  if (ops"),
    "an interrupted wait runs timers": ("runtime/io/loop.c", "  if (count < 0 && errno == EINTR) {\n    timeout_ms",
                                        "  if (false) {\n    timeout_ms"),
    "close handlers recurse": ("runtime/conn/conn.c", """  if (conn->queued)
    return;
  conn->queued = true;""", """  if (conn->queued || (conn->refs && ws_conn_state(conn) == WS_CONN_ENDED))
    return;
  conn->queued = true;""", """== WS_CONN_ENDED)
    ws_conn_queue(conn);""", """== WS_CONN_ENDED) {
    void ws_end_finish(struct ws_conn *);
    ws_end_finish(conn);
  }"""),
    "no close handler after a lost connection": ("runtime/server/server_conn.c", """  if (!conn->admitted)
    return;
  ws_tally""", """  if (!conn->admitted || conn->code == 1006)
    return;
  ws_tally"""),
    "a posted message stays charged": ("runtime/conn/send.c", """  if (!open || send->opcode)
    ws_outq_discharge(""", """  if (send->opcode)
    ws_outq_discharge("""),
    "senders are not told of room": ("runtime/conn/flush.c", "most);\n  ws_wait_notify();\n", "most);\n"),
    "unbounded work of one connection": ("runtime/conn/input.c",
                                         "  return thread->work_left > 0 ? WS_SINK_GO : WS_SINK_PAUSE;",
                                         "  return WS_SINK_GO;"),
    "a message comes behind the close frame": ("runtime/conn/send.c", "late = ws_conn_state(conn) > WS_CONN_OPEN;",
                                               "late = false;"),
    "a handler's message overtakes that of a thread": (
        "runtime/conn/send.c", "local && atomic_load_explicit(&conn->posted, memory_order_relaxed) == 0;", "local;"),
    "a handler's broadcast overtakes that of a thread": (
        "runtime/server/server_broadcast.c", "== here && !here->behind && atomic_load(&share->group.broadcasts) == 0;",
        "== here && !here->behind;"),
    "a message is heard after a close": ("runtime/conn/input.c", " && !atomic_load(&conn->hushed)) {", ") {"),
    "what waits for this end counts as output": (
        "runtime/conn/turn.c", "&conn->stream, conn->blocked);\n  uint32_t silent_ms",
        "&conn->stream, ws_outq_bytes(&conn->out) > 0);\n  uint32_t silent_ms"),
    "a close frame follows a refusal": ("runtime/conn/end.c", "corked = false;\n  conn->close_posted = false;",
                                        "corked = false;"),
    "a close overtakes posted messages": ("runtime/conn/end.c", "    if (!ws_end_post_close(conn, code, reason, n))\n",
                                          ""),
    "a close overtakes posted broadcasts": ("runtime/conn/end.c", " || atomic_load(&conn->group->broadcasts);", ";"),
    "the end waits for a stuck handler twice": ("runtime/abi/program.c",
                                                "  ws_loop_threads_wait(deadline_ms, ws_program_is_over, NULL);\n",
                                                "  ws_server_stop_wait_all(deadline_ms);\n"
                                                "  ws_loop_threads_wait(deadline_ms, ws_program_is_over, NULL);\n"),
    "slow handlers of one connection hold the loop": ("runtime/conn/input.c",
                                                      "  if (over_ns > 0) {\n", "  if (false) {\n"),
    "a listener's retry goes on after a stop": ("runtime/io/listener.c",
                                                "  ws_timer_deinit(listener->loop, &listener->retry);\n", ""),
    "events of removed watches are called": ("runtime/io/loop.c", """  if (interest == 0)
    ws_loop_strike(loop, watch);
""", "  (void)ws_loop_strike;\n"),
    "a stop overtakes its listen": ("runtime/server/server_stop.c", "== here && share->started)", "== here)"),
    "the end frees the loops of other threads": ("runtime/conn/loop_thread.c", """  for (unsigned i = 0; i < count; i++)
    ws_call_deinit(&ws_loop_threads[i].self.call);
  return true;""", """  atomic_store(&ws_loop_threads_running, 0);
  ws_loop_threads_free(ws_loop_threads, count);
  return true;"""),
    "late requests do not wait": ("runtime/conn/turn.c", "ws_turn_is_shake(conn) || ws_turn_is_late(conn))",
                                  "ws_turn_is_shake(conn) || (false && ws_turn_is_late(conn)))"),
    "all TLS handshakes of a turn are done in it": ("runtime/conn/turn.c", "    most -= ws_turn_shake_next(thread);\n",
                                                    "    ws_turn_shake_next(thread);\n    continue;\n"),
    "who waits for its handshake is late": ("runtime/conn/turn.c", "else if (!ws_turn_forgives(conn))",
                                            "else if (conn->shaking || !ws_turn_forgives(conn))"),
    "a page that nobody reads is kept": ("runtime/conn/end.c", "? linger_ms : WS_CLOSE_TIMEOUT_MS;",
                                         "? linger_ms : conn->id ? WS_CLOSE_TIMEOUT_MS : most_ms;"),
    "a page ends where its client ends its side": ("runtime/conn/input.c", "if (outcome == 0 && ws_end_deafen(conn))",
                                                   "if (false && outcome == 0 && ws_end_deafen(conn))"),
    "timers have no bound": ("runtime/abi/ticker.c", "1) >= WS_TICKERS_MAX)", "1) >= 2 * WS_TICKERS_MAX)"),
    "a timer that has ended leaves no room": ("runtime/abi/ticker.c",
                                              "  atomic_store(&ticker->over, true);\n  atomic_fetch_sub(",
                                              "  atomic_store(&ticker->over, true);\n  if (false) atomic_fetch_sub("),
    "a cancelled timer ticks": ("runtime/abi/ticker.c", "  if (atomic_load(&ticker->over)) {\n",
                                "  if (false && atomic_load(&ticker->over)) {\n"),
    "each loop evicts its own heaviest": ("runtime/server/server_evict.c", "most / WS_SERVER_EVICT_SPARE, average);",
                                          "0, 0);"),
    "light connections go at once": ("runtime/server/server_evict.c", "most / WS_SERVER_EVICT_SPARE, average);",
                                     "most / WS_SERVER_EVICT_SPARE, 0);"),
    "a stop does not wait for the last connection": ("runtime/server/server.c",
                                                     "|| share->done || share->connections.first)", "|| share->done)"),
}


def commands(build):
    """The compile command of each source of the runtime, and the command that links the simulation."""
    compile_of = {}
    for entry in json.loads((build / "compile_commands.json").read_text()):
        path = (pathlib.Path(entry["directory"]) / entry["file"]).resolve()
        if "libws_" in entry["output"]:
            compile_of[str(path)] = entry["command"]
    target = "tests/simulation/simulation"
    link = subprocess.run(["ninja", "-C", build, "-t", "commands", "-s", target], check=True, capture_output=True,
                          text=True).stdout.strip().splitlines()[-1]
    return compile_of, link


def changed_text(root, mutant):
    name, *changes = mutant
    text = (root / name).read_text()
    for before, after in zip(changes[::2], changes[1::2]):
        if text.count(before) != 1:
            raise SystemExit(f"{name} contains this {text.count(before)} times: {before}")
        text = text.replace(before, after)
    return text


def make(root, build, scratch, mutant, compile_of, link):
    source = root / mutant[0]
    text = changed_text(root, mutant)
    changed = scratch / source.name
    changed.write_text(text)
    command = compile_of[str(source)]
    command = re.sub(r" -o \S+ -c \S+$", "", command)
    command = re.sub(r" -M[DQF]( \S+\.(o|d))?", "", command)
    obj = scratch / "mutant.o"
    subprocess.run(f"{command} -Wno-error -iquote{source.parent} -o {obj} -c {changed}", shell=True, check=True,
                   cwd=build)
    program = scratch / "simulation"
    link = re.sub(r"-o \S+", f"-o {program} {obj}", link, count=1)
    subprocess.run(link, shell=True, check=True, cwd=build)
    return program


def main(build, names):
    root = pathlib.Path(__file__).resolve().parents[2]
    for mutant in MUTANTS.values():
        changed_text(root, mutant)
    if build == "--check":
        return 0
    build = pathlib.Path(build).resolve()
    compile_of, link = commands(build)
    missed = 0
    for name in names or MUTANTS:
        first = FROM.get(name, FIRST)
        with tempfile.TemporaryDirectory() as scratch:
            program = make(root, build, pathlib.Path(scratch), MUTANTS[name], compile_of, link)
            run = subprocess.run([program, "--from", str(first), "--count", str(SEEDS_MAX)], capture_output=True,
                                 text=True)
        found = re.search(r"FAILED: (.*)\n", run.stdout)
        worlds = re.findall(r"(\d+) worlds,", run.stdout)
        if found:
            seed = first + int(worlds[-1]) - 1
            print(f"{name}: found after {worlds[-1]} seeds, by {seed}: {found[1][:110]}", flush=True)
        else:
            missed += 1
            print(f"{name}: NOT FOUND in {SEEDS_MAX} seeds", flush=True)
    return 1 if missed else 0


sys.exit(main(sys.argv[1], sys.argv[2:]))
