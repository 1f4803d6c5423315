#include "form.h"

#include <string.h>

/* The names of a builtin's forms, those with a block first. */
enum { CG_FORM_BOXED = 2, CG_FORM_EACH = 4 };
static const char *const cg_form_names[][CG_FORM_EACH] = {
#define WS_BUILTIN(name, alias, symbol, result, requirement, parameters, doc)                                          \
  {#name, #alias, #name ".unboxed", #alias ".unboxed"},
#include "ws_builtins.def"
};

size_t cg_form_count(void) {
  return sizeof cg_form_names / sizeof **cg_form_names;
}

struct cg_form cg_form_at(size_t index) {
  size_t count, number = index % CG_FORM_EACH;
  const struct osp_ws_codegen_builtin *builtins = osp_ws_codegen_builtins(&count);
  return (struct cg_form){cg_form_names[index / CG_FORM_EACH][number], &builtins[index / CG_FORM_EACH],
                          number >= CG_FORM_BOXED};
}

struct cg_form cg_form_find(const char *name) {
  for (size_t i = 0; i < cg_form_count(); i++)
    if (!strcmp(cg_form_at(i).name, name))
      return cg_form_at(i);
  return (struct cg_form){NULL, NULL, false};
}
