#include "program.h"

#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "peer.h"
#include "test.h"

struct program program_run(int (*body)(int port), int port) {
  int out[2];
  int err[2];
  assert_int_equal(pipe(out), 0);
  assert_int_equal(pipe(err), 0);
  pid_t pid = fork();
  if (pid == 0) {
    dup2(out[1], 1);
    dup2(err[1], 2);
    close(out[0]);
    close(err[0]);
    exit(body(port));
  }
  close(out[1]);
  close(err[1]);
  return (struct program){pid, out[0], err[0]};
}

struct program program_serve(int (*body)(int port), int *port) {
  char line[64];
  *port = peer_free_port();
  struct program program = program_run(body, *port);
  program_read_line(&program, line, sizeof line);
  return program;
}

int program_finish(struct program *program, char *log, size_t room) {
  int status;
  size_t used = 0;
  ssize_t n;
  while (used < room - 1 && (n = read(program->err, log + used, room - 1 - used)) > 0)
    used += (size_t)n;
  log[used] = '\0';
  assert_int_equal(waitpid(program->pid, &status, 0), program->pid);
  close(program->out);
  close(program->err);
  if (!WIFEXITED(status))
    fail_msg("the program ended with signal %d: %s", WTERMSIG(status), log);
  return WEXITSTATUS(status);
}

void program_read_line(struct program *program, char *line, size_t room) {
  size_t used = 0;
  while (used < room - 1 && read(program->out, line + used, 1) == 1 && line[used] != '\n')
    used++;
  line[used] = '\0';
}

void program_expect_line(struct program *program, const char *line) {
  char observed[64];
  program_read_line(program, observed, sizeof observed);
  assert_string_equal(observed, line);
}

void program_say(const char *text) {
  assert_int_equal(write(1, text, strlen(text)), (ssize_t)strlen(text));
}

void program_await_handler(const struct program *program, int number) {
  unsigned long long caught = 0;
  char path[64];
  char line[256];
  snprintf(path, sizeof path, "/proc/%d/status", (int)program->pid);
  while (!(caught >> (number - 1) & 1)) {
    FILE *status = fopen(path, "r");
    assert_non_null(status);
    while (fgets(line, sizeof line, status) && sscanf(line, "SigCgt: %llx", &caught) != 1)
      ;
    fclose(status);
    sched_yield();
  }
}

void program_signal(const struct program *program, int number) {
  program_await_handler(program, number);
  kill(program->pid, number);
}
