#pragma once
/* The whole: its start, with the first builtin that needs it, its end, with the program's, and waiting for a signal.
 *
 * At the end (atexit) every server is stopped and every client connection closed with 1001, within the deadline; then the
 * loops end and all memory is freed. Where a handler does not return, its loop and memory are left to the system. exit()
 * inside a handler turns that handler's loop instead, and frees nothing.
 */
#include "osprey/error.h"

/* 0, or -1 with the error set. Any thread. */
int ws_program_start(const char *op, struct ws_error *error);

/* Waits for SIGINT or SIGTERM, then stops every server. 0, or -1 with the error set. */
int ws_program_keep_alive(struct ws_error *error);
