#include "diag.h"

#include "arena.h"

#include <locale.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

enum {
  DIAG_RECORD_MAX = 1000, /* further ones are only counted */
  DIAG_PRINT_MAX = 50,    /* further ones would scroll the first ones away */
  DIAG_LINE_MAX = 160,    /* bytes of a line; of a longer line, only the part near the caret is printed: */
  DIAG_BEFORE_MAX = 100,  /* bytes before it */
  DIAG_AFTER_MAX = 60,    /* bytes after it */
};

struct diag_message {
  struct place place;
  size_t order;
  const char *text;
  const char *hint;
  bool is_warning;
};

void diag_init(struct diag *diag, struct arena *arena, const struct source *source) {
  *diag = (struct diag){.arena = arena, .source = source};
}

__attribute__((format(printf, 4, 0))) static const char **
diag_record(struct diag *diag, struct place place, bool is_warning, const char *format, va_list arguments) {
  static const char *ignored;
  if (diag->count == DIAG_RECORD_MAX) {
    diag->errors += !is_warning;
    return &ignored;
  }
  const char *text = arena_vprintf(diag->arena, format, arguments);
  for (size_t i = diag->count; i-- > 0;) {
    struct diag_message *message = &diag->messages[i];
    if (message->place.offset == place.offset && strcmp(message->text, text) == 0)
      return &message->hint;
  }
  struct diag_message added = {.place = place, .order = diag->count, .text = text, .is_warning = is_warning};
  ARENA_PUSH(diag->arena, diag->messages, diag->count, diag->capacity, added);
  diag->errors += !is_warning;
  return &diag->messages[diag->count - 1].hint;
}

const char **diag_error(struct diag *diag, struct place place, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  const char **hint = diag_record(diag, place, false, format, arguments);
  va_end(arguments);
  return hint;
}

const char **diag_warning(struct diag *diag, struct place place, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  const char **hint = diag_record(diag, place, true, format, arguments);
  va_end(arguments);
  return hint;
}

/* Drops the errors behind `offset`, up to `end`. */
static void diag_drop(struct diag *diag, size_t offset, size_t end) {
  size_t kept = 0;
  for (size_t i = 0; i < diag->count; i++) {
    const struct diag_message *message = &diag->messages[i];
    bool drops = !message->is_warning && message->place.offset > offset && message->place.offset <= end;
    diag->errors -= drops;
    if (!drops)
      diag->messages[kept++] = *message;
  }
  diag->count = kept;
}

void diag_drop_line(struct diag *diag, size_t offset) {
  diag_drop(diag, offset, offset + strcspn(diag->source->text + offset, "\n"));
}

void diag_drop_rest(struct diag *diag, size_t offset) {
  diag_drop(diag, offset, diag->source->length);
}

void diag_drop_since(struct diag *diag, size_t count) {
  for (; diag->count > count; diag->count--)
    diag->errors -= !diag->messages[diag->count - 1].is_warning;
}

static int diag_compare(const void *left, const void *right) {
  const struct diag_message *a = left, *b = right;
  if (a->place.offset != b->place.offset)
    return a->place.offset < b->place.offset ? -1 : 1;
  return a->order < b->order ? -1 : a->order > b->order;
}

/* The start of the character that contains an offset. */
static size_t diag_character_start(const char *text, size_t offset, size_t from) {
  while (offset > from && (text[offset] & 0xc0) == 0x80)
    offset--;
  return offset;
}

size_t diag_bidi(const char *text, size_t length, char *escape) {
  const unsigned char *bytes = (const unsigned char *)text;
  if (length < 3 || bytes[0] != 0xe2)
    return 0;
  bool overrides = bytes[1] == 0x80 && bytes[2] >= 0xaa && bytes[2] <= 0xae;
  bool isolates = bytes[1] == 0x81 && bytes[2] >= 0xa6 && bytes[2] <= 0xa9;
  if (!overrides && !isolates)
    return 0;
  snprintf(escape, DIAG_BIDI_SIZE, "<U+%04X>", 0x2000u | (bytes[1] & 0x3fu) << 6 | (bytes[2] & 0x3fu));
  return 3;
}

/* Fills the columns that the characters of a text take on a terminal: 2 for most East Asian characters and emoji, 0 for
 * combining marks. A tab stays a tab. */
static void diag_fill(const char *text, size_t length, char fill, FILE *out) {
  mbstate_t state = {0};
  char escape[DIAG_BIDI_SIZE];
  for (size_t i = 0; i < length;) {
    size_t escaped = diag_bidi(text + i, length - i, escape);
    for (size_t j = 0; escaped && escape[j]; j++)
      fputc(fill, out);
    i += escaped;
    if (escaped)
      continue;
    wchar_t character = 0;
    size_t bytes = mbrtowc(&character, text + i, length - i, &state);
    bool is_valid = bytes != 0 && bytes <= length - i;
    int columns = is_valid ? wcwidth(character) : 1;
    for (int j = 0; j < (columns < 0 ? 1 : columns); j++)
      fputc(text[i] == '\t' && fill == ' ' ? '\t' : fill, out);
    i += is_valid ? bytes : 1;
  }
}

/* Prints the line of a place, with a caret under the place and tildes under the rest of it. Of a long line, prints only
 * the part near the caret. Control characters become question marks, because a terminal might interpret them, and the
 * characters that change the direction of text their numbers. */
static void diag_print_line(const struct source *source, struct place place, FILE *out) {
  const char *text = source->text;
  size_t offset = place.offset, start = offset, end = offset;
  while (start > 0 && text[start - 1] != '\n')
    start--;
  while (end < source->length && text[end] != '\n' && text[end] != '\r')
    end++;
  if (start == end && offset == source->length)
    return;
  bool is_long = end - start > DIAG_LINE_MAX;
  size_t from =
      is_long && offset - start > DIAG_BEFORE_MAX ? diag_character_start(text, offset - DIAG_BEFORE_MAX, start) : start;
  size_t to =
      is_long && end - offset > DIAG_AFTER_MAX ? diag_character_start(text, offset + DIAG_AFTER_MAX, offset) : end;
  size_t marked = offset + place.length < to ? offset + place.length : to;
  fputs("  ", out);
  char escape[DIAG_BIDI_SIZE];
  for (size_t i = from; i < to; i++) {
    unsigned char byte = (unsigned char)text[i];
    size_t escaped = diag_bidi(text + i, to - i, escape);
    if (escaped) {
      fputs(escape, out);
      i += escaped - 1;
      continue;
    }
    bool is_c1 = byte == 0xc2 && i + 1 < to && (unsigned char)text[i + 1] < 0xa0;
    i += is_c1;
    fputc(byte == '\t' || (byte >= 0x20 && byte != 0x7f && !is_c1) ? byte : '?', out);
  }
  fputs("\n  ", out);
  diag_fill(text + from, offset - from, ' ', out);
  fputc('^', out);
  size_t next = offset + 1;
  while (next < marked && (text[next] & 0xc0) == 0x80)
    next++;
  if (next < marked)
    diag_fill(text + next, marked - next, '~', out);
  fputc('\n', out);
}

void diag_print(struct diag *diag, FILE *out) {
  /* The widths of characters, whatever the user's locale. */
  locale_t unicode = newlocale(LC_CTYPE_MASK, "C.UTF-8", NULL), before = unicode ? uselocale(unicode) : NULL;
  if (diag->count)
    qsort(diag->messages, diag->count, sizeof *diag->messages, diag_compare);
  size_t shown = diag->count < DIAG_PRINT_MAX ? diag->count : DIAG_PRINT_MAX, errors = 0;
  for (size_t i = 0; i < shown; i++) {
    const struct diag_message *message = &diag->messages[i];
    errors += !message->is_warning;
    unsigned line, column;
    source_position(diag->source, message->place, &line, &column);
    fprintf(out, "%s:%u:%u: %s: %s\n", diag->source->path, line, column, message->is_warning ? "warning" : "error",
            message->text);
    diag_print_line(diag->source, message->place, out);
    if (message->hint)
      fprintf(out, "  hint: %s\n", message->hint);
  }
  if (diag->errors > errors)
    fprintf(out, "%s: %zu more errors\n", diag->source->path, diag->errors - errors);
  if (!unicode)
    return;
  uselocale(before);
  freelocale(unicode);
}

/* How many letters must be typed, dropped, replaced or swapped with their neighbour to turn one name into the other.
 * The distance of a name of more than 63 letters is the maximum. */
static size_t diag_distance(const char *a, const char *b) {
  enum { LONGEST = 64 };
  size_t rows = strlen(a), columns = strlen(b);
  if (rows >= LONGEST || columns >= LONGEST)
    return LONGEST;
  size_t cost[3][LONGEST];
  for (size_t j = 0; j <= columns; j++)
    cost[0][j] = j;
  for (size_t i = 1; i <= rows; i++) {
    size_t *now = cost[i % 3], *before = cost[(i + 2) % 3], *earlier = cost[(i + 1) % 3];
    now[0] = i;
    for (size_t j = 1; j <= columns; j++) {
      size_t best = before[j - 1] + (a[i - 1] != b[j - 1]);
      if (before[j] + 1 < best)
        best = before[j] + 1;
      if (now[j - 1] + 1 < best)
        best = now[j - 1] + 1;
      bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped && earlier[j - 2] + 1 < best)
        best = earlier[j - 2] + 1;
      now[j] = best;
    }
  }
  return cost[rows % 3][columns];
}

void diag_guess_consider(struct diag_guess *guess, const char *name, const char *candidate) {
  size_t longer = strlen(name), shorter = strlen(candidate);
  if (longer < shorter) {
    size_t length = longer;
    longer = shorter;
    shorter = length;
  }
  size_t tolerance = longer / 3 < 3 ? longer / 3 : 3;
  if (longer - shorter > tolerance)
    return;
  size_t distance = strcasecmp(name, candidate) == 0 ? 0 : diag_distance(name, candidate);
  if (distance > tolerance)
    return;
  if (guess->name && distance >= guess->distance)
    return;
  guess->name = candidate;
  guess->distance = distance;
}
