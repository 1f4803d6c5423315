#pragma once
/* The program's life: the start with the first builtin that needs the loop threads, and the end.
 *
 * At the end (atexit) every server is stopped and every client closed with 1001, within the longest closeTimeoutMs;
 * then the loop threads end and the host's values are released. The loops themselves stay: another thread may be in a
 * builtin, which it then is given an error by, or waits in until the process is gone. If a handler does not return for
 * WS_HELD_MS, its thread and all memory are left to the system. exit() in a handler turns that handler's loop instead,
 * and frees nothing.
 */
#include "osprey/error.h"

/* 0, or -1 with the error set. Any thread. */
int ws_program_start(const char *op, struct ws_error *error);

/* Waits for SIGINT or SIGTERM, then stops every server. 0, or -1 with the error set. */
int ws_program_keep_alive(struct ws_error *error);

/* Blocks for this many milliseconds, or until the program ends. Any thread. */
void ws_program_sleep(int64_t ms);
