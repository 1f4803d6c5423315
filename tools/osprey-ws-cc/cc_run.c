#include "cc_run.h"

#include <errno.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- process */

static volatile sig_atomic_t cc_run_child;

static void cc_run_forward_signal(int number) {
  if (cc_run_child > 0)
    kill((pid_t)cc_run_child, number);
}

static int cc_run_wait(pid_t child) {
  int status;
  while (waitpid(child, &status, 0) < 0)
    if (errno != EINTR)
      return CC_RUN_FAILED;
  return status;
}

int cc_run_exit(int status) {
  if (WIFEXITED(status))
    return WEXITSTATUS(status);
  signal(WTERMSIG(status), SIG_DFL);
  raise(WTERMSIG(status));
  return 128 + WTERMSIG(status);
}

/* Writes the arguments to a response file. Returns the argument that names it, to be freed, or NULL on failure. */
static char *cc_run_write_response_file(const struct cc_command *command, const char *scratch) {
  char *argument = NULL;
  if (asprintf(&argument, "@%s/arguments", scratch) < 0)
    return NULL;
  FILE *file = fopen(argument + 1, "w");
  for (size_t i = 0; file && i < command->count; i++) {
    fputc('"', file);
    for (const char *at = command->arguments[i].text; *at; at++) {
      if (*at == '"' || *at == '\\')
        fputc('\\', file);
      fputc(*at, file);
    }
    fputs("\"\n", file);
  }
  if (file && !fclose(file))
    return argument;
  free(argument);
  return NULL;
}

/* Returns the status that a shell exits with if it cannot run a program. */
static int cc_run_exec(char **argv) {
  execvp(argv[0], argv);
  fprintf(stderr, "osprey-ws-cc: error: cannot run '%s': %s\n", argv[0], strerror(errno));
  return errno == ENOENT ? 127 : 126;
}

static pid_t cc_run_spawn(char **argv) {
  static const int forwarded[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE};
  struct sigaction action = {.sa_handler = cc_run_forward_signal};
  for (size_t i = 0; i < sizeof forwarded / sizeof *forwarded; i++)
    sigaction(forwarded[i], &action, NULL);
  pid_t child = fork();
  if (child != 0)
    return child;
  _exit(cc_run_exec(argv));
}

/* The arguments of clang, to be freed: the response file if there is one, else those of the command. */
static char **cc_run_arguments(const struct cc_command *command, const char *clang, char *response) {
  char **argv = calloc(command->count + 2, sizeof *argv);
  size_t count = 0;
  if (!argv)
    return NULL;
  argv[count++] = (char *)clang;
  if (response)
    argv[count++] = response;
  for (size_t i = 0; !response && i < command->count; i++)
    argv[count++] = command->arguments[i].text;
  return argv;
}

int cc_run_replace(const struct cc_command *command, const char *clang) {
  char **argv = cc_run_arguments(command, clang, NULL);
  int status = argv ? cc_run_exec(argv) : 126;
  free(argv);
  return status;
}

int cc_run(const struct cc_command *command, const char *clang, const char *scratch) {
  char *response = command->from_response_file ? cc_run_write_response_file(command, scratch) : NULL;
  char **argv = cc_run_arguments(command, clang, response);
  pid_t child = -1;
  if (argv && (response || !command->from_response_file)) {
    child = cc_run_spawn(argv);
    cc_run_child = child;
  }
  if (child < 0)
    fprintf(stderr, "osprey-ws-cc: error: cannot start '%s': %s\n", clang, strerror(errno));
  free(argv);
  free(response);
  return child < 0 ? CC_RUN_FAILED : cc_run_wait(child);
}

/* ---- version */

/* Stores the standard output of `clang --version`, cut to size - 1 bytes. */
static void cc_run_read_version(const char *clang, char *text, size_t size) {
  int ends[2];
  size_t length = 0;
  text[0] = '\0';
  if (pipe(ends))
    return;
  pid_t child = fork();
  if (child == 0) {
    dup2(ends[1], STDOUT_FILENO);
    close(ends[0]);
    close(ends[1]);
    execlp(clang, clang, "--version", (char *)NULL);
    _exit(127);
  }
  close(ends[1]);
  for (ssize_t got = 1; child > 0 && got > 0 && length + 1 < size; length += (size_t)(got > 0 ? got : 0))
    got = read(ends[0], text + length, size - length - 1);
  text[length] = '\0';
  close(ends[0]);
  if (child > 0)
    cc_run_wait(child);
}

int cc_run_clang_version(const char *clang) {
  static const char before[] = "clang version ";
  char text[512];
  cc_run_read_version(clang, text, sizeof text);
  const char *at = strstr(text, before);
  return at ? atoi(at + sizeof before - 1) : 0;
}

/* ---- scratch directory */

char *cc_run_scratch_new(void) {
  const char *parent = getenv("TMPDIR");
  char *scratch = NULL;
  if (asprintf(&scratch, "%s/osprey-ws-cc.XXXXXX", parent && *parent ? parent : "/tmp") < 0)
    return NULL;
  /* A diagnostic that nobody reads must not end this process before the directory is removed. */
  struct sigaction action = {.sa_handler = cc_run_forward_signal};
  sigaction(SIGPIPE, &action, NULL);
  if (mkdtemp(scratch))
    return scratch;
  fprintf(stderr, "osprey-ws-cc: error: cannot make the directory '%s': %s\n", scratch, strerror(errno));
  free(scratch);
  return NULL;
}

static int cc_run_remove_entry(const char *path, const struct stat *status, int type, struct FTW *walk) {
  (void)status;
  (void)type;
  (void)walk;
  return remove(path);
}

void cc_run_scratch_free(char *scratch) {
  enum { MAX_DESCRIPTORS = 8 };
  if (scratch)
    nftw(scratch, cc_run_remove_entry, MAX_DESCRIPTORS, FTW_DEPTH | FTW_PHYS);
  free(scratch);
}
