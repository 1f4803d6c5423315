#pragma once
/* Programs: functions that run in a process of their own, observed from outside. */
#include <stddef.h>
#include <sys/types.h>

struct program {
  pid_t pid;
  int out; /* standard output, to read */
  int err; /* standard error, to read: the log */
};

/* Runs `body` in a child process, whose exit status is the value returned. */
struct program program_run(int (*body)(int port), int port);
/* Runs it with a free port, and waits for its first line, by which it is ready. */
struct program program_serve(int (*body)(int port), int *port);
/* Reads the log up to its end, and waits for the end of the process. Returns the exit status. */
int program_finish(struct program *program, char *log, size_t room);
/* Reads a line of standard output, without its newline. */
void program_read_line(struct program *program, char *line, size_t room);
/* Reads a line, which must be this one. */
void program_expect_line(struct program *program, const char *line);
/* Writes to standard output at once. */
void program_say(const char *text);
/* Waits until the process has a handler for the signal, which websocketKeepAlive installs after the last output. */
void program_await_handler(const struct program *program, int number);
/* The same, and sends it. */
void program_signal(const struct program *program, int number);
