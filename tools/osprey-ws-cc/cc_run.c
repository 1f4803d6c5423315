#include "cc_run.h"

#include <errno.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- The process ---- */

static volatile sig_atomic_t cc_child;

static void cc_forward_signal(int number) {
  if (cc_child > 0)
    kill((pid_t)cc_child, number);
}

static void cc_forward_signals(void) {
  static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
  struct sigaction action = {.sa_handler = cc_forward_signal};
  for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
    sigaction(numbers[i], &action, NULL);
}

static int cc_wait(pid_t child) {
  int status;
  while (waitpid(child, &status, 0) < 0)
    if (errno != EINTR)
      return CC_FAILED;
  return status;
}

int cc_run_exit(int status) {
  if (WIFEXITED(status))
    return WEXITSTATUS(status);
  signal(WTERMSIG(status), SIG_DFL);
  raise(WTERMSIG(status));
  return 128 + WTERMSIG(status);
}

/* ---- Its arguments ---- */

static int cc_write_word(FILE *file, const char *word) {
  fputc('"', file);
  for (; *word; word++) {
    if (*word == '"' || *word == '\\')
      fputc('\\', file);
    fputc(*word, file);
  }
  return fputs("\"\n", file);
}

/* Writes the arguments to a response file and returns the argument that names it, to be freed; NULL on failure. */
static char *cc_write_response_file(const struct cc_command *command, const char *directory) {
  char *argument = NULL;
  if (asprintf(&argument, "@%s/arguments", directory) < 0)
    return NULL;
  FILE *file = fopen(argument + 1, "w");
  for (size_t i = 0; file && i < command->count; i++)
    cc_write_word(file, command->arguments[i].text);
  if (file && !fclose(file))
    return argument;
  free(argument);
  return NULL;
}

static pid_t cc_spawn(char **argv) {
  pid_t child = fork();
  if (child != 0)
    return child;
  execvp(argv[0], argv);
  fprintf(stderr, "osprey-ws-cc: error: cannot run '%s': %s\n", argv[0], strerror(errno));
  _exit(errno == ENOENT ? 127 : 126);
}

int cc_run(const struct cc_command *command, const char *clang, const char *directory) {
  size_t count = 0;
  char *response = command->from_response_file ? cc_write_response_file(command, directory) : NULL;
  char **argv = calloc(command->count + 2, sizeof(*argv));
  pid_t child = -1;
  if (argv && (response || !command->from_response_file)) {
    argv[count++] = (char *)clang;
    if (response)
      argv[count++] = response;
    for (size_t i = 0; !response && i < command->count; i++)
      argv[count++] = command->arguments[i].text;
    cc_forward_signals();
    child = cc_spawn(argv);
    cc_child = child;
  }
  if (child < 0)
    fprintf(stderr, "osprey-ws-cc: error: cannot start '%s': %s\n", clang, strerror(errno));
  free(argv);
  free(response);
  return child < 0 ? CC_FAILED : cc_wait(child);
}

/* ---- Its version ---- */

/* What a program writes to standard output when it is run with --version, cut to size bytes. */
static void cc_read_version(const char *clang, char *text, size_t size) {
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
    cc_wait(child);
}

int cc_run_clang_version(const char *clang) {
  static const char before[] = "clang version ";
  char text[512];
  cc_read_version(clang, text, sizeof(text));
  const char *at = strstr(text, before);
  return at ? atoi(at + sizeof(before) - 1) : 0;
}

/* ---- The directory ---- */

char *cc_run_scratch_new(void) {
  const char *parent = getenv("TMPDIR");
  char *directory = NULL;
  if (asprintf(&directory, "%s/osprey-ws-cc.XXXXXX", parent && *parent ? parent : "/tmp") < 0)
    return NULL;
  if (mkdtemp(directory))
    return directory;
  fprintf(stderr, "osprey-ws-cc: error: cannot make the directory '%s': %s\n", directory, strerror(errno));
  free(directory);
  return NULL;
}

static int cc_remove_entry(const char *path, const struct stat *status, int type, struct FTW *walk) {
  (void)status;
  (void)type;
  (void)walk;
  return remove(path);
}

void cc_run_scratch_free(char *directory) {
  enum { DESCRIPTORS = 8 };
  if (directory)
    nftw(directory, cc_remove_entry, DESCRIPTORS, FTW_DEPTH | FTW_PHYS);
  free(directory);
}
