#include "cc_object.h"

#include <ar.h>
#include <elf.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cc_map.h"

static bool cc_object_is_elf(const struct cc_map *map) {
  const unsigned char data = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? ELFDATA2LSB : ELFDATA2MSB;
  return map->size >= EI_NIDENT && cc_map_begins(map, ELFMAG) && map->bytes[EI_CLASS] == ELFCLASS64 &&
         map->bytes[EI_DATA] == data;
}

/* Copies entry `index` of a table at `offset`: it need not be aligned. Returns false if the file ends before. */
static bool cc_object_read(const struct cc_map *map, uint64_t offset, uint64_t index, void *entry, size_t size) {
  uint64_t at;
  if (__builtin_mul_overflow(index, size, &at) || __builtin_add_overflow(at, offset, &at) || at > map->size ||
      map->size - at < size)
    return false;
  memcpy(entry, map->bytes + at, size);
  return true;
}

/* Returns the name at an offset into a table of strings, or NULL if the file or the table ends before it. */
static const char *cc_object_name(const struct cc_map *map, const Elf64_Shdr *strings, uint32_t offset) {
  if (strings->sh_offset > map->size || strings->sh_size > map->size - strings->sh_offset || offset >= strings->sh_size)
    return NULL;
  const char *name = map->bytes + strings->sh_offset + offset;
  return memchr(name, '\0', strings->sh_size - offset) ? name : NULL;
}

static bool cc_object_is_definition(const Elf64_Sym *symbol) {
  return symbol->st_shndx != SHN_UNDEF && ELF64_ST_BIND(symbol->st_info) != STB_LOCAL;
}

void cc_object_each_definition(const char *path, void (*found)(const char *name, void *context), void *context) {
  struct cc_map map;
  Elf64_Ehdr header;
  Elf64_Shdr section, strings;
  Elf64_Sym symbol;
  bool is_object = cc_map_init(&map, path) && cc_object_is_elf(&map) &&
                   cc_object_read(&map, 0, 0, &header, sizeof header) && header.e_type == ET_REL;
  for (uint64_t i = 0; is_object && i < header.e_shnum; i++) {
    if (!cc_object_read(&map, header.e_shoff, i, &section, sizeof section))
      break;
    if (section.sh_type != SHT_SYMTAB ||
        !cc_object_read(&map, header.e_shoff, section.sh_link, &strings, sizeof strings))
      continue;
    for (uint64_t s = 0; s < section.sh_size / sizeof symbol; s++) {
      if (!cc_object_read(&map, section.sh_offset, s, &symbol, sizeof symbol))
        break;
      const char *name = cc_object_is_definition(&symbol) ? cc_object_name(&map, &strings, symbol.st_name) : NULL;
      if (name)
        found(name, context);
    }
  }
  cc_map_deinit(&map);
}

/* The index is the first member, called "/": a count, as many offsets, and the names, each with its NUL. The numbers
 * have four bytes, the first of which is the highest. */
static const char *cc_object_index(const struct cc_map *map, size_t *size, uint32_t *count) {
  enum { NUMBER = 4 };
  struct ar_hdr header;
  char length[sizeof header.ar_size + 1] = "";
  const unsigned char *at = (const unsigned char *)map->bytes + SARMAG + sizeof header;
  if (!cc_map_begins(map, ARMAG "/ ") || map->size < SARMAG + sizeof header + NUMBER)
    return NULL;
  memcpy(&header, map->bytes + SARMAG, sizeof header);
  memcpy(length, header.ar_size, sizeof header.ar_size);
  *size = strtoul(length, NULL, 10);
  *count = (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
  if (*size > map->size - SARMAG - sizeof header || *size / NUMBER < (size_t)*count + 1)
    return NULL;
  *size -= NUMBER + (size_t)*count * NUMBER;
  return (const char *)at + NUMBER + (size_t)*count * NUMBER;
}

void cc_object_each_in_archive(const char *path, void (*found)(const char *name, void *context), void *context) {
  struct cc_map map;
  size_t left = 0;
  uint32_t count = 0;
  const char *name = cc_map_init(&map, path) ? cc_object_index(&map, &left, &count) : NULL;
  for (const char *end; name && count > 0 && (end = memchr(name, '\0', left)) != NULL; count--) {
    found(name, context);
    left -= (size_t)(end + 1 - name);
    name = end + 1;
  }
  cc_map_deinit(&map);
}
